"""How often, where and when a member's account is used to collect drugs."""

import polars as pl

from expectations.landing.codes import E_VOUCHER, STAY
from features.clock import has_hour_of
from features.member.frames import (
    HORIZON,
    MemberFacts,
    if_care_is_known,
    per,
    share,
    within,
    yuan,
)

_EARTH_KM = 6371.0
#: Coordinates are rounded to 0.01 degree: two places may be this much nearer than they seem.
_SLACK_KM = 3.0
_FASTEST_KMH = 120.0
_IDLE_DAYS = 90
_QUARTER = 90
_BURST_DAYS = 30
_FEW_BOXES = 2
#: The window in which many prescribers and many institutions count, and how many of each (MPE [mpe]).
_EPISODE = 5


def use_features(facts: MemberFacts) -> pl.DataFrame:
    """How much and how often, one row per member_id with a visit in the horizon."""
    visits = facts.drug_visits.with_columns(
        gap=_before("ago") - pl.col("ago"),
        is_drug_only=if_care_is_known(
            facts, (pl.col("treatment_cents") == 0) & (pl.col("exam_cents") == 0)
        ),
    )
    # A spell begins with the member's first visit or with the first after a long rest.
    rested = pl.col("gap") >= _IDLE_DAYS
    begins = pl.col("gap").is_null() | rested
    visits = visits.with_columns(
        spell_start=pl.when(begins).then("ago").forward_fill(),
        is_after_rest=pl.when(begins).then(rested.fill_null(value=False)).forward_fill(),
    )
    amount = pl.col("drug_cents")
    earlier = per(amount.filter(~within(90) & within(360)).sum(), 3)
    woken = pl.col("is_after_rest") & (pl.col("spell_start") - pl.col("ago") < _BURST_DAYS)
    hour = pl.when(has_hour_of(pl.col("time"))).then(pl.col("time").dt.hour())
    gaps = pl.col("gap").filter(within(180))
    # Whole cents: nine tenths of a cap must not depend on binary fractions.
    cap = (pl.col("visit_cap") * 100).round().cast(pl.Int64)
    near_cap = (pl.col("cents") * 10 >= cap * 9) & (pl.col("cents") < cap)
    return visits.group_by("member_id").agg(
        **{f"visit_count_{days}d": within(days).sum() for days in (30, 90, HORIZON)},
        **{
            f"drug_fund_sum_{days}d": yuan(
                (pl.col("drug_cents") * pl.col("fund_share")).filter(within(days)).round().sum()
            )
            for days in (90, HORIZON)
        },
        drug_amount_sum_365d=yuan(amount.sum()),
        active_day_share_90d=per(pl.col("ago").filter(within(90)).n_unique(), 90),
        drug_only_share_180d=pl.col("is_drug_only").filter(within(180)).mean(),
        drug_amount_growth_360d=(
            (yuan(amount.filter(within(90)).sum()) + 100) / (yuan(earlier) + 100)
        ).log(),
        off_hour_share_90d=((hour >= 20) | (hour < 6)).filter(within(90)).mean(),
        cap_hug_share_90d=near_cap.filter(within(90)).mean(),
        small_visit_count_90d=pl.when(pl.col("boxes").filter(within(90)).median() <= _FEW_BOXES)
        .then(within(90).sum())
        .otherwise(0),
        gap_variation_180d=share(gaps.std(), gaps.mean()),
        wake_up_visit_count_180d=(woken & within(180)).sum(),
        village_share_365d=(pl.col("institution_type") == "village").mean(),
    )


def care_features(facts: MemberFacts) -> pl.DataFrame:
    """Explanations of high use: heavy treatment and stays, one row per member_id."""
    code = pl.col("diagnosis")
    treated = pl.col("treatment_cents") > pl.col("exam_cents")
    renal = code.str.slice(0, 3).is_in(["N18", "N19", "Z49", "Z99", "Z94"])
    cancer = code.str.starts_with("C")
    return facts.visits.group_by("member_id").agg(
        dialysis_visit_count_90d=(renal & treated & within(90)).sum(),
        transplant_visit_count_365d=code.str.head(3).is_in(["Z94", "T86"]).sum(),
        cancer_visit_share_365d=cancer.fill_null(value=False).mean(),
        stay_count_365d=(pl.col("visit_type") == STAY).sum(),
        treatment_share_365d=if_care_is_known(
            facts,
            share(
                pl.col("treatment_cents").sum() + pl.col("exam_cents").sum(), pl.col("cents").sum()
            ),
        ),
    )


def shopping_features(facts: MemberFacts) -> pl.DataFrame:
    """Numbers of institutions, districts and doctors, one row per member_id."""
    visits = facts.drug_visits.select("member_id", "ago", "institution_id", "district")
    # By institution once, so that what follows adds up plain columns.
    places = visits.group_by("member_id", "institution_id").agg(
        pl.first("district"),
        newest=pl.col("ago").min(),
        oldest=pl.col("ago").max(),
        n=within(180).sum(),
    )
    days = (
        visits.filter(within(90))
        .group_by("member_id", "ago", "institution_id")
        .agg(times=pl.len())
        .group_by("member_id", "ago")
        .agg(institutions=pl.len(), further=(pl.col("times") - 1).sum())
        .group_by("member_id")
        .agg(
            multi_institution_day_count_90d=(pl.col("institutions") > 1).sum(),
            split_settlement_count_90d=pl.col("further").sum(),
        )
    )
    recent = pl.col("newest") <= _QUARTER
    counts = (
        places.with_columns(recent=recent, new=recent & (pl.col("oldest") <= _QUARTER))
        .group_by("member_id")
        .agg(
            institution_count_30d=(pl.col("newest") <= 30).sum(),
            institution_count_90d=pl.col("recent").sum(),
            new_institution_share_90d=share(pl.col("new").sum(), pl.col("recent").sum()),
        )
    )
    districts = (
        places.filter(recent & pl.col("district").is_not_null())
        .select("member_id", "district")
        .unique()
        .group_by("member_id")
        .agg(district_count_90d=pl.len())
    )
    doctors = (
        facts.outside_drugs.select("member_id", "doctor_id", "ago")
        .filter(pl.col("doctor_id").is_not_null() & within(180))
        .group_by("member_id", "doctor_id")
        .agg(newest=pl.col("ago").min(), n=pl.len())
    )
    prescribers = doctors.group_by("member_id").agg(doctor_count_90d=recent.sum())
    found = counts
    for part in (
        days,
        districts,
        prescribers,
        _concentration(places.filter(pl.col("n") > 0), "institution_id", "institution"),
        _concentration(doctors, "doctor_id", "doctor"),
    ):
        found = found.join(part, on="member_id", how="left")
    return found.with_columns(
        is_multiple_provider_90d=(pl.col("doctor_count_90d") >= _EPISODE)
        & (pl.col("institution_count_90d") >= _EPISODE)
    )


