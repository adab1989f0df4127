"""The files of a mapping's views: those that must not be read, and those that Spark could not read."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from jobs.landing.reader_options import by_plain_name
from jobs.landing.source_columns import data_files, missing_column, other_header, other_type
from jobs.landing.source_errors import (
    condition,
    is_for_try_cast,
    is_named,
    unreadable_file,
    without_values,
)
from jobs.landing.source_text import text_fault

if TYPE_CHECKING:
    from jobs.landing.mappings import Mapping, View

_TEXT_FORMATS = ("csv", "json")
#: What Spark calls a record that is none.
_NO_RECORD = ("MALFORMED_RECORD", "INVALID_JSON_RECORD_TYPE")


def file_fault(spark: SparkSession, view: "View", paths: Sequence[str]) -> str:
    """What Spark would read wrongly in a view's files without a word; names the file, empty if nothing.

    Text is looked at byte by byte, on the executors, of other files only the footer.
    """
    files, options = data_files(paths), by_plain_name(view.reader_options)
    if view.format not in _TEXT_FORMATS:
        return "" if options.get("mergeschema") == "true" else missing_column(view.format, files)
    kind = view.format
    width = min(len(files), spark.sparkContext.defaultParallelism * 4)
    tasks = spark.sparkContext.parallelize(files, max(width, 1))
    found = tasks.map(lambda file: (file, text_fault(file, kind, options))).collect()
    return next((f"{file} {fault}" for file, fault in found if fault), "")


def read_fault(
    spark: SparkSession, mapping: "Mapping", files: dict[str, list[str]], error: Exception
) -> str:
    """Which file Spark could not read, and why as far as is known; empty if no file is to blame.

    Args:
        spark: the session.
        mapping: whose views the files are of.
        files: the paths of each view.
        error: Spark's.
    """
    failed = unreadable_file(error) or _unreadable_json(spark, mapping, files, error)
    for name, paths in files.items():
        view, inner = mapping.views[name], data_files(paths)
        if failed in inner:
            return f"{failed} {_reason(mapping, view, failed, inner, error)}: mend the file"
    return f"{failed} can't be read: mend the file" if failed else ""


def write_fault(
    frame: DataFrame, mapping: "Mapping", files: dict[str, list[str]], error: Exception
) -> str:
    """Why a table could not be written: the file, or the column, but never a value. Goes on after its name."""
    if fault := read_fault(frame.sparkSession, mapping, files, error):
        return f": {fault}; nothing was delivered for this table"
    failing = [name for name in frame.columns if _fails(frame, name)]
    # What fails for every column lies in a join or a condition.
    column = f".{failing[0]}" if 0 < len(failing) < len(frame.columns) else ""
    told = f"{column}: {without_values(error, mapping.text)}"
    if not is_for_try_cast(error):
        return told
    return (
        f"{told}; read it with try_cast, or leave it as text: ingest_batch then quarantines the"
        " rows concerned"
    )


def _fails(frame: DataFrame, name: str) -> bool:
    try:
        frame.select(name).write.format("noop").mode("overwrite").save()
    except (PySparkException, Py4JJavaError):
        return True
    return False


def _unreadable_json(
    spark: SparkSession, mapping: "Mapping", files: dict[str, list[str]], error: Exception
) -> str | None:
    """The first JSON file that can't be read alone: Spark names none when it looks for the columns."""
    if not condition(error).startswith(_NO_RECORD):
        return None
    for name, paths in files.items():
        view = mapping.views[name]
        for file in data_files(paths) if view.format == "json" else ():
            try:
                spark.read.format("json").options(**view.reader_options).load(file)
            except (PySparkException, Py4JJavaError) as alone:
                if condition(alone).startswith(_NO_RECORD):
                    return file
    return None


def _reason(
    mapping: "Mapping", view: "View", file: str, files: Sequence[str], error: Exception
) -> str:
    options = by_plain_name(view.reader_options)
    if view.format not in _TEXT_FORMATS:
        difference = other_type(view.format, file, files)
        return f"can't be read with the others: {difference}" if difference else "is damaged"
    if view.format == "json":
        return "has a record that is damaged or no JSON object"
    has_header = options.get("header") == "true"
    if has_header and options.get("enforceschema") == "false":
        difference = other_header(file, files, options, lambda name: is_named(name, mapping.text))
        if difference:
            return f"can't be read with the others: {difference}"
    if _NO_RECORD[0] in str(error):
        than = "its header" if has_header else "its first record"
        return f"has a record with another number of fields than {than}"
    return f"can't be read ({condition(error) or 'no name for the fault'})"
