"""From rows to what a ring's page shows. No Spark."""

from datetime import date
from decimal import Decimal

import polars as pl

from jobs.report.ring import Tie, Week
from jobs.report.ring_facts import RingRows, ring_pages

AS_OF = date(2026, 1, 1)


def rows(**changes: pl.DataFrame) -> RingRows:
    """Two accounts, their carrier, and a stranger of whom nothing may be shown."""
    day = date(2025, 3, 4)
    parts = [
        ("r", "member", "a", "card_holder", 0.9, 2, ["linked_account"]),
        ("r", "member", "b", "card_holder", 0.8, 3, ["linked_account"]),
        ("r", "member", "boss", "organiser", 1.0, 1, ["carries_accounts_of_others"]),
    ]
    held = {
        "rings": pl.DataFrame(
            {
                "ring_id": ["r"],
                "rank": [1],
                "accounts": [2],
                "links": [1],
                "density": [1.0],
                "confidence": [0.9],
                "significance": [9.0],
                "expected_loss_amount": [Decimal("12.50")],
                "has_unseen_head": [False],
                "first_date": [day],
                "last_date": [date(2025, 5, 1)],
            }
        ),
        "findings": pl.DataFrame(
            {
                "ring_id": ["r"],
                "finding": ["linked_kin"],
                "value": [1.0],
                "accounts": [1],
                "expected": [None],
                "significance": [None],
                "subject_ids": [["k"]],
            },
            schema_overrides={"expected": pl.Float64, "significance": pl.Float64},
        ),
        "parts": pl.DataFrame(
            parts,
            schema=[
                *("ring_id", "subject_type", "subject_id", "role", "role_score"),
                *("organiser_rank", "reasons"),
            ],
            orient="row",
        ),
        "links": pl.DataFrame(
            {
                "src": ["a", "a", "b"],
                "dst": ["b", "k", "stranger"],
                "probability": [0.9, 0.5, 0.9],
                "is_kin": [False, True, False],
            }
        ),
        "carried": pl.DataFrame(
            {
                "member_id": ["a", "b", "stranger"],
                "carrier_kind": ["member", "member", "member"],
                "carrier": ["boss", "other", "boss"],
                "visits": [3, 1, 5],
            }
        ),
        "visits": pl.DataFrame(
            [
                ("a", "s1", "h1", date(2025, 3, 4), 10.0),
                ("a", "s2", "h2", date(2025, 3, 6), 5.0),
                ("b", "s3", "h1", date(2025, 3, 10), 2.5),
                ("boss", "s4", "h3", date(2025, 3, 4), 99.0),
            ],
            schema=["member_id", "settlement_id", "institution_id", "service_date", "fund"],
            orient="row",
        ),
        "fees": pl.DataFrame(
            [
                ("s1", "d1", 2.0, 30.0),
                ("s2", "d2", 1.0, 50.0),
                ("s3", "d1", 4.0, 60.0),
                ("s4", "d1", 9.0, 90.0),
            ],
            schema=["settlement_id", "drug_id", "boxes", "amount"],
            orient="row",
        ),
        "people": pl.DataFrame(
            [
                ("a", 7.5, 4, 30.0, 120.0),
                ("b", 5.0, None, None, None),
                ("boss", 0.0, None, 1.0, 1.0),
            ],
            schema=["member_id", "loss", "listed", "lat", "lon"],
            orient="row",
        ),
        "institutions": pl.DataFrame(
            {
                "institution_id": ["h1"],
                "name": ["First"],
                "kind": ["clinic"],
                "lat": [30.1],
                "lon": [120.1],
            }
        ),
        "drugs": pl.DataFrame({"drug_id": ["d1"], "name": ["drug one"], "resold": [0.5]}),
    }
    return RingRows(**{**held, **changes})


def test_a_page_holds_what_its_accounts_did_and_nothing_of_others() -> None:
    [ring] = ring_pages(rows(), AS_OF, 425)

    assert (ring.boxes, ring.fund) == (Decimal("7.00"), Decimal("17.50"))
    assert [
        (each.drug, each.name, each.accounts, each.boxes, each.amount) for each in ring.drugs
    ] == [
        ("d1", "drug one", 2, Decimal("6.00"), Decimal("90.00")),
        ("d2", "", 1, Decimal("1.00"), Decimal("50.00")),
    ]
    assert [(each.institution, each.accounts, each.visits, each.lat) for each in ring.places] == [
        ("h1", 2, 2, 30.1),
        ("h2", 1, 1, None),
    ]
    assert ring.homes == {"a": (30.0, 120.0)}
    assert ring.weeks == (
        Week("a", date(2025, 3, 3), 2, Decimal("3.00")),
        Week("b", date(2025, 3, 10), 1, Decimal("4.00")),
    )
    # Somebody who only carries has no visits of the ring's.
    boss, a, b = ring.people
    assert (boss.subject, boss.visits, boss.is_linked) == ("boss", 0, False)
    assert (a.visits, a.boxes, a.expected_loss, a.listed) == (2, Decimal(3), Decimal("7.50"), 4)
    assert (b.first_day, b.last_day) == (date(2025, 3, 10), date(2025, 3, 10))


def test_ties_join_only_who_is_on_the_page() -> None:
    [ring] = ring_pages(rows(), AS_OF, 425)
    assert ring.ties == (
        Tie("link", "a", "b", 0.9),
        Tie("kin", "a", "k", 0.5),
        Tie("carries", "boss", "a", 3.0),
        Tie("uses", "a", "h1", 1.0),
        Tie("uses", "a", "h2", 1.0),
        Tie("uses", "b", "h1", 1.0),
    )
    assert ring.kin == ("k",)


def test_every_week_of_the_period_has_its_column() -> None:
    [ring] = ring_pages(rows(), AS_OF, 425)
    assert ring.mondays[0] <= ring.since
    assert {week.monday for week in ring.weeks} <= {*ring.mondays}
    assert (AS_OF - ring.mondays[-1]).days <= 7
