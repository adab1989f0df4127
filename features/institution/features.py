"""The features of an institution: its claims and patients, compared with its peers."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.feature.institution import INSTITUTION_FEATURES
from features.institution.measures import setting_measures
from features.institution.sums import institution_sums
from features.institution.tallies import peer_tallies, visit_tallies
from features.institution.visits import visit_facts


def institution_features(
    subjects: DataFrame,
    visits: DataFrame,
    visit_codes: DataFrame,
    visit_doctors: DataFrame,
    members: DataFrame,
    conditions: DataFrame,
) -> DataFrame:
    """Compute `INSTITUTION_FEATURES`, in that order, one row per institution_id of `subjects`.

    Without claims in a setting its counts are 0 and everything else there is null. Peers are all
    institutions in `visits`, subjects or not. The same rows give the same doubles for any partitioning:
    sums are of integers and decimals, and become doubles at the end.

    Args:
        subjects: `institution_id`, each once.
        visits: Columns of silver.settlement as of a date, so each settlement_id once; refunds too.
        visit_codes: Columns of silver.settlement_code as of that date.
        visit_doctors: Columns of silver.settlement_doctor as of that date.
        members: Columns of silver.person as of that date.
        conditions: Columns of silver.person_condition as of that date.
    """
    facts = visit_facts(visits, visit_codes, visit_doctors, members, conditions)
    measures = setting_measures(institution_sums(peer_tallies(visit_tallies(facts))))
    picked = measures.groupBy("institution_id").agg(
        *(
            F.max(F.when(F.col("setting") == feature.setting, F.col(feature.measure)))
            .cast("double")
            .alias(feature.name)
            for feature in INSTITUTION_FEATURES
        )
    )
    no_claims: dict[str, bool | float | int | str] = {
        f.name: 0.0 for f in INSTITUTION_FEATURES if f.unit == "count"
    }
    return (
        subjects.select("institution_id")
        .join(picked, on="institution_id", how="left")
        .fillna(no_claims)
        .select("institution_id", *(feature.name for feature in INSTITUTION_FEATURES))
    )
