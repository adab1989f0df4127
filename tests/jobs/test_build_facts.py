"""build_facts in steps gives what it gives of everything at once, and touches no other day."""

import re
from datetime import date, datetime
from decimal import Decimal

import pytest
from delta.tables import DeltaTable
from frames import frame_of
from pyspark.sql import functions as F

from expectations.gold_fact import FACT_TABLES, FEE_FACT, VISIT_FACT
from expectations.landing_event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from features.facts import fee_facts, visit_facts
from features.member_rows import fee_rows, visit_rows
from jobs import build_facts
from jobs._tables import standing

AS_OF = date(2024, 2, 1)
EARLY, LATE, LATER = datetime(2024, 1, 31), datetime(2024, 2, 28), datetime(2024, 3, 30)
#: The batch that each arrival came with.
BATCHES = {EARLY: date(2024, 1, 31), LATE: date(2024, 2, 29), LATER: date(2024, 3, 31)}


class Silver:
    """Silver tables as conform_tables leaves them: rows come, get their `valid_to`, or go again."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.rows = {}

    def row(self, table, key, arrived, ends=None, is_first=True, **columns):
        """A version of a row; the same key and arrival again is the same row, changed."""
        known = self.rows.setdefault(table.name, {})
        place = known.get((key, arrived), {}).get("record_number", len(known) + 1)
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
                "member_id": f"m{number % 2}",
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
                "member_id": f"m{number % 2}",
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
        """New rows are added; those that are there already get their `valid_to` in place."""
        ended = [row for row in changed if row["valid_to"]]
        new = [row for row in changed if not row["valid_to"]]
        self.workspace.lake.append(frame_of(self.workspace.spark, table.silver, *new), table.silver)
        if ended:
            frame = frame_of(self.workspace.spark, table.silver, *ended)
            identity = ("batch", "source_file", "record_number")
            kept = frame.withColumn("is_kept", F.lit(True))
            self.workspace.lake.merge(kept, table.silver, identity, "is_kept")


def rows(frame):
    return sorted(map(str, frame.collect()))


def built_anew(spark, silver):
    """All that silver says, in one go."""
    every = {
        table.name: frame_of(spark, table.silver, *silver.rows.get(table.name, {}).values())
        for table in (SETTLEMENT, SETTLEMENT_CODE, PROXY_PICKUP, FEE_DETAIL)
    }
    visits = visit_facts(every["settlement"], every["settlement_code"], every["proxy_pickup"])
    fees = fee_facts(every["fee_detail"])
    return [rows(VISIT_FACT.conform(visits)), rows(FEE_FACT.conform(fees))]


def seen_as_of(lake):
    visits, fees = (standing(lake.read(table), AS_OF) for table in FACT_TABLES)
    return rows(visit_rows(visits, AS_OF)), rows(fee_rows(fees, AS_OF))


def rewritten_days(workspace, contract):
    """The days that the last commit replaced; None when it replaced the whole table."""
    table = DeltaTable.forPath(workspace.spark, workspace.lake.path(contract))
    condition = table.history(1).first()["operationParameters"].get("predicate") or ""
    days = sorted(set(re.findall(r"\d{4}-\d{2}-\d{2}", condition)))
    return days or None


class Steps:
    """What the facts are after each step, and what they would be if built anew."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.days, self.facts, self.anew, self.as_of = {}, {}, {}, {}

    def built(self, name, silver):
        assert self.workspace.run(build_facts.JOB).exit_code == 0
        lake = self.workspace.lake
        self.days[name] = [rewritten_days(self.workspace, table) for table in FACT_TABLES]
        self.facts[name] = [rows(lake.read(table)) for table in FACT_TABLES]
        self.anew[name] = built_anew(self.workspace.spark, silver)
        self.as_of[name] = seen_as_of(lake)


@pytest.fixture(scope="module")
def steps(new_workspace):
    workspace = new_workspace()
    silver, done = Silver(workspace), Steps(workspace)
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
    return done


def test_the_first_run_builds_every_day(steps):
    assert steps.days["january"] == [None, None]
    assert [len(facts) for facts in steps.facts["january"]] == [4, 4]


@pytest.mark.parametrize("step", ["january", "february", "march", "january again"])
def test_a_batch_in_steps_gives_the_rows_of_building_anew(steps, step):
    assert steps.facts[step] == steps.anew[step]


def test_only_the_days_that_a_batch_concerns_are_written(steps):
    both = ["2024-01-10", "2024-01-15", "2024-02-03", "2024-02-05", "2024-02-08"]
    # s1's diagnosis and s4's proxy concern their days of visits, not of fees.
    assert steps.days["february"] == [sorted([*both, "2024-01-05", "2024-01-20"]), both]
    assert steps.days["march"] == [["2024-02-08"], ["2024-02-08"]]


def test_what_came_later_changes_nothing_about_an_earlier_day(steps):
    before = steps.as_of["january"]
    assert [len(part) for part in before] == [4, 4]
    assert steps.as_of == dict.fromkeys(steps.as_of, before)


def test_a_run_with_nothing_new_writes_nothing(steps):
    lake = steps.workspace.lake
    before = [lake.version(table) for table in FACT_TABLES]
    result = steps.workspace.run(build_facts.JOB)
    assert result.message == "0 visits and 0 sums of fees written, 0 days of visits"
    lake = steps.workspace.lake
    assert [lake.version(table) for table in FACT_TABLES] == before
