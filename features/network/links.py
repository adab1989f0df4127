"""Links between institutions: what two of them share beyond what chance would give.

Three kinds of link. All go one way: put institutions into buckets by what they may share (a member,
a doctor, one claim), cap each bucket, make pairs inside it, count, and compare with a null model.
"""

from collections.abc import Mapping
from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.functions import pandas_udf

from features.network.surprise import poisson_surprise

SHARED_MEMBER = "shared_member"
SHARED_DOCTOR = "shared_doctor"
REPEATED_CLAIM = "repeated_claim"
KINDS = (SHARED_MEMBER, SHARED_DOCTOR, REPEATED_CLAIM)

# Institutions a bucket: 50 make 1,225 pairs. In the provider claims nothing reaches 50.
MAX_SIZE = 50

_LINK_COLUMNS = ("src", "dst", "kind", "weight", "expected", "significance", "src_size", "dst_size")


def memberships(
    visits: DataFrame, visit_doctors: DataFrame, visit_codes: DataFrame
) -> dict[str, DataFrame]:
    """What institutions may share, by kind of link: one row per thing and institution that has it.

    Everything about links is worked out from these, so whoever wants more than one thing keeps them.

    Returns:
        For each of `KINDS`: `entity` (a member, a doctor or a claim), `stratum`, `institution_id`,
        `settled` (long, settlements of it there).
    """
    return {
        SHARED_MEMBER: _members(visits),
        SHARED_DOCTOR: _doctors(visit_doctors),
        REPEATED_CLAIM: _claims(visits, visit_codes),
    }


def institution_links(things: Mapping[str, DataFrame], max_bucket: int = MAX_SIZE) -> DataFrame:
    """Link institutions of all kinds, one row per unordered pair (`src` < `dst`) and `kind`.

    Pairs that share nothing have no row. The function of each kind gives its null model.

    Args:
        things: from `memberships`.
        max_bucket: institutions of one thing that make pairs.

    Returns:
        `src`, `dst`, `kind`, `weight` (long, things shared, after the cap), `expected` (double,
        things shared by chance), `significance` (double, -log10 of the chance of at least
        `weight`), `src_size` and `dst_size` (long, things each has, before the cap).
    """
    return (
        _links(things[SHARED_MEMBER], SHARED_MEMBER, max_bucket)
        .unionByName(_links(things[SHARED_DOCTOR], SHARED_DOCTOR, max_bucket))
        .unionByName(_links(things[REPEATED_CLAIM], REPEATED_CLAIM, max_bucket))
    )


def shared_member_links(visits: DataFrame, max_bucket: int = MAX_SIZE) -> DataFrame:
    """Link institutions by members seen at both, one row per pair.

    Null model: within a home district, each institution's members are drawn from the N_d who have
    any visit, independently of the other's. The overlap is then hypergeometric in each district,
    with mean n_src,d * n_dst,d / N_d. Without the districts all neighbours would look suspicious.

    The sum over districts is judged as Poisson with the same mean. A hypergeometric count is a sum
    of independent trials of unequal chance (Vatutin and Mikhailov, 1982), and so is a sum of them;
    for such sums the Poisson tail is the larger one from mean + 1 up (Hoeffding, 1956; Anderson and
    Samuels, 1967). So it never overstates a surprise, and needs no convolution over districts. It
    understates where an institution sees a large part of its district.

    The null gives all members of a district the same chance, so frequent attenders and referral
    make honest links: a link is a lead, not a finding.

    Members without a district, or with an empty one, form one stratum; each member has one home, or
    counts in each of several. Visits without member or institution are left out.
    """
    return _links(_members(visits), SHARED_MEMBER, max_bucket)


def shared_doctor_links(visit_doctors: DataFrame, max_bucket: int = MAX_SIZE) -> DataFrame:
    """Link institutions by doctors who treated at both, one row per pair.

    Null model and tail as for members, with all doctors in one stratum: n_src * n_dst / N.
    """
    return _links(_doctors(visit_doctors), SHARED_DOCTOR, max_bucket)


