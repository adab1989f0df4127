"""The claims of a day as the institution jobs see them: silver as of a date, and who the subjects are."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.landing.event import SETTLEMENT, SETTLEMENT_CODE, SETTLEMENT_DOCTOR
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import INSTITUTION, PERSON, PERSON_CONDITION
from expectations.landing.table import LandingTable
from features.institution.features import institution_features
from jobs.lake.tables import Lake


@dataclass(frozen=True)
class Claims:
    """Silver rows as of one day; a table that the source does not deliver is empty."""

    visits: DataFrame
    codes: DataFrame
    doctors: DataFrame
    members: DataFrame
    conditions: DataFrame
    institutions: DataFrame
    cases: DataFrame

    def subjects(self) -> DataFrame:
        """Every institution in claims, in the reference table or in closed cases, once."""
        judged = self.cases.filter(F.col("subject_type") == "institution")
        return (
            self.visits.select("institution_id")
            .union(self.institutions.select("institution_id"))
            .union(judged.select(F.col("subject_id").alias("institution_id")))
            .distinct()
        )

    def features_of(self, subjects: DataFrame) -> DataFrame:
        """The features of some institutions, one row each."""
        return institution_features(
            subjects, self.visits, self.codes, self.doctors, self.members, self.conditions
        )


def claims_as_of(lake: Lake, as_of: date) -> Claims:
    """Read the claims that had arrived before a day.

    Raises:
        DataRefused: when there are no settlements at all.
    """
    return Claims(
        visits=lake.read_silver(SETTLEMENT, as_of),
        codes=_delivered(lake, SETTLEMENT_CODE, as_of),
        doctors=_delivered(lake, SETTLEMENT_DOCTOR, as_of),
        members=_delivered(lake, PERSON, as_of),
        conditions=_delivered(lake, PERSON_CONDITION, as_of),
        institutions=_delivered(lake, INSTITUTION, as_of),
        cases=_delivered(lake, CLOSED_CASE, as_of),
    )


def _delivered(lake: Lake, table: LandingTable, as_of: date) -> DataFrame:
    if lake.exists(table.silver):
        return lake.read_silver(table, as_of)
    return lake.spark.createDataFrame([], table.silver.schema)
