"""build_facts in steps gives what it gives of everything at once, and writes nothing else."""

from datetime import date, datetime
from decimal import Decimal
from itertools import count

import pytest
from pyspark.sql import functions as F
from support.frames import frame_of

from expectations.gold.fact import FACT_TABLES, FEE_FACT, VISIT_FACT
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from features.facts import fee_facts, visit_facts
from features.member.rows import fee_rows, visit_rows
from jobs import build_facts
from jobs.facts import commits
from jobs.lake.tables import rows_as_of

AS_OF = date(2024, 2, 1)
EARLY, LATE, LATER = datetime(2024, 1, 31), datetime(2024, 2, 28), datetime(2024, 3, 30)
LAST, AFTER, LONG_AFTER = datetime(2024, 4, 29), datetime(2024, 4, 30), datetime(2024, 5, 30)
#: The batch that each arrival came with.
BATCHES = {
    EARLY: date(2024, 1, 31),
    LATE: date(2024, 2, 29),
    LATER: date(2024, 3, 31),
    LAST: date(2024, 4, 29),
    AFTER: date(2024, 4, 30),
    LONG_AFTER: date(2024, 5, 31),
}


class Silver:
    """Silver tables as conform_tables leaves them: rows come, get their `valid_to`, or go again."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.rows = {}
        self.numbers = count(1)

    def row(self, table, key, arrived, ends=None, is_first=True, **columns):
        """A version of a row; the same key and arrival again is the same row, changed."""
        known = self.rows.setdefault(table.name, {})
        place = known.get((key, arrived), {}).get("record_number") or next(self.numbers)
        known[key, arrived] = columns | {
            "batch": BATCHES[arrived],
            "batch_version": "1",
            "source_file": "part-0.csv",
            "record_number": place,
            "arrive_time": arrived,
            "valid_from": arrived,
            "valid_to": ends,
            "is_first": is_first,
            "key_hash": 0,
        }
        return known[key, arrived]

    def visit(self, number, day, arrived, **more):
        return self.row(
            SETTLEMENT,
            number,
            arrived,
            **{
                "settlement_id": f"s{number}",
                "visit_id": f"v{number}",
                "member_id": f"m{int(number) % 2}",
                "institution_id": "h1",
                "settlement_time": datetime.fromisoformat(f"{day} 09:30:00"),
                "total_amount": Decimal("10.00"),
                "fund_amount": Decimal("6.00"),
                "refund_flag": "0",
            }
            | more,
        )

    def fee(self, number, day, arrived, **more):
        return self.row(
            FEE_DETAIL,
            number,
            arrived,
            **{
                "settlement_id": f"s{number}",
                "line_number": "1",
                "member_id": f"m{int(number) % 2}",
                "fee_time": datetime.fromisoformat(f"{day} 23:59:00"),
                "drug_id": "d1",
                "item_type": "drug",
                "quantity": Decimal("1"),
                "line_amount": Decimal("10.00"),
            }
            | more,
        )

    def code(self, number, sequence, arrived, value):
        named = {"settlement_id": f"s{number}", "code_type": "diagnosis", "code": value}
        return self.row(SETTLEMENT_CODE, (number, sequence), arrived, sequence=sequence, **named)

    def proxy(self, number, arrived):
        return self.row(
            PROXY_PICKUP, number, arrived, settlement_id=f"s{number}", proxy_cert_hash="p1"
        )

    def written_anew(self, *tables):
        for table in tables:
            frame = frame_of(self.workspace.spark, table.silver, *self.rows[table.name].values())
            self.workspace.lake.replace(frame, table.silver)

    def changed(self, table, *changed):
        """New rows are added; those that are there already get their `valid_to`, or go, in place."""
        spark, lake = self.workspace.spark, self.workspace.lake
        ended = [row for row in changed if row["valid_to"]]
        new = [row for row in changed if not row["valid_to"]]
        if new:
            lake.append(frame_of(spark, table.silver, *new), table.silver)
        if ended:
            gone = [
                row["record_number"] for row in ended if row not in self.rows[table.name].values()
            ]
            is_kept = ~F.col("record_number").isin(*gone)
            frame = frame_of(spark, table.silver, *ended).withColumn("is_kept", is_kept)
            identity = ("batch", "source_file", "record_number")
            lake.merge(frame, table.silver, identity, "is_kept")

    def gone(self, table, key, arrived):
        """A row that silver has no more."""
        return self.rows[table.name].pop((key, arrived)) | {"valid_to": arrived}


BUILT = ("january", "february", "march", "january again", "april", "may")


#: Between the name of a step and the settlement, where rows of several steps are in one frame.
BAR = "|"


def told_apart(rows_by_step):
    """The rows of several steps in one list; a settlement's name tells the step, for facts never meet across them."""
    return [
        row | {"settlement_id": f"{step}{BAR}{row['settlement_id']}"}
        for step, rows in rows_by_step.items()
        for row in rows
    ]


