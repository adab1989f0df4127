"""Scores, groups and job runs as of a date, read for the page: a bounded number of rows."""

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from expectations.contract.table import TableContract
from expectations.gold.institution import (
    INSTITUTION_COMPONENT,
    INSTITUTION_LINK,
    INSTITUTION_LINK_FILTER,
    INSTITUTION_SCORE,
    INSTITUTION_TRAINING_ROW,
    INSTITUTION_UNSCORED,
)
from expectations.ops import JOB_RUN
from jobs.lake.sequence import newest_first
from jobs.lake.tables import Lake
from jobs.report.content import (
    Component,
    Edge,
    Groups,
    JobFact,
    LinkFilter,
    Node,
    Ranked,
    Reason,
    ScoreBin,
    Unscored,
)

#: What a page has room for.
MAX_COMPONENTS = 12
MAX_NODES = 60
MAX_EDGES = 240
MAX_UNSCORED_REASONS = 20
MAX_UNSCORED_NAMED = 200
_BINS = 20
#: They end after the page is written.
_UNFINISHED_JOBS = ("write_report", "run_pipeline")


def as_of(lake: Lake, contract: TableContract, day: date) -> DataFrame | None:
    """A gold table's rows of a date, or None if there are none."""
    if not lake.exists(contract):
        return None
    rows = lake.of_day(contract, day)
    return None if rows.isEmpty() else rows


def scored_institutions(lake: Lake, day: date) -> DataFrame | None:
    """The scores of a date, with the outcomes that were known by then."""
    scores = as_of(lake, INSTITUTION_SCORE, day)
    if scores is None:
        return None
    labels = _outcomes(lake, day)
    if labels is None:
        return scores.withColumn("outcome", F.lit(None).cast("integer"))
    return scores.join(labels, on="institution_id", how="left")


def ranked(lake: Lake, scored: DataFrame, day: date, top: int) -> tuple[Ranked, ...]:
    """The first institutions of the ranked list, each with its group."""
    first = scored.filter(F.col("rank") <= top)
    components = as_of(lake, INSTITUTION_COMPONENT, day)
    if components is None:
        first = first.withColumns(
            {"component": F.lit(None).cast("string"), "component_size": F.lit(None).cast("long")}
        )
    else:
        first = first.join(components.drop("as_of_date"), on="institution_id", how="left")
    return tuple(
        Ranked(
            rank=row["rank"],
            institution=row["institution_id"],
            score=row["score"],
            reasons=tuple(Reason(*reason) for reason in row["reasons"]),
            outcome=row["outcome"],
            component=row["component"],
            component_size=row["component_size"],
        )
        for row in first.orderBy("rank").limit(top).collect()
    )


def distribution(scored: DataFrame) -> tuple[ScoreBin, ...]:
    """The number of institutions in each of twenty bins of the score, by known outcome."""
    at = F.least(F.floor(F.col("score") * _BINS), F.lit(_BINS - 1)).cast("int").alias("bin")
    counted = scored.groupBy(at).agg(
        F.count_if(F.col("outcome") == 1).alias("confirmed"),
        F.count_if(F.col("outcome") == 0).alias("cleared"),
        F.count_if(F.col("outcome").isNull()).alias("unknown"),
    )
    found = {row["bin"]: row for row in counted.collect()}
    return tuple(
        ScoreBin(at / _BINS, *(found[at][1:] if at in found else (0, 0, 0))) for at in range(_BINS)
    )


def unscored(lake: Lake, day: date) -> tuple[Unscored, ...]:
    """The institutions without a basis, by reason."""
    apart = as_of(lake, INSTITUTION_UNSCORED, day)
    if apart is None:
        return ()
    reason = ("reason", "reason_code", "as_of_date")
    by_reason = Window.partitionBy(*reason).orderBy("institution_id")
    numbered = apart.withColumn("at", F.row_number().over(by_reason))
    named = F.when(F.col("at") <= MAX_UNSCORED_NAMED, F.col("institution_id"))
    counted = numbered.groupBy(*reason).agg(
        F.count("*").alias("count"), F.sort_array(F.collect_list(named)).alias("named")
    )
    rows = counted.orderBy(F.desc("count"), "reason").limit(MAX_UNSCORED_REASONS).collect()
    return tuple(
        Unscored(
            row["reason"], row["reason_code"], row["as_of_date"], row["count"], tuple(row["named"])
        )
        for row in rows
    )


