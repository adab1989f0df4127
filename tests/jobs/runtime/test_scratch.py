"""The temporary folder of a run: its owner's alone, gone after it, and a killed run's is removed."""

import subprocess
import sys

import pytest
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from jobs.runtime.scratch import new_scratch

HOLD = """
import sys, time
from jobs.runtime.scratch import new_scratch
made = new_scratch(sys.argv[1])
(made.blocks / "block").write_bytes(b"x" * 1000)
print(made.folder, flush=True)
time.sleep(60 if sys.argv[2] == "stay" else 0)
"""


def start(root, how):
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root), how], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_what_a_killed_run_left_is_removed_by_the_next_and_a_live_ones_is_not(tmp_path):
    killed, live = start(tmp_path, "stay"), start(tmp_path, "stay")
    left, kept = (each.stdout.readline().strip() for each in (killed, live))
    killed.kill()
    killed.wait()
    try:
        made = new_scratch(str(tmp_path))
        assert set(made.removed) == {left.rpartition("/")[2]}
        assert made.removed[left.rpartition("/")[2]] == 1000
        assert sorted(each.name for each in made.folder.parent.glob("run-*")) == sorted(
            [kept.rpartition("/")[2], made.folder.name]
        )
    finally:
        live.kill()
        live.wait()


def test_a_run_that_ends_leaves_nothing(tmp_path):
    ended = start(tmp_path, "go")
    ended.wait()
    [base] = tmp_path.iterdir()
    assert not list(base.glob("run-*"))


def test_only_the_owner_can_read_it(tmp_path):
    made = new_scratch(str(tmp_path / "new"))
    for folder in (made.folder.parent, made.folder, made.blocks, made.checkpoints):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_or_is_a_link_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"spark\.scratch_root: cannot write temporary files in"):
        new_scratch(str(tmp_path / "file"))
    made = new_scratch(str(tmp_path / "one"))
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / made.folder.parent.name).symlink_to(tmp_path / "one")
    with pytest.raises(ConfigError, match="belongs to another user or is a link"):
        new_scratch(str(tmp_path / "two"))
