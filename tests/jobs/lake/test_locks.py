"""Locks: a live holder is named, a dead one is no obstacle."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from support.workspace import ROOT

from expectations.contract.errors import ConfigError, LockHeld
from jobs.lake.locks import job_lock, require_free

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


def test_a_lock_that_is_taken_over_says_whose_it_was(tmp_path, holder):
    holder.kill()
    holder.wait()
    time.sleep(0.1)
    with job_lock(str(tmp_path), "build_links") as lock:
        assert lock.taken_over is not None
        assert f"process {holder.pid} on" in lock.taken_over
    with job_lock(str(tmp_path), "build_links") as lock:
        assert lock.taken_over is None


def test_a_note_from_another_host_or_an_unreadable_one_is_told(tmp_path):
    note = tmp_path / "_locks" / "build_links.holder.json"
    note.parent.mkdir()
    note.write_text(json.dumps({"pid": 7, "host": "elsewhere", "since": "2026-01-01"}))
    with job_lock(str(tmp_path), "build_links") as lock:
        assert "process 7 on elsewhere since 2026-01-01; it ran on another host" in lock.taken_over
    note.write_text("{")
    with job_lock(str(tmp_path), "build_links") as lock:
        assert "a process whose note cannot be read" in lock.taken_over


HOLD_WITH_CHILD = """
import subprocess, sys, time
from jobs.lake.locks import job_lock
with job_lock(sys.argv[1], "build_links") as lock:
    child = subprocess.Popen(["sleep", "60"], pass_fds=[lock.descriptor])
    print(child.pid, flush=True)
    time.sleep(60)
"""


def test_the_lock_lasts_until_the_jvm_of_a_killed_run_has_ended(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_WITH_CHILD, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    begun = time.monotonic()
    threading.Timer(1.5, os.kill, (child, signal.SIGKILL)).start()
    with job_lock(str(tmp_path), "build_links") as lock:
        assert time.monotonic() - begun > 1
        assert f"process {process.pid} on" in lock.taken_over


def test_a_running_job_is_found_without_waiting_for_it(tmp_path, holder):
    require_free(str(tmp_path), ["train_model"])
    with pytest.raises(LockHeld, match="build_links is already running"):
        require_free(str(tmp_path), ["train_model", "build_links"])


@pytest.mark.parametrize(
    ("root", "told"), [("file", "Not a directory"), ("file/deeper", "Not a directory")]
)
def test_a_lake_that_cannot_be_written_is_a_sentence(tmp_path, root, told):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigError, match=f"lake.root is .*, which cannot be written to: {told}"),
        job_lock(str(tmp_path / root), "build_links"),
    ):
        pass
    with (
        pytest.raises(ConfigError, match=r"lake\.root is /proc/lake"),
        job_lock("/proc/lake", "build_links"),
    ):
        pass
