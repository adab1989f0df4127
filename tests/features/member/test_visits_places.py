import math

from support.member_histories import Account, Example, Row, day, drug, example_test, reference

from expectations.feature.member_visit import SHOPPING, TRAVEL

#: A degree of latitude, or of longitude on the equator, on a sphere of 6,371 km radius.
DEGREE_KM = 2 * math.pi * 6371 / 360
REFERENCES = {
    "drugs": [reference("drugs", "d10", days_per_box=10.0)],
    "institutions": [
        reference("institutions", "h1", district="east", latitude=0.0, longitude=100.0),
        reference("institutions", "h2", district="east", latitude=0.0, longitude=101.0),
        reference("institutions", "h3", district="west", latitude=0.0, longitude=100.2),
        reference("institutions", "h4"),
        reference("institutions", "h5", latitude=0.0, longitude=100.45),
        *(
            reference("institutions", f"c{n}", district=f"65010{n}", latitude=43.8, longitude=87.6)
            for n in range(3)
        ),
        # Latitude and longitude confused, both on the globe; and a place ten degrees off, as a wide city has.
        reference("institutions", "swapped", district="650104", latitude=87.6, longitude=43.8),
        reference("institutions", "wide", district="650105", latitude=43.8, longitude=97.6),
    ],
    "diseases": [],
}
ONE = drug("d10")


def billed(doctor: str | None) -> Row:
    return drug("d10", doctor_id=doctor)


