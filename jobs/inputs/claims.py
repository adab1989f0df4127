"""How far back the claims on file reach."""

from datetime import date

from pyspark.sql import functions as F

from expectations.gold.fact import VISIT_FACT
from jobs.lake.tables import Lake


def first_visit(lake: Lake, as_of: date) -> date:
    """The day of the first visit on file as of a date; the date itself where there is none."""
    visits = lake.read_as_of(VISIT_FACT, as_of)
    [first] = visits.agg(F.min("service_date").alias("day")).collect()
    found: date | None = first["day"]
    return found or as_of