def repeated_claim_links(
    visits: DataFrame, visit_codes: DataFrame, max_bucket: int = MAX_SIZE
) -> DataFrame:
    """Link institutions that claimed the same stay, one row per pair.

    The same claim is the same member, start and end date, and set of diagnoses; sizes are distinct
    claims. A claim without a diagnosis, date or member has nothing to be compared by: left out.

    Null model: who comes does not depend on when and with what. Two claims agree by chance with
    probability (sum of squared shares of members) * (sum of squared shares of dates with
    diagnoses), times the n_src * n_dst pairs of claims; tail as Poisson. Any repeat is remarkable,
    and more so between small institutions.
    """
    return _links(_claims(visits, visit_codes), REPEATED_CLAIM, max_bucket)


def link_cuts(things: Mapping[str, DataFrame], max_bucket: int = MAX_SIZE) -> DataFrame:
    """Count what the cap cut off, one row per kind, zeros included.

    Args:
        things: from `memberships`.
        max_bucket: institutions of one thing that make pairs.

    Returns:
        `kind`, `buckets_cut` (long, members, doctors or claims with more than `max_bucket`
        institutions), `pairs_cut` (long, pairs not made; one pair may be cut in many buckets).
    """
    cuts = [_cuts(things[kind], kind, max_bucket) for kind in KINDS]
    return reduce(DataFrame.unionByName, cuts)


def passes_filter(min_significance: float, min_weight: int = 2) -> Column:
    """Tell whether a link says something.

    Sharing one member or doctor makes no group, whatever the place. A repeated claim needs no
    minimum weight: one is already a whole stay billed twice.
    """
    heavy = (F.col("weight") >= min_weight) | (F.col("kind") == REPEATED_CLAIM)
    return heavy & (F.col("significance") >= min_significance)


def kept_links(links: DataFrame, min_significance: float, min_weight: int = 2) -> DataFrame:
    """Keep the links that say something; grain and columns of `links`."""
    return links.filter(passes_filter(min_significance, min_weight))


def _members(visits: DataFrame) -> DataFrame:
    return _memberships(visits, "member_id", F.coalesce("district", F.lit("")))


def _doctors(visit_doctors: DataFrame) -> DataFrame:
    return _memberships(visit_doctors, "doctor_id", F.lit(""))


def _claims(visits: DataFrame, visit_codes: DataFrame) -> DataFrame:
    """Memberships of claims: settlements by what makes two of them the same.

    The 64-bit hash is compared only among claims of one member on the same dates.
    """
    codes = F.sort_array(F.collect_set("code")).alias("codes")
    diagnoses = visit_codes.groupBy("settlement_id").agg(codes)
    content = F.struct("start_date", "end_date", F.xxhash64("codes").alias("diagnoses"))
    dated = F.col("start_date").isNotNull() & F.col("end_date").isNotNull()
    complete = dated & F.col("member_id").isNotNull() & (F.size("codes") > 0)
    claims = visits.join(diagnoses, on="settlement_id", how="inner").filter(complete)
    named = claims.withColumn("entity", F.struct("member_id", content.alias("content")))
    return _memberships(named, "entity", F.lit(""))


def _chances(claims: DataFrame) -> DataFrame:
    """Give the chance that two claims drawn with replacement agree, in each respect, one row."""
    parts = claims.select("entity.member_id", "entity.content", "settled")
    sets = [[F.col("member_id")], [F.col("content")]]
    by_member = F.grouping("member_id") == 0
    counts = parts.groupingSets(sets, "member_id", "content").agg(
        F.sum("settled").cast("double").alias("claims"), by_member.alias("by_member")
    )
    of_member = F.when(F.col("by_member"), F.col("claims"))
    of_content = F.when(~F.col("by_member"), F.col("claims"))
    return counts.agg(
        (F.sum(of_member * of_member) / F.pow(F.sum(of_member), 2)).alias("same_member"),
        (F.sum(of_content * of_content) / F.pow(F.sum(of_content), 2)).alias("same_content"),
    )


def _memberships(rows: DataFrame, entity: str, stratum: Column) -> DataFrame:
    """Count settlements by entity and institution, one row per pair of them.

    The one repartition serves every grouping by entity that follows: none shuffles again.
    """
    named = F.col(entity).isNotNull() & F.col("institution_id").isNotNull()
    return (
        rows.filter(named)
        .select(F.col(entity).alias("entity"), stratum.alias("stratum"), "institution_id")
        .repartition("entity")
        .groupBy("entity", "stratum", "institution_id")
        .agg(F.count("*").alias("settled"))
    )


