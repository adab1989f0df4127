"""A signal in the middle of a query: the run ends soon, and leaves a row that says so."""

import os
import signal
import threading
import time

import pytest
from pyspark.sql import functions as F

from expectations.contract.errors import Cancelled
from expectations.ops import JOB_RUN
from jobs.runtime.execution import new_run, perform
from jobs.runtime.job import Job, Options
from jobs.runtime.stopping import STOP, run_stoppable, stop_signals


@pytest.fixture(autouse=True)
def forget_the_signal():
    yield
    STOP.reset()


def endless(run):
    """A query of days; a signal comes while it runs."""
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
    rows = run.spark.range(10**13).select(F.sum(F.hash("id")).alias("sum"))
    rows.write.format("delta").save(f"{run.lake.root}/gold/never")


def test_sigterm_cancels_the_query_and_leaves_a_row(new_workspace):
    workspace = new_workspace()
    job = Job("build_links", "", endless)
    run = new_run(job, workspace.spark, workspace.config, Options())
    with stop_signals():
        # On a crowded machine even a short query takes its time.
        result = run_stoppable(workspace.spark, lambda: perform(job, run), pytest.fail, 300)
    assert (result.outcome, result.exit_code) == ("cancelled", 1)
    assert result.message == "stopped by SIGTERM; run it again to go on"
    [row] = workspace.lake.read(JOB_RUN).collect()
    assert (row["outcome"], row["message"]) == ("cancelled", result.message)
    assert not list((workspace.folder / "lake" / "gold" / "never").glob("_delta_log/*.json"))
    # What is done in the session afterwards is not cancelled.
    assert workspace.spark.range(3).count() == 3


def test_before_there_is_a_query_a_signal_is_raised_where_it_comes():
    # The suite itself may have been started with the signal ignored, as nohup does.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)

    @stop_signals()
    def started():
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(5)

    try:
        with pytest.raises(Cancelled, match="stopped by SIGHUP"):
            started()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_that_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.1)
        assert not STOP.is_asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_the_work_gives_or_raises_is_given_on(spark):
    with stop_signals():
        assert run_stoppable(spark, lambda: spark.range(2).count(), pytest.fail) == 2
        with pytest.raises(ZeroDivisionError):
            run_stoppable(spark, lambda: 1 / 0, pytest.fail)
