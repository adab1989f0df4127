import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.province_gangs import planned, province

from jobs.province.arrays.draws import hex_text, mixed
from jobs.province.gangs.gangs import NO_ROLE, VICTIM
from jobs.province.gangs.truth import gang_truth, write_gang_truth


def hashes(numbers, purpose):
    return np.char.decode(hex_text(mixed(numbers, province().seed, purpose)), "ascii").tolist()


@pytest.fixture(scope="module")
def lines():
    """Two lines of every second account of every gang but the first."""
    cards = planned().cards
    used = cards.take((np.arange(len(cards)) % 2 == 0) & (cards.gang > 0))
    used = used.take(used.from_day < province().settings.month_days(11)[1])
    return pa.table(
        {
            "psn_no": 2 * hashes(used.person, "psn_no"),
            "gang_id": 2 * hashes(used.gang, "gang"),
            "fund_loss": np.full(2 * len(used), 10.25),
        }
    )


@pytest.fixture(scope="module")
def tables(lines):
    return gang_truth(province(), planned(), 12, lines)


def test_tables_have_the_columns_of_the_contract(tables):
    assert tables["truth_person"].column_names == (
        ["psn_no", "gang_id", "active_from", "active_to", "typology", "role", "victim"]
    )
    assert tables["truth_institution"].column_names == (
        ["fixmedins_code", "gang_id", "role", "active_from", "active_to"]
    )
    assert tables["truth_doctor"].column_names == (
        ["dr_codg", "fixmedins_code", "gang_id", "role", "active_from", "active_to"]
    )
    assert tables["truth_gang"].column_names == (
        [
            "gang_id",
            "typology",
            "organiser_psn_no",
            "active_from",
            "active_to",
            "fund_loss",
            "skill",
        ]
    )


def test_accounts_without_a_fraudulent_line_are_not_in_the_truth(tables, lines):
    persons = tables["truth_person"]
    accounts = {
        row["psn_no"] for row in persons.to_pylist() if row["role"] in ("card_holder", "victim")
    }
    assert accounts == set(lines["psn_no"].to_pylist())
    assert hashes(np.array([0]), "gang")[0] not in set(tables["truth_gang"]["gang_id"].to_pylist())


def test_members_who_never_bill_are_in_the_truth(tables):
    roles = set(tables["truth_person"]["role"].to_pylist())
    assert {"organiser", "collector", "dealer", "card_holder", "victim"} <= roles


def test_victims_are_flagged(tables):
    for row in tables["truth_person"].to_pylist():
        assert row["victim"] == (row["role"] == "victim")
    assert (planned().cards.role == VICTIM).any()


def test_the_key_of_persons_is_unique_and_times_end_with_the_last_month(tables):
    rows = tables["truth_person"].to_pylist()
    keys = {(row["psn_no"], row["gang_id"], row["active_from"]) for row in rows}
    assert len(keys) == len(rows)
    end = province().settings.day(province().settings.month_days(11)[1])
    assert all(row["active_from"] <= row["active_to"] < end for row in rows)


def test_loss_of_gangs_is_that_of_their_lines(tables, lines):
    total = sum(lines["fund_loss"].to_pylist())
    assert sum(tables["truth_gang"]["fund_loss"].to_pylist()) == pytest.approx(total)


def test_only_those_in_league_are_named(tables):
    plan = planned()
    guilty = plan.colluders.role != NO_ROLE
    count = tables["truth_institution"].num_rows + tables["truth_doctor"].num_rows
    assert 0 < count <= guilty.sum()
    assert set(tables["truth_doctor"]["role"].to_pylist()) == {"doctor"}
    assert set(tables["truth_institution"]["role"].to_pylist()) == {"pharmacy"}


def test_tables_are_written_beside_the_lines(tmp_path, lines):
    pq.write_table(lines, tmp_path / "truth_line.parquet")
    write_gang_truth(tmp_path, province(), planned(), 12)
    written = {path.stem for path in tmp_path.glob("*.parquet")}
    assert written == {
        "truth_line",
        "truth_person",
        "truth_gang",
        "truth_institution",
        "truth_doctor",
    }
