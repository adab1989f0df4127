"""What holds of all member features: the slow reference, order, company, time, claims made by others."""

import math
from datetime import timedelta

import polars as pl
import pytest
from support.member_draws import drawn, shuffled
from support.member_histories import (
    AS_OF,
    MEMBER_KINDS,
    REFERENCE_KINDS,
    SCHEMAS,
    Account,
    Row,
    Rows,
    computed,
    drug,
    fee,
    frame,
    member_rows,
    reference,
    reference_rows,
)
from support.member_reference import reference_features

from expectations.feature.member import CREDENTIAL, OWN_FEATURES, TRACE
from expectations.feature.member_drug import CERTIFICATE, PRODUCT, SUPPLY
from expectations.feature.member_visit import CARE, SHOPPING, TRAVEL, USE
from features.member.features import member_features

SEEDS = range(8)
NAMES = [each.name for each in OWN_FEATURES]


def bits(features: Row) -> dict[str, str | None]:
    return {name: None if value is None else value.hex() for name, value in features.items()}


def differences(actual: Row, expected: Row) -> dict[str, tuple[float | None, float | None]]:
    """The features that are not the same number, or not both empty."""
    return {
        name: (actual[name], value)
        for name, value in expected.items()
        if (value is None) != (actual[name] is None)
        or (value is not None and actual[name] != pytest.approx(value, rel=1e-9, abs=2e-6))
    }


def check_against_reference(rows: Rows, references: Rows) -> None:
    found = computed(rows, references)
    slow = {
        member: reference_features(rows, references, member, AS_OF)
        for member in {row["member_id"] for row in rows["visits"]}
    }
    expected = {member: each for member, each in slow.items() if each is not None}
    assert expected
    assert found.keys() == expected.keys()
    assert all(set(each) == set(NAMES) for each in expected.values())
    assert {member: differences(found[member], each) for member, each in expected.items()} == {
        member: {} for member in expected
    }


