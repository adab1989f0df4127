"""What a pair of accounts does together, in measures that mean the same in every province."""

import polars as pl

from features.chance import poisson_surprise
from features.network.baskets import basket_likeness

_EARTH_KM = 6371.0
#: Of these an account has a rank among all.
RANKED = ("visits", "value")


def account_profiles(visits: pl.DataFrame) -> pl.DataFrame:
    """Where each account went, one row per `member`.

    Args:
        visits: `member`, `place`, `value` of whole accounts.

    Returns:
        `member`, `visits`, `value` (yuan), and lists `places` and `place_visits` in the order of places.
    """
    there = visits.group_by("member", "place").agg(visits=pl.len(), value=pl.sum("value").round(2))
    return (
        there.sort("member", "place")
        .group_by("member", maintain_order=True)
        .agg(
            places=pl.col("place"),
            place_visits=pl.col("visits").cast(pl.Int32),
            visits=pl.sum("visits").cast(pl.Int32),
            value=pl.sum("value").round(2),
        )
    )


def rank_shares(profiles: pl.DataFrame, name: str) -> pl.DataFrame:
    """Share of accounts with no more of something, one row per value in three digits.

    Args:
        profiles: counts: `name` in three digits and `accounts`.
        name: the column.

    Returns:
        `name`, `rank` in [0, 1]; equal values share the middle of their ranks.
    """
    total = pl.col("accounts").sum()
    below = pl.col("accounts").cum_sum() - pl.col("accounts")
    return profiles.sort(name).select(name, rank=(below + (pl.col("accounts") + 1) / 2) / total)


