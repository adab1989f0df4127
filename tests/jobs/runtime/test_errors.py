"""What a run that ends unexpectedly says of it, in its log and in ops/job_run."""

import json

import pytest
from py4j.protocol import Py4JNetworkError
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support.workspace import base_row

from expectations.contract.errors import JobError
from expectations.landing.event import FEE_DETAIL
from expectations.ops import JOB_RUN
from jobs import build_facts, conform_tables, ingest_batch
from jobs.runtime.session import start_session
from jobs.runtime.spark_errors import in_short

BATCH = "2024-01-31"


@pytest.fixture
def conformed(new_workspace):
    workspace = new_workspace()
    for table in ("person", "institution", "settlement", "fee_detail"):
        workspace.landing.csv(table, BATCH, [base_row(table)])
    workspace.run(ingest_batch.JOB)
    workspace.run(conform_tables.JOB)
    return workspace


def test_a_file_of_the_lake_that_cannot_be_read_is_named(conformed):
    folder = conformed.folder / "lake" / FEE_DETAIL.silver.name.replace(".", "/")
    [part] = folder.rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(Exception, match="calling"):
        conformed.run(build_facts.JOB)
    [row] = conformed.lake.read(JOB_RUN).filter(F.col("job") == "build_facts").collect()
    assert (row["outcome"], row["exit_code"]) == ("failed", 1)
    assert part.name in row["message"]
    assert "An error occurred while calling" not in row["message"]
    logged = [json.loads(line) for line in (conformed.folder / "log.jsonl").open()]
    assert row["message"] in [line.get("error") for line in logged]


def test_what_python_raised_in_a_task_is_said_without_its_traceback(spark):
    def none_left(rows):
        raise ValueError("no row is left")

    with pytest.raises(Exception, match="Python worker") as raised:
        spark.range(1).mapInArrow(none_left, "id long").collect()
    assert in_short(raised.value) == "PythonException: ValueError: no row is left"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("one\ntwo"), "ValueError: one"),
        (KeyError(), "KeyError: no message"),
        (OSError("x" * 1000), "OSError: " + "x" * 300),
    ],
)
def test_of_other_errors_the_first_line_is_said(error, told):
    assert in_short(error) == told


def test_a_jvm_that_is_gone_before_the_session_is_set_up_is_one_sentence(monkeypatch, tmp_path):
    """As when a scheduler's signal ends a job's whole group of processes while Spark starts."""

    def gone(_):
        raise Py4JNetworkError("Error while sending or receiving")

    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", gone)
    properties = tmp_path / "spark.conf"
    properties.write_text("spark.master local[1]\n")
    with pytest.raises(JobError, match="Spark's JVM is gone"):
        start_session("a job", str(properties))