def travel_features(facts: MemberFacts) -> pl.DataFrame:
    """Places against time and home, one row per member_id."""
    persons = facts.rows.persons.select(
        "member_id",
        "paused_from",
        "death_date",
        home_latitude="latitude",
        home_longitude="longitude",
    )
    visits = facts.drug_visits.select(
        *("member_id", "ago", "time", "institution_id", "latitude", "longitude", "credential")
    ).join(persons, on="member_id", how="left", maintain_order="left")
    before = {name: _before(name) for name in ("time", "latitude", "longitude", "institution_id")}
    km = _km(before["latitude"], before["longitude"], pl.col("latitude"), pl.col("longitude"))
    both_known = has_hour_of(pl.col("time")) & has_hour_of(before["time"])
    minutes = pl.when(both_known).then(
        per((pl.col("time") - before["time"]).dt.total_seconds(), 60)
    )
    elsewhere = before["institution_id"] != pl.col("institution_id")
    home_km = _km(
        pl.col("home_latitude"), pl.col("home_longitude"), pl.col("latitude"), pl.col("longitude")
    )
    day = pl.col("time").dt.date()
    visits = visits.with_columns(
        is_impossible=(km - _SLACK_KM > per(minutes * _FASTEST_KMH, 60)).fill_null(value=False),
        gap_elsewhere=pl.when(elsewhere).then(minutes),
        home_km=home_km,
        is_dead_or_paused=((day > pl.col("death_date")) | (day >= pl.col("paused_from"))).fill_null(
            value=False
        ),
    )
    far_voucher = (pl.col("home_km") > 50) & (pl.col("credential") == E_VOUCHER)
    found = visits.group_by("member_id").agg(
        impossible_travel_count_180d=(pl.col("is_impossible") & within(180)).sum(),
        home_km_median_180d=pl.col("home_km").filter(within(180)).median(),
        min_gap_minutes_90d=pl.col("gap_elsewhere").filter(within(90)).min(),
        dead_or_paused_visit_count_365d=pl.col("is_dead_or_paused").sum(),
        e_voucher_share_90d=(pl.col("credential") == E_VOUCHER).filter(within(90)).mean(),
        far_voucher_count_90d=(far_voucher & within(90)).sum(),
    )
    return found.join(_clashes(facts), on="member_id", how="left")


def _before(column: str) -> pl.Expr:
    """The value of the member's row before; rows are in the order of members."""
    is_same = pl.col("member_id") == pl.col("member_id").shift(1)
    return pl.when(is_same).then(pl.col(column).shift(1))


def _clashes(facts: MemberFacts) -> pl.DataFrame:
    """Drugs collected elsewhere between the day after admission and the day before discharge.

    Drugs that a proxy collects during a stay are no clash.
    """
    day = pl.col("time").dt.date()
    stays = facts.visits.filter(pl.col("visit_type") == STAY).select(
        "member_id",
        first=pl.coalesce("start", day),
        last=pl.coalesce("end", day),
        ward=pl.col("institution_id"),
    )
    pairs = facts.drug_visits.filter(pl.col("proxy").is_null()).join(stays, on="member_id")
    inside = (
        (day > pl.col("first"))
        & (day < pl.col("last"))
        & (pl.col("institution_id") != pl.col("ward"))
    )
    return (
        pairs.filter(inside)
        .group_by("member_id")
        .agg(admitted_visit_count_365d=pl.n_unique("settlement_id"))
    )


def _concentration(counts: pl.DataFrame, column: str, what: str) -> pl.DataFrame:
    """Entropy (nats) and Herfindahl index of how a member's `n` rows spread over the values of a column."""
    part = pl.col("n") / pl.col("n").sum().over("member_id")
    # Worked out before grouping: plain sums of many small groups are much faster.
    return (
        counts.sort("member_id", "n", column)
        .with_columns(entropy=part * part.log(), concentration=part * part)
        .group_by("member_id", maintain_order=True)
        .agg(
            pl.col("entropy").sum().abs().alias(f"{what}_entropy_180d"),
            pl.col("concentration").sum().alias(f"{what}_concentration_180d"),
        )
    )


def _km(lat: pl.Expr, lon: pl.Expr, lat_2: pl.Expr, lon_2: pl.Expr) -> pl.Expr:
    """Great-circle distance of two places given in degrees."""
    a, b = lat.radians(), lat_2.radians()
    half = ((b - a) / 2).sin() ** 2 + a.cos() * b.cos() * ((lon_2 - lon).radians() / 2).sin() ** 2
    return 2 * _EARTH_KM * half.clip(0, 1).sqrt().arcsin()
