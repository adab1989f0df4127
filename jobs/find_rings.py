"""Find the rings among linked accounts: gold.ring, its members with roles, its history, and features."""

from collections.abc import Iterator
from contextlib import ExitStack

import polars as pl
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.account import MEMBER_FEATURE
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from expectations.gold.ring import (
    MEMBER_RING_FEATURE,
    RING,
    RING_FINDING,
    RING_HISTORY,
    RING_LINK,
    RING_MEMBER,
)
from features.network.habits import with_habits
from features.network.ring_features import (
    account_link_features,
    links_of_rings,
    ring_member_features,
)
from features.network.ring_findings import RingEvidence, codes_of_rings, ring_findings
from features.network.ring_history import ring_names
from features.network.ring_parties import ring_counters, ring_doctors, ring_shops
from features.network.rings import (
    RingRules,
    communities,
    ranked_rings,
    standing_rings,
)
from features.network.roles import carriers_of_rings, role_rows, unseen_heads
from jobs.lake.frames import persisted, to_polars
from jobs.network.components import batches_of_frame, components_of, frame_of_batches
from jobs.network.ring_inputs import (
    carriers,
    households,
    kin_links,
    links_of,
    losses,
    months_of_use,
    places_of,
    visits_of,
)
from jobs.network.ring_surroundings import boxes_sold, main_counters, main_doctors
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step

_MEMBER = "member string, community string"
_MEMBERS = pa.schema([("member", pa.string()), ("community", pa.string())])


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    rules = RingRules(**run.config.rings.model_dump())
    with ExitStack() as stack:
        links = stack.enter_context(persisted(_links(run)))
        passed = links.filter("has_passed")
        with step(run, "communities"):
            groups = to_polars(_communities(passed, passed.count(), rules.resolution))
        rings, members = standing_rings(
            to_polars(
                passed.select("src", "dst", "weight", "probability", "first_date", "last_date")
            ),
            groups,
            _accounts(run),
            rules,
        )
        rings, members = _named(run, rings, members)
        with step(run, "roles"):
            ids = run.spark.createDataFrame(
                [(name,) for name in members["member"].unique().sort()], "member_id string"
            )
            days = run.config.account_links.days
            visits = stack.enter_context(persisted(visits_of(run.lake, run.as_of, days, ids)))
            _write_rings(run, links, rings, members, ids, visits)
        with step(run, "features"):
            _write_features(run, links, rings, members)
    return f"{rings.height} rings of {members.height} accounts"


def _links(run: JobRun) -> DataFrame:
    """Links of the day, with what the habits of both accounts add."""
    links = links_of(run.lake, run.as_of)
    weighed = run.lake.read_if_exists(MEMBER_RESEMBLANCE).filter(
        F.col("as_of_date") == F.lit(run.as_of)
    )
    known = None if weighed.isEmpty() else weighed
    return with_habits(links, known, run.config.account_links.pass_probability)


def _accounts(run: JobRun) -> int:
    """Accounts that could have been linked: those with features of the day."""
    return run.lake.read_day(MEMBER_FEATURE, run.as_of).count()