def by_step(frame, steps):
    """The rows of each step, sorted, with their settlements' own names again."""
    found = {step: [] for step in steps}
    for row in frame.collect():
        fields = row.asDict(recursive=True)
        step, fields["settlement_id"] = fields["settlement_id"].split(BAR)
        found[step].append(str(fields))
    return {step: sorted(rows) for step, rows in found.items()}


def built_anew(spark, silver_by_step):
    """All that silver said at each step, in one go."""

    def every(table):
        told = {step: rows.get(table.name, []) for step, rows in silver_by_step.items()}
        return frame_of(spark, table.silver, *told_apart(told))

    visits = visit_facts(every(SETTLEMENT), every(SETTLEMENT_CODE), every(PROXY_PICKUP))
    facts = (VISIT_FACT.conform(visits), FEE_FACT.conform(fee_facts(every(FEE_DETAIL))))
    visits, fees = (by_step(each, silver_by_step) for each in facts)
    return {step: [visits[step], fees[step]] for step in silver_by_step}


def seen_as_of(spark, facts_by_step):
    """What features read of each step's facts as of `AS_OF`."""
    told = zip(FACT_TABLES, zip(*facts_by_step.values(), strict=True), strict=True)
    visits, fees = (
        rows_as_of(
            frame_of(spark, table, *told_apart(dict(zip(facts_by_step, each, strict=True)))), AS_OF
        )
        for table, each in told
    )
    visits = by_step(visit_rows(visits, AS_OF), facts_by_step)
    fees = by_step(fee_rows(fees, AS_OF), facts_by_step)
    return {step: (visits[step], fees[step]) for step in facts_by_step}


def standing(lake, contract):
    """The rows of a fact table, and the file in which those of each settlement and day lie."""
    found = lake.read(contract, rows=0).select("*", "_metadata.file_name").collect()
    facts = [row.asDict(recursive=True) for row in found]
    files = {
        (row["settlement_id"], f"{row['service_date']:%m-%d}"): row.pop("file_name")
        for row in facts
    }
    return facts, files