def without(rows: Rows, **emptied: list[Row]) -> dict[str, list[Row]]:
    return {kind: emptied.get(kind, list(each)) for kind, each in rows.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_features_agree_with_the_slow_reference(seed: int) -> None:
    check_against_reference(*drawn(seed))


def test_no_feature_is_the_same_for_all_random_members() -> None:
    found = [each for seed in SEEDS for each in computed(*drawn(seed)).values()]
    constant = [name for name in NAMES if len({each[name] for each in found}) < 2]
    assert not constant


def test_columns_are_the_declared_ones_in_order_as_doubles() -> None:
    rows, references = drawn(1)
    found = member_features(member_rows(rows), reference_rows(references), AS_OF)
    assert dict(found.schema) == {"member_id": pl.String()} | dict.fromkeys(NAMES, pl.Float64())
    assert found["member_id"].to_list() == sorted(found["member_id"].to_list())


def test_every_group_of_features_is_one_whose_examples_are_checked() -> None:
    groups = (USE, CARE, SUPPLY, SHOPPING, TRAVEL, PRODUCT, CERTIFICATE, CREDENTIAL, TRACE)
    assert sorted(NAMES) == sorted(each.name for group in groups for each in group)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_changes_no_bit(seed: int) -> None:
    rows, references = drawn(seed)
    expected = {member: bits(found) for member, found in computed(rows, references).items()}
    for other in range(3):
        actual = computed(shuffled(rows, other), shuffled(references, other))
        assert {member: bits(found) for member, found in actual.items()} == expected


def test_a_member_has_the_same_features_alone_and_among_others() -> None:
    rows, references = drawn(5)
    together = computed(rows, references)
    for member, expected in together.items():
        own = {kind: [r for r in each if r["member_id"] == member] for kind, each in rows.items()}
        assert bits(computed(own, references)[member]) == bits(expected)


def test_refunds_and_fees_booked_on_another_member_change_nobody() -> None:
    account = Account().visit(9, drug("d1", 2, 2000))
    stranger = Account().refund(1, 5, drug("d1", -1, -1000)).visit(3, drug("d1"))
    mine, other = account.of("m1"), stranger.of("m2")
    other["visits"][0]["original_settlement_id"] = "m1 1"
    other["fees"].append(other["fees"][-1] | {"settlement_id": "m1 1"})
    references: Rows = {kind: [] for kind in REFERENCE_KINDS}
    both = {kind: mine[kind] + other[kind] for kind in MEMBER_KINDS}
    actual = computed(both, references)
    assert actual["m1"] == computed(mine, references)["m1"]
    assert actual["m2"] == computed(other, references)["m2"]
    assert actual["m1"]["drug_amount_sum_365d"] == 20.0


def test_rows_from_the_as_of_day_on_and_before_the_horizon_change_nothing() -> None:
    rows, references = drawn(6)
    in_time = {
        **rows,
        "visits": [row for row in rows["visits"] if 1 <= _ago(row["time"].date()) <= 365],
        "sales": [row for row in rows["sales"] if 1 <= _ago(row["day"]) <= 365],
        "certificates": [
            row
            for row in rows["certificates"]
            if row["start_date"] < AS_OF and (not row["end_date"] or _ago(row["end_date"]) <= 365)
        ],
    }
    # Refunds of what came before the horizon are left out with it, so they change nothing either.
    assert len(in_time["visits"]) < len(rows["visits"])
    assert computed(in_time, references) == computed(rows, references)


def test_an_earlier_as_of_date_is_the_same_history_moved() -> None:
    rows, references = drawn(7)
    shift = timedelta(days=37)
    moved = {
        kind: [_moved(row, shift) for row in each] for kind, each in (rows | references).items()
    }
    later = computed(
        {kind: moved[kind] for kind in MEMBER_KINDS},
        {kind: moved[kind] for kind in REFERENCE_KINDS},
        AS_OF + shift,
    )
    expected = computed(rows, references)
    # Only calendar months lie elsewhere in a history that is moved by 37 days.
    for found in (*later.values(), *expected.values()):
        del found["month_cap_count_365d"]
    assert later == expected


def _moved(row: Row, shift: timedelta) -> Row:
    return {name: value + shift if hasattr(value, "year") else value for name, value in row.items()}


def _ago(when: object) -> int:
    return (AS_OF - when).days  # type: ignore[operator]


@pytest.mark.parametrize("kind", [*MEMBER_KINDS[1:], *REFERENCE_KINDS])
def test_a_source_may_lack_any_kind_of_rows(kind: str) -> None:
    rows, references = drawn(3, members=3)
    references = without(references, **({kind: []} if kind in REFERENCE_KINDS else {}))
    rows = without(rows, **({kind: []} if kind in MEMBER_KINDS else {}))
    check_against_reference(rows, references)


def test_no_rows_give_no_features() -> None:
    nothing: Rows = {kind: [] for kind in SCHEMAS}
    assert computed(nothing, nothing) == {}


@pytest.mark.parametrize(
    "column",
    [
        (kind, name)
        for kind, names in SCHEMAS.items()
        for name in names
        if name
        not in {
            *("member_id", "settlement_id", "is_refund", "time", "institution_id", "cents"),
            *("fund_cents", "quantity", "stated_days", "unstated_quantity", "day", "sold_again"),
            *("chance_ppb", "kind", "accounts", "relatives", "start_date", "special_disease_code"),
        }
    ],
    ids=lambda pair: ".".join(pair),
)
def test_a_column_that_is_not_required_may_be_empty(column: tuple[str, str]) -> None:
    kind, name = column
    rows, references = drawn(4, members=2)
    tables = rows | references
    tables[kind] = (
        [] if column == ("drugs", "drug_id") else [r | {name: None} for r in tables[kind]]
    )
    check_against_reference(
        {kind: tables[kind] for kind in MEMBER_KINDS},
        {kind: tables[kind] for kind in REFERENCE_KINDS},
    )


def test_numbers_that_cannot_be_are_as_good_as_unknown() -> None:
    strange = (math.nan, math.inf, -math.inf, 0.0, -5.0)
    numbers = ("days_per_box", "ddd_per_box", "monthly_max_boxes", "resale_ratio")
    account = Account().add("persons", latitude=math.nan, longitude=math.inf)
    drugs, places = [reference("drugs", "good", days_per_box=10.0)], []
    for number, value in enumerate(strange):
        drugs.append(reference("drugs", f"d{number}", **dict.fromkeys(numbers, value)))
        where = {"visit_cap": value, "latitude": value, "longitude": value}
        places.append(reference("institutions", f"h{number}", **where))
        for ago in (200, 100, 9):
            at = {"institution_id": f"h{number}"}
            account.visit(ago, drug(f"d{number}"), drug(f"d{number}", days=3), **at)
    account.visit(9, drug("good", -3, -50), drug("good", 0, 0), fee("exam", -100), cents=-150)
    account.visit(8, drug("good", -30, -99999), cents=0, fund_cents=-7)
    references = {"drugs": drugs, "institutions": places, "diseases": []}
    found = computed(account.of("m1"), references)["m1"]
    assert {
        name for name, value in found.items() if value is not None and not math.isfinite(value)
    } == set()
    # Stated days are all that is known: 3 a day, at five institutions, of five drugs.
    assert found["supply_ratio_max_90d"] == pytest.approx(3 / 90)
    assert found["cap_hug_share_90d"] is None
    assert found["month_cap_count_365d"] == 0


def test_of_several_rows_of_a_key_in_a_reference_the_first_counts() -> None:
    rows, references = drawn(2)
    doubled = {
        kind: [*each, *({**row, **dict.fromkeys(list(row)[1:])} for row in each)]
        for kind, each in references.items()
    }
    assert computed(rows, doubled) == computed(rows, references)


def test_a_frame_from_arrow_without_rows_keeps_its_types() -> None:
    assert dict(frame("visits", []).schema) == SCHEMAS["visits"]
