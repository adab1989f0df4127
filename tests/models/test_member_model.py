"""The rows that a model of accounts looks at, and how it moves the list."""

import math
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.frames import frame_of

from expectations.contract.table import TableContract
from expectations.feature.member_model import (
    FAMILIES,
    MEMBER_MODEL_INPUT_NAMES,
    MEMBER_MODEL_INPUTS,
    ModelInput,
    catalogue_digest,
)
from expectations.gold.account import FAMILIES_APART, INDICATOR, LINK_FAMILY, MEMBER_FEATURE
from expectations.gold.ring import MEMBER_RING_FEATURE
from features.indicator.accounts import ranked_accounts
from features.indicator.model_inputs import member_rows
from models.member_model import blended

ROOT = Path(__file__).parents[2]
DAY = date(2025, 7, 1)
#: Log-odds of an unlinked account and the log of the least points.
LOWEST = -20.0


def rows_of(spark: SparkSession, table: TableContract, rows: list[dict[str, Any]]) -> DataFrame:
    """Rows of one day."""
    return frame_of(spark, table, *({"as_of_date": DAY} | row for row in rows))


def indicator(who: str, family: str, points: float, **more: Any) -> dict[str, Any]:
    return {
        "subject_type": "member",
        "subject_id": who,
        "family": family,
        "reason_code": f"{family}{points}",
        "points": points,
        **more,
    }


def test_a_row_holds_the_strongest_rule_of_each_family_and_nulls_only_where_there_is_no_link(spark):
    features = rows_of(
        spark,
        MEMBER_FEATURE,
        [
            {"member_id": "a", "excess_fund_sum_365d": 12.345},
            {"member_id": "b"},
            {"member_id": "c", "excess_fund_sum_365d": 1.0},
        ],
    )
    links = rows_of(
        spark,
        MEMBER_RING_FEATURE,
        [{"member_id": "b", "link_weight_two_best_365d": 1.5, "link_probability_best_365d": 0.9}],
    )
    indicators = rows_of(
        spark,
        INDICATOR,
        [
            indicator("a", "supply", 1.0),
            indicator("a", "supply", 1.75),
            indicator("a", "use", 0.5),
            indicator("a", "trace", 9.0, held_back_by="CANCER"),
            indicator("a", "over_supply", 7.0, subject_type="institution"),
            indicator("b", LINK_FAMILY, 2.0),
        ],
    )

    rows = {row["member_id"]: row for row in member_rows(features, links, indicators).collect()}

    a, b, c = (rows[name] for name in "abc")
    assert (a["points_supply"], a["points_use"], a["points_trace"]) == (1.75, 0.5, 0.0)
    assert (a["own_points"], a["indicator_count"]) == (2.25, 3.0)
    assert a["excess_fund_amount"] == 12.35
    assert a["prior"] == pytest.approx(math.log(1 / 21), abs=1e-6)
    assert a["link_weight_two_best_365d"] is None
    # Twice a first place, as far as log-odds of 1.5 are probable.
    assert b["prior"] == pytest.approx(math.log(2 / 21 / (1 + math.exp(-1.5))), abs=1e-6)
    assert (b["own_points"], b["indicator_count"]) == (0.0, 0.0)
    assert b["link_probability_best_365d"] == 0.9
    assert c["prior"] == LOWEST
    links_only = {each.name for each in MEMBER_MODEL_INPUTS if each.is_of_links} - {"prior"}
    empty = {name for name in MEMBER_MODEL_INPUT_NAMES if c[name] is None}
    assert empty == links_only


def test_the_prior_is_the_priority_of_the_list(spark):
    draw = random.Random(3)
    names = [f"m{number}" for number in range(40)]
    families = [*FAMILIES, *FAMILIES_APART]
    indicators = rows_of(
        spark,
        INDICATOR,
        [
            indicator(
                draw.choice(names),
                draw.choice(families),
                draw.randrange(1, 20) / 4,
                reason_code=f"r{number}",
                held_back_by=draw.choice([None, None, "CANCER"]),
            )
            for number in range(120)
        ],
    ).cache()
    features = rows_of(spark, MEMBER_FEATURE, [{"member_id": name} for name in names]).cache()
    links = rows_of(
        spark,
        MEMBER_RING_FEATURE,
        [
            {
                "member_id": name,
                "link_weight_two_best_365d": draw.uniform(-6, 3),
                "link_probability_best_365d": draw.uniform(0, 1),
            }
            for name in names[::2]
        ],
    ).cache()

    listed = ranked_accounts(indicators, features, links).select("member_id", "priority").collect()
    priors = {
        row["member_id"]: row["prior"] for row in member_rows(features, links, indicators).collect()
    }

    assert len(listed) > 20
    assert {row["member_id"]: row["priority"] for row in listed}.items() <= priors.items()
    unlisted = priors.keys() - {row["member_id"] for row in listed}
    assert {priors[name] for name in unlisted} == {LOWEST}


def test_without_links_and_indicators_every_member_has_the_lowest_prior(spark):
    features = rows_of(spark, MEMBER_FEATURE, [{"member_id": "a"}])

    [row] = member_rows(features, None, None).collect()

    assert (row["prior"], row["own_points"], row["link_weight_two_best_365d"]) == (
        LOWEST,
        0.0,
        None,
    )


@pytest.mark.parametrize(
    ("weight", "wanted"),
    [(0.0, 2.0), (1.0, math.log(0.2 / 0.8)), (0.25, 1.5 + 0.25 * math.log(0.25))],
)
def test_the_weight_says_how_much_the_model_moves_the_list(spark, weight, wanted):
    frame = spark.createDataFrame([(2.0, 0.2)], "prior double, score double")

    [row] = frame.select(blended(F.col("prior"), F.col("score"), weight).alias("b")).collect()

    assert row["b"] == pytest.approx(wanted, abs=1e-6)


def test_every_family_of_rules_about_accounts_has_an_input():
    rules = yaml.safe_load((ROOT / "conf" / "typologies.yaml").read_text(encoding="utf-8"))
    assert {rule["family"] for rule in rules["member"]} == {*FAMILIES, *FAMILIES_APART}


def test_the_digest_changes_with_names_and_meanings():
    one = ModelInput("a", "count", "as", "甲")
    digests = {
        catalogue_digest([one]),
        catalogue_digest([ModelInput("b", "count", "as", "甲")]),
        catalogue_digest([ModelInput("a", "count", "something else", "甲")]),
        catalogue_digest([ModelInput("a", "count", "as", "甲", direction=0)]),
        catalogue_digest([one, one]),
    }
    assert len(digests) == 5
    assert catalogue_digest([one]) == catalogue_digest([ModelInput("a", "count", "as", "甲")])
