"""What changed in silver since the facts were last built, from Delta's change data feed."""

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame

from expectations.contract.table import TableContract
from expectations.gold.fact import FACT_TABLES
from expectations.landing.event import FEE_DETAIL, PROXY_PICKUP, SETTLEMENT, SETTLEMENT_CODE
from jobs.lake.progress import first_new_version, is_as_left, read_progress
from jobs.lake.tables import Lake

JOB_NAME = "build_facts"
#: What the facts are made from.
SOURCES = (SETTLEMENT, SETTLEMENT_CODE, PROXY_PICKUP, FEE_DETAIL)
#: All states that a run writes down when it has come to its end.
PROGRESS_TABLES = (*(table.silver for table in SOURCES), *FACT_TABLES)


def silver_changes(lake: Lake) -> dict[str, DataFrame] | None:
    """Rows of `SOURCES` that came, went or changed since the facts were last built, by table.

    None when the facts have to be built anew: there are none, their data are not as the last run left them,
    settlements or fees were replaced, or silver's log does not say what changed since. A table that did not
    change is left out. Maintenance of a table changes nothing.
    """
    progress = read_progress(lake, JOB_NAME)
    main_tables = (SETTLEMENT, FEE_DETAIL)
    if not all(is_as_left(lake, table, progress) for table in FACT_TABLES):
        return None
    if not all(lake.exists(table.silver) for table in main_tables):
        return None
    found = {}
    for table in SOURCES:
        silver = table.silver
        if not lake.exists(silver):
            continue
        # A table that has come since is new from its first version on.
        since = first_new_version(lake, silver, progress) if silver.name in progress else 0
        if since is None or (table in main_tables and lake.was_overwritten(silver, since)):
            return None
        if since <= lake.version(silver):
            try:
                found[table.name] = _feed(lake, silver, since)
            except AnalysisException:
                return None
    return found


def _feed(lake: Lake, contract: TableContract, since: int) -> DataFrame:
    """Rows of a table that came, went or changed from a version on.

    Raises:
        AnalysisException: when the table keeps no feed of them.
    """
    rows = (
        lake.spark.read.format("delta")
        .option("readChangeFeed", "true")
        .option("startingVersion", since)
        .option("endingVersion", lake.version(contract))
        .load(lake.path(contract))
    )
    # It is only when rows are asked for that Delta looks.
    rows.limit(1).collect()
    return rows
