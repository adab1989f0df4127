"""conform_tables dies before one of its commits: the next run gives what a run that never died gives.

`EVERY_COMMIT=1 pytest tests/jobs/silver/test_conform_dies.py` lets a run die before each commit, not before one.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.workspace import base_row

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.ops import JOB_RUN, TABLE_BALANCE, TABLE_PROGRESS, quarantine
from jobs import check_tables, conform_tables, ingest_batch
from jobs.lake.tables import Lake
from jobs.silver import changes

JANUARY, FEBRUARY, MARCH = "2024-01-31", "2024-02-29", "2024-03-31"
LATE = "2024-02-15 00:00:00"
#: A table with more rows is brought up to date in parts.
FEW_ROWS = {"whole": 1_000_000, "in parts": 0}
#: Before these a table is half-done: one silver table of two, silver without its quarantine, all but the balance.
DEATHS = ("silver.fee_detail", "quarantine.fee_detail", TABLE_BALANCE.name, TABLE_PROGRESS.name)
IS_EVERY = bool(os.environ.get("EVERY_COMMIT"))


def fee(settlement, line="1", **more):
    return base_row("fee_detail", setl_id=settlement, feedetl_sn=line, **more)


def land_january(landing):
    landing.csv(
        "settlement", JANUARY, [base_row("settlement"), base_row("settlement", setl_id="s2")]
    )
    # Lines of s3 and s4 wait; s5 never comes.
    fees = [fee("s1"), fee("s2"), fee("s3"), fee("s4"), fee("s5")]
    landing.csv("fee_detail", JANUARY, fees)


def land_february(landing):
    # January's settlements are sent again whole, a day later: children have to be looked at again.
    moved = {"arrive_time": "2024-01-07 00:00:00"}
    again = [base_row("settlement", **moved), base_row("settlement", setl_id="s2", **moved)]
    landing.csv("settlement", JANUARY, again)
    rows = [
        base_row("settlement", setl_id="s3", arrive_time=LATE),
        base_row("settlement", setl_id="s4", arrive_time=LATE),
        base_row("settlement", setl_id="s2", medfee_sumamt="12.00", arrive_time=LATE),
    ]
    landing.csv("settlement", FEBRUARY, rows)
    fees = [
        # s4's line is corrected while it waits, and so is s1's, which stands.
        fee("s4", cnt="2", arrive_time=LATE),
        fee("s1", cnt="3", arrive_time=LATE),
        fee("s3", "2", arrive_time=LATE),
        fee("s6", arrive_time=LATE),
    ]
    landing.csv("fee_detail", FEBRUARY, fees)


def seen(workspace):
    lake = workspace.lake
    balances = lake.read(TABLE_BALANCE).orderBy("sequence").collect()
    counted = [
        name for name in lake.read(TABLE_BALANCE).columns if name.startswith(("rows_", "amo"))
    ]
    return {
        **{
            table.name: sorted(map(str, lake.read(table.silver).collect()))
            for table in (SETTLEMENT, FEE_DETAIL)
        },
        "waiting": waiting(workspace),
        "balance": {row["table_name"]: [row[name] for name in counted] for row in balances},
    }


def waiting(workspace):
    """The batch and place of each orphan."""
    rows = workspace.lake.read(quarantine("fee_detail")).select("batch", "record_number").collect()
    return sorted((str(row["batch"]), row["record_number"]) for row in rows)


def dies_at_commit(patch: pytest.MonkeyPatch, dies_before: Callable[[int, str], bool]) -> list[str]:
    """Let a run die before a commit, as if the machine had gone: nothing is committed after it.

    Args:
        patch: what undoes it.
        dies_before: asked before each commit, with how many were made and the table's name.

    Returns:
        The tables of the commits that were made, in their order.
    """
    made: list[str] = []
    is_dead = False

    def counting(commit):
        def counted(lake, frame, contract, *more):
            nonlocal is_dead
            if contract != JOB_RUN:
                is_dead = is_dead or dies_before(len(made), contract.name)
                if is_dead:
                    raise OSError("the machine is gone")
                made.append(contract.name)
            return commit(lake, frame, contract, *more)

        return counted

    for way in ("replace", "append", "merge"):
        patch.setattr(Lake, way, counting(getattr(Lake, way)))
    return made


def die(workspace, dies_before):
    with pytest.MonkeyPatch.context() as patch:
        dies_at_commit(patch, dies_before)
        with pytest.raises(OSError, match="the machine is gone"):
            workspace.run(conform_tables.JOB)


def assert_sound(workspace):
    checked = workspace.run(check_tables.JOB)
    assert checked.exit_code == 0, checked.message


@pytest.fixture(scope="module")
def copied(new_workspace):
    """Make copies of a lake before February's run of conform_tables."""
    start = new_workspace()
    land_january(start.landing)
    assert start.run(ingest_batch.JOB).exit_code == 0
    assert start.run(conform_tables.JOB).exit_code == 0
    land_february(start.landing)
    assert start.run(ingest_batch.JOB).exit_code == 0

    def copy():
        workspace = new_workspace()
        shutil.copytree(start.config.lake.root, Path(workspace.config.lake.root))
        return workspace

    return copy


