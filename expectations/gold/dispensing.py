"""The gold tables about what institutions, doctors and drugs dispense."""

from expectations.contract.feature import FeatureDefinition
from expectations.contract.properties import KEPT_A_MONTH, WITHOUT_LIMITS
from expectations.contract.table import Field, TableContract
from expectations.feature.dispensing import (
    DOCTOR_FEATURES,
    DRUG_FEATURES,
    INSTITUTION_DRUG_FEATURES,
)
from expectations.gold.fields import AS_OF


def _feature_table(
    name: str,
    key: str,
    what: str,
    features: tuple[FeatureDefinition, ...],
    written_by: str,
    read_by: str = "",
) -> TableContract:
    return TableContract(
        name=f"gold.{name}",
        grain=f"one row per {what}, and as-of date",
        fields=(
            Field(key, "string", what[0].upper() + what[1:], nullable=False),
            AS_OF,
            *(feature.field for feature in features),
        ),
        primary_key=(key, "as_of_date"),
        partition_by=("as_of_date",),
        written_by=written_by,
        read_by=read_by,
        properties=KEPT_A_MONTH | WITHOUT_LIMITS,
    )


INSTITUTION_DRUG_FEATURE = _feature_table(
    "institution_drug_feature",
    "institution_id",
    "institution that dispensed or scanned",
    INSTITUTION_DRUG_FEATURES,
    "build_institution_features",
)
DOCTOR_FEATURE = _feature_table(
    "doctor_feature",
    "doctor_id",
    "doctor who billed a drug or diagnosed a certificate",
    DOCTOR_FEATURES,
    "build_doctor_features",
)
DRUG_FEATURE = _feature_table(
    "drug_feature",
    "drug_id",
    "drug that was dispensed",
    DRUG_FEATURES,
    "build_drug_features",
    "people who ask which drugs sell unusually or are sold again; no rule, model or page reads it",
)

PROVIDER_TABLES = (INSTITUTION_DRUG_FEATURE, DOCTOR_FEATURE, DRUG_FEATURE)
