"""The command line, as a scheduler sees it: exit codes and one clear sentence, before Spark starts."""

import json
import os
import subprocess
import sys

import pytest
from support.workspace import ROOT

from jobs.lake.locks import job_lock
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


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--set", "lake.root={0}/file"], "lake.root is {0}/file, which cannot be written to"),
        (["--set", "log.file={0}/file/x.jsonl"], "log.file: cannot write {0}/file/x.jsonl"),
        (["--set", "log.file={0}"], "log.file: cannot write {0}: Is a directory"),
        (["--set", "landing.max_file_gib=.inf"], "Input should be a finite number"),
        (["--set", "lake.root=" + "[" * 5_000], "nested more than 50 deep"),
        (["--set", "mlflow.tracking_uri=http://u:hunter2@[bad"], "it is a malformed address"),
        (["--mlflow", "http://u:hunter2@h"], "unrecognized arguments: --mlflow http://u:***@h"),
        (["--set", "http://u:hunter2@h"], "--set http://u:***@h: write a name and a value"),
        (["--set", "spark.properties_file={0}/secret.conf"], "which is not set"),
    ],
)
def test_what_is_out_of_reach_ends_with_2_before_spark_starts_and_shows_no_secret(
    tmp_path, given, told
):
    (tmp_path / "file").write_text("")
    (tmp_path / "secret.conf").write_text("spark.hadoop.fs.s3a.secret.key ${NO_SUCH_VARIABLE}\n")
    places = ["--set", f"lake.root={tmp_path}/lake", "--set", f"log.file={tmp_path}/log/x.jsonl"]
    ended = run(
        "jobs.conform_tables", *places, *(each.replace("{0}", str(tmp_path)) for each in given)
    )
    assert ended.returncode == 2, ended.stderr
    assert told.replace("{0}", str(tmp_path)) in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
    assert not (tmp_path / "log" / "x.spark.log").exists() or "secret.conf" in given[1]


def test_a_second_run_is_refused_before_spark_starts_and_is_in_the_log(tmp_path):
    places = ["--set", f"lake.root={tmp_path}/lake", "--set", f"log.file={tmp_path}/log/x.jsonl"]
    with job_lock(f"{tmp_path}/lake", "conform_tables"):
        ended = run("jobs.conform_tables", *places)
    assert ended.returncode == 1
    assert f"already running on {tmp_path}/lake: process {os.getpid()} on" in ended.stderr
    assert not (tmp_path / "log" / "x.spark.log").exists()
    [line] = (tmp_path / "log" / "x.jsonl").read_text().splitlines()
    assert json.loads(line)["event"] == "refused"
    for made in (tmp_path / "log", tmp_path / "log" / "x.jsonl"):
        assert made.stat().st_mode & 0o077 == 0


def test_print_config_shows_no_secret(monkeypatch):
    ended = run(
        "jobs.build_links",
        "--print-config",
        "--set",
        "mlflow.tracking_uri=postgresql://u:${SOME_LOGIN}@h/db?token=hunter2",
        "--set",
        "source.folder=u:hunter2@host",
        SOME_LOGIN="hunter2",
    )
    assert "hunter2" not in ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["mlflow"]["tracking_uri"] == "postgresql://u:***@h/db?token=***"


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
    # A job that runs for several subjects stands where it first runs.
    places = [listed.index(name) for name in dict.fromkeys(step.name for step in STEPS)]
    assert places == sorted(places)
    jobs = {path.stem for path in (ROOT / "jobs").glob("[a-z]*_*.py")} - {"make_sample"}
    assert not [name for name in jobs if name not in listed]


def test_the_declared_order_runs_each_job_after_those_it_needs():
    before: set[str] = set()
    for step in STEPS:
        assert set(step.after) <= before
        before.add(step.key)
