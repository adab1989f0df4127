"""Every rule of conf/typologies.yaml speaks from its threshold on, and is held back by what explains it."""

import numpy as np
import pytest
from support.workspace import ROOT

from features.indicator.rules import Allowance, Condition, Rule, indicators
from jobs.rules.rulebook import rulebook
from jobs.runtime.config import load_config
from models.surprise import surprises

RULES = rulebook(load_config(str(ROOT / "conf" / "local.yaml")))

#: For each rule the values from which on it speaks, each with one that is just too little (or too much).
MEMBER_CASES = {
    "OVER_SUPPLY": {"supply_ratio_max_365d": (1.2, 1.19)},
    "STOCK_ON_HAND": {"stock_peak_days_365d": (120, 119.5)},
    "EXCESS_DAYS": {"excess_days_180d": (60, 59)},
    "REFILL_ELSEWHERE": {"elsewhere_overlap_days_365d": (45, 44)},
    "EARLY_REFILL_ELSEWHERE": {"elsewhere_early_refill_count_180d": (4, 3)},
    "REPEAT_ELSEWHERE": {"repeat_elsewhere_7d_count_90d": (3, 2)},
    "MANY_INSTITUTIONS": {"institution_count_90d": (5, 4)},
    "MULTIPLE_PROVIDERS": {"is_multiple_provider_90d": (1, 0)},
    "SAME_DAY_INSTITUTIONS": {"multi_institution_day_count_90d": (3, 2)},
    "SMALL_AND_FREQUENT": {"small_visit_count_90d": (9, 8), "overlap_days_180d": (14, 13)},
    "SPLIT_VISITS": {"split_settlement_count_90d": (4, 3)},
    "CAP_HUGGING": {"cap_hug_share_90d": (0.3, 0.29), "visit_count_90d": (5, 4)},
    "UNEXPLAINED_DRUGS": {
        "unexplained_fund_sum_365d": (1000, 999),
        "unexplained_share_180d": (0.2, 0.19),
    },
    "CERTIFICATE_UNRELATED": {
        "certificate_unrelated_share_180d": (0.2, 0.19),
        "certificate_amount_sum_365d": (1000, 999),
    },
    "CERTIFICATE_RAMP": {
        "supply_ratio_max_180d": (1.5, 1.49),
        "certificate_ramp_days_365d": (365, 366),
    },
    "COLD_CHAIN_MIX": {"cold_chain_share_90d": (0.5, 0.49), "stock_peak_days_365d": (100, 99)},
    "RESALE_PRONE_MIX": {"resale_gain_sum_365d": (2000, 1999), "stock_peak_days_365d": (100, 99)},
    "TONICS_AND_INJECTIONS": {"tonic_share_90d": (0.4, 0.39), "drug_fund_sum_90d": (1500, 1499)},
    "AFTER_DEATH_OR_PAUSE": {"dead_or_paused_visit_count_365d": (1, 0)},
    "WHILE_ADMITTED": {"admitted_visit_count_365d": (2, 1)},
    "IMPOSSIBLE_TRAVEL": {"impossible_travel_count_180d": (1, 0)},
    "FAR_E_VOUCHER": {"far_voucher_count_90d": (3, 2)},
    "SHARED_PHONE": {"strangers_per_device_90d": (3, 2)},
    "STRANGER_PROXY": {"strangers_per_proxy_90d": (4, 3), "overlap_days_180d": (14, 13)},
    "MANY_PROXIES": {"proxy_count_180d": (3, 2)},
    "SUDDEN_WAKE_UP": {"wake_up_visit_count_180d": (6, 5)},
    "RESOLD_BOXES": {"resold_box_count_365d": (2, 1), "resold_box_surprise_365d": (3, 2.9)},
    "CLASS_DOUBLED": {"class_overlap_days_90d": (30, 29)},
    "MANY_VISITS": {"visit_count_365d": (24, 23), "excess_fund_sum_365d": (300, 299)},
    "HIGH_DRUG_FUND": {"drug_fund_sum_365d": (3000, 2999)},
    "MANY_PRESCRIBERS": {"doctor_count_90d": (5, 4)},
    "DRUGS_WITHOUT_CARE": {
        "drug_fund_sum_365d": (2000, 1999),
        "is_unmonitored_365d": (1, 0),
        "institution_concentration_180d": (0.95, 0.94),
    },
    "LINKED_ACCOUNTS": {"link_probability_best_365d": (0.002, 0.001)},
    "RESEMBLES_FRAUD": {"resemblance_share_365d": (0.98, 0.979)},
    "DRUGS_ONLY": {"overlap_days_180d": (30, 29), "drug_only_share_180d": (0.8, 0.79)},
}
INSTITUTION_CASES = {
    "SOLD_TO_OVERSUPPLIED": {
        "oversupplied_share_365d": (0.35, 0.34),
        "drug_amount_sum_365d": (50_000, 49_999),
    },
    "SALES_SPIKE": {
        "drug_amount_spike_365d": (5, 4.9),
        "drug_amount_sum_365d": (50_000, 49_999),
    },
    "MANY_OUTLYING_RATIOS": {"outlying_ratio_count_365d": (3, 2)},
    "BATCH_SETTLEMENT": {"operator_members_per_hour_max_30d": (40, 39)},
    "SOLD_WITHOUT_INBOUND": {
        "orphan_sale_share_180d": (0.2, 0.19),
        "drug_amount_sum_365d": (10_000, 9_999),
    },
    "RESOLD_CODES": {"resold_code_rate_90d": (50, 49), "drug_amount_sum_365d": (10_000, 9_999)},
}
DOCTOR_CASES = {
    "BILLED_TO_OVERSUPPLIED": {
        "oversupplied_share_365d": (0.5, 0.49),
        "drug_amount_sum_365d": (20_000, 19_999),
        "drug_member_count_365d": (10, 9),
    },
    "MANY_CERTIFICATES": {
        "certificate_count_deviation_365d": (3, 2.9),
        "certificate_count_365d": (20, 19),
    },
}
CASES = {"member": MEMBER_CASES, "institution": INSTITUTION_CASES, "doctor": DOCTOR_CASES}
#: For each explanation the values at which it holds, each with one at which it does not.
ALLOWED = {
    "DIALYSIS": {"dialysis_visit_count_90d": (6, 5)},
    "TRANSPLANT": {"transplant_visit_count_365d": (3, 2)},
    "CANCER": {"cancer_visit_share_365d": (0.3, 0.29)},
    "LONG_PRESCRIPTION": {
        "long_fill_share_365d": (0.5, 0.49),
        "elsewhere_overlap_days_365d": (14, 15),
        "supply_ratio_max_365d": (1.5, 1.51),
    },
    "STEADY_REGIMEN": {
        "gap_variation_180d": (0.6, 0.61),
        "drug_only_share_180d": (0.8, 0.81),
        "unexplained_share_180d": (0.05, 0.06),
    },
    "EXAMINED_AND_EXPLAINED": {
        "drug_only_share_180d": (0.8, 0.81),
        "unexplained_share_180d": (0.05, 0.06),
        "elsewhere_overlap_days_365d": (30, 31),
    },
    "VILLAGE_SETTLEMENT": {"village_share_365d": (0.6, 0.59)},
    "NURSING_HOME": {
        "strangers_per_proxy_90d": (12, 11),
        "elsewhere_overlap_days_365d": (14, 15),
    },
}
#: Families that an explanation says nothing about: a rule of one of them goes on counting.
NEVER_HELD_BACK = ("identity", "trace", "shopping_overlap", "links", "resemblance")


