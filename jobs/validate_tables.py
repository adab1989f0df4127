"""Certify silver with Great Expectations: what arrived, as it stands, against each table's contract."""

import logging
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import functions as F

from expectations.contract.errors import DataRefused
from expectations.landing.table import LandingTable
from expectations.ops import VALIDATION_RESULT
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES
from jobs.lake.locks import local_path
from jobs.lake.sequence import next_sequence
from jobs.lake.tables import Lake
from jobs.report.data_docs import take_offline
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, writable_folder
from jobs.runtime.job import Job, JobRun, Options, refuse, step
from jobs.runtime.threads import each_table

# Before its import: no usage statistics leave the machine.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
)
from great_expectations.data_context import AbstractDataContext
from great_expectations.data_context.types.base import ProgressBarsConfig

from expectations.contract.suite import ROWS, facts, rules, suite

_SITE = "drugtrail"
#: Counts only: neither the results nor the pages may hold an identifier's value.
_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


def check(config: Config, options: Options) -> None:
    """The Data Docs go to a local folder."""
    writable_folder(config.report.root, "report.root")


def main(run: JobRun) -> str:
    """Validate each silver table, or one batch's rows of each; write results and Data Docs."""
    tables = validated_tables(run.lake)
    if not tables:
        raise DataRefused(f"there is no silver table in {run.lake.root}: run conform_tables first")
    docs = local_path(run.config.report.root) / "data_docs"
    context = _context(docs)
    rows: list[dict[str, Any]] = []
    counts = each_table(run.spark, tables, lambda table: _counted(run, table))
    with step(run, "counts judged"):
        for table, counted in zip(tables, counts, strict=True):
            rows += _results(run, table, _judged(table, counted, context), counted)
    if docs.exists():
        shutil.rmtree(docs)
    context.build_data_docs(site_names=[_SITE])
    take_offline(docs)
    number = {"sequence": next_sequence(run.lake, VALIDATION_RESULT)}
    frame = run.spark.createDataFrame([row | number for row in rows], VALIDATION_RESULT.schema)
    run.lake.append(frame.coalesce(1), VALIDATION_RESULT)
    broken = [row for row in rows if not row["is_met"]]
    for row in broken:
        say = run.log.error if row["severity"] == "critical" else run.log.warning
        say(_told(row))
    critical = [_told(row) for row in broken if row["severity"] == "critical"]
    refuse(bool(critical), f"{len(critical)} critical expectations broken: {'; '.join(critical)}")
    return f"{len(rows)} expectations on {len(tables)} tables, {len(broken)} warnings broken"


def validated_tables(lake: Lake) -> list[LandingTable]:
    """The landing tables that have a silver table."""
    return [table for table in LANDING_TABLES if lake.exists(table.silver)]


def _context(docs: Path) -> AbstractDataContext:
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    for name in list(context.get_site_names()):
        context.delete_data_docs_site(name)
    context.add_data_docs_site(
        site_name=_SITE,
        site_config={
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(docs.absolute()),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    return context


def _counted(run: JobRun, table: LandingTable) -> pd.DataFrame:
    """The facts that a table's expectations ask for, in one row."""
    with step(run, f"{table.name}: counted"):
        rows = run.lake.read_silver(table, None)
        if run.options.batch:
            rows = rows.filter(F.col("batch") == F.lit(run.options.batch))
        parents = None
        if table.belongs:
            parent = LANDING_BY_NAME[table.belongs.parent]
            parents = run.lake.read_as_of_if_exists(parent.silver, None)
        return facts(rows, table.silver, table.silver_key, parents).toPandas()


def _judged(
    table: LandingTable, counted: pd.DataFrame, context: AbstractDataContext
) -> ExpectationSuiteValidationResult:
    """What Great Expectations says of a table's facts."""
    source = context.data_sources.add_pandas(name=table.name)
    asset = source.add_dataframe_asset(name=table.name)
    definition = gx.ValidationDefinition(
        name=table.name,
        data=asset.add_batch_definition_whole_dataframe("standing rows"),
        suite=context.suites.add(suite(table.silver, table.silver_key)),
    )
    definition = context.validation_definitions.add(definition)
    return definition.run(batch_parameters={"dataframe": counted}, result_format=_COUNTS_ONLY)


def _results(
    run: JobRun,
    table: LandingTable,
    result: ExpectationSuiteValidationResult,
    counted: pd.DataFrame,
) -> list[dict[str, Any]]:
    by_fact = {rule.fact: rule for rule in rules(table.silver, table.silver_key)}
    rows = []
    for each in result.results:
        rule = by_fact[each.expectation_config.kwargs["column"]]
        if each.exception_info and each.exception_info.get("raised_exception"):
            raise DataRefused(
                f"{table.silver.name}: {rule.expectation} could not be computed; see the log"
            )
        rows.append(
            {
                "run_id": run.run_id,
                "job": "validate_tables",
                "table_name": table.silver.name,
                "expectation": rule.expectation,
                "columns": ", ".join(rule.columns),
                "severity": rule.severity,
                "is_met": bool(each.success),
                "rows_checked": int(counted[ROWS].iloc[0]),
                "rows_unexpected": int(counted[rule.fact].iloc[0]),
                "note": rule.note or None,
                "written_at": datetime.now(UTC),
            }
        )
    return rows


def _told(row: Mapping[str, Any]) -> str:
    return (
        f"{row['table_name']}: {row['expectation']} ({row['columns']})"
        f" broken by {row['rows_unexpected']} of {row['rows_checked']} rows"
    )


JOB = Job(
    "validate_tables",
    "Certify silver with Great Expectations, write results and Data Docs",
    main,
    ("batch",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
