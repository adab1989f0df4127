import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from expectations.contract.errors import ConfigError
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs.province.gangs import plan
from jobs.province.gangs.truth_rows import join_truth_parts
from jobs.province.landing.delivery import write_manifests
from jobs.province.settings import chunks
from jobs.province.task import simulate
from jobs.simulate_province import MARKER, option_parser, prepared

_TYPES = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
}


def options(folder: Path, months: int = 2, *more: str):
    arguments = ["--members", "6000", "--months", str(months), "--seed", "3"]
    arguments += ["--out", str(folder / "landing"), "--truth", str(folder / "truth")]
    return option_parser().parse_args([*arguments, *more])


def written(folder: Path, months: int = 2, *more: str, backwards: bool = False) -> Path:
    run, marker = prepared(options(folder, months, *more))
    numbers = list(range(len(chunks(run.members))))
    outcomes = [simulate(run, number) for number in (numbers[::-1] if backwards else numbers)]
    write_manifests(Path(run.out), [file for each in outcomes for file in each.files])
    join_truth_parts(Path(run.truth))
    (Path(run.out) / MARKER).write_text(json.dumps(marker), encoding="utf-8")
    return Path(run.out)


def batches(landing: Path) -> dict[str, str]:
    return {
        str(path.relative_to(landing)): path.read_text(encoding="utf-8")
        for path in landing.glob("*/batch=*/_manifest.json")
    }


def rows(landing: Path, table: str) -> pa.Table:
    files = sorted((landing / table).glob("batch=*/part-*.parquet"))
    return pa.concat_tables(
        [pq.ParquetFile(file).read() for file in files], promote_options="permissive"
    )


@pytest.fixture(scope="module")
def landing(tmp_path_factory):
    return written(tmp_path_factory.mktemp("province"), 2, "--fraud-share", "0.02")


@pytest.mark.parametrize("table", [table.name for table in LANDING_TABLES])
def test_every_column_is_as_the_contract_says(landing, table):
    contract = LANDING_BY_NAME[table]
    if not (landing / table).exists():
        assert table in ("parcel", "closed_case")
        pytest.skip("nothing of it in so small a province")
    delivered = rows(landing, table)

    assert delivered.column_names == contract.columns
    for field in contract.fields:
        column = delivered[field.name]
        plain = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        decimal = field.type.removeprefix("decimal(").rstrip(")").split(",")
        wanted = _TYPES.get(field.type) or pa.decimal128(int(decimal[0]), int(decimal[1]))
        assert plain == wanted, field.name
        assert not (field.required and column.null_count), field.name
        if field.values:
            assert set(column.unique().to_pylist()) <= {*field.values, None}, field.name