def at(values):
    return {name: fires for name, (fires, _) in values.items()}


def near_misses(values):
    """The same with one value after another just off its threshold."""
    return {name: at(values) | {name: off} for name, (_, off) in values.items()}


def frame(spark, subject, rows):
    """Rows of features by subject_id; what is not given is empty."""
    named = {name for features in rows.values() for name in features}
    looked_at = {name for rule in RULES.rules[subject] for name in rule.features}
    if subject == "member":
        looked_at |= {part.feature for each in RULES.allowances for part in each.when}
    names = sorted(named | looked_at)
    values = [
        [key, *(None if features.get(name) is None else float(features[name]) for name in names)]
        for key, features in rows.items()
    ]
    schema = "subject_id string, " + ", ".join(f"{name} double" for name in names)
    return spark.createDataFrame(values, schema)


def peers(spark, *rows):
    """Statistics that are nothing to pass, unless given."""
    schema = "peer_group string, feature string, median double, upper double, high double, extreme double"
    return spark.createDataFrame(list(rows), schema)


def rule_of(code, feature, at_least, **more):
    given = {"family": "use", "typology": "much", "points": 1} | more
    return Rule(code=code, feature=feature, at_least=at_least, **given)


def allowance_of(code, feature, at_least, family="use"):
    when = (Condition(feature=feature, at_least=at_least),)
    return Allowance(code=code, holds_back=(family,), when=when)


