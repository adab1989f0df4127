"""Every injected fault ends as the ledger says: quarantined, superseded, refused, waiting or conformed."""

from collections import Counter
from functools import reduce

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from support.tiny_landing import rows_by_table, write_tiny_landing

from expectations.ops import LANDING_BATCH, TABLE_BALANCE, quarantine
from expectations.tables import LANDING_BY_NAME
from jobs.conform_tables import JOB as CONFORM
from jobs.ingest_batch import JOB as INGEST
from jobs.province.dirt.dirt import deliver_late, inject
from jobs.province.dirt.fault_ledger import (
    ABSENT,
    CONFORMED,
    KINDS,
    ORPHAN,
    QUARANTINED,
    REFUSED,
    SUPERSEDED,
)

TABLES = ("person", "settlement", "fee_detail", "trace_scan")


class LakeView:
    """The lake after a delivery, with what each table holds collected once."""

    def __init__(self, workspace, faults, late):
        self.faults, self.late = faults, late
        self.workspace, lake = workspace, workspace.lake
        place = ("batch", "source_file", "record_number")
        newest = F.max_by(F.struct("*"), "sequence").alias("newest")
        balances = lake.read(TABLE_BALANCE).groupBy("table_name").agg(newest).select("newest.*")
        self.balances = {row["table_name"]: row for row in balances.collect()}
        self.batches = lake.read(LANDING_BATCH).orderBy("sequence").collect()
        quarantines, silvers = [], []
        for name in TABLES:
            table = F.lit(name).alias("table")
            contract = LANDING_BY_NAME[name]
            if lake.exists(quarantine(name)):
                waiting = lake.read(quarantine(name))
                quarantines.append(waiting.select(table, "job", *place, "reasons", "raw_record"))
            key = F.concat_ws("|", *(F.col(each).cast("string") for each in contract.silver_key))
            standing = lake.read(contract.silver).filter("valid_to is null")
            silvers.append(standing.select(table, *place, key.alias("key")))
        # One Spark job for all tables: starting one costs more than these few rows.
        self.quarantined = {name: {} for name in TABLES}
        for row in reduce(DataFrame.unionByName, quarantines).collect():
            found = self.quarantined[row["table"]]
            found[row["job"], *self.place(row)] = (row["reasons"], row["raw_record"])
        self.standing = {name: {} for name in TABLES}
        for row in reduce(DataFrame.unionByName, silvers).collect():
            self.standing[row["table"]][self.place(row)] = row["key"]

    @staticmethod
    def place(row):
        return row["batch"].isoformat(), row["source_file"], row["record_number"]

    def of(self, *outcomes):
        """The ledger's entries that must have one of these outcomes by now."""
        return [f for f in self.faults if (f.outcome_late if self.late else f.outcome) in outcomes]

    def rows(self, *outcomes):
        """Rows by table that must have one of these outcomes."""
        return sum((Counter({f.table: f.rows}) for f in self.of(*outcomes)), Counter())


def location(fault):
    return fault.batch, fault.file, fault.record


@pytest.fixture(scope="module")
def province(new_workspace):
    """A landing folder with every kind of fault, and the ledger."""
    this = new_workspace()
    write_tiny_landing(this.landing.root)
    clean = rows_by_table(this.landing.root)
    late = this.folder / "late"
    faults = inject(this.landing.root, late, this.folder / "truth", seed=3, factor=50.0)
    assert {fault.kind for fault in faults} == set(KINDS)
    return this, late, clean, faults


@pytest.fixture(scope="module")
def first(province):
    """After the landing folder was ingested and conformed."""
    this, _, _, faults = province
    assert this.run(INGEST).exit_code == 3
    assert this.run(CONFORM).exit_code == 0
    return LakeView(this, faults, late=False)


@pytest.fixture(scope="module")
def second(province, first):
    """After the late folder was delivered too."""
    this, late, _, faults = province
    deliver_late(late, this.landing.root)
    assert this.run(INGEST).exit_code == 0
    assert this.run(CONFORM).exit_code == 0
    return LakeView(this, faults, late=True)


@pytest.fixture(scope="module", params=["first", "second"])
def lake(request):
    """Both times."""
    return request.getfixturevalue(request.param)


def test_refused_rows_are_those_of_the_ledger_with_its_reasons(lake):
    for name in TABLES:
        expected = {location(f): f.reason for f in lake.of(QUARANTINED) if f.table == name}
        found = {
            key[1:]: reasons
            for key, (reasons, _) in lake.quarantined[name].items()
            if key[0] == "ingest_batch"
        }
        assert found == {place: [reason] for place, reason in expected.items()}, name


