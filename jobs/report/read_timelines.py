"""The last year of a few accounts, read from the facts for the page."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import polars as pl
from pyspark.sql import functions as F

from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.landing.codes import STAY
from expectations.landing.event import SPECIAL_CERT
from expectations.landing.reference import INSTITUTION
from features.member.facts import member_facts
from features.member.frames import MemberFacts, MemberRows
from features.member.references import usable
from features.member.rows import certificate_rows, fee_rows, visit_rows
from features.member.supply import fills_with_stock
from jobs.inputs.member_inputs import member_references
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.report.timeline import Fill, Supply, Timeline, Visit, on_hand

#: What a picture has room for.
MAX_INGREDIENTS = 6


def timelines(lake: Lake, members: Sequence[str], day: date) -> tuple[Timeline, ...]:
    """The timelines of some members, in their order; none if the facts have not been built.

    Only the rows of these members are read: files are sorted by month and member.
    """
    if not members or not (lake.exists(VISIT_FACT) and lake.exists(FEE_FACT)):
        return ()
    is_wanted = F.col("member_id").isin(*members)
    # Visits, fees and certificates are all that supply on hand is worked out from.
    none = pl.DataFrame()
    rows = MemberRows(
        visits=to_polars(visit_rows(lake.read_as_of(VISIT_FACT, day).filter(is_wanted), day)),
        fees=to_polars(fee_rows(lake.read_as_of(FEE_FACT, day).filter(is_wanted), day)),
        persons=none,
        certificates=to_polars(
            certificate_rows(lake.read_as_of_if_exists(SPECIAL_CERT.silver, day).filter(is_wanted))
        ),
        sales=none,
        shared=none,
    )
    facts = member_facts(rows, usable(member_references(lake, day)), day)
    names = _names(lake, facts.visits["institution_id"].unique().sort().to_list(), day)
    return account_timelines(facts, members, names)


def account_timelines(
    facts: MemberFacts, members: Sequence[str], names: Mapping[str, str]
) -> tuple[Timeline, ...]:
    """The timelines of some members from their facts; no I/O.

    Args:
        facts: of these members, and of others if there are any.
        members: whose timelines, in their order.
        names: of institutions by id.
    """
    fills = fills_with_stock(facts)
    found = []
    for member in members:
        own = facts.visits.filter(pl.col("member_id") == member)
        visits = tuple(
            Visit(
                settlement=row["settlement_id"],
                day=row["time"].date(),
                institution=row["institution_id"],
                kind=row["visit_type"] or "",
                has_drugs=row["drug_lines"] > 0,
                amount=row["cents"] / 100,
                start=row["start"],
                end=row["end"],
            )
            for row in own.sort("time", "settlement_id").to_dicts()
        )
        supplies = _supplies(facts.as_of, fills.filter(pl.col("member_id") == member), visits)
        found.append(
            Timeline(
                account=member,
                as_of=facts.as_of,
                visits=visits,
                supplies=supplies[:MAX_INGREDIENTS],
                more_ingredients=max(len(supplies) - MAX_INGREDIENTS, 0),
                names={each.institution: names.get(each.institution, "") for each in visits},
            )
        )
    return tuple(found)


def _supplies(as_of: date, fills: pl.DataFrame, visits: Sequence[Visit]) -> tuple[Supply, ...]:
    """An account's ingredients, the one with the largest stock first."""
    stays = [
        ((as_of - (visit.start or visit.day)).days, (as_of - (visit.end or visit.day)).days)
        for visit in visits
        if visit.kind == STAY
    ]
    found = []
    for (ingredient,), rows in fills.group_by("ingredient", maintain_order=True):
        given = rows.select("ago", "institution_id", "supply", "stock_before").rows()
        found.append(
            Supply(
                ingredient=str(ingredient),
                fills=tuple(
                    Fill(as_of - timedelta(days=ago), institution, supply)
                    for ago, institution, supply, _ in given
                ),
                on_hand=on_hand(
                    as_of, [(ago, stock, supply) for ago, _, supply, stock in given], stays
                ),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.peak, each.ingredient)))


def _names(lake: Lake, institutions: list[str], day: date) -> dict[str, str]:
    named = lake.read_as_of_if_exists(INSTITUTION.silver, day).filter(
        F.col("institution_id").isin(*institutions)
    )
    rows = named.select("institution_id", "institution_name").collect()
    return {row["institution_id"]: row["institution_name"] or "" for row in rows}