@pytest.fixture(scope="module")
def spoken(spark):
    """The codes that speak of each case, by subject and case; one query a kind of subject."""
    found = {}
    for subject, cases in CASES.items():
        rows = {}
        for code, values in cases.items():
            rows[code] = at(values)
            rows |= {f"{code} but {name}": row for name, row in near_misses(values).items()}
            rows |= {f"{code} without {name}": at(values) | {name: None} for name in values}
        features = frame(spark, subject, rows)
        compared = None
        if subject == "member":
            features = features.selectExpr("*", "'all' AS peer_group")
            compared = peers(spark, ("all", "visit_count_365d", 1.0, 2.0, 3.0, 4.0))
        rules, windows = RULES.rules[subject], RULES.windows[subject]
        shown = indicators(features, compared, rules, (), windows).collect()
        found[subject] = {case: set() for case in rows}
        for row in shown:
            found[subject][row["subject_id"]].add(row["reason_code"])
    return found


@pytest.mark.parametrize("subject", CASES)
def test_every_rule_has_a_case(subject):
    assert set(CASES[subject]) == {rule.code for rule in RULES.rules[subject]}
    for rule in RULES.rules[subject]:
        assert set(CASES[subject][rule.code]) == rule.features


@pytest.mark.parametrize("subject", CASES)
def test_a_rule_speaks_from_its_thresholds_on_and_not_below(spoken, subject):
    cases = spoken[subject]
    for code, values in CASES[subject].items():
        assert code in cases[code]
        for name in values:
            assert code not in cases[f"{code} but {name}"], name
            assert code not in cases[f"{code} without {name}"], name


@pytest.fixture(scope="module")
def held_back(spark):
    """What every rule for members is held back by, by explanation: when it holds and when it just does not."""
    everything = {}
    for values in MEMBER_CASES.values():
        for name, value in at(values).items():
            everything[name] = max(value, everything.get(name, 0))
    rows = {"nothing": everything}
    for code, values in ALLOWED.items():
        rows[code] = everything | at(values)
        rows |= {
            f"{code} but {name}": everything | row for name, row in near_misses(values).items()
        }
    features = frame(spark, "member", rows).selectExpr("*", "'all' AS peer_group")
    nothing = peers(spark, ("all", "visit_count_365d", 1.0, 2.0, 3.0, 4.0))
    rules, windows = RULES.rules["member"], RULES.windows["member"]
    shown = indicators(features, nothing, rules, RULES.allowances, windows).collect()
    found = {case: {} for case in rows}
    for row in shown:
        found[row["subject_id"]][row["family"], row["reason_code"]] = row["held_back_by"]
    return found


