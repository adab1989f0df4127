"""What Delta keeps of tables: no identifiers in its log where nothing needs them, old files only where models pin."""

import pytest

from expectations.contract.properties import KEPT_A_MONTH, PINNED_BY_MODELS
from expectations.tables import all_contracts

#: By these one account's rows are found fast.
NEEDED = {("gold.visit_fact", "member_id"), ("gold.fee_fact", "member_id")}
WITH_IDENTIFIERS = [each for each in all_contracts() if each.layer != "ops"]


@pytest.mark.parametrize("contract", WITH_IDENTIFIERS, ids=lambda contract: contract.name)
def test_limits_are_kept_of_times_alone_where_nothing_needs_more(contract):
    types = {field.name: field.type for field in contract.fields}
    told = contract.properties.get("delta.dataSkippingStatsColumns")
    limited = told.split(",") if told else []
    assert limited or contract.properties["delta.dataSkippingNumIndexedCols"] == "0"
    others = {(contract.name, name) for name in limited if types[name] not in ("date", "timestamp")}
    assert others <= NEEDED


def test_old_files_are_kept_for_long_only_where_a_model_names_versions():
    kept = {True: set(), False: set()}
    for contract in all_contracts():
        is_pinned = PINNED_BY_MODELS.items() <= contract.properties.items()
        assert is_pinned or KEPT_A_MONTH.items() <= contract.properties.items(), contract.name
        kept[is_pinned].add(contract.name)
    assert kept[True] == {
        *(f"silver.{name}" for name in ("settlement", "settlement_code", "settlement_doctor")),
        *(f"silver.{name}" for name in ("person", "person_condition", "institution")),
        "silver.closed_case",
        "gold.institution_component",
        "gold.institution_training_row",
        "gold.member_training_row",
        "gold.subject_label",
    }