def test_orphans_are_those_of_the_ledger_and_no_others(lake):
    for name in TABLES:
        expected = Counter()
        for fault in lake.of(ORPHAN):
            if fault.table == name:
                expected[fault.reason] += fault.rows
        waiting = {
            key[1:]: reasons
            for key, (reasons, _) in lake.quarantined[name].items()
            if key[0] == "conform_tables"
        }
        assert Counter(reason for reasons in waiting.values() for reason in reasons) == expected
        own = {location(f): [f.reason] for f in lake.of(ORPHAN) if f.table == name and f.record}
        assert own.items() <= waiting.items()


def test_children_wait_with_the_settlement_that_is_missing(lake):
    for fault in lake.of(ORPHAN):
        if fault.cause >= 0:
            mine = [
                raw
                for key, (_, raw) in lake.quarantined[fault.table].items()
                if key[0] == "conform_tables" and f'"{fault.key}"' in raw
            ]
            assert len(mine) == fault.rows


def test_each_batch_is_refused_or_kept_as_the_ledger_says(lake):
    refused = {
        (row["table_name"], row["batch"].isoformat()): row["reasons"]
        for row in lake.batches
        if row["outcome"] == "refused"
    }
    faults = [f for f in lake.faults if f.outcome == REFUSED]
    assert set(refused) == {(f.table, f.batch) for f in faults}
    for fault in faults:
        assert refused[fault.table, fault.batch] == [fault.reason]
        kept = [
            row
            for row in lake.batches
            if (row["table_name"], row["batch"].isoformat()) == (fault.table, fault.batch)
            and row["outcome"] == "kept"
        ]
        assert len(kept) == lake.late
        assert all(row["rows_landed"] == fault.rows for row in kept)


def test_a_row_delivered_twice_stands_once(lake):
    for name in TABLES:
        keys = Counter(lake.standing[name].values())
        assert set(keys.values()) == {1}, name
        twice = [f for f in lake.of(SUPERSEDED) if f.table == name and f.kind[:9] == "duplicate"]
        assert all(keys[f.key] == 1 for f in twice)
        assert lake.balances[name]["rows_superseded"] == len(twice)


def test_late_rows_and_slow_clocks_do_no_harm(lake):
    for fault in lake.of(CONFORMED):
        if fault.kind in ("late_row", "clock_slip"):
            assert lake.standing[fault.table][location(fault)] == fault.key


def test_what_was_not_delivered_is_not_there(lake):
    for fault in lake.of(ABSENT):
        if fault.kind == "withheld_batch":
            batches = {place[0] for place in lake.standing[fault.table]}
            assert fault.batch not in batches
        else:
            assert fault.key not in lake.standing["settlement"].values()


def test_every_row_is_accounted_for(lake, province):
    """Clean rows = standing + quarantined + orphans + refused + absent, table by table."""
    clean = Counter(province[2])
    gone = lake.rows(QUARANTINED, ORPHAN, REFUSED, ABSENT)
    standing = Counter({name: len(rows) for name, rows in lake.standing.items()})
    assert standing + gone == clean
    for name, balance in lake.balances.items():
        assert balance["rows_conformed"] == standing[name]


def test_a_batch_sent_again_is_ingested_once(second):
    again = [f for f in second.faults if f.kind == "resent_same"]
    for fault in again:
        rows = [
            row
            for row in second.batches
            if (row["table_name"], row["batch"].isoformat()) == (fault.table, fault.batch)
        ]
        assert [(row["outcome"], row["rows_landed"]) for row in rows] == [("kept", fault.rows)]


def test_a_corrected_batch_replaces_the_one_before(second):
    [fault] = [f for f in second.faults if f.kind == "resent_corrected"]
    rows = [
        row
        for row in second.batches
        if (row["table_name"], row["batch"].isoformat()) == (fault.table, fault.batch)
    ]
    assert [row["rows_superseded"] for row in rows] == [0, fault.rows]
    contract = LANDING_BY_NAME[fault.table]
    column = contract.silver_names[fault.reason.split()[0]]
    silver = second.workspace.lake.read(contract.silver).filter("valid_to is null")
    corrected = silver.filter(F.col(column) == "corrected").collect()
    assert ["|".join(row[name] for name in contract.silver_key) for row in corrected] == [fault.key]


def test_settlements_that_come_late_free_their_children(second):
    late = [f for f in second.faults if f.kind == "late_settlement"]
    assert late
    standing = set(second.standing["settlement"].values())
    assert {fault.key for fault in late} <= standing
    for fault in second.faults:
        if fault.kind == "waiting_child":
            keys = second.standing[fault.table].values()
            # The ids of the scans hold those of their settlements.
            mine = [
                key for key in keys if fault.key in (key.split("|")[0], key.removeprefix("sale"))
            ]
            assert len(mine) == fault.rows