def test_every_explanation_has_a_case():
    assert set(ALLOWED) == {each.code for each in RULES.allowances}
    for each in RULES.allowances:
        assert set(ALLOWED[each.code]) == {part.feature for part in each.when}


def test_without_an_explanation_every_rule_counts(held_back):
    assert {code for _, code in held_back["nothing"]} == set(MEMBER_CASES)
    assert set(held_back["nothing"].values()) == {None}


@pytest.mark.parametrize("allowance", RULES.allowances, ids=lambda each: each.code)
def test_an_explanation_holds_back_its_families_and_no_others(held_back, allowance):
    shown = held_back[allowance.code]
    explained = {family for (family, _), by in shown.items() if by == allowance.code}
    assert explained == {family for family, _ in shown if family in allowance.holds_back} != set()
    assert {by for (family, _), by in shown.items() if family not in explained} == {None}
    for name in ALLOWED[allowance.code]:
        assert set(held_back[f"{allowance.code} but {name}"].values()) == {None}, name


def test_some_families_are_never_explained_away():
    families = {rule.family for rule in RULES.rules["member"]}
    held = {family for each in RULES.allowances for family in each.holds_back}
    assert families - held == set(NEVER_HELD_BACK)


def test_points_follow_how_few_of_the_peers_have_as_much_or_else_the_value(spark):
    """A rule of 2 points from 10 on, with one condition beside it, and two explanations."""
    young = Condition(feature="age", at_most=9)
    rule = rule_of("MANY", "visits", 10, also=(young,), points=2)
    alone = rule_of("EVER", "visits", 10, among_peers=False, grows_to=4)
    explained = (allowance_of("FIRST", "ill", 1), allowance_of("SECOND", "ill", 0))
    rows = {
        # visits, age, ill, peers
        "at the threshold": (10, 9, None, "usual"),
        "just below": (9.9, 9, None, "usual"),
        "too old": (10, 9.1, None, "usual"),
        "twice": (20, 1, None, "usual"),
        "four times": (40, 1, None, "usual"),
        "forty times": (400, 1, None, "usual"),
        "a tenth have it": (30, 1, None, "busy"),
        "more have it": (29, 1, None, "busy"),
        "half way to a hundredth": (60, 1, None, "busy"),
        "a hundredth have it": (120, 1, None, "busy"),
        "a thousandth has it": (480, 1, None, "busy"),
        "half way there": (240, 1, None, "busy"),
        "far above all": (5000, 1, None, "busy"),
        "hardly anybody has any": (10, 1, None, "idle"),
        "of the old version": (30, 1, None, "old"),
        "among unknown peers": (10, 1, None, "unknown"),
        "first explanation": (10, 1, 1, "usual"),
        "second explanation": (10, 1, 0.5, "usual"),
        "nothing known": (None, None, None, "usual"),
    }
    features = spark.createDataFrame(
        [
            [name, *(v if v is None else float(v) for v in row[:3]), row[3]]
            for name, row in rows.items()
        ],
        "subject_id string, visits double, age double, ill double, peer_group string",
    )
    usual = peers(
        spark,
        ("usual", "visits", 3.0, 4.0, 8.0, 10.0),
        ("busy", "visits", 12.0, 30.0, 120.0, 480.0),
        ("idle", "visits", 0.0, 0.0, 0.0, 20.0),
        ("old", "visits", 12.0, None, 30.0, None),
        ("usual", "age", 0.0, 0.0, 0.0, 0.0),
    )
    shown = indicators(features, usual, (rule, alone), explained, {"visits": 90}).collect()
    found = {
        row["subject_id"]: (
            row["threshold"],
            row["peer_median"],
            row["points"],
            row["held_back_by"],
        )
        for row in shown
        if row["reason_code"] == "MANY"
    }
    assert found == {
        # However far above the threshold: rarer than one in a thousand is all that peers can say.
        "at the threshold": (10, 3, 3, None),
        "twice": (10, 3, 3, None),
        "four times": (10, 3, 3, None),
        "forty times": (10, 3, 3, None),
        "a tenth have it": (30, 12, 1, None),
        "half way to a hundredth": (30, 12, pytest.approx(1.5), None),
        "a hundredth have it": (30, 12, 2, None),
        "half way there": (30, 12, pytest.approx(2.5), None),
        "a thousandth has it": (30, 12, 3, None),
        "far above all": (30, 12, 3, None),
        "hardly anybody has any": (10, 0, 2, None),
        "of the old version": (30, 12, 3, None),
        "among unknown peers": (10, None, 2, None),
        "first explanation": (10, 3, 3, "FIRST"),
        "second explanation": (10, 3, 3, "SECOND"),
    }
    ever = {row["subject_id"]: row for row in shown if row["reason_code"] == "EVER"}
    assert set(rows) - set(ever) == {"just below", "nothing known"}
    # Every doubling adds a half, up to four times the points: 40 times is 5.3 doublings.
    assert ever["forty times"]["points"] == pytest.approx(3.661, abs=0.001)
    assert ever["more have it"].asDict() == {
        "subject_id": "more have it",
        "typology": "much",
        "family": "use",
        "reason_code": "EVER",
        "feature": "visits",
        "value": 29.0,
        "threshold": 10.0,
        "peer_median": 12.0,
        "window_days": 90,
        "points": pytest.approx(1.768, abs=0.001),
        "held_back_by": None,
        "evidence": "drugs",
    }


