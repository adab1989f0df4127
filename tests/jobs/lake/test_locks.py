"""Locks: a live holder is named, a dead one is no obstacle."""

import os
import subprocess
import sys
import time

import pytest
from support.workspace import ROOT

from expectations.contract.errors import LockHeld
from jobs.lake.locks import job_lock

HOLD = """
import sys, time
from jobs.lake.locks import job_lock
with job_lock(sys.argv[1], "build_links"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_live_run_is_refused_and_told_who_holds_the_lock(tmp_path, holder):
    with (
        pytest.raises(
            LockHeld, match=rf"build_links is already running on .* process {holder.pid} on"
        ),
        job_lock(str(tmp_path), "build_links"),
    ):
        pass


def test_another_job_is_not_held_up(tmp_path, holder):
    with job_lock(str(tmp_path), "train_model"):
        assert holder.poll() is None


def test_the_lock_of_a_dead_holder_is_taken_over(tmp_path, holder):
    holder.kill()
    holder.wait()
    time.sleep(0.1)
    with job_lock(str(tmp_path), "build_links"):
        told = (tmp_path / "_locks" / "build_links.holder.json").read_text()
    assert f'"pid": {os.getpid()}' in told
