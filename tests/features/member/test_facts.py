"""Refunds against what they reverse, one by one."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from support.member_histories import AS_OF, Account, Row, drug, fee, member_rows, reference_rows

from features.member.facts import member_facts
from features.member.frames import MemberFacts
from features.member.references import usable

REFERENCES = usable(reference_rows({"drugs": [], "institutions": [], "diseases": []}))
#: Boxes of two drugs and an exam in a visit; of a refund, which visit and what goes back of it when.
VISITS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=4)
REFUNDS = st.lists(
    st.tuples(st.integers(1, 5), st.integers(0, 30), *[st.integers(0, 4)] * 3), max_size=6
)
THINGS = ("d1", "d2", None)
PRICES = (100, 37, 55)


def fees(counts: Sequence[int], sign: int) -> list[Row]:
    made = []
    for thing, price, count in zip(THINGS, PRICES, counts, strict=True):
        if count:
            cents = sign * price * count
            if thing is None:
                made.append(fee("exam", cents, quantity=float(sign * count)))
            else:
                # A refund names no doctor.
                doctor = "x" if sign > 0 else None
                made.append(drug(thing, sign * count, cents, doctor_id=doctor))
    return made


def facts_of(account: Account) -> MemberFacts:
    return member_facts(member_rows(account.of("m")), REFERENCES, AS_OF)


@given(VISITS, REFUNDS)
@settings(max_examples=60, deadline=None)
def test_what_is_left_of_a_visit_is_what_was_not_given_back(
    visits: list[tuple[int, ...]], refunds: list[tuple[int, ...]]
) -> None:
    account = Account()
    left = {}
    for number, counts in enumerate(visits, start=1):
        account.visit(40, *fees(counts, 1))
        left[number] = list(counts)
    touched = set()
    for of, ago, *counts in refunds:
        account.refund(of, ago, *fees(counts, -1))
        if of in left and ago > 0:
            touched.add(of)
            left[of] = [has - back for has, back in zip(left[of], counts, strict=True)]

    facts = facts_of(account)

    expected = {}
    for number, counts in left.items():
        cents = sum(price * count for price, count in zip(PRICES, counts, strict=True))
        if cents > 0 or number not in touched:
            boxes = {
                name: float(n) for name, n in zip(THINGS, counts, strict=True) if name and n > 0
            }
            expected[f"m {number}"] = (cents, max(0, counts[2]) * 55, boxes)
    drugs: dict[str, dict[str, float]] = {}
    for row in facts.drugs.to_dicts():
        drugs.setdefault(row["settlement_id"], {})[row["drug_id"]] = row["quantity"]
        assert row["doctor_id"] == "x"
        assert row["cents"] == row["quantity"] * PRICES[THINGS.index(row["drug_id"])]
    actual = {
        row["settlement_id"]: (
            row["cents"],
            row["exam_cents"],
            drugs.get(row["settlement_id"], {}),
        )
        for row in facts.visits.to_dicts()
    }
    assert actual == expected


def test_what_is_left_after_tenths_are_given_back_is_exact() -> None:
    # In binary 0.3 - 0.1 - 0.1 is not 0.1.
    back = drug("d1", -0.1, -100)
    account = Account().visit(9, drug("d1", 0.3, 300)).refund(1, 8, back).refund(1, 7, back)
    assert facts_of(account).drugs["quantity"].to_list() == [0.1]


def test_the_reimbursed_share_is_that_of_the_visit_before_refunds() -> None:
    account = Account().visit(9, drug("d1", 2, 2000), fund_cents=1000)
    account.refund(1, 8, drug("d1", -1, -1000), fund_cents=-400)
    row = facts_of(account).drugs.to_dicts()[0]
    assert (row["cents"], row["fund_share"], row["fund_cents"]) == (1000, 0.5, 500)


def test_fees_whose_amount_or_quantity_is_not_known_add_nothing() -> None:
    account = Account().visit(40, fee("exam", 55), fee("exam", 70), drug("d1", 1, PRICES[0]))
    rows = account.of("m")
    rows["fees"][1]["cents"] = rows["fees"][2]["quantity"] = None

    [visit] = member_facts(member_rows(rows), REFERENCES, AS_OF).visits.to_dicts()

    assert (visit["exam_cents"], visit["drug_cents"]) == (55, PRICES[0])
    assert (visit["boxes"], visit["drug_lines"]) == (0, 1)
