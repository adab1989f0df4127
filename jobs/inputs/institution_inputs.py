"""The claims of a day as the institution jobs see them: silver as of a date, and who the subjects are."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.landing.event import SETTLEMENT, SETTLEMENT_CODE, SETTLEMENT_DOCTOR
from expectations.landing.inquiry import CLOSED_CASE
from expectations.landing.reference import INSTITUTION, PERSON, PERSON_CONDITION
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
        visits=lake.read_as_of(SETTLEMENT.silver, as_of),
        codes=lake.read_as_of_if_exists(SETTLEMENT_CODE.silver, as_of),
        doctors=lake.read_as_of_if_exists(SETTLEMENT_DOCTOR.silver, as_of),
        members=lake.read_as_of_if_exists(PERSON.silver, as_of),
        conditions=lake.read_as_of_if_exists(PERSON_CONDITION.silver, as_of),
        institutions=lake.read_as_of_if_exists(INSTITUTION.silver, as_of),
        cases=lake.read_as_of_if_exists(CLOSED_CASE.silver, as_of),
    )
