"""The command line, as a scheduler sees it: exit codes and one clear sentence, before Spark starts."""

import json
import os
import subprocess
import sys

import pytest
from support.workspace import ROOT

from jobs.runtime.pipeline import STEPS


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["jobs.build_links"], "--as-of DATE is missing"),
        (["jobs.build_links", "--as-of", "yesterday"], "'yesterday' is not a date"),
        (
            ["jobs.ingest_batch", "--config", "nowhere/local.yaml"],
            "cannot read the configuration file",
        ),
        (["jobs.ingest_batch", "--set", "landing.rot=x"], "the nearest valid name is landing.root"),
        (["jobs.ingest_batch", "--set", "landing.root=/nowhere"], "which is not a folder"),
        (["jobs.convert_source"], "source.mapping is not set"),
        (
            ["jobs.convert_source", "--config", "conf/real.yaml", "--set", "source.folder=docs"],
            "no file in docs is called *labelled_inpatient.csv* (view inpatient)",
        ),
    ],
)
def test_a_wrong_argument_ends_with_2_and_says_what_to_do(arguments, told):
    ended = run(*arguments)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_no_java_is_a_sentence(tmp_path):
    (tmp_path / "landing").mkdir()
    ended = run(
        "jobs.ingest_batch", "--set", f"landing.root={tmp_path}/landing", JAVA_HOME=str(tmp_path)
    )
    assert ended.returncode == 2
    assert "Java was not found: install a Java 17 runtime" in ended.stderr


def test_print_config_shows_what_is_in_force():
    ended = run("jobs.build_links", "--print-config", "--set", "lake.root=/data/lake")
    assert json.loads(ended.stdout)["lake"]["root"] == "/data/lake"


def test_help_lists_every_job_in_order():
    listed = run("jobs", "--help").stdout
    places = [listed.index(step.name) for step in STEPS]
    assert places == sorted(places)
    jobs = {path.stem for path in (ROOT / "jobs").glob("[a-z]*_*.py")} - {"make_sample"}
    assert not [name for name in jobs if name not in listed]


def test_the_declared_order_runs_each_job_after_those_it_needs():
    before: set[str] = set()
    for step in STEPS:
        assert set(step.after) <= before
        before.add(step.name)
