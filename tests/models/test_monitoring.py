"""Drift noticed when something changes and quiet when nothing does; limits that chance does not pass."""

from datetime import date, datetime

import numpy as np
import pytest
from scipy import stats
from support.frames import frame_of

from expectations.landing.inquiry import CLOSED_CASE
from models.monitoring import (
    Drift,
    calibration,
    decided_accounts,
    drifts,
    is_below,
    is_crowded,
    is_miscalibrated,
    quantile_edges,
    realised_precision,
    values_of,
)

NAMES = ["quiet", "shifted", "more_often", "missing_now"]


def province(spark, seed, changed=False):
    """Mostly zeros, as points of rules are; a change shifts one, lets one speak more often, empties one."""
    draws = np.random.default_rng(seed)
    rows = 4000

    def speaking(share, shift=0.0):
        values = draws.gamma(2.0, 1.0, rows) + shift
        return np.where(draws.uniform(size=rows) < share, values, 0.0)

    columns = {
        "quiet": speaking(0.2),
        "shifted": draws.normal(0.5 if changed else 0.0, 1.0, rows),
        "more_often": speaking(0.25 if changed else 0.05),
        "missing_now": speaking(0.9),
    }
    table = [
        [float(columns[name][at]) for name in NAMES[:3]]
        + [None if changed and at % 2 else float(columns["missing_now"][at])]
        for at in range(rows)
    ]
    return spark.createDataFrame(table, ", ".join(f"{name} double" for name in NAMES))


def measured(spark, before, after):
    reference, values = values_of(before, NAMES), values_of(after, NAMES)
    return {each.name: each for each in drifts(reference, values, quantile_edges(reference))}


def warned(found, least=0.1):
    return {name for name, each in found.items() if each.psi > each.limit(least)}


def test_another_sample_of_the_same_province_is_quiet(spark):
    found = measured(spark, province(spark, 1), province(spark, 2))

    assert warned(found) == set()
    # Chance alone: about (bins - 1) (1/n + 1/m).
    assert all(each.psi < 30 / 4000 for each in found.values())


def test_what_changed_is_noticed_and_what_did_not_stays_quiet_as_scipy_finds(spark):
    before, after = province(spark, 1), province(spark, 3, changed=True)
    found = measured(spark, before, after)

    assert warned(found) == {"shifted", "more_often", "missing_now"}
    # The oracle looks at the same columns; a missing value is below all others for it.
    left, right = before.toPandas().fillna(-99.0), after.toPandas().fillna(-99.0)
    differing = {name for name in NAMES if stats.ks_2samp(left[name], right[name]).pvalue < 1e-4}
    assert differing == warned(found)


def test_the_index_is_the_sum_by_hand(spark):
    before = spark.createDataFrame([[None], [0.0], [1.0], [2.0]], "a double")
    after = spark.createDataFrame([[0.0], [0.0], [2.0], [2.0]], "a double")
    reference = values_of(before, ["a"])

    (found,) = drifts(reference, values_of(after, ["a"]), {"a": [1.5]})

    # Bins: missing, zero, up to 1.5, above; half a row is added to each.
    p = np.array([1, 1, 1, 1]) + 0.5
    q = np.array([0, 2, 0, 2]) + 0.5
    p, q = p / p.sum(), q / q.sum()
    assert found.psi == pytest.approx(float(((q - p) * np.log(q / p)).sum()))
    assert (found.reference_rows, found.rows, found.bins) == (4, 4, 4)


def test_few_rows_need_a_larger_index():
    assert Drift("a", 0.2, 100, 100, 12).limit(0.1) > 0.2
    assert Drift("a", 0.2, 100_000, 100_000, 12).limit(0.1) == 0.1


def case(member, outcome, decided, **changes):
    row = {
        "case_id": f"c-{member}-{decided}",
        "subject_type": "person",
        "subject_id": member,
        "role": "card_holder",
        "outcome": outcome,
        "open_time": datetime(2025, 1, 10),
        "decision_time": decided,
        "is_final": True,
    }
    return row | changes


def test_decisions_since_a_list_give_its_precision_and_calibration(spark):
    march = datetime(2025, 3, 1, 12)
    cases = frame_of(
        spark,
        CLOSED_CASE.silver,
        case("a", "criminal", march),
        case("b", "cleared", march),
        case("c", "administrative", datetime(2025, 1, 20)),
        case("d", "criminal", march, role="victim"),
        case("e", "criminal", march, is_final=False),
        case("f", "withdrawn", march),
        case("g", "criminal", None),
        case("h", "criminal", march, subject_type="institution"),
    )
    decided = decided_accounts(cases)
    assert {(row["member_id"], row["label"]) for row in decided.collect()} == {
        *(("a", 1), ("b", 0), ("c", 1))
    }
    days = [(date(2025, 2, 1), name, 0.8) for name in "abcdefgh"]
    rows = spark.createDataFrame(days, "as_of_date date, member_id string, score double")

    precision = realised_precision(rows, decided).collect()
    followed = calibration(rows, decided).collect()

    # c was decided before the list, which proves nothing about it.
    assert [tuple(row) for row in precision] == [(date(2025, 2, 1), 2, 1)]
    assert [tuple(row) for row in followed] == [(date(2025, 2, 1), 2, 1, pytest.approx(0.8))]


def test_warnings_need_more_than_chance():
    assert is_below(1, 50, 0.2)
    assert not is_below(8, 50, 0.2)
    assert not is_below(0, 9, 0.2)
    assert is_miscalibrated(5, 50, 0.6, 0.15)
    assert not is_miscalibrated(28, 50, 0.6, 0.15)
    assert is_crowded(60, 100, 0.1, 3.0)
    assert not is_crowded(25, 100, 0.1, 3.0)
    assert not is_crowded(4, 5, 0.1, 3.0)
