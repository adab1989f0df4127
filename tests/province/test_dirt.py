"""Injected faults: each lies where the ledger says, and nothing else was touched."""

import hashlib
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from support.tiny_landing import rows_by_table, write_tiny_landing

from expectations.contract.errors import ConfigError
from expectations.tables import LANDING_BY_NAME
from jobs.province.dirt.dirt import LEDGER, deliver_late, inject
from jobs.province.dirt.fault_ledger import ABSENT, KINDS, read_ledger
from jobs.province.landing.files import as_text, read_table, sums


def dirty(folder, seed=3, factor=50.0):
    root, late, truth = folder / "landing", folder / "late", folder / "truth"
    write_tiny_landing(root)
    clean = rows_by_table(root)
    return root, late, truth, clean, inject(root, late, truth, seed, factor)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return dirty(tmp_path_factory.mktemp("dirt"))


def manifests(root):
    return {path.parent: json.loads(path.read_text()) for path in root.glob("*/*/_manifest.json")}


def test_every_kind_of_fault_is_there(made):
    assert {fault.kind for fault in made[-1]} == set(KINDS)


def test_the_ledger_is_written_to_the_truth_folder_and_read_again(made):
    _, _, truth, _, faults = made
    assert read_ledger(truth / LEDGER) == faults
    assert [fault.number for fault in faults] == list(range(len(faults)))


def test_manifests_fit_their_files_but_where_a_fault_says_otherwise(made):
    root, late, _, _, faults = made
    wrong = {(f.table, f.batch): f.kind for f in faults if f.kind.startswith("wrong")}
    broken = {}
    for folder, told in {**manifests(root), **manifests(late)}.items():
        contract = LANDING_BY_NAME[told["table"]]
        files = [folder / file["name"] for file in told["files"]]
        tables = [read_table(path) for path in files]
        unreadable = {
            f.reason.split(":")[0]
            for f in faults
            if (f.kind, f.table, f.batch) == ("unreadable", told["table"], told["batch"])
        }
        amounts = [name for name in contract.amounts if name not in unreadable]
        found = [sums(table, amounts) for table in tables]
        if sum(table.num_rows for table in tables) != told["rows"]:
            broken[folder] = "wrong_count"
        if any(
            sum((each[name] for each in found), Decimal(0)) != Decimal(told["control"][name])
            for name in amounts
            if name in told["control"]
        ):
            broken[folder] = "wrong_sum"
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
        if digests != [file["sha256"] for file in told["files"]]:
            broken[folder] = "wrong_hash"
    assert broken == {root / table / f"batch={day}": kind for (table, day), kind in wrong.items()}


def test_each_fault_lies_in_the_record_that_the_ledger_names(made):
    root, _, _, _, faults = made
    named = [f for f in faults if f.record and f.kind != "resent_corrected"]
    assert len(named) > 30
    for fault in named:
        rows = read_table(root / fault.table / f"batch={fault.batch}" / fault.file)
        record = {name: as_text(rows[name])[fault.record - 1].as_py() for name in rows.column_names}
        key = [record[name] for name in LANDING_BY_NAME[fault.table].key]
        column = fault.reason.split(":")[0]
        if fault.kind == "unreadable":
            assert record[column] in ("2025-13-41 25:61:00", "maybe", "12,5o")
        elif fault.kind == "clock_error":
            assert record[column] > record["arrive_time"]
        if fault.kind not in ("unreadable", "unknown_settlement"):
            assert "|".join(map(str, key)) == fault.key


def test_rows_are_only_added_or_taken_away_as_the_ledger_says(made):
    root, _, _, clean, faults = made
    expected = Counter(clean)
    for fault in faults:
        if fault.kind.startswith("duplicate") or fault.kind == "wrong_count":
            expected[fault.table] += 1
        elif fault.outcome == ABSENT:
            expected[fault.table] -= fault.rows
    assert rows_by_table(root) == expected


def test_a_settlement_that_fails_has_its_children_counted(made):
    faults = made[-1]
    children = Counter()
    for fault in faults:
        if fault.cause >= 0:
            assert fault.key == faults[fault.cause].key
            children[fault.cause] += fault.rows
    causes = [f for f in faults if f.table == "settlement" and f.outcome != "conformed"]
    assert {fault.number for fault in causes} == set(children)
    # Two fee lines and a sale.
    assert set(children.values()) == {3}


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_dirt_and_another_seed_other_dirt(made, tmp_path):
    again = dirty(tmp_path / "again")
    other = dirty(tmp_path / "other", seed=4)
    assert again[-1] == made[-1]
    assert all(files_of(one) == files_of(two) for one, two in zip(made[:3], again[:3], strict=True))
    assert other[-1] != made[-1]


def test_late_batches_are_copied_over_the_landing_folder(tmp_path):
    root, late, _, clean, faults = dirty(tmp_path)
    delivered = deliver_late(late, root)
    assert len(delivered) == 7
    lost = Counter(f.table for f in faults if f.kind == "lost_settlement")
    twice = Counter(f.table for f in faults if f.kind.startswith("duplicate"))
    assert rows_by_table(root) == Counter(clean) + twice - lost


@pytest.mark.parametrize("factor", [0.0, -1.0, 51.0])
def test_an_impossible_factor_is_refused(tmp_path, factor):
    with pytest.raises(ConfigError, match="--dirt has to be above 0 and at most 50"):
        inject(tmp_path, tmp_path / "late", tmp_path / "truth", 1, factor)
