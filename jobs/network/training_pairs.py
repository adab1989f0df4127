"""Pairs of accounts of a simulated province with their traits, and which of them work together.

Read from the landing folder by Polars: a model is trained on many small provinces, and running the whole
pipeline on each would take hours. The traits come from the same functions as in use.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from expectations.contract.errors import ConfigError
from expectations.landing.codes import STAY
from features.clock import has_hour_of
from features.network.account_links import (
    RANKED,
    account_profiles,
    pair_traits,
    rank_shares,
    three_digits,
    with_profiles,
    with_rarity,
)
from features.network.account_pairs import pair_sums
from features.network.baskets import account_baskets
from features.network.marks import with_marks
from features.network.meetings import (
    Bounds,
    loyal_accounts,
    meeting_rows,
    place_statistics,
    sharing_rows,
    wide_candidates,
    wide_meetings,
)
from features.refunds import is_left_of, signed_of
from jobs.inputs.truth import truth_table

_COLUMNS = {
    "person": (
        *("psn_no", "brdy", "household_id", "tel_hash", "addr_hash", "home_lat", "home_lon"),
    ),
    "institution": ("fixmedins_code", "lat", "lon"),
    "drug": ("med_list_codg", "ingredient", "resale_ratio", "chronic"),
    "settlement": (
        *("setl_id", "psn_no", "fixmedins_code", "setl_time", "med_type", "device_hash"),
        *("opter_no", "refd_setl_flag", "orig_setl_id", "medfee_sumamt"),
    ),
    "fee_detail": ("setl_id", "feedetl_sn", "psn_no", "med_list_codg", "det_item_fee_sumamt"),
    "proxy_pickup": ("setl_id", "agnter_cert_hash", "agnter_tel_hash"),
}
_KEYS = {
    "person": ["psn_no"],
    "institution": ["fixmedins_code"],
    "drug": ["med_list_codg"],
    "settlement": ["setl_id"],
    "fee_detail": ["setl_id", "feedetl_sn"],
    "proxy_pickup": ["setl_id", "agnter_cert_hash"],
}


_VALUE = (
    (pl.col("det_item_fee_sumamt").cast(pl.Float64) * pl.col("resale_ratio")).sum().clip(0).round(3)
)


@dataclass(frozen=True)
class Province:
    """A province whose truth is known.

    Attributes:
        name: its folder's.
        pairs: traits, `src`, `dst` (numbers) and `is_true`: both accounts of one gang.
        in_fraud: numbers of accounts with a fraudulent line.
        behind: numbers of people of gangs without one: neither right nor wrong.
    """

    name: str
    pairs: pl.DataFrame
    in_fraud: frozenset[int]
    behind: frozenset[int]


def read_province(folder: Path, bounds: Bounds) -> Province:
    """Make the pairs of a province from `<folder>/landing` and `<folder>/truth`.

    Raises:
        ConfigError: a folder or table is missing.
    """
    landed = {table: _landed(folder / "landing", table) for table in _COLUMNS}
    visits = _visits(landed)
    names = visits.select("psn_no", "member").unique()
    pairs = _pairs(visits, landed, bounds)
    people = truth_table(folder / "truth", "truth_person", "psn_no", "gang_id").unique()
    lines = truth_table(folder / "truth", "truth_line", "psn_no").unique()
    gangs = people.drop_nulls().join(names, on="psn_no").select("member", "gang_id")
    true = (
        pairs.select("src", "dst")
        .join(gangs.rename({"member": "src"}), on="src")
        .join(gangs.rename({"member": "dst"}), on=["dst", "gang_id"])
        .select("src", "dst", is_true=pl.lit(True))
        .unique()
    )
    in_fraud = frozenset(lines.join(names, on="psn_no")["member"])
    return Province(
        name=folder.name,
        pairs=pairs.join(true, on=["src", "dst"], how="left")
        .with_columns(pl.col("is_true").fill_null(False))
        .sort("src", "dst"),
        in_fraud=in_fraud,
        behind=frozenset(gangs["member"]) - in_fraud,
    )


def _pairs(visits: pl.DataFrame, landed: dict[str, pl.DataFrame], bounds: Bounds) -> pl.DataFrame:
    people = landed["person"].select(
        member=_number("psn_no"),
        birth_day=pl.col("brdy").cast(pl.Date).cast(pl.Int32),
        household=_number("household_id"),
        address=_number("addr_hash"),
        phone=_number("tel_hash"),
        lat="home_lat",
        lon="home_lon",
    )
    held = _held(visits, people, landed["proxy_pickup"])
    held = pl.concat([held, loyal_accounts(visits, bounds)])
    marked = with_marks(visits, held, bounds.reach)
    places = place_statistics(visits, bounds).join(
        landed["institution"].select(place=_number("fixmedins_code"), lat="lat", lon="lon"),
        on="place",
        how="left",
    )
    evidence = pl.concat(
        [
            meeting_rows(marked, bounds),
            sharing_rows(held, bounds),
            wide_candidates(wide_meetings(marked, bounds)),
        ]
    )
    profiles = (
        account_profiles(visits)
        .join(account_baskets(_taken(landed)), on="member", how="left")
        .join(people.drop("phone"), on="member", how="left")
    )
    ranks = {
        name: rank_shares(profiles.group_by(three_digits(name)).agg(accounts=pl.len()), name)
        for name in RANKED
    }
    pairs = with_profiles(pair_sums(evidence), profiles)
    last = visits["day"].max()
    assert isinstance(last, int)
    found = pair_traits(pairs, with_rarity(places), ranks, last + 1)
    return found.filter(~pl.col("is_kin")).drop("^(src|dst)_place.*$")


def _visits(landed: dict[str, pl.DataFrame]) -> pl.DataFrame:
    settlements = landed["settlement"]
    is_refund = pl.col("refd_setl_flag").fill_null("0") == "1"
    refunds = (
        settlements.filter(is_refund)
        .group_by(setl_id="orig_setl_id")
        .agg(refunded=pl.sum("medfee_sumamt"))
    )
    value = _resold_fees(landed).group_by("setl_id").agg(value=_VALUE)
    time = pl.col("setl_time")
    return (
        settlements.filter(~is_refund & (pl.col("med_type") != STAY).fill_null(True))
        .join(refunds, on="setl_id", how="left")
        .filter(is_left_of(pl.col("medfee_sumamt"), pl.col("refunded")))
        .join(value, on="setl_id", how="left")
        .select(
            "psn_no",
            "setl_id",
            "device_hash",
            member=_number("psn_no"),
            place=_number("fixmedins_code"),
            day=time.dt.date().cast(pl.Int32),
            minute=pl.when(has_hour_of(time)).then(
                time.dt.hour().cast(pl.Int32) * 60 + time.dt.minute()
            ),
            operator=pl.when(pl.col("opter_no").is_not_null()).then(
                pl.struct("fixmedins_code", "opter_no").hash(seed=1).reinterpret(signed=True)
            ),
            value=pl.col("value").fill_null(0.0),
            visit=_number("setl_id"),
        )
    )


def _taken(landed: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """What each account took of each ingredient that is resold; a refund takes away what it gave back."""
    return (
        _resold_fees(landed)
        .group_by("psn_no", "ingredient")
        .agg(value=_VALUE)
        .select("value", member=_number("psn_no"), drug=_number("ingredient"))
    )


def _resold_fees(landed: dict[str, pl.DataFrame]) -> pl.DataFrame:
    drugs = landed["drug"].filter(pl.col("chronic") & (pl.col("resale_ratio") > 0))
    named = pl.coalesce("ingredient", "med_list_codg")
    is_refund = pl.col("refd_setl_flag").fill_null("0") == "1"
    refunds = landed["settlement"].filter(is_refund).select("setl_id", "orig_setl_id")
    fees = landed["fee_detail"].join(
        drugs.with_columns(ingredient=named), on="med_list_codg", how="inner"
    )
    amount, original = pl.col("det_item_fee_sumamt"), pl.col("orig_setl_id")
    return fees.join(refunds, on="setl_id", how="left").with_columns(
        det_item_fee_sumamt=signed_of(amount, original.is_not_null()),
        setl_id=pl.coalesce(original, "setl_id"),
    )


def _held(visits: pl.DataFrame, people: pl.DataFrame, pickups: pl.DataFrame) -> pl.DataFrame:
    carried = pickups.join(visits.select("setl_id", "member"), on="setl_id").with_columns(
        thing=_number("agnter_cert_hash")
    )
    totals = visits.group_by("member").agg(visits=pl.len())
    proxies = (
        carried.group_by("member", "thing")
        .agg(carried=pl.n_unique("setl_id"))
        .join(totals, on="member")
        .select("member", "thing", share=pl.col("carried") / pl.col("visits"))
    )
    no_share = pl.lit(None, dtype=pl.Float64)
    things = {
        "device": visits.select("member", thing=_number("device_hash")),
        "proxy": proxies.drop_nulls("thing"),
        "proxy_phone": carried.select("member", thing=_number("agnter_tel_hash")),
        "phone": people.select("member", thing="phone"),
    }
    return pl.concat(
        [
            (rows if "share" in rows.columns else rows.with_columns(share=no_share))
            .drop_nulls("thing")
            .unique()
            .select("thing", "member", "share", kind=pl.lit(kind), strength=no_share)
            for kind, rows in things.items()
        ]
    ).select("kind", "thing", "member", "strength", "share")


def _number(name: str) -> pl.Expr:
    """An id as a number of 64 bits; null stays null."""
    return pl.when(pl.col(name).is_not_null()).then(
        pl.col(name).hash(seed=1).reinterpret(signed=True)
    )


def _landed(landing: Path, table: str) -> pl.DataFrame:
    """The last version of each row of a landing table in Parquet."""
    parts = sorted(landing.glob(f"{table}/batch=*/part-*.parquet"))
    if not parts:
        raise ConfigError(f"{landing} has no Parquet parts of {table}")
    frames = [
        pl.read_parquet(part, columns=list(_COLUMNS[table])).with_columns(
            pl.col(pl.Categorical).cast(pl.String)
        )
        for part in parts
    ]
    rows = pl.concat(frames, how="vertical_relaxed")
    return rows.unique(_KEYS[table], keep="last", maintain_order=True)
