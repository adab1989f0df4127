"""The first rings of a date, read for their pages: a bounded number of rows."""

from datetime import date
from decimal import Decimal

import polars as pl
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import HIGH_RISK_ACCOUNT, MEMBER_FEATURE
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.ring import RING, RING_FINDING, RING_LINK, RING_MEMBER
from expectations.landing.reference import DRUG, INSTITUTION, PERSON
from jobs.lake.frames import to_polars
from jobs.lake.tables import Lake
from jobs.network.account_inputs import drug_fees_between, visits_between
from jobs.network.ring_inputs import carriers, losses
from jobs.report.ring import Rings
from jobs.report.ring_facts import RingRows, ring_pages
from jobs.runtime.config import Config

_NEEDED = (RING_FINDING, RING_MEMBER, RING_LINK, VISIT_FACT, FEE_FACT, MEMBER_FEATURE)


def rings(lake: Lake, config: Config, day: date) -> Rings | None:
    """The rings of a date, with pages of the first `report.rings`; None if none were looked for."""
    if not lake.exists(RING):
        return None
    of_day = lake.of_day(RING, day)
    total = of_day.agg(
        F.count("*").alias("rings"),
        F.sum("accounts").alias("accounts"),
        F.sum("expected_loss_amount").alias("loss"),
    ).collect()[0]
    found = Rings(total["rings"], total["accounts"] or 0, total["loss"] or Decimal(0))
    first = to_polars(of_day.filter(F.col("rank") <= config.report.rings))
    if first.is_empty() or not all(lake.exists(each) for each in _NEEDED):
        return found
    days = config.account_links.days
    pages = ring_pages(_rows(lake, config, day, first), day, days)
    return Rings(found.found, found.accounts, found.expected_loss, pages)


def _rows(lake: Lake, config: Config, day: date, first: pl.DataFrame) -> RingRows:
    """All that is known of some rings and their accounts."""
    is_of_ring = F.col("ring_id").isin(first["ring_id"].to_list())
    parts = to_polars(lake.of_day(RING_MEMBER, day).filter(is_of_ring))
    holding = lake.of_day(RING_FINDING, day).filter(is_of_ring & F.col("holds"))
    findings = to_polars(holding)
    names = parts.filter(pl.col("subject_type") == "member")["subject_id"].unique().sort()
    ids = _ids(lake, names)
    days = config.account_links.days
    # Literals, not a join: the files of facts are in the order of members, so that most are skipped.
    is_wanted = F.col("member_id").isin(names.to_list())
    visits = visits_between(lake, day, days).filter(is_wanted)
    return RingRows(
        rings=first,
        findings=findings,
        parts=parts,
        links=to_polars(
            lake.of_day(RING_LINK, day)
            .filter(is_of_ring)
            .select("src", "dst", "probability", "is_kin")
            # A link to kin in another ring is of both.
            .distinct()
        ),
        carried=to_polars(carriers(lake, day, visits)),
        visits=to_polars(
            visits.select(
                *("member_id", "settlement_id", "institution_id", "service_date"),
                F.coalesce(F.col("fund_amount").cast("double"), F.lit(0.0)).alias("fund"),
            )
        ),
        fees=_fees(lake, day, days, visits, is_wanted),
        people=_people(lake, day, ids),
        institutions=to_polars(
            lake.read_as_of_if_exists(INSTITUTION.silver, day).select(
                "institution_id",
                F.col("institution_name").alias("name"),
                F.col("institution_type").alias("kind"),
                F.col("latitude").alias("lat"),
                F.col("longitude").alias("lon"),
            )
        ),
        drugs=to_polars(
            lake.read_as_of_if_exists(DRUG.silver, day).select(
                "drug_id", F.col("drug_name").alias("name"), F.col("resale_ratio").alias("resold")
            )
        ),
    )


def _ids(lake: Lake, names: pl.Series) -> DataFrame:
    return lake.spark.createDataFrame([(name,) for name in names], "member_id string")


def _fees(lake: Lake, day: date, days: int, visits: DataFrame, is_wanted: Column) -> pl.DataFrame:
    """Drugs of some visits, one row per visit and drug."""
    of_visits = drug_fees_between(lake, day, days).filter(is_wanted)
    of_visits = of_visits.join(
        F.broadcast(visits.select("settlement_id")), on="settlement_id", how="left_semi"
    )
    return to_polars(
        of_visits.groupBy("settlement_id", "drug_id").agg(
            F.sum("quantity").cast("double").alias("boxes"),
            F.sum("line_amount").cast("double").alias("amount"),
        )
    )


def _people(lake: Lake, day: date, ids: DataFrame) -> pl.DataFrame:
    """Loss, rank on the list and home of some accounts."""
    people = ids.join(losses(lake, day, ids), on="member_id", how="left")
    if lake.exists(HIGH_RISK_ACCOUNT):
        listed = lake.of_day(HIGH_RISK_ACCOUNT, day)
        ranks = listed.select("member_id", F.col("rank").alias("listed"))
        people = people.join(ranks, on="member_id", how="left")
    else:
        people = people.withColumn("listed", F.lit(None).cast("bigint"))
    homes = lake.read_as_of_if_exists(PERSON.silver, day).select(
        "member_id", F.col("home_latitude").alias("lat"), F.col("home_longitude").alias("lon")
    )
    return to_polars(people.join(homes, on="member_id", how="left"))
