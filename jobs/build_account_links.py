"""Build gold.account_link: which accounts do things together that chance does not explain."""

from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from expectations.feature.account_link import TRAIT_NAMES
from expectations.gold.ring import ACCOUNT_LINK, ACCOUNT_LINK_CUT
from features.network.account_links import RANKED, rank_shares
from features.network.account_pairs import SHARED
from features.network.account_stream import (
    both_with_visits,
    loyal,
    marked_visits,
    pairs_of_accounts,
    profiles,
    traits,
    usual_meetings,
)
from features.network.meetings import NEAR, OPERATOR, WIDE, Bounds
from jobs.lake.frames import persisted, to_polars
from jobs.network.account_inputs import AccountInputs, account_inputs, meeting_facts
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, step
from models.link_model import LinkModel, UnlearnedWeight, read_link_model

_EPOCH = date(1970, 1, 1)
#: Of pairs that are less probable not even the best of a province are kept.
LEAST_PROBABILITY = 0.002
#: Visits of a task: pairs are made of them in memory.
_VISITS_A_TASK = 250_000
_REASON = pl.List(pl.Struct({"trait": pl.String, "value": pl.Float64, "points": pl.Float64}))
_LINKS: dict[str, pl.DataType] = {
    "src": pl.Int64(),
    "dst": pl.Int64(),
    "weight": pl.Float64(),
    "probability": pl.Float64(),
    "is_kin": pl.Boolean(),
    "first_day": pl.Int32(),
    "last_day": pl.Int32(),
    "evidence_count": pl.Int64(),
    "visits_shown": pl.List(pl.Int64),
    "reasons": _REASON,
    **dict.fromkeys(TRAIT_NAMES, pl.Float64()),
}


def check(config: Config, options: Options) -> None:
    """That the model of links can be read, before Spark starts."""
    _model(config)


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    settings = run.config.account_links
    bounds = Bounds(sharers=settings.sharers)
    with ExitStack() as stack:
        keep = stack.enter_context
        facts = keep(persisted(meeting_facts(run.lake, run.as_of, settings.days)))
        inputs = account_inputs(run.lake, facts, run.as_of, settings.days)
        with step(run, "visits read"):
            visits = keep(persisted(inputs.visits.repartition(_tasks(run), "place")))
            count = visits.count()
        held = keep(persisted(inputs.held.unionByName(loyal(visits, bounds))))
        with step(run, "usual meetings"):
            places = _places(visits, inputs, bounds)
        _write_cuts(run, places, held, bounds)
        known = keep(persisted(profiles(visits, inputs.taken, inputs.members, _tasks(run))))
        marked = keep(persisted(marked_visits(visits, held, bounds, _tasks(run, count))))
        pairs = pairs_of_accounts(marked, held, bounds, _tasks(run, count))
        weigh = _weight(run, known.count())
        weighed = keep(
            persisted(
                traits(
                    pairs,
                    known,
                    places,
                    _ranks(known),
                    (run.as_of - _EPOCH).days,
                    partial(_weighed, weigh, min(LEAST_PROBABILITY, settings.min_probability)),
                    _LINKS,
                )
            )
        )
        with step(run, "pairs weighed"):
            links = both_with_visits(_worth_keeping(run, weighed, known.count()), known)
            kept = links.count()
        rows = run.lake.replace(_named(run, links, inputs), ACCOUNT_LINK, {"as_of_date": run.as_of})
        assert rows == kept
        passed = links.filter(_has_passed(run)).count()
    return f"{rows} links kept, {passed} of them passed; {count} visits"


