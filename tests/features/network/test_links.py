"""Links against numbers worked by hand, and against a brute force in plain Python."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.testing import assertDataFrameEqual
from scipy import stats

from features.network.links import (
    institution_links,
    kept_links,
    link_cuts,
    memberships,
    repeated_claim_links,
    shared_doctor_links,
    shared_member_links,
)
from features.network.surprise import poisson_surprise

VISIT = (
    "institution_id string, member_id string, district string, settlement_id string,"
    " start_date date, end_date date"
)
DOCTOR = "settlement_id string, institution_id string, doctor_id string"
CODE = "settlement_id string, code string"
LINK = (
    "src string, dst string, kind string, weight long, expected double, significance double,"
    " src_size long, dst_size long"
)
DAY = date(2026, 1, 5)

Row = dict[str, Any]
Frame = Callable[..., DataFrame]


@pytest.fixture
def visits(spark: SparkSession) -> Frame:
    """Make visits from what matters; each row is a settlement of its own."""
    base = {"district": "north", "start_date": DAY, "end_date": DAY}

    def make(*rows: Row) -> DataFrame:
        full = [{"settlement_id": f"s{n}", **base, **row} for n, row in enumerate(rows)]
        columns = [field.split()[0] for field in VISIT.split(",")]
        return spark.createDataFrame([tuple(row[c] for c in columns) for row in full], VISIT)

    return make


def at(institutions: str, member: str, **more: Any) -> list[Row]:
    """Visit each institution once."""
    return [{"institution_id": i, "member_id": member, **more} for i in institutions]


def surprise(weight: int, expected: float) -> float:
    return float(-stats.poisson.logsf(weight - 1, expected) / 2.302585092994046)


def test_neighbours_are_compared_with_their_district(spark: SparkSession, visits: Frame) -> None:
    frame = visits(
        *at("ab", "m1"),
        *at("aab", "m2"),
        *at("a", "m3"),
        *at("b", "m4"),
        *at("ab", "m5", district="south"),
        *at("c", "m6", district="south"),
        *at("a", "m7", district=None),
        *at("b", "m8", district=None),
        *at("b", "m9", district=None),
        {"institution_id": "a", "member_id": None},
        {"institution_id": None, "member_id": "m1"},
    )

    actual = shared_member_links(frame)

    # north 3 * 3 / 4, south 1 * 1 / 2, unknown 1 * 2 / 3; each member once, however many visits.
    mean = 9 / 4 + 1 / 2 + 2 / 3
    expected = [("a", "b", "shared_member", 3, mean, surprise(3, mean), 5, 6)]
    assertDataFrameEqual(actual, spark.createDataFrame(expected, LINK))


def test_shared_doctors_are_counted_once_over_all(spark: SparkSession) -> None:
    rows = [
        ("s1", "a", "d1"),
        ("s2", "a", "d1"),
        ("s3", "b", "d1"),
        ("s4", "b", "d2"),
        ("s5", "c", "d3"),
        ("s6", "c", None),
        ("s7", None, "d3"),
    ]

    actual = shared_doctor_links(spark.createDataFrame(rows, DOCTOR))

    # a has 1 doctor and b has 2, of 3.
    expected = [("a", "b", "shared_doctor", 1, 2 / 3, surprise(1, 2 / 3), 1, 2)]
    assertDataFrameEqual(actual, spark.createDataFrame(expected, LINK))


def test_only_the_same_member_dates_and_diagnoses_repeat_a_claim(
    spark: SparkSession, visits: Frame
) -> None:
    frame = visits(
        *at("ab", "m1"),  # s0, s1: repeated, the codes in another order and one twice
        *at("b", "m2"),  # s2: another member
        *at("b", "m1", end_date=DAY + timedelta(1)),  # s3: another end
        *at("b", "m1"),  # s4: fewer diagnoses
        *at("ab", "m3"),  # s5, s6: no diagnosis, so nothing to compare
        *at("ab", "m4", start_date=None),  # s7, s8: no date
        *at("aa", "m5"),  # s9, s10: repeated inside a
    )
    codes = spark.createDataFrame(
        [("s0", "x"), ("s0", "y"), ("s1", "y"), ("s1", "x"), ("s1", "y")]
        + [(f"s{n}", code) for n in (2, 3, 7, 8) for code in "xy"]
        + [("s4", "x"), ("s6", None), ("s9", "z"), ("s10", "z")],
        CODE,
    )

    actual = repeated_claim_links(frame, codes)

    # Of 7 claims 4 are m1's, 1 m2's, 2 m5's; by dates and diagnoses 3, 1, 1 and 2 agree.
    mean = 2 * 4 * (16 + 1 + 4) / 49 * (9 + 1 + 1 + 4) / 49
    expected = [("a", "b", "repeated_claim", 1, mean, surprise(1, mean), 2, 4)]
    assertDataFrameEqual(actual, spark.createDataFrame(expected, LINK))


def test_full_bucket_keeps_most_visited_then_smallest(spark: SparkSession, visits: Frame) -> None:
    frame = visits(*at("eeddcba", "m1"), *at("ab", "m2"))
    doctors = spark.createDataFrame([], DOCTOR)
    codes = spark.createDataFrame([], CODE)

    links = shared_member_links(frame, max_bucket=3)
    cuts = link_cuts(memberships(frame, doctors, codes), max_bucket=3)

    # m1 keeps e and d, seen twice, and of the others a. Sizes are those before the cap.
    pairs = {(row.src, row.dst, row.weight, row.src_size) for row in links.collect()}
    assert pairs == {("a", "d", 1, 2), ("a", "e", 1, 2), ("d", "e", 1, 1), ("a", "b", 1, 2)}
    expected = [("shared_member", 1, 10 - 3), ("shared_doctor", 0, 0), ("repeated_claim", 0, 0)]
    schema = "kind string, buckets_cut long, pairs_cut long"
    assertDataFrameEqual(cuts, spark.createDataFrame(expected, schema))


def random_world(seed: int) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]], list[Any]]:
    """Draw 600 settlements of 60 members at 12 institutions, claims repeated among them."""
    draw = random.Random(seed)
    places = [f"i{n:02}" for n in range(12)]
    home = {f"m{n}": draw.choice(["north", "south", None]) for n in range(60)}
    visits: list[tuple[Any, ...]] = []
    doctors: list[tuple[str, ...]] = []
    codes: list[Any] = []
    for number in range(600):
        member = draw.choice(sorted(home))
        start = DAY + timedelta(draw.randrange(3))
        place = draw.choice(places)
        key = f"s{number}"
        visits.append((place, member, home[member], key, start, start))
        doctors += [(key, place, f"d{draw.randrange(40)}") for _ in range(draw.randrange(3))]
        codes += [(key, code) for code in draw.choices("xyz", k=draw.randrange(4))]
    return visits, doctors, codes


def brute_force(
    visits: list[tuple[Any, ...]], doctors: list[tuple[str, ...]], codes: list[Any]
) -> list[tuple[Any, ...]]:
    """Compute all links in the plainest way."""
    members, treating, claims = defaultdict(set), defaultdict(set), defaultdict(set)
    home: dict[str, str | None] = {}
    of_member: Counter[Any] = Counter()
    of_content: Counter[Any] = Counter()
    diagnoses = defaultdict(set)
    for key, code in codes:
        diagnoses[key].add(code)
    for place, member, district, key, start, end in visits:
        members[place].add(member)
        home[member] = district
        if diagnoses[key]:
            content = (start, end, frozenset(diagnoses[key]))
            claims[place].add((member, content))
            of_member[member] += 1
            of_content[content] += 1
    for _, place, doctor in doctors:
        treating[place].add(doctor)
    population = Counter(home.values())
    everyone = len(set().union(*treating.values()))

    def agreement(counts: Counter[Any]) -> float:
        return sum(n * n for n in counts.values()) / sum(counts.values()) ** 2

    chance = agreement(of_member) * agreement(of_content)
    links = []
    for a, b in combinations(sorted(members), 2):
        by_home = [Counter(home[m] for m in members[place]) for place in (a, b)]
        overlap = sum(by_home[0][d] * by_home[1][d] / n for d, n in population.items())
        for kind, sets, mean in (
            ("shared_member", members, overlap),
            ("shared_doctor", treating, len(treating[a]) * len(treating[b]) / everyone),
            ("repeated_claim", claims, len(claims[a]) * len(claims[b]) * chance),
        ):
            weight = len(sets[a] & sets[b])
            if weight:
                sizes = (len(sets[a]), len(sets[b]))
                links.append((a, b, kind, weight, mean, surprise(weight, mean), *sizes))
    return links


def test_all_kinds_agree_with_brute_force(spark: SparkSession) -> None:
    visits, doctors, codes = random_world(seed=11)
    frames = (
        spark.createDataFrame(visits, VISIT).repartition(5),
        spark.createDataFrame(doctors, DOCTOR),
        spark.createDataFrame(codes, CODE),
    )

    actual = institution_links(memberships(*frames))

    expected = brute_force(visits, doctors, codes)
    assert {row[2] for row in expected} == {"shared_member", "shared_doctor", "repeated_claim"}
    assert actual.schema.simpleString() == spark.createDataFrame([], LINK).schema.simpleString()
    assertDataFrameEqual(actual, spark.createDataFrame(expected, LINK), rtol=1e-9)


def test_surprise_agrees_with_scipy_and_stays_finite() -> None:
    weights = [1, 1, 3, 30, 400, 200, 5_000, 1_000_000]
    means = [1e-12, 5.0, 0.5, 44.3, 474.9, 8.0, 0.01, 1e-6]

    actual = poisson_surprise(weights, means)

    ordinary = [surprise(w, m) for w, m in zip(weights[:6], means[:6], strict=True)]
    assert list(actual[:6]) == pytest.approx(ordinary, rel=1e-9)
    # Too small for a double: nearly the first term, -log10(0.01**5000 / 5000!).
    first = -stats.poisson.logpmf(5_000, 0.01) / 2.302585092994046
    assert actual[6] == pytest.approx(first, rel=1e-9)
    assert 1e7 < actual[7] < 1.2e7


def test_surprise_has_no_step_where_the_series_takes_over() -> None:
    weights = pd.Series(range(100, 200))

    surprises = pd.Series(poisson_surprise(weights, [0.5] * len(weights)))
    steps = surprises.diff().dropna()

    # Each further one is less likely than the last by a factor that falls slowly.
    assert steps.is_monotonic_increasing
    assert steps.diff().max() < 0.01


def test_kept_links_are_heavy_or_repeated_and_surprising(spark: SparkSession) -> None:
    links = [
        ("a", "b", "shared_member", 2, 0.1, 5.0, 9, 9),
        ("a", "c", "shared_member", 1, 0.1, 5.0, 9, 9),
        ("a", "d", "shared_doctor", 2, 0.1, 4.9, 9, 9),
        ("a", "e", "repeated_claim", 1, 0.1, 5.0, 9, 9),
        ("a", "f", "repeated_claim", 1, 0.1, 4.9, 9, 9),
    ]

    actual = kept_links(spark.createDataFrame(links, LINK), min_significance=5.0)

    assertDataFrameEqual(actual, spark.createDataFrame([links[0], links[3]], LINK))
