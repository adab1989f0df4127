"""A bit that turns over in a Parquet file is noticed where no `.crc` file lies beside it, as on object storage."""

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from support.workspace import ROOT

_OPTION = "parquet.page.verify-checksum.enabled"


def total(spark, folder):
    return spark.read.parquet(str(folder)).groupBy().sum("id").collect()[0][0]


def test_a_turned_bit_ends_the_reading_instead_of_changing_a_number(spark, tmp_path):
    rows = spark.range(1000).coalesce(1)
    rows.write.option("compression", "uncompressed").parquet(str(tmp_path / "table"))
    for path in (tmp_path / "table").glob(".*.crc"):
        path.unlink()
    [file] = (tmp_path / "table").glob("*.parquet")
    assert total(spark, tmp_path / "table") == sum(range(1000))
    content = bytearray(file.read_bytes())
    content[4000] ^= 1
    file.write_bytes(content)

    # What conf/spark-local.conf asks for.
    with pytest.raises((Py4JJavaError, PySparkException)):
        total(spark, tmp_path / "table")
    try:
        spark.conf.set(_OPTION, "false")
        assert total(spark, tmp_path / "table") != sum(range(1000))
    finally:
        spark.conf.unset(_OPTION)


def test_the_cluster_asks_for_it_too():
    for name in ("spark-local.conf", "spark-cluster.conf"):
        text = (ROOT / "conf" / name).read_text()
        assert f"spark.hadoop.{_OPTION} true" in text