def groups(lake: Lake, day: date, scored: DataFrame | None) -> Groups | None:
    """The filter in force, the number of groups after it, and the largest groups."""
    in_force = as_of(lake, INSTITUTION_LINK_FILTER, day)
    if in_force is None:
        return None
    names = [name for name in INSTITUTION_LINK_FILTER.columns if name != "as_of_date"]
    filters = tuple(LinkFilter(*row) for row in in_force.select(*names).orderBy("kind").collect())
    components = as_of(lake, INSTITUTION_COMPONENT, day)
    if components is None:
        return Groups(0, 0, filters, ())
    totals = components.agg(F.count_distinct("component"), F.count("*")).first()
    assert totals is not None
    return Groups(totals[0], totals[1], filters, _largest(lake, day, components, scored))


def job_facts(lake: Lake, day: date) -> tuple[JobFact, ...]:
    """The newest run of each job for a date or without a date, in the order in which they ended."""
    runs = lake.read_or_none(JOB_RUN)
    if runs is None:
        return ()
    mine = runs.filter(
        (F.col("as_of_date").isNull() | (F.col("as_of_date") == F.lit(day)))
        & ~F.col("job").isin(*_UNFINISHED_JOBS)
    )
    newest = Window.partitionBy("job").orderBy(*newest_first("ended_at"), "run_id")
    rows = mine.withColumn("at", F.row_number().over(newest)).filter("at = 1")
    return tuple(
        JobFact(
            job=row["job"],
            outcome=row["outcome"],
            message=row["message"] or "",
            seconds=row["seconds"],
            rows_read=row["rows_read"],
            rows_written=row["rows_written"],
            rows_quarantined=row["rows_quarantined"],
            peak_memory_mb=row["peak_memory_mb"],
        )
        for row in rows.orderBy(F.asc_nulls_first("sequence"), "ended_at", "job").collect()
    )


def _outcomes(lake: Lake, day: date) -> DataFrame | None:
    """Outcomes known as of a date, from the newest training at or before it."""
    rows = lake.read_or_none(INSTITUTION_TRAINING_ROW)
    if rows is None:
        return None
    earlier = rows.filter(F.col("as_of_date") <= F.lit(day))
    newest = earlier.agg(F.max("as_of_date")).first()
    if newest is None or newest[0] is None:
        return None
    labels = earlier.filter(F.col("as_of_date") == F.lit(newest[0]))
    return labels.select("institution_id", F.col("label").alias("outcome"))


def _largest(
    lake: Lake, day: date, components: DataFrame, scored: DataFrame | None
) -> tuple[Component, ...]:
    """The largest components: of each the highest scores, and the strongest links between them."""
    sizes = (
        components.groupBy("component")
        .agg(F.count("*").alias("size"))
        .orderBy(F.desc("size"), "component")
        .limit(MAX_COMPONENTS)
        .collect()
    )
    wanted = F.col("component").isin([row["component"] for row in sizes])
    members = components.filter(wanted).select("institution_id", "component")
    empty = {"score": "double", "rank": "long", "outcome": "integer"}
    known = (
        members.withColumns({name: F.lit(None).cast(kind) for name, kind in empty.items()})
        if scored is None
        else members.join(scored.select("institution_id", *empty), on="institution_id", how="left")
    )
    best = [F.col("score").desc_nulls_last(), F.asc("institution_id")]
    nodes = _first(known, best, MAX_NODES).cache()
    links = as_of(lake, INSTITUTION_LINK, day)
    edges: list[tuple[str, Edge]] = []
    totals: dict[str, int] = {}
    if links is not None:
        of_component = links.filter("is_kept").join(
            F.broadcast(members.withColumnRenamed("institution_id", "src")), on="src", how="inner"
        )
        totals = {row[0]: row[1] for row in of_component.groupBy("component").count().collect()}
        drawn = [nodes.select(F.col("institution_id").alias(end)) for end in ("src", "dst")]
        inside = reduce(
            lambda rows, part: rows.join(F.broadcast(part), on=part.columns, how="left_semi"),
            drawn,
            of_component,
        )
        strongest = [F.desc("significance"), F.asc("src"), F.asc("dst"), F.asc("kind")]
        edges = [
            (row["component"], Edge(row["src"], row["dst"], row["kind"], row["weight"]))
            for row in _first(inside, strongest, MAX_EDGES).collect()
        ]
    shown = [
        (row["component"], Node(row["institution_id"], row["score"], row["rank"], row["outcome"]))
        for row in nodes.orderBy("component", *best).collect()
    ]
    nodes.unpersist()
    return tuple(
        Component(
            name=row["component"],
            size=row["size"],
            links=totals.get(row["component"], 0),
            nodes=tuple(node for name, node in shown if name == row["component"]),
            edges=tuple(edge for name, edge in edges if name == row["component"]),
        )
        for row in sizes
    )


def _first(rows: DataFrame, order: list[Column], limit: int) -> DataFrame:
    """The first rows of each component."""
    window = Window.partitionBy("component").orderBy(*order)
    return rows.withColumn("at", F.row_number().over(window)).filter(F.col("at") <= limit)