def test_points_among_peers_are_half_the_surprise_that_resemblance_looks_at(spark):
    """Both say how rare a value is among peers, in Spark's columns and in numpy's."""
    rng = np.random.default_rng(3)
    groups = {f"g{n}": np.sort(rng.choice([0.0, 1, 2, 5, 9, 30], 4)) for n in range(40)}
    rows = [
        (f"{group} {value}", float(value), group)
        for group, usual in groups.items()
        for value in (*usual[usual > 0], 0.5, 1.5, 4, 7, 20, 100)
    ]
    rule = rule_of("R", "visits", 1e-9, points=2)
    features = spark.createDataFrame(rows, "subject_id string, visits double, peer_group string")
    usual = peers(spark, *((group, "visits", *map(float, four)) for group, four in groups.items()))
    shown = indicators(features, usual, (rule,), (), {"visits": 90}).collect()
    found = {row["subject_id"]: row["points"] for row in shown}
    expected = {
        name: surprises(np.array([[value]]), groups[group].reshape(1, 4, 1))[0, 0]
        for name, value, group in rows
        if value >= groups[group][1]
    }
    assert found == pytest.approx(expected)
    assert len({round(points, 6) for points in expected.values()}) > 20


def test_names_of_rules_may_hold_quotes_and_backslashes(spark):
    name = r"""It's "A\B" \'"""
    rule = rule_of(name, "visits", 1, family=name, typology=name, among_peers=False, points=1e-7)
    explained = allowance_of(name, "visits", 1e-5, family=name)
    features = spark.createDataFrame([("m", 2.0)], "subject_id string, visits double")
    [row] = indicators(features, None, (rule,), (explained,), {"visits": 90}).collect()
    assert {row[column] for column in ("reason_code", "family", "typology", "held_back_by")} == {
        name
    }
    assert row["points"] == pytest.approx(1.5e-7)


def test_what_looks_like_a_property_of_the_session_stays_as_it_is_written(spark):
    code = "${spark.app.name} '\\ ${system:user.home}"
    rule = rule_of(code, "f", 1, among_peers=False)
    allowance = allowance_of("${spark.app.name}", "f", 1)
    features = spark.createDataFrame([("m1", 2.0)], "subject_id string, f double")
    (row,) = indicators(features, None, [rule], [allowance], {"f": 30}).collect()
    assert (row["reason_code"], row["held_back_by"]) == (code, "${spark.app.name}")