def _communities(passed: DataFrame, count: int, resolution: float) -> DataFrame:
    """The community of each linked account."""
    edges = passed.select("src", "dst", "probability")
    components = components_of(edges, count)
    labelled = edges.join(
        components.withColumnRenamed("id", "src"), on="src", how="inner"
    ).repartition("component")

    def split(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = frame_of_batches(batches)
        if rows is not None:
            yield from batches_of_frame(communities(rows, resolution), _MEMBERS)

    return labelled.mapInArrow(split, _MEMBER)


def _named(
    run: JobRun, rings: pl.DataFrame, members: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rings and members with ids that last, and the history written."""
    now = {
        str(key): frozenset(names)
        for key, names in members.group_by("community").agg("member").iter_rows()
    }
    ids, events = ring_names(now, _before(run))
    frame = pl.DataFrame(
        events,
        schema={
            "ring_id": pl.String,
            "event": pl.String,
            "accounts": pl.Int64,
            "joined": pl.Int64,
            "departed": pl.Int64,
            "other_ring_ids": pl.List(pl.String),
        },
    ).sort("ring_id")
    day = {"as_of_date": run.as_of}
    run.lake.replace(_dated(run, frame), RING_HISTORY, day)
    named = pl.DataFrame(
        {"community": list(ids), "ring_id": list(ids.values())},
        schema={"community": pl.String, "ring_id": pl.String},
    )
    return (
        rings.join(named, on="community", how="inner").sort("ring_id"),
        members.join(named, on="community", how="inner").sort("ring_id", "member"),
    )


def _before(run: JobRun) -> dict[str, frozenset[str]]:
    """Accounts of the rings of the last day before this one."""
    if not run.lake.exists(RING_MEMBER):
        return {}
    earlier = run.lake.read(RING_MEMBER).filter(
        (F.col("as_of_date") < F.lit(run.as_of)) & F.array_contains("reasons", "linked_account")
    )
    last = earlier.agg(F.max("as_of_date").alias("day")).collect()[0]["day"]
    if last is None:
        return {}
    rows = earlier.filter(F.col("as_of_date") == F.lit(last)).select("ring_id", "subject_id")
    return {
        str(ring): frozenset(names)
        for ring, names in to_polars(rows).group_by("ring_id").agg("subject_id").iter_rows()
    }


def _write_rings(
    run: JobRun,
    links: DataFrame,
    rings: pl.DataFrame,
    members: pl.DataFrame,
    ids: DataFrame,
    visits: DataFrame,
) -> None:
    """Write rings, findings, roles and links.

    Args:
        run: the run.
        links: of the day.
        rings: that stand, with their ids.
        members: their accounts.
        ids: `member_id` of all these accounts.
        visits: of these accounts, from `visits_of`.
    """
    lake, day = run.lake, run.as_of
    days = run.config.account_links.days
    of = members.select("ring_id", member_id="member")

    def of_rings(rows: DataFrame) -> pl.DataFrame:
        """Rows about accounts, with their ring."""
        return to_polars(rows).join(of, on="member_id", how="inner")

    carried = of_rings(carriers(lake, day, visits))
    visited = of_rings(places_of(visits))
    reach = carriers_of_rings(carried, visited)
    roles = role_rows(members, reach, _parties(run, ids, of, visited))
    kin = of_rings(kin_links(links, ids, run.config.account_links.pass_probability))
    findings = ring_findings(
        RingEvidence(
            members=members.select("ring_id", "member"),
            carriers=reach,
            carried=carried,
            homes=to_polars(households(lake, day, ids)),
            visited=visited,
            used=of_rings(months_of_use(lake, day, days, visits, ids)),
            kin_links=kin.rename({"member_id": "kin_of"}),
        )
    )
    loss = of.join(to_polars(losses(lake, day, ids)), on="member_id", how="left")
    ranked = ranked_rings(
        rings.join(
            loss.group_by("ring_id").agg(expected_loss_amount=pl.sum("loss")),
            on="ring_id",
            how="left",
        )
        .join(unseen_heads(roles), on="ring_id", how="left")
        .join(codes_of_rings(members, findings), on="ring_id", how="left")
    )
    lake.replace(
        _dated(run, ranked.drop("community")).withColumn(
            "expected_loss_amount", F.col("expected_loss_amount").cast("decimal(16,2)")
        ),
        RING,
        {"as_of_date": day},
    )
    lake.replace(_dated(run, findings), RING_FINDING, {"as_of_date": day})
    lake.replace(_dated(run, roles), RING_MEMBER, {"as_of_date": day})
    inside = links_of_rings(
        links,
        _to_spark(run, members.select("ring_id", "member")),
        run.config.account_links.pass_probability,
    )
    lake.replace(inside.withColumn("as_of_date", F.lit(day)), RING_LINK, {"as_of_date": day})


def _parties(run: JobRun, ids: DataFrame, of: pl.DataFrame, visited: pl.DataFrame) -> pl.DataFrame:
    """Doctors, main counters and shops of the rings.

    Args:
        run: the run.
        ids: `member_id` of all accounts in rings.
        of: `ring_id`, `member_id`.
        visited: `institution_id` of the institutions that they used.
    """
    asked = (run.lake, run.as_of, run.config.account_links.days, ids)
    used = _to_spark(run, visited.select("institution_id").unique().sort("institution_id"))
    doctors, counters = to_polars(main_doctors(*asked, used)), to_polars(main_counters(*asked))
    boxes = to_polars(boxes_sold(*asked))
    at, near = ["institution_id", "doctor_id"], ["area", "institution_id"]
    others = boxes.filter(pl.col("member_id").is_null()).group_by("institution_id")
    found = [
        ring_doctors(
            doctors.join(of, on="member_id", how="inner"),
            doctors.group_by(at).agg(pl.sum("accounts")),
            of,
        ),
        ring_counters(
            counters.join(of, on="member_id", how="inner"),
            counters.group_by(near).agg(pl.sum("accounts")),
            of,
        ),
        ring_shops(
            boxes.join(of, on="member_id", how="inner"), others.agg(pl.sum("boxes", "resold")), of
        ),
    ]
    return pl.concat(found)


def _write_features(
    run: JobRun, links: DataFrame, rings: pl.DataFrame, members: pl.DataFrame
) -> None:
    """What links and rings say of each account: all are linked, few are in a ring."""
    own = account_link_features(links)
    ids = run.spark.createDataFrame([(name,) for name in members["member"]], "member_id string")
    homes = to_polars(households(run.lake, run.as_of, ids.distinct()))
    of_ring = ring_member_features(
        members.select("ring_id", "member"),
        rings.select("ring_id", "accounts", "density"),
        homes.rename({"member_id": "member", "household_id": "household"}),
    )
    ringed = _to_spark(run, of_ring)
    frame = own.join(F.broadcast(ringed), on="member_id", how="left")
    dated = frame.withColumn("as_of_date", F.lit(run.as_of))
    run.lake.replace(dated, MEMBER_RING_FEATURE, {"as_of_date": run.as_of})


def _dated(run: JobRun, rows: pl.DataFrame) -> DataFrame:
    return _to_spark(run, rows).withColumn("as_of_date", F.lit(run.as_of))


def _to_spark(run: JobRun, rows: pl.DataFrame) -> DataFrame:
    """Rows of Polars in Spark, which knows no unsigned numbers."""
    return run.spark.createDataFrame(rows.cast({pl.UInt32: pl.Int64}).to_arrow())


JOB = Job("find_rings", "Find the rings among linked accounts, with roles", main, ("as_of",))

if __name__ == "__main__":
    run_job(JOB)
