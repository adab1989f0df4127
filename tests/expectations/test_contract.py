"""Contracts: what a declaration refuses, what conform reports, and what the landing contract says."""

import re
from pathlib import Path

import pytest
import yaml
from pyspark.sql import functions as F

from expectations.catalogue import catalogue
from expectations.contract.errors import ContractError
from expectations.contract.table import Field, TableContract
from expectations.dictionary import dictionary
from expectations.feature.account_link import TRAITS
from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from expectations.feature.resemblance import RESEMBLANCE_FEATURES
from expectations.landing_page import landing_page
from expectations.tables import LANDING_TABLES, all_contracts

ROOT = Path(__file__).parents[2]
LANDING_CONTRACT = ROOT.parent / "shared" / "contract" / "landing.yaml"

VISIT = TableContract(
    name="silver.visit",
    grain="one row per visit",
    fields=(
        Field("visit_id", "string", "The visit", nullable=False),
        Field("amount", "decimal(16,2)", "Yuan"),
        Field("seen_on", "date", "Day"),
    ),
    primary_key=("visit_id",),
)


def test_a_contradictory_declaration_names_every_fault():
    with pytest.raises(ContractError) as raised:
        TableContract(
            name="visit",
            grain="one row per visit",
            fields=(Field("a", "string", "A"), Field("a", "string", "A")),
            primary_key=("a", "b"),
            partition_by=("c",),
        )
    assert str(raised.value) == (
        "contract visit: column a is declared twice; key column a is nullable; key column b is unknown;"
        " name 'visit' is not <layer>.<table>; partition column c is unknown"
    )


def test_conform_reports_every_difference_at_once(spark):
    frame = spark.createDataFrame([("v1", "x", 1)], "visit_id string, amount string, colour int")
    with pytest.raises(ContractError) as raised:
        VISIT.conform(frame)
    assert str(raised.value) == (
        "silver.visit does not fit its contract: column seen_on is missing; column colour is unknown;"
        " column amount is string, not decimal(16,2)"
    )


def test_conform_orders_columns(spark):
    frame = spark.createDataFrame([("v1",)], "visit_id string").select(
        F.current_date().alias("seen_on"),
        F.lit(1).cast("decimal(16,2)").alias("amount"),
        "visit_id",
    )
    assert VISIT.conform(frame).columns == ["visit_id", "amount", "seen_on"]


@pytest.mark.skipif(
    not LANDING_CONTRACT.exists(), reason="the landing contract lies beside the project"
)
def test_the_declared_landing_tables_are_those_of_the_landing_contract():
    agreed = yaml.safe_load(LANDING_CONTRACT.read_text(encoding="utf-8"))["tables"]
    declared = {
        table.name: {
            "kind": table.kind,
            "key": list(table.key),
            "columns": {
                column.name: (column.type, column.required, list(column.values))
                for column in table.fields
            },
        }
        for table in LANDING_TABLES
    }
    expected = {
        name: {
            "kind": table["kind"],
            "key": table["key"],
            "columns": {
                column: (
                    told["type"],
                    told.get("required", False),
                    [str(v) for v in told.get("values", [])],
                )
                for column, told in table["columns"].items()
            },
        }
        for name, table in agreed.items()
    }
    assert declared == expected


def test_references_point_at_keys_of_tables_that_stand_before():
    before: dict[str, tuple[str, ...]] = {}
    for table in LANDING_TABLES:
        before[table.name] = table.key
        for reference in table.references:
            assert reference.column in table.columns
            assert before[reference.parent] == (reference.parent_key,)


def test_every_column_and_table_says_what_it_is():
    for contract in all_contracts():
        assert contract.written_by
        assert all(column.description for column in contract.fields)


def test_the_data_dictionary_is_fresh():
    written = (ROOT / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == dictionary(), "run make dictionary"


def test_the_catalogue_of_features_is_fresh():
    written = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == catalogue(), "run make dictionary"


def test_every_feature_table_and_all_its_features_are_in_the_catalogue():
    rows = re.findall(r"^\| `(\w+)` \|", catalogue(), flags=re.MULTILINE)
    # Evidence is no feature; traits of pairs and inputs of a model are listed too, and are columns of other tables.
    keys = {"peer_group", "as_of_date", "settlement_ids"}
    keys |= {name for name in _columns() if name.endswith("_id")}
    features = [name for name in _columns() if name not in keys]
    others = [each.name for each in (*TRAITS, *MEMBER_MODEL_INPUTS, *RESEMBLANCE_FEATURES)]
    assert sorted(rows) == sorted([*features, *others])


def _columns():
    tables = (table for table in all_contracts() if table.name.startswith("gold."))
    return [
        column.name
        for table in tables
        if table.name.endswith("_feature")
        for column in table.fields
    ]


def test_the_page_of_the_landing_contract_is_fresh():
    written = (ROOT / "docs" / "landing_contract.md").read_text(encoding="utf-8")
    assert written == landing_page(), "run make dictionary"
