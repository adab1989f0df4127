"""build_facts in steps gives what it gives of everything at once, and touches no other day."""

import re
from datetime import date

import pytest
from delta.tables import DeltaTable
from workspace import base_row

from expectations.gold_fact import FACT_TABLES, FEE_FACT, VISIT_FACT
from expectations.landing_event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from features.facts import fee_facts, visit_facts
from features.member_rows import fee_rows, visit_rows
from jobs import _bronze_changes, build_facts, conform_tables, ingest_batch
from jobs._tables import standing

FIRST, SECOND, THIRD = "2024-01-31", "2024-02-29", "2024-03-31"
AS_OF = date(2024, 2, 1)
EARLY, LATE, LATER = "2024-01-31 00:00:00", "2024-02-28 00:00:00", "2024-03-30 00:00:00"


def visit(number, day, arrived, **changes):
    return base_row(
        "settlement",
        setl_id=f"s{number}",
        mdtrt_id=f"v{number}",
        psn_no=f"m{number % 2}",
        setl_time=f"{day} 09:30:00",
        arrive_time=arrived,
        **changes,
    )


def fee(number, line, day, arrived, **changes):
    return base_row(
        "fee_detail",
        setl_id=f"s{number}",
        feedetl_sn=str(line),
        psn_no=f"m{number % 2}",
        fee_ocur_time=f"{day} 09:00:00",
        med_list_codg="d1",
        item_type="drug",
        arrive_time=arrived,
        **changes,
    )


def code(number, seq, arrived, value="I10"):
    return {
        "setl_id": f"s{number}",
        "code_type": "diagnosis",
        "seq": str(seq),
        "code": value,
        "arrive_time": arrived,
    }


def proxy(number, arrived):
    return {"setl_id": f"s{number}", "agnter_cert_hash": "p1", "arrive_time": arrived}


JANUARY = {
    "institution": [base_row("institution")],
    "person": [base_row("person", psn_no=name) for name in ("m0", "m1")],
    "settlement": [visit(n, f"2024-01-{5 * n:02d}", EARLY) for n in (1, 2, 3, 4)],
    "fee_detail": [fee(n, 1, f"2024-01-{5 * n:02d}", EARLY) for n in (1, 2, 3, 4)],
    "settlement_code": [code(1, 1, EARLY), code(3, 1, EARLY, "E11")],
}
#: s1's second diagnosis and s4's proxy come later, s2 is refunded, s3 is moved to another day and its
#: fee with it, s5 is new and s6 late.
FEBRUARY = {
    "settlement": [
        visit(5, "2024-02-03", LATE),
        visit(6, "2024-01-10", LATE),
        visit(3, "2024-02-08", LATE),
        visit(
            8,
            "2024-02-05",
            LATE,
            refd_setl_flag="1",
            orig_setl_id="s2",
            medfee_sumamt="-10.00",
            fund_pay_sumamt="-6.00",
        ),
    ],
    "fee_detail": [
        fee(5, 1, "2024-02-03", LATE),
        fee(6, 1, "2024-01-10", LATE),
        fee(3, 1, "2024-02-08", LATE),
        fee(8, 1, "2024-02-05", LATE, cnt="-1", det_item_fee_sumamt="-10.00"),
    ],
    "settlement_code": [code(1, 2, LATE, "J40")],
    "proxy_pickup": [proxy(4, LATE)],
}
#: One more visit on the day to which s3 has been moved.
MARCH = {
    "settlement": [visit(7, "2024-02-08", LATER)],
    "fee_detail": [fee(7, 1, "2024-02-08", LATER)],
}


def rows(frame):
    return sorted(map(str, frame.collect()))


def built_anew(lake):
    """All that silver says, in one go."""
    beside = [lake.read(table.silver) for table in (SETTLEMENT_CODE, PROXY_PICKUP)]
    return [
        rows(VISIT_FACT.conform(visit_facts(lake.read(SETTLEMENT.silver), *beside))),
        rows(FEE_FACT.conform(fee_facts(lake.read(FEE_DETAIL.silver)))),
    ]