@pytest.fixture(scope="module")
def never_died(copied):
    workspace = copied()
    assert workspace.run(conform_tables.JOB).exit_code == 0
    return seen(workspace)


@pytest.fixture(scope="module")
def died_in_parts(copied):
    """A lake whose run died when silver had its rows and the quarantine still had them too."""
    workspace = copied()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "FEW_ROWS", FEW_ROWS["in parts"])
        die(workspace, lambda _count, name: name == "quarantine.fee_detail")
        assert workspace.run(conform_tables.JOB).exit_code == 0
    return workspace


def test_a_run_that_died_is_made_good_by_the_next(died_in_parts, never_died):
    assert seen(died_in_parts) == never_died
    assert never_died["waiting"] == [(JANUARY, 5), (FEBRUARY, 4)]
    assert_sound(died_in_parts)


@pytest.mark.parametrize("way", FEW_ROWS)
@pytest.mark.parametrize("death", DEATHS)
@pytest.mark.skipif(not IS_EVERY, reason="takes minutes: set EVERY_COMMIT=1")
def test_so_it_is_before_whichever_commit(copied, never_died, monkeypatch, way, death):
    monkeypatch.setattr(changes, "FEW_ROWS", FEW_ROWS[way])
    workspace = copied()
    die(workspace, lambda _count, name: name == death)
    assert workspace.run(conform_tables.JOB).exit_code == 0
    assert seen(workspace) == never_died
    assert_sound(workspace)


@pytest.mark.parametrize("way", FEW_ROWS)
@pytest.mark.skipif(not IS_EVERY, reason="takes minutes: set EVERY_COMMIT=1")
def test_so_it_is_when_every_run_dies_one_commit_later(copied, never_died, monkeypatch, way):
    monkeypatch.setattr(changes, "FEW_ROWS", FEW_ROWS[way])
    workspace, deaths = copied(), 0
    while deaths < 20:
        with pytest.MonkeyPatch.context() as patch:
            dies_at_commit(patch, lambda made, _name, last=deaths: made == last)
            try:
                workspace.run(conform_tables.JOB)
                break
            except OSError:
                deaths += 1
    assert deaths >= 4
    assert seen(workspace) == never_died
    assert_sound(workspace)


def test_orphans_of_a_run_that_died_are_not_counted_twice(died_in_parts, never_died, monkeypatch):
    # Only orphans came, so silver was not touched; a settlement came before the run was repeated.
    monkeypatch.setattr(changes, "FEW_ROWS", FEW_ROWS["in parts"])
    workspace = died_in_parts
    workspace.landing.csv("fee_detail", MARCH, [fee("s7"), fee("s8")])
    workspace.run(ingest_batch.JOB, batch=MARCH)
    die(workspace, lambda _count, name: name == TABLE_BALANCE.name)
    assert waiting(workspace) == [*never_died["waiting"], (MARCH, 1), (MARCH, 2)]
    workspace.landing.csv("settlement", MARCH, [base_row("settlement", setl_id="s7")])
    workspace.run(ingest_batch.JOB, batch=MARCH)
    assert workspace.run(conform_tables.JOB).exit_code == 0
    assert waiting(workspace) == [*never_died["waiting"], (MARCH, 2)]
    assert_sound(workspace)
