"""Rings as their pages show them, of any size, the same at each call."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from jobs.report.ring import Drug, Finding, Part, Place, Ring, Tie, Week

AS_OF = date(2026, 1, 1)
SINCE = AS_OF - timedelta(days=425)


def ring(cards: int = 4, carriers: int = 1, **changes: Any) -> Ring:
    """A ring with an organiser and further carriers whose cards are used in turn."""
    draw = np.random.default_rng(cards)
    names = [f"M{at:08d}" for at in range(cards)]
    people = [f"C{at:08d}" for at in range(carriers)]
    parts = [
        Part(
            kind="member",
            subject=name,
            role="card_holder",
            score=0.8,
            reasons=("linked_account",),
            organiser_rank=carriers + at + 1,
            is_linked=True,
            visits=20,
            boxes=Decimal(60),
            fund=Decimal("4321.50"),
            expected_loss=Decimal("1500.00"),
            first_day=date(2025, 1, 6),
            last_day=date(2025, 12, 1),
            listed=at + 1,
        )
        for at, name in enumerate(names)
    ]
    parts += [
        Part(
            "member",
            name,
            "collector" if at else "organiser",
            0.9 - at / 10,
            ("carries_accounts_of_others",),
            at + 1,
        )
        for at, name in enumerate(people)
    ]
    parts += [Part("institution", "H0", "pharmacy", 0.8, ("main_counter_beyond_neighbours",))]
    parts += [
        Part("doctor", "D0", "doctor", 0.75, ("main_doctor_beyond_others",)),
        Part("institution", "S0", "seller", 0.5, ("boxes_of_the_ring_sold_again",)),
    ]
    places = tuple(
        Place(f"H{at}", f"Pharmacy {at}", "pharmacy", cards, 90 - 9 * at, Decimal(9000), *where)
        for at, where in enumerate(((30.0, 120.0), (30.05, 120.1), (30.05, 120.1), (30.2, 119.9)))
    )
    ties = [
        Tie("link", a, b, 0.9)
        for at, a in enumerate(names)
        for b in names[at + 1 :]
        if draw.random() < 0.6
    ]
    ties += [
        Tie("carries", people[at % carriers], name, 6) for at, name in enumerate(names) if people
    ]
    ties += [
        Tie("uses", name, f"H{place}", float(draw.integers(1, 30)))
        for name in names
        for place in draw.choice(4, 2, replace=False)
    ]
    first = SINCE - timedelta(days=SINCE.weekday())
    weeks = [
        Week(name, first + timedelta(weeks=week), 1, Decimal(int(draw.integers(0, 9))))
        for at, name in enumerate(names)
        for week in range(50 * at // cards, 50 * at // cards + 10)
    ]
    whole = Ring(
        ring="ring-0a1b2c3d4e5f",
        rank=1,
        as_of=AS_OF,
        since=SINCE,
        accounts=cards,
        links=sum(tie.kind == "link" for tie in ties),
        density=0.6,
        confidence=0.87,
        significance=40.0,
        expected_loss=Decimal("123456.70"),
        has_unseen_head=not people,
        first_day=date(2025, 1, 6),
        last_day=date(2025, 12, 1),
        findings=(
            Finding("many_places", 4.0, cards, subjects=("H0", "H1", "H2", "H3")),
            Finding("role_split", 1.0, cards, 0.1, 4.0, tuple(people[:1])),
            Finding("rotation", 3.0, cards, 25.5, 4.0, tuple(names)),
        ),
        parts=tuple(parts),
        places=places,
        drugs=(
            Drug("D1", "clopidogrel 75 mg", cards, Decimal(300), Decimal(30000), 0.6),
            Drug("D2", "", 2, Decimal(20), Decimal(900)),
        ),
        ties=tuple(ties),
        weeks=tuple(weeks),
        boxes=Decimal(320),
        fund=Decimal("65432.10"),
        homes={name: (30.0 + at / 100, 120.0) for at, name in enumerate(names)},
    )
    return replace(whole, **changes)
