"""From rows about rings to what their pages show; no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from jobs.report.ring import Drug, Finding, Part, Place, Ring, Tie, Week

#: What a page has room for.
MAX_PLACES, MAX_DRUGS = 15, 12

_CENT = Decimal("0.01")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class RingRows:
    """Rows about the rings of a date, and about their accounts.

    Attributes:
        rings: of gold.ring.
        findings: of gold.ring_finding, those that hold.
        parts: of gold.ring_member.
        links: `src`, `dst`, `probability`, `is_kin`: links that passed, and those to kin as sure as these.
        carried: `member_id`, `carrier_kind`, `carrier`, `visits`.
        visits: `member_id`, `settlement_id`, `institution_id`, `service_date`, `fund` (yuan).
        fees: `settlement_id`, `drug_id`, `boxes`, `amount` (yuan): drugs of these visits.
        people: `member_id`, `loss` (yuan), `listed` (rank on the list, null), `lat`, `lon`.
        institutions: `institution_id`, `name`, `kind`, `lat`, `lon`.
        drugs: `drug_id`, `name`, `resold`.
    """

    rings: pl.DataFrame
    findings: pl.DataFrame
    parts: pl.DataFrame
    links: pl.DataFrame
    carried: pl.DataFrame
    visits: pl.DataFrame
    fees: pl.DataFrame
    people: pl.DataFrame
    institutions: pl.DataFrame
    drugs: pl.DataFrame


def ring_pages(rows: RingRows, as_of: date, days: int) -> tuple[Ring, ...]:
    """The rings in the order of their ranks.

    Args:
        rows: see `RingRows`.
        as_of: the date.
        days: before it whose visits were read.
    """
    return tuple(_ring(row, rows, as_of, days) for row in rows.rings.sort("rank").to_dicts())


def _ring(row: Row, rows: RingRows, as_of: date, days: int) -> Ring:
    name = row["ring_id"]
    parts = rows.parts.filter(pl.col("ring_id") == name).sort("subject_type", "subject_id")
    people = parts.filter(pl.col("subject_type") == "member")
    cards = people.filter(pl.col("reasons").list.contains("linked_account"))["subject_id"]
    visits = rows.visits.filter(pl.col("member_id").is_in(cards.to_list()))
    fees = rows.fees.join(visits.select("settlement_id", "member_id"), on="settlement_id")
    places, more_places = _places(visits, rows.institutions)
    drugs, more_drugs = _drugs(fees, rows.drugs)
    findings = tuple(
        Finding(
            each["finding"],
            each["value"],
            each["accounts"],
            each["expected"],
            each["significance"],
            tuple(each["subject_ids"]),
        )
        for each in rows.findings.filter(pl.col("ring_id") == name).sort("finding").to_dicts()
    )
    kin = next((each.subjects for each in findings if each.code == "linked_kin"), ())
    located = rows.people.filter(pl.col("member_id").is_in(cards.to_list())).drop_nulls(
        ["lat", "lon"]
    )
    return Ring(
        ring=name,
        rank=row["rank"],
        as_of=as_of,
        since=as_of - timedelta(days=days),
        accounts=row["accounts"],
        links=row["links"],
        density=row["density"],
        confidence=row["confidence"],
        significance=row["significance"],
        expected_loss=row["expected_loss_amount"],
        has_unseen_head=row["has_unseen_head"],
        first_day=row["first_date"],
        last_day=row["last_date"],
        findings=findings,
        parts=_parts(parts, visits, fees, rows.people),
        places=places,
        more_places=more_places,
        drugs=drugs,
        more_drugs=more_drugs,
        ties=_ties(parts, {*cards, *kin}, visits, rows),
        weeks=_weeks(visits, fees),
        boxes=_sum(fees, "boxes"),
        fund=_sum(visits, "fund"),
        homes={
            each["member_id"]: (each["lat"], each["lon"])
            for each in located.sort("member_id").to_dicts()
        },
    )


def _sum(rows: pl.DataFrame, column: str) -> Decimal:
    return Decimal(str(round(rows[column].sum() or 0, 2))).quantize(_CENT)


def _parts(
    parts: pl.DataFrame, visits: pl.DataFrame, fees: pl.DataFrame, people: pl.DataFrame
) -> tuple[Part, ...]:
    sums = visits.group_by("member_id").agg(
        visits=pl.len(),
        fund=pl.sum("fund").round(2),
        first_day=pl.min("service_date"),
        last_day=pl.max("service_date"),
    )
    boxes = fees.group_by("member_id").agg(boxes=pl.sum("boxes").round(2))
    known = (
        parts.join(sums, left_on="subject_id", right_on="member_id", how="left")
        .join(boxes, left_on="subject_id", right_on="member_id", how="left")
        .join(people, left_on="subject_id", right_on="member_id", how="left")
        .sort("subject_type", "subject_id")
    )
    return tuple(
        Part(
            kind=each["subject_type"],
            subject=each["subject_id"],
            role=each["role"],
            score=each["role_score"],
            reasons=tuple(each["reasons"]),
            organiser_rank=each["organiser_rank"],
            is_linked="linked_account" in each["reasons"],
            visits=each["visits"] or 0,
            boxes=_money(each["boxes"]),
            fund=_money(each["fund"]),
            expected_loss=_money(each["loss"]),
            first_day=each["first_day"],
            last_day=each["last_day"],
            listed=each["listed"],
        )
        for each in known.to_dicts()
    )


def _money(value: float | None) -> Decimal:
    return Decimal(str(round(value or 0, 2))).quantize(_CENT)


def _places(visits: pl.DataFrame, institutions: pl.DataFrame) -> tuple[tuple[Place, ...], int]:
    """The institutions that most accounts used, then those with most visits."""
    order = ["accounts", "visits", "institution_id"]
    found = (
        visits.group_by("institution_id")
        .agg(accounts=pl.n_unique("member_id"), visits=pl.len(), fund=pl.sum("fund").round(2))
        .join(institutions, on="institution_id", how="left")
        .sort(*order, descending=[True, True, False])
    )
    first = tuple(
        Place(
            institution=each["institution_id"],
            name=each["name"] or "",
            kind=each["kind"] or "",
            accounts=each["accounts"],
            visits=each["visits"],
            fund=_money(each["fund"]),
            lat=each["lat"],
            lon=each["lon"],
        )
        for each in found.head(MAX_PLACES).to_dicts()
    )
    return first, found.height - len(first)


def _drugs(fees: pl.DataFrame, drugs: pl.DataFrame) -> tuple[tuple[Drug, ...], int]:
    """The drugs that cost most."""
    found = (
        fees.group_by("drug_id")
        .agg(
            accounts=pl.n_unique("member_id"),
            boxes=pl.sum("boxes").round(2),
            amount=pl.sum("amount").round(2),
        )
        .join(drugs, on="drug_id", how="left")
        .sort("amount", "drug_id", descending=[True, False])
    )
    first = tuple(
        Drug(
            drug=each["drug_id"],
            name=each["name"] or "",
            accounts=each["accounts"],
            boxes=_money(each["boxes"]),
            amount=_money(each["amount"]),
            resold=each["resold"],
        )
        for each in found.head(MAX_DRUGS).to_dicts()
    )
    return first, found.height - len(first)


def _ties(
    parts: pl.DataFrame, accounts: set[str], visits: pl.DataFrame, rows: RingRows
) -> tuple[Tie, ...]:
    known = sorted(accounts)
    both = rows.links.filter(pl.col("src").is_in(known) & pl.col("dst").is_in(known))
    links = [
        Tie("kin" if each["is_kin"] else "link", each["src"], each["dst"], each["probability"])
        for each in both.sort("src", "dst").to_dicts()
    ]
    of_ring = parts.select(carrier_kind="subject_type", carrier="subject_id")
    carried = rows.carried.filter(pl.col("member_id").is_in(known)).join(
        of_ring, on=["carrier_kind", "carrier"]
    )
    carries = [
        Tie("carries", each["carrier"], each["member_id"], float(each["visits"]))
        for each in carried.sort("carrier_kind", "carrier", "member_id").to_dicts()
    ]
    used = visits.group_by("member_id", "institution_id").agg(visits=pl.len())
    uses = [
        Tie("uses", each["member_id"], each["institution_id"], float(each["visits"]))
        for each in used.sort("member_id", "institution_id").to_dicts()
    ]
    return (*links, *carries, *uses)


def _weeks(visits: pl.DataFrame, fees: pl.DataFrame) -> tuple[Week, ...]:
    boxes = fees.group_by("settlement_id").agg(boxes=pl.sum("boxes"))
    found = (
        visits.join(boxes, on="settlement_id", how="left")
        .group_by("member_id", monday=pl.col("service_date").dt.truncate("1w"))
        .agg(visits=pl.len(), boxes=pl.sum("boxes").fill_null(0).round(2))
        .sort("member_id", "monday")
    )
    return tuple(
        Week(each["member_id"], each["monday"], each["visits"], _money(each["boxes"]))
        for each in found.to_dicts()
    )