def with_profiles(pairs: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    """Pairs with what is known of either account, in columns that start with `src_` and `dst_`."""
    for end in ("src", "dst"):
        side = profiles.rename({name: f"{end}_{name}" for name in profiles.columns})
        pairs = pairs.join(side, left_on=end, right_on=f"{end}_member", how="left")
    return pairs


def pair_traits(
    pairs: pl.DataFrame, places: pl.DataFrame, ranks: dict[str, pl.DataFrame], as_of_day: int
) -> pl.DataFrame:
    """Traits of each pair beside what it has, one row per pair.

    Args:
        pairs: `PAIR_COLUMNS`, with profiles as of `with_profiles`.
        places: `place`, `visits`, `near_chance`, `wide_chance`, `lat`, `lon`, `rare` of all institutions.
        ranks: `rank_shares` of each of `RANKED`.
        as_of_day: days since 1970, for ages.
    """
    joined = pairs
    for end in ("src", "dst"):
        for name in RANKED:
            shares = ranks[name].rename({name: f"{end}_{name}_3", "rank": f"{end}_{name}_rank"})
            joined = joined.with_columns(three_digits(f"{end}_{name}").alias(f"{end}_{name}_3"))
            joined = joined.join(shares, on=f"{end}_{name}_3", how="left")
    joined = (
        joined.join(_common(pairs, places), on=["src", "dst"], how="left")
        .join(basket_likeness(pairs), on=["src", "dst"], how="left")
        .join(
            places.select(main_place="place", place_lat="lat", place_lon="lon"),
            on="main_place",
            how="left",
        )
    )
    joined = joined.with_columns(
        pl.col(
            "expected_near", "expected_wide", "rarity", "common_places", "basket_likeness"
        ).fill_null(0),
        is_kin=_same("household"),
        is_same_address=_same("address").cast(pl.Float64),
    )
    return joined.with_columns(*_surprises(joined), *_measures(as_of_day)).sort("src", "dst")


def three_digits(name: str) -> pl.Expr:
    """A column to three significant digits, as a float."""
    return pl.col(name).cast(pl.Float64).round_sig_figs(3)


def with_rarity(places: pl.DataFrame) -> pl.DataFrame:
    """Institutions with `rare`: one over the share of institutions with no more visits."""
    return places.with_columns(rare=1 / (pl.col("visits").rank("average") / pl.len()))


def _common(pairs: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Institutions that both used, and how often they would meet there by chance."""
    sides = [
        pairs.select("src", "dst", place=f"{end}_places", **{f"{end}_count": f"{end}_place_visits"})
        .explode("place", f"{end}_count")
        .drop_nulls("place")
        for end in ("src", "dst")
    ]
    both = (
        sides[0]
        .join(sides[1], on=["src", "dst", "place"])
        .join(places.select("place", "near_chance", "wide_chance", "rare"), on="place")
        .sort("src", "dst", "place")
    )
    product = pl.col("src_count").cast(pl.Float64) * pl.col("dst_count")
    return both.group_by("src", "dst", maintain_order=True).agg(
        expected_near=(product * pl.col("near_chance")).sum(),
        expected_wide=(product * pl.col("wide_chance")).sum(),
        rarity=pl.sum("rare"),
        common_places=pl.len().cast(pl.Float64),
    )


def _surprises(pairs: pl.DataFrame) -> list[pl.Series | pl.Expr]:
    near = poisson_surprise(
        pairs["met_days"].to_numpy(), pairs["expected_near"].clip(1e-9).to_numpy()
    )
    wide = poisson_surprise(
        pairs["wide_days"].to_numpy(), pairs["expected_wide"].clip(1e-9).to_numpy()
    )
    met = pl.Series("met_surprise", near)
    return [
        met,
        pl.when(pl.col("met_places") >= 2).then(met).otherwise(0.0).alias("places_surprise"),
        pl.when(pl.col("wide_places") >= 2)
        .then(pl.Series(wide))
        .otherwise(0.0)
        .alias("wide_surprise"),
    ]


def _measures(as_of_day: int) -> list[pl.Expr]:
    fewer_visits = pl.min_horizontal("src_visits", "dst_visits")
    is_src_lower = pl.col("src_value") <= pl.col("dst_value")
    met_value = pl.when(is_src_lower).then("src_met_value").otherwise("dst_met_value")
    all_value = pl.min_horizontal("src_value", "dst_value")
    ages = [(as_of_day - pl.col(f"{end}_birth_day")) / 365.25 for end in ("src", "dst")]
    away = [_km(f"{end}_lat", f"{end}_lon", "place_lat", "place_lon") for end in ("src", "dst")]
    return [
        (pl.col("met_days") / fewer_visits).clip(0, 1).alias("met_share"),
        pl.col("gap_median").alias("gap_minutes"),
        (pl.col("last_day") - pl.col("first_day")).cast(pl.Float64).alias("span_days"),
        _km("src_lat", "src_lon", "dst_lat", "dst_lon").alias("home_km"),
        pl.min_horizontal(away).alias("away_km"),
        pl.when(all_value > 0).then((met_value / all_value).clip(0, 1)).alias("value_share"),
        pl.when(pl.col("met_days") > 0)
        .then(pl.col("both_took_days") / pl.col("met_days"))
        .alias("both_took_share"),
        pl.min_horizontal("src_value_rank", "dst_value_rank").alias("lower_value_rank"),
        pl.max_horizontal("src_value_rank", "dst_value_rank").alias("higher_value_rank"),
        pl.min_horizontal("src_visits_rank", "dst_visits_rank").alias("lower_visit_rank"),
        pl.max_horizontal("src_visits_rank", "dst_visits_rank").alias("higher_visit_rank"),
        pl.min_horizontal(ages).alias("younger_age"),
        (ages[0] - ages[1]).abs().alias("age_gap"),
    ]


def _same(name: str) -> pl.Expr:
    return (pl.col(f"src_{name}") == pl.col(f"dst_{name}")).fill_null(False)


def _km(lat1: str, lon1: str, lat2: str, lon2: str) -> pl.Expr:
    """Great-circle distance of two columns of degrees."""
    half = [
        ((pl.col(two) - pl.col(one)).radians() / 2).sin().pow(2)
        for one, two in ((lat1, lat2), (lon1, lon2))
    ]
    level = pl.col(lat1).radians().cos() * pl.col(lat2).radians().cos()
    return 2 * _EARTH_KM * (half[0] + level * half[1]).clip(0, 1).sqrt().arcsin()