def _pairs(things: DataFrame, max_bucket: int) -> DataFrame:
    """Count the entities that two institutions share, one row per pair.

    Most entities are at one institution and make no pair: they are out before anything is gathered.
    Pairs are made inside the row of a bucket: no join, so nothing to explode.
    """
    several = things.groupBy("entity").count().filter("count > 1").select("entity")
    rank = F.struct((-F.col("settled")).alias("order"), "institution_id")
    ranked = F.sort_array(F.collect_list(rank)).getField("institution_id")

    def with_later(src: Column, position: Column) -> Column:
        # Positions count from 0 and slices from 1: the element after this one is at + 2.
        later = F.slice("ids", position + 2, F.lit(max_bucket))
        return F.transform(later, lambda dst: F.struct(src.alias("src"), dst.alias("dst")))

    return (
        things.join(several, on="entity", how="left_semi")
        .groupBy("entity")
        .agg(F.sort_array(F.slice(F.array_distinct(ranked), 1, max_bucket)).alias("ids"))
        .select(F.explode(F.flatten(F.transform("ids", with_later))).alias("pair"))
        .groupBy("pair.src", "pair.dst")
        .agg(F.count("*").alias("weight"))
    )


def _profiles(things: DataFrame) -> DataFrame:
    """Count each institution's entities by stratum, one row per institution."""
    counts = things.groupBy("stratum", "institution_id").agg(F.count("*").alias("entities"))
    populations = (
        things.select("entity", "stratum")
        .distinct()
        .groupBy("stratum")
        .agg(F.count("*").alias("population"))
    )
    strata = F.sort_array(F.collect_list(F.struct("stratum", "entities", "population")))
    return (
        counts.join(populations, on="stratum", how="inner")
        .groupBy("institution_id")
        .agg(strata.alias("strata"), F.sum("entities").alias("size"))
    )


def _stratified_overlap() -> Column:
    """Sum n_src,d * n_dst,d / N_d over the strata, in their order so that the sum is repeatable."""
    of_dst = F.map_from_arrays("dst_strata.stratum", "dst_strata.entities")

    def with_stratum(total: Column, src: Column) -> Column:
        both = src["entities"] * F.coalesce(F.try_element_at(of_dst, src["stratum"]), F.lit(0))
        return total + both / src["population"]

    return F.aggregate("src_strata", F.lit(0.0), with_stratum)


def _links(things: DataFrame, kind: str, max_bucket: int) -> DataFrame:
    """Judge the pairs of one kind, one row per pair."""
    pairs = _pairs(things, max_bucket)
    profiles = _profiles(things)
    for end in ("src", "dst"):
        renamed = {"institution_id": end, "strata": f"{end}_strata", "size": f"{end}_size"}
        pairs = pairs.join(profiles.withColumnsRenamed(renamed), on=end, how="inner")
    expected = _stratified_overlap()
    if kind == REPEATED_CLAIM:
        pairs = pairs.crossJoin(_chances(things))
        chance = F.col("same_member") * F.col("same_content")
        expected = F.col("src_size") * F.col("dst_size") * chance
    significance = _surprise("weight", "expected")
    judged = pairs.withColumn("expected", expected).withColumn("significance", significance)
    return judged.withColumn("kind", F.lit(kind)).select(*_LINK_COLUMNS)


def _cuts(things: DataFrame, kind: str, max_bucket: int) -> DataFrame:
    """Count the cut buckets and pairs of one kind, one row."""
    left = max_bucket * (max_bucket - 1) // 2
    pairs_cut = F.when(F.col("size") > max_bucket, F.expr("size * (size - 1) div 2") - left)
    each = things.select("entity", "institution_id").distinct()
    sizes = each.groupBy("entity").agg(F.count("*").alias("size"))
    return sizes.agg(
        F.lit(kind).alias("kind"),
        F.count(pairs_cut).alias("buckets_cut"),
        F.coalesce(F.sum(pairs_cut), F.lit(0).cast("long")).alias("pairs_cut"),
    )


def _poisson_surprise(weight: pd.Series, expected: pd.Series) -> pd.Series:
    return pd.Series(poisson_surprise(weight, expected))


# The type as an object: a type in words would need a session at import.
_surprise = pandas_udf(_poisson_surprise, T.DoubleType())  # type: ignore[call-overload]