def _tasks(run: JobRun, visits: int = 0) -> int:
    """Into how many tasks work is split: those of the session, or as many as hold `visits`."""
    few = int(run.spark.conf.get("spark.sql.shuffle.partitions") or 8)
    return max(few, -(-visits // _VISITS_A_TASK))


def _places(visits: DataFrame, inputs: AccountInputs, bounds: Bounds) -> pl.DataFrame:
    """How usual meetings are at each institution, and where it lies: a row each, to every task."""
    usual = to_polars(usual_meetings(visits, bounds))
    return usual.join(inputs.places, on="place", how="left").sort("place")


def _ranks(known: DataFrame) -> dict[str, pl.DataFrame]:
    """The rank of each number of visits, and of each value, in three digits."""
    found = {}
    for name in RANKED:
        counts = to_polars(known.groupBy(f"{name}_3").agg(F.count("*").alias("accounts")))
        found[name] = rank_shares(counts.rename({f"{name}_3": name}), name)
    return found


def _weight(run: JobRun, accounts: int) -> LinkModel | UnlearnedWeight:
    """The shipped model where it is there."""
    model = _model(run.config)
    if model is None:
        run.log.info(
            "no model of links: the unlearned weight stands in",
            model=run.config.account_links.model,
        )
        return UnlearnedWeight(accounts * (accounts - 1) / 2)
    return model


def _model(config: Config) -> LinkModel | None:
    path = config.account_links.model
    return read_link_model(Path(path)) if path else None


def _weighed(weight: LinkModel | UnlearnedWeight, least: float, rows: pl.DataFrame) -> pl.DataFrame:
    """Pairs with a weight, and of these what is worth keeping."""
    shared = pl.sum_horizontal(pl.col("^.*_count$")) + pl.col("operators")
    return (
        weight.weigh(rows)
        .filter(pl.col("probability") >= least)
        .with_columns(evidence_count=pl.max_horizontal("met_days", "wide_days") + shared)
    )


def _worth_keeping(run: JobRun, weighed: DataFrame, accounts: int) -> DataFrame:
    """Links that are probable enough, or among the best of the province however improbable.

    What a weight means as a probability differs from province to province, and so does how few the links are;
    which of them are the strongest does not.
    """
    settings = run.config.account_links
    best = (
        weighed.filter("NOT is_kin")
        .select("probability")
        .orderBy(F.desc("probability"))
        .limit(max(1, round(settings.kept_share * accounts)))
    )
    [bar] = best.agg(F.min("probability").alias("bar")).collect()
    least = min(settings.min_probability, bar["bar"] or settings.min_probability)
    return weighed.filter(F.col("probability") >= least)


def _has_passed(run: JobRun) -> Column:
    return ~F.col("is_kin") & (F.col("probability") >= run.config.account_links.pass_probability)


def _named(run: JobRun, links: DataFrame, inputs: AccountInputs) -> DataFrame:
    """Links with the ids of accounts and settlements in place of numbers."""
    ids = {
        end: inputs.names.select(F.col("member").alias(end), F.col("member_id").alias(f"{end}_id"))
        for end in ("src", "dst")
    }
    named = links.join(ids["src"], on="src", how="inner").join(ids["dst"], on="dst", how="inner")
    shown = (
        named.select("src", "dst", F.posexplode("visits_shown").alias("place", "visit"))
        .join(inputs.settlements, on="visit", how="inner")
        .groupBy("src", "dst")
        .agg(F.sort_array(F.collect_list(F.struct("place", "settlement_id"))).alias("shown"))
        .select("src", "dst", F.array_distinct("shown.settlement_id").alias("settlement_ids"))
    )
    no_settlements = F.array().cast("array<string>")
    return named.join(shown, on=["src", "dst"], how="left").select(
        F.lit(run.as_of).alias("as_of_date"),
        F.least("src_id", "dst_id").alias("src"),
        F.greatest("src_id", "dst_id").alias("dst"),
        "weight",
        "probability",
        "is_kin",
        _has_passed(run).alias("has_passed"),
        F.date_from_unix_date("first_day").alias("first_date"),
        F.date_from_unix_date("last_day").alias("last_date"),
        "evidence_count",
        F.coalesce("settlement_ids", no_settlements).alias("settlement_ids"),
        "reasons",
        *TRAIT_NAMES,
    )


def _write_cuts(run: JobRun, places: pl.DataFrame, held: DataFrame, bounds: Bounds) -> None:
    """Write what each bound cut, zeros included."""
    rows = [
        (kind, limit, int((places[column] > 0).sum()), int(places[column].sum()))
        for kind, limit, column in (
            (NEAR, bounds.near_visits, "near_cut"),
            (WIDE, bounds.wide_visits, "wide_cut"),
        )
    ]
    things = held.groupBy("kind", "thing").agg(F.count_distinct("member").alias("n"))
    crowded = F.col("n") > bounds.sharers
    cut = things.groupBy("kind").agg(
        F.count_if(crowded).alias("things"),
        F.coalesce(F.sum(F.when(crowded, F.expr("n * (n - 1) div 2"))), F.lit(0)).alias("pairs"),
    )
    counted = {row["kind"]: (row["things"], row["pairs"]) for row in cut.collect()}
    rows += [(kind, bounds.sharers, *counted.get(kind, (0, 0))) for kind in (*SHARED, OPERATOR)]
    columns = "bound string, limit bigint, things_cut bigint, pairs_cut bigint"
    frame = run.spark.createDataFrame(rows, columns)
    run.lake.replace(
        frame.withColumn("as_of_date", F.lit(run.as_of)),
        ACCOUNT_LINK_CUT,
        {"as_of_date": run.as_of},
    )


JOB = Job(
    "build_account_links",
    "Link accounts that do things together which chance does not explain",
    main,
    ("as_of",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