def standing_facts(lake):
    return [rows(lake.read(table)) for table in FACT_TABLES]


def seen_as_of(lake):
    visits, fees = (standing(lake.read(table), AS_OF) for table in FACT_TABLES)
    return rows(visit_rows(visits, AS_OF)), rows(fee_rows(fees, AS_OF))


def rewritten_days(workspace, contract):
    """The days that the last commit replaced; None when it replaced the whole table."""
    table = DeltaTable.forPath(workspace.spark, workspace.lake.path(contract))
    condition = table.history(1).first()["operationParameters"].get("predicate", "[]")
    if condition == "[]":
        return None
    return set(re.findall(r"(?<=service_date IN \().*?(?=\))", condition)) and sorted(
        set(re.findall(r"\d{4}-\d{2}-\d{2}", condition))
    )


class Steps:
    """A lake that takes in batch after batch; what it showed after each."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.days = {}
        self.facts = {}
        self.anew = {}
        self.as_of = {}

    def take_in(self, name, batch, landed):
        for table, content in landed.items():
            self.workspace.landing.csv(table, batch, content)
        for job in (ingest_batch.JOB, conform_tables.JOB, build_facts.JOB):
            assert self.workspace.run(job).exit_code == 0
        lake = self.workspace.lake
        self.days[name] = [rewritten_days(self.workspace, table) for table in FACT_TABLES]
        self.facts[name], self.anew[name] = standing_facts(lake), None
        self.as_of[name] = seen_as_of(lake)
        if lake.exists(PROXY_PICKUP.silver):
            self.anew[name] = built_anew(lake)


@pytest.fixture(scope="module")
def steps(new_workspace):
    done = Steps(new_workspace())
    with pytest.MonkeyPatch.context() as patch:
        # Small tables are conformed whole, which changes every day of them.
        patch.setattr(_bronze_changes, "FEW_ROWS", 0)
        done.take_in("january", FIRST, JANUARY)
        done.take_in("february", SECOND, FEBRUARY)
        done.take_in("march", THIRD, MARCH)
        again = JANUARY | {"settlement": [*JANUARY["settlement"], visit(9, "2024-01-20", LATER)]}
        done.take_in("january again", FIRST, again)
    return done


def test_the_first_run_builds_every_day(steps):
    assert steps.days["january"] == [None, None]
    assert [len(facts) for facts in steps.facts["january"]] == [4, 4]


@pytest.mark.parametrize("step", ["february", "march", "january again"])
def test_a_batch_in_steps_gives_the_rows_of_building_anew(steps, step):
    assert steps.facts[step] == steps.anew[step]


def test_only_the_days_that_a_batch_concerns_are_written(steps):
    moved = ["2024-01-15", "2024-02-08"]
    assert steps.days["february"] == [
        sorted(["2024-01-05", "2024-01-10", "2024-01-20", "2024-02-03", "2024-02-05", *moved]),
        sorted(["2024-01-10", "2024-02-03", "2024-02-05", *moved]),
    ]
    assert steps.days["march"] == [["2024-02-08"], ["2024-02-08"]]


def test_what_came_later_changes_nothing_about_an_earlier_day(steps):
    before = steps.as_of["january"]
    assert len(before[0]) == len(before[1]) == 4
    assert steps.as_of == dict.fromkeys(steps.as_of, before)


def test_a_run_with_nothing_new_writes_nothing(steps):
    lake = steps.workspace.lake
    before = [lake.version(table) for table in FACT_TABLES]
    result = steps.workspace.run(build_facts.JOB)
    assert result.message == "0 visits and 0 sums of fees written, 0 days of visits"
    lake = steps.workspace.lake
    assert [lake.version(table) for table in FACT_TABLES] == before
