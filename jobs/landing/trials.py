"""Which files Spark fails on, found by reading them alone, when its error names none."""

from collections.abc import Sequence
from dataclasses import replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from jobs.landing.manifests import LandingBatch
from jobs.landing.rows import Reading, all_rows, landed_rows
from jobs.landing.source_errors import condition


def try_files(spark: SparkSession, batches: Sequence[LandingBatch], how: Reading) -> bool:
    """Add to the reasons of the batches with files that cannot be read alone; whether there are any.

    Batches are tried before files, so that a sound one costs one reading.

    Args:
        spark: the session.
        batches: of one table, with nothing against them so far.
        how: how rows are read.
    """
    is_any = False
    for batch in batches:
        if not _failure(spark, batch, how):
            continue
        for file in batch.files:
            alone = replace(batch, files=[file], reasons=[], warnings=[])
            if told := _failure(spark, alone, how):
                batch.reasons.append(f"{file.name} can't be read by Spark ({told}): write it anew")
                is_any = True
    return is_any


def _failure(spark: SparkSession, batch: LandingBatch, how: Reading) -> str:
    """Spark's name for what went wrong with a batch; empty if nothing did."""
    trial = replace(batch, reasons=[], warnings=[])
    try:
        landed = landed_rows(spark, batch.table, [trial], how)
        for frames in (landed.sound, landed.others):
            rows = all_rows(frames)
            if rows is not None:
                rows.write.format("noop").mode("overwrite").save()
    except (Py4JJavaError, PySparkException) as error:
        return condition(error) or "it has no name for the fault"
    return ""