SHOPPING_EXAMPLES = (
    Example(
        "institutions and districts are counted once each, unknown districts not at all",
        Account()
        .visit(1, ONE, institution_id="h1")
        .visit(30, ONE, institution_id="h2")
        .visit(31, ONE, institution_id="h3")
        .visit(90, ONE, institution_id="h4")
        .visit(89, ONE, institution_id="not in the reference")
        .visit(91, ONE, institution_id="h5"),
        {"institution_count_30d": 2, "institution_count_90d": 5, "district_count_90d": 2},
    ),
    Example(
        "visits spread over institutions as entropy and as sum of squares",
        # Half at h1, a quarter each at h2 and h3, within 180 days.
        Account()
        .visit(180, ONE)
        .visit(100, ONE)
        .visit(5, ONE, institution_id="h2")
        .visit(4, ONE, institution_id="h3")
        .visit(181, ONE, institution_id="h4"),
        {
            "institution_entropy_180d": 0.5 * math.log(2) + 0.5 * math.log(4),
            "institution_concentration_180d": 0.25 + 2 * 0.0625,
        },
    ),
    Example(
        "drug lines spread over doctors, unknown doctors and stays left out",
        # Lines of 180 days: x three times, y once.
        Account()
        .visit(180, billed("x"))
        .visit(90, billed("x"), billed("y"))
        .visit(20, billed("x"), billed(None))
        .visit(181, billed("z"))
        .stay(40, 30, billed("ward 1"), billed("ward 2")),
        {
            "doctor_count_90d": 2,
            "doctor_entropy_180d": 0.75 * math.log(4 / 3) + 0.25 * math.log(4),
            "doctor_concentration_180d": 0.625,
        },
    ),
    Example(
        "five doctors and five institutions make an episode of many providers",
        Account()
        .visit(90, billed("1"), institution_id="h1")
        .visit(5, billed("2"), institution_id="h2")
        .visit(4, billed("3"), institution_id="h3")
        .visit(3, billed("4"), institution_id="h4")
        .visit(2, billed("5"), institution_id="h5"),
        {"is_multiple_provider_90d": 1, "doctor_count_90d": 5, "institution_count_90d": 5},
    ),
    Example(
        "five doctors at four institutions do not",
        Account()
        .visit(91, billed("1"), institution_id="h1")
        .visit(5, billed("2"), billed("6"), institution_id="h2")
        .visit(4, billed("3"), institution_id="h3")
        .visit(3, billed("4"), institution_id="h4")
        .visit(2, billed("5"), institution_id="h5"),
        {"is_multiple_provider_90d": 0, "doctor_count_90d": 5, "institution_count_90d": 4},
    ),
    Example(
        "an institution is new when its first visit of the year lies within 90 days",
        # h1 was seen 91 days ago; h2, h3 are new; two of three.
        Account()
        .visit(91, ONE, institution_id="h1")
        .visit(20, ONE, institution_id="h1")
        .visit(90, ONE, institution_id="h2")
        .visit(10, ONE, institution_id="h2")
        .visit(10, ONE, institution_id="h3"),
        {"new_institution_share_90d": 2 / 3, "multi_institution_day_count_90d": 1},
    ),
    Example(
        "settlements after the first of a day at one institution are split off",
        # Day 90: three at h1, one at h2: two more than needed. Day 91 lies before.
        Account()
        .visit(90, ONE, at="08:00")
        .visit(90, ONE, at="09:00")
        .visit(90, ONE, at="10:00")
        .visit(90, ONE, institution_id="h2")
        .visit(91, ONE)
        .visit(91, ONE, institution_id="h3"),
        {"split_settlement_count_90d": 2, "multi_institution_day_count_90d": 1},
    ),
    Example(
        "without drug visits within 90 days nothing is new and nothing shared out",
        Account().visit(200, ONE),
        {
            "new_institution_share_90d": None,
            "institution_entropy_180d": None,
            "institution_concentration_180d": None,
            "doctor_entropy_180d": None,
            "multi_institution_day_count_90d": 0,
            "split_settlement_count_90d": 0,
        },
    ),
)
#: h1 to h2 is a degree, 111.2 km: less 3 km it takes 54 minutes at 120 km/h.
FASTEST = (DEGREE_KM - 3) / 120 * 60
TRAVEL_EXAMPLES = (
    Example(
        "54 minutes are too short for 108 km, 55 are not",
        Account()
        .visit(180, ONE, at="10:00")
        .visit(180, ONE, at="10:54", institution_id="h2")
        .visit(100, ONE, at="10:00")
        .visit(100, ONE, at="10:55", institution_id="h2")
        .visit(181, ONE, at="10:00")
        .visit(181, ONE, at="10:01", institution_id="h2"),
        {"impossible_travel_count_180d": 1, "min_gap_minutes_90d": None},
    ),
    Example(
        "between visits of which only the day is known nobody is too fast",
        Account()
        .visit(9, ONE, at="00:00")
        .visit(9, ONE, at="00:00", institution_id="h2")
        .visit(5, ONE, at="00:00")
        .visit(5, ONE, at="00:07", institution_id="h2"),
        {"impossible_travel_count_180d": 0, "min_gap_minutes_90d": None},
    ),
    Example(
        "a place far from all others of its city is not known",
        Account()
        .visit(9, ONE, institution_id="c0")
        .visit(9, ONE, at="10:30", institution_id="swapped")
        .visit(5, ONE, institution_id="c0")
        .visit(5, ONE, at="10:30", institution_id="wide"),
        {"impossible_travel_count_180d": 1},
    ),
    Example(
        "places that are not known cannot be too far",
        Account().visit(5, ONE).visit(5, ONE, at="10:07", institution_id="h4"),
        {
            "impossible_travel_count_180d": 0,
            "min_gap_minutes_90d": 7,
            "home_km_median_180d": None,
        },
    ),
    Example(
        "the gap between institutions is of consecutive visits, the later within 90 days",
        # 30 minutes at the same place do not count; day 91 evening to day 90 morning: 10 hours.
        Account()
        .visit(91, ONE, at="22:00")
        .visit(90, ONE, at="08:00", institution_id="h3")
        .visit(90, ONE, at="08:30", institution_id="h3"),
        {"min_gap_minutes_90d": 600},
    ),
    Example(
        "home distance is the median of the visits; an e-voucher is far beyond 50 km",
        # h1 is at home, h5 0.45 degrees or 50.04 km away, h3 22.2 km, h2 111.2 km.
        Account()
        .add("persons", latitude=0.0, longitude=100.0)
        .visit(5, ONE, institution_id="h1", credential="01")
        .visit(90, ONE, institution_id="h5", credential="01")
        .visit(6, ONE, institution_id="h3", credential="01")
        .visit(7, ONE, institution_id="h2", credential="02")
        .visit(91, ONE, institution_id="h2", credential="01")
        .visit(8, ONE, institution_id="h4", credential=None),
        {
            # 0, 22.2, 50.04, 111.2, 111.2; h4 is nowhere
            "home_km_median_180d": 0.45 * DEGREE_KM,
            "far_voucher_count_90d": 1,
            "e_voucher_share_90d": 0.75,  # three of four known credentials
        },
    ),
    Example(
        "visits after the day of death, or from the day of the pause on",
        # Death 50 days ago: that day itself may be. The pause began 40 days ago.
        Account()
        .add("persons", death_date=day(50), paused_from=day(40))
        .visit(51, ONE)
        .visit(50, ONE)
        .visit(49, ONE)
        .visit(40, ONE),
        {"dead_or_paused_visit_count_365d": 2},
    ),
    Example(
        "a pause alone counts from its first day",
        Account().add("persons", paused_from=day(40)).visit(41, ONE).visit(40, ONE).visit(3, ONE),
        {"dead_or_paused_visit_count_365d": 2},
    ),
    Example(
        "nobody collects elsewhere between admission and discharge, proxies apart",
        # In h2 from day 100 to day 90: only days 99 to 91 clash; what h2 itself gives does not.
        Account()
        .stay(100, 90, institution_id="h2", cents=1)
        .stay(95, 92, institution_id="h2", cents=1)
        .visit(100, ONE)
        .visit(99, ONE)
        .visit(95, ONE)
        .visit(94, ONE, institution_id="h2")
        .visit(93, ONE, proxy="p")
        .visit(91, ONE)
        .visit(90, ONE),
        {"admitted_visit_count_365d": 3},
    ),
)
EXAMPLES = (*SHOPPING_EXAMPLES, *TRAVEL_EXAMPLES)


test_example = example_test(EXAMPLES, REFERENCES)


def test_the_example_of_travel_lies_on_both_sides_of_the_limit() -> None:
    assert 54 < FASTEST < 55


def test_every_feature_of_shopping_and_travel_has_an_example() -> None:
    shown = {name for each in EXAMPLES for name in each.expected}
    assert {each.name for each in (*SHOPPING, *TRAVEL)} <= shown
