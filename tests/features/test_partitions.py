"""The same rows give the same last bits of every mean, deviation and sum, however they are partitioned."""

import json
import os
import subprocess
import sys

import pytest
from support.gold_aggregations import aggregated
from support.workspace import ROOT


@pytest.fixture(scope="module")
def in_two(spark):
    """Two partitions and one thread."""
    before = spark.conf.get("spark.sql.shuffle.partitions")
    yield aggregated(spark, 2)
    spark.conf.set("spark.sql.shuffle.partitions", before)


def test_as_many_partitions_as_you_like_give_the_same_last_bits(spark, in_two):
    assert all(in_two.values()), "every aggregation has rows"
    in_five = aggregated(spark, 5)
    assert {name: rows for name, rows in in_five.items() if rows != in_two[name]} == {}


def test_several_threads_give_the_same_last_bits(spark, in_two, tmp_path):
    own = spark.sparkContext.getConf()
    properties = tmp_path / "spark.conf"
    kept = ("spark.jars.packages", "spark.jars.excludes")
    overrides = {name: own.get(name) for name in kept} | {
        # Not those of this process's session, whose heap begins larger than this one may become.
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
        "spark.master": "local[3]",
        "spark.driver.memory": "1g",
    }
    base = (ROOT / "conf" / "spark-local.conf").read_text()
    properties.write_text(base + "".join(f"{key} {value}\n" for key, value in overrides.items()))
    # This process's session must not be joined.
    environment = {key: value for key, value in os.environ.items() if "PYSPARK_GATEWAY" not in key}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'tests'}"
    ended = subprocess.run(
        [sys.executable, "-m", "support.gold_aggregations", str(properties), "3"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    elsewhere = json.loads(ended.stdout)
    assert {name: rows for name, rows in elsewhere.items() if rows != in_two[name]} == {}