def test_manifests_announce_what_lies_there(landing):
    for path in landing.glob("*/batch=*/_manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        sums = dict.fromkeys(LANDING_BY_NAME[manifest["table"]].amounts, Decimal(0))
        for file in manifest["files"]:
            content = (path.parent / file["name"]).read_bytes()
            table = pq.read_table(pa.BufferReader(content), columns=list(sums))
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert pq.read_metadata(pa.BufferReader(content)).num_rows == file["rows"]
            for name in sums:
                sums[name] += sum(filter(None, table[name].to_pylist()), Decimal(0))
        assert {name: Decimal(text) for name, text in manifest["control"].items()} == sums


def test_rows_arrive_in_the_month_of_their_batch(landing):
    for path in landing.glob("*/batch=*/part-*.parquet"):
        batch = date.fromisoformat(path.parent.name.removeprefix("batch="))
        arrivals = pq.ParquetFile(path).read(columns=["arrive_time"])["arrive_time"].to_pylist()
        assert {(arrive.year, arrive.month) for arrive in arrivals} == {(batch.year, batch.month)}


def test_keys_are_unique_and_lines_belong_to_settlements(landing):
    settlements = rows(landing, "settlement")["setl_id"].to_pylist()
    lines = rows(landing, "fee_detail")
    keys = list(zip(lines["setl_id"].to_pylist(), lines["feedetl_sn"].to_pylist(), strict=True))

    assert len(set(settlements)) == len(settlements)
    assert len(set(keys)) == len(keys)
    assert {setl_id for setl_id, _ in keys} == set(settlements)


def test_the_order_of_tasks_changes_nothing_and_more_months_continue(landing, tmp_path):
    longer = written(tmp_path, 3, "--fraud-share", "0.02", backwards=True)

    first = batches(landing)
    assert first == {name: text for name, text in batches(longer).items() if name in first}


def test_daily_batches_hold_the_same_rows(landing, tmp_path):
    daily = written(tmp_path, 2, "--fraud-share", "0.02", "--daily", "--tables", "settlement")

    assert len(list((daily / "settlement").iterdir())) == 59
    monthly = sorted(rows(landing, "settlement")["setl_id"].to_pylist())
    assert sorted(rows(daily, "settlement")["setl_id"].to_pylist()) == monthly


def test_csv_has_times_to_the_second_and_plain_words(tmp_path):
    landing = written(
        tmp_path, 1, "--format", "csv", "--tables", "settlement,institution", "--fraud-share", "0"
    )

    text = next((landing / "settlement").glob("*/part-*.csv")).read_text(encoding="utf-8")
    header, first = text.splitlines()[:2]
    row = dict(zip(header.split(","), first.split(","), strict=True))
    assert header.split(",") == LANDING_BY_NAME["settlement"].columns
    assert len(row["setl_time"]) == len("2025-01-01 00:00:00")
    assert row["orig_setl_id"] == ""


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "notes.txt").write_text("mine")

    with pytest.raises(ConfigError, match="no simulated province"):
        prepared(options(tmp_path))


def test_another_seed_or_fewer_months_into_the_same_folder_are_refused(tmp_path):
    written(tmp_path, 2, "--tables", "person", "--fraud-share", "0")

    with pytest.raises(ConfigError, match="seed differ"):
        prepared(options(tmp_path, 2, "--tables", "person", "--fraud-share", "0", "--seed", "4"))
    with pytest.raises(ConfigError, match="already holds 2 months"):
        prepared(options(tmp_path, 1, "--tables", "person", "--fraud-share", "0"))


def test_the_truth_never_lies_in_the_landing_folder(tmp_path):
    with pytest.raises(ConfigError, match="no job reads"):
        prepared(options(tmp_path, 2, "--truth", str(tmp_path / "landing" / "truth")))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--members", "5"), "from 100 to"),
        (("--months", "0"), "from 1 to 120"),
        (("--months", "30", "--daily"), "daily"),
        (("--tables", "settlemnt"), "settlemnt is no landing table"),
        (("--fraud-share", "0.9"), "fraud_share is 0.9"),
        (("--intensity", "-1"), "intensity is -1.0"),
        (("--settings", "nowhere.yaml"), "cannot read the settings"),
    ],
)
def test_impossible_arguments_are_refused_in_a_sentence(tmp_path, more, said):
    with pytest.raises(ConfigError, match=said):
        prepared(options(tmp_path, 2, *more))


def test_more_gangs_than_codes_of_boxes_can_tell_apart_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "MOST_GANGS", 2)
    with pytest.raises(ConfigError, match="gangs, and the codes of boxes are enough for 2: give a"):
        prepared(options(tmp_path, 2, "--fraud-share", "0.1"))


def test_a_task_of_a_province_of_a_million_people_writes_all_its_tables(tmp_path):
    """Its 50,000 people buy more boxes in a month than the codes of one neighbourhood have room for."""
    folders = ["--out", str(tmp_path / "landing"), "--truth", str(tmp_path / "truth")]
    given = ["--members", "1000000", "--months", "1", "--seed", "1", *folders]
    run, _ = prepared(option_parser().parse_args(given))

    outcome = simulate(run, 0)

    assert {*outcome.rows} == {*run.tables} - {"parcel"}
    assert outcome.rows["settlement"] > 20_000
    sold = pl.read_parquet(tmp_path / "landing/trace_scan/batch=*/*.parquet")
    assert sold["scan_id"].is_unique().all()