class Steps:
    """What the facts are and where they lie after each step, and what silver says they ought to be."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.files, self.facts, self.silver, self.told = {}, {}, {}, {}

    def built(self, name, silver):
        result = self.workspace.run(build_facts.JOB)
        assert result.exit_code == 0
        self.told[name] = result.message
        found = [standing(self.workspace.lake, table) for table in FACT_TABLES]
        self.facts[name] = [facts for facts, _ in found]
        self.files[name] = [files for _, files in found]
        self.silver[name] = {
            table: [dict(row) for row in rows.values()] for table, rows in silver.rows.items()
        }

    def anew(self, *names):
        """The facts of some steps as they stand, and as they are if built of all that silver said then."""
        spark = self.workspace.spark
        there = {name: [text(rows) for rows in self.facts[name]] for name in names}
        return there, built_anew(spark, {name: self.silver[name] for name in names})

    def written(self, name, before):
        """The settlements and days that a step wrote, for each table."""
        pairs = zip(self.files[name], self.files[before], strict=True)
        return [{key for key in now if then.get(key) != now[key]} for now, then in pairs]


def text(facts):
    return sorted(map(str, facts))


@pytest.fixture(scope="module")
def silver(new_workspace):
    return Silver(new_workspace())


@pytest.fixture(scope="module")
def steps(silver):
    done = Steps(silver.workspace)
    for number in (1, 2, 3, 4):
        silver.visit(number, f"2024-01-{5 * number:02d}", EARLY)
        silver.fee(number, f"2024-01-{5 * number:02d}", EARLY)
    silver.code(1, 1, EARLY, "I10")
    silver.code(3, 1, EARLY, "E11")
    silver.written_anew(SETTLEMENT, FEE_DETAIL, SETTLEMENT_CODE)
    done.built("january", silver)

    # s5 is new, s6 late, s2 refunded, s3 moved to another day and its fee with it; s1's second
    # diagnosis and s4's proxy come to be known.
    refund = {"refund_flag": "1", "original_settlement_id": "s2"}
    silver.changed(
        SETTLEMENT,
        silver.visit(5, "2024-02-03", LATE),
        silver.visit(6, "2024-01-10", LATE),
        silver.visit(8, "2024-02-05", LATE, total_amount=Decimal("-10.00"), **refund),
        silver.visit(3, "2024-01-15", EARLY, ends=LATE),
        silver.visit(3, "2024-02-08", LATE, is_first=False),
    )
    silver.changed(
        FEE_DETAIL,
        silver.fee(5, "2024-02-03", LATE),
        silver.fee(6, "2024-01-10", LATE),
        silver.fee(8, "2024-02-05", LATE, line_amount=Decimal("-10.00")),
        silver.fee(3, "2024-01-15", EARLY, ends=LATE),
        silver.fee(3, "2024-02-08", LATE, is_first=False),
    )
    silver.changed(SETTLEMENT_CODE, silver.code(1, 2, LATE, "J40"))
    silver.proxy(4, LATE)
    silver.written_anew(PROXY_PICKUP)
    done.built("february", silver)

    # One more visit on the day to which s3 has been moved, long after s3's diagnosis.
    silver.changed(SETTLEMENT, silver.visit(7, "2024-02-08", LATER))
    silver.changed(FEE_DETAIL, silver.fee(7, "2024-02-08", LATER))
    done.built("march", silver)

    # January is sent again with one visit more, so its table is made anew; a proxy is withdrawn.
    silver.visit(9, "2024-01-20", LATER)
    silver.proxy(1, LATE)
    del silver.rows["proxy_pickup"][4, LATE]
    silver.written_anew(SETTLEMENT, PROXY_PICKUP)
    done.built("january again", silver)

    # In several commits: s10 comes and is corrected to another day; s9 goes, with its line that came
    # late; s7 has a further line; s5's diagnosis comes with a correction of the same day.
    silver.changed(SETTLEMENT, silver.visit(10, "2024-04-02", LAST))
    silver.changed(
        FEE_DETAIL, silver.fee(10, "2024-04-02", LAST), silver.fee(9, "2024-01-20", LAST)
    )
    done.built("april", silver)
    silver.changed(SETTLEMENT, silver.visit(11, "2024-04-05", LAST))
    silver.changed(FEE_DETAIL, silver.fee(11, "2024-04-05", LAST))
    silver.changed(
        SETTLEMENT,
        silver.visit(11, "2024-04-05", LAST, ends=AFTER),
        silver.visit(11, "2024-04-06", AFTER, is_first=False),
        silver.visit(5, "2024-02-03", LATE, ends=AFTER),
        silver.visit(5, "2024-02-03", AFTER, is_first=False),
        silver.gone(SETTLEMENT, 9, LATER),
    )
    silver.changed(FEE_DETAIL, silver.gone(FEE_DETAIL, 9, LAST))
    silver.changed(FEE_DETAIL, silver.fee("7", "2024-02-08", AFTER, line_number="2"))
    silver.changed(
        SETTLEMENT_CODE, silver.code(5, 1, AFTER, "E11"), silver.code(11, 1, LAST, "I10")
    )
    done.built("may", silver)
    return done


def test_the_first_run_builds_everything(steps):
    assert [len(facts) for facts in steps.facts["january"]] == [4, 4]


def test_a_batch_in_steps_gives_the_rows_of_building_anew(steps):
    there, anew = steps.anew(*BUILT)
    for step in BUILT:
        assert there[step] == anew[step], step


def test_only_what_a_batch_concerns_is_written(steps):
    both = {("s5", "02-03"), ("s6", "01-10"), ("s8", "02-05"), ("s3", "01-15"), ("s3", "02-08")}
    # s1's diagnosis and s4's proxy concern their visits, not their fees; s6 came to the day of s2.
    visits, fees = steps.written("february", "january")
    assert visits == both | {("s1", "01-05"), ("s4", "01-20")}
    assert fees == both
    assert steps.written("march", "february") == [{("s7", "02-08")}, {("s7", "02-08")}]


def test_what_came_later_changes_nothing_about_an_earlier_day(steps):
    as_of = seen_as_of(steps.workspace.spark, {step: steps.facts[step] for step in BUILT})
    before = as_of["january"]
    assert [len(part) for part in before] == [4, 4]
    assert as_of == dict.fromkeys(BUILT, before)


def test_only_a_table_of_settlements_made_anew_makes_everything_anew(steps):
    anew = [name for name in BUILT if steps.told[name].endswith("all days")]
    assert anew == ["january", "january again"]
    assert steps.told["march"] == "1 visits and 1 sums of fees written, 1 days of visits"


def test_a_run_with_nothing_new_writes_nothing_and_forgets_nothing(steps):
    workspace = steps.workspace
    nothing = "0 visits and 0 sums of fees written, 0 days of visits"
    before = [workspace.lake.version(table) for table in FACT_TABLES]
    assert [workspace.run(build_facts.JOB).message for _ in range(2)] == [nothing, nothing]
    assert [workspace.lake.version(table) for table in FACT_TABLES] == before


def test_codes_that_are_made_anew_concern_only_the_visits_where_they_differ(steps, silver):
    silver.code(10, 1, AFTER, "J40")
    silver.written_anew(SETTLEMENT_CODE)
    steps.built("june", silver)
    there, anew = steps.anew("june")
    assert there == anew
    assert steps.told["june"] == "1 visits and 0 sums of fees written, 1 days of visits"


def test_a_run_that_ends_between_its_two_commits_is_made_good_by_the_next(
    steps, silver, monkeypatch
):
    silver.changed(
        FEE_DETAIL,
        silver.fee("7", "2024-02-08", AFTER, ends=LONG_AFTER, line_number="2"),
        silver.fee("7", "2024-02-08", LONG_AFTER, line_number="2", is_first=False),
    )

    def ends(_rows):
        raise OSError("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(commits, "_by_member", ends)
        with pytest.raises(OSError, match="no space left"):
            steps.workspace.run(build_facts.JOB)
    there = steps.workspace.lake.read(FEE_FACT).select("settlement_id").distinct().collect()
    assert "s7" not in {row[0] for row in there}

    steps.built("july", silver)
    there, anew = steps.anew("july")
    assert there == anew
    assert steps.told["july"].endswith("all days")
