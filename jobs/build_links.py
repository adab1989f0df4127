"""Build gold.institution_link: what two institutions share, and which links say more than chance."""

from collections.abc import Mapping
from contextlib import ExitStack

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from expectations.gold.institution import INSTITUTION_LINK, INSTITUTION_LINK_FILTER
from features.components import (
    connected_components,
    filter_ladder,
    largest_component,
    small_components,
)
from features.days import possible_visit
from features.network.links import (
    KINDS,
    institution_links,
    kept_links,
    link_cuts,
    memberships,
    passes_filter,
)
from jobs.inputs.institution_inputs import Claims, claims_as_of
from jobs.lake.frames import persisted
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun, step


def main(run: JobRun) -> str:
    """Rebuild one as-of date: the pairs with their significance, and which of them are kept."""
    visits, doctors, codes = _inputs(claims_as_of(run.lake, run.as_of))
    things = memberships(visits, doctors, codes)
    with ExitStack() as stack:
        things = {kind: stack.enter_context(persisted(frame)) for kind, frame in things.items()}
        institutions = visits.select("institution_id").distinct().count()
        return _linked(run, things, institutions)


def _linked(run: JobRun, things: Mapping[str, DataFrame], institutions: int) -> str:
    settings = run.config.links
    pairs = institution_links(things, settings.max_bucket)
    # One shared member or doctor links nobody: such pairs would only swell the table.
    links = kept_links(pairs, min_significance=0.0, min_weight=settings.min_weight)
    with step(run, "pairs made and judged"):
        # A checkpoint, not a cache: the rounds of GraphFrames would plan the pairs' lineage each time.
        links = links.checkpoint()
    with step(run, "filter chosen"):
        flagged, significance, largest = _flagged(run, links, institutions)
    dated = flagged.withColumn("as_of_date", F.lit(run.as_of))
    rows = run.lake.replace(dated, INSTITUTION_LINK, {"as_of_date": run.as_of})
    kept = flagged.groupBy("kind").agg(F.count_if("is_kept").alias("links_kept"))
    in_force = (
        link_cuts(things, settings.max_bucket)
        .join(kept, on="kind", how="left")
        .fillna(0, ["links_kept"])
        .withColumns(
            {
                "as_of_date": F.lit(run.as_of),
                "pairs_tested": F.lit(_pairs_possible(institutions)).cast("long"),
                "min_weight": F.lit(settings.min_weight).cast("long"),
                "min_significance": F.lit(significance),
                "largest_component": F.lit(largest).cast("long"),
            }
        )
    )
    run.lake.replace(in_force, INSTITUTION_LINK_FILTER, {"as_of_date": run.as_of})
    return (
        f"{rows} pairs share enough to be judged; the filter is significance {significance:.1f},"
        f" its largest component {largest} institutions"
    )


def _inputs(claims: Claims) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Visits with the member's home district, their doctors and diagnoses; refunds are no visits."""
    homes = claims.members.select("member_id", "district")
    real = claims.visits.filter(F.coalesce("refund_flag", F.lit("0")) == "0")
    start, end = possible_visit("start_time", "end_time", "settlement_time")
    visits = real.join(homes, on="member_id", how="left").select(
        "institution_id",
        "member_id",
        "district",
        "settlement_id",
        start.alias("start_date"),
        end.alias("end_date"),
    )
    at = real.select("settlement_id", "institution_id")
    doctors = claims.doctors.select("settlement_id", "doctor_id").distinct()
    diagnoses = claims.codes.filter("code_type = 'diagnosis'").select("settlement_id", "code")
    return visits, doctors.join(at, on="settlement_id", how="inner"), diagnoses


def _pairs_possible(institutions: int) -> int:
    """Pairs of each kind that could have been linked: those that share nothing were looked at too."""
    return institutions * (institutions - 1) // 2


def _flagged(run: JobRun, links: DataFrame, institutions: int) -> tuple[DataFrame, float, int]:
    """Links with `is_kept`, the significance asked for, and the largest component that is left.

    The loosest rung of the ladder is taken that leaves no component too large for a reviewer. If
    even the strictest leaves one, what lies inside it is not kept, and the log says so.
    """
    settings = run.config.links
    limit = max(settings.max_component_size, int(settings.max_component_share * institutions))
    for significance in filter_ladder(len(KINDS) * _pairs_possible(institutions)):
        passes = passes_filter(significance, settings.min_weight)
        members = connected_components(links.filter(passes))
        largest = _size_of_largest(members)
        if largest <= limit:
            return links.withColumn("is_kept", passes), significance, largest
        run.log.info("the filter is tightened", largest_component=largest, limit=limit)
    run.log.warning(
        "components stay too large under the strictest filter; their links are not kept"
    )
    bearable = small_components(members, limit)
    # Both ends of a link that passes lie in one component.
    inside = bearable.select(F.col("id").alias("src"), F.lit(True).alias("is_inside"))
    flagged = links.join(inside, on="src", how="left").withColumn(
        "is_kept", passes & F.coalesce("is_inside", F.lit(False))
    )
    return flagged.drop("is_inside"), significance, _size_of_largest(bearable)


def _size_of_largest(components: DataFrame) -> int:
    """Vertices of the largest component; 0 where there is none."""
    top = largest_component(components).collect()
    return int(top[0]["size"]) if top else 0


JOB = Job(
    "build_links", "Link institutions that share more than chance would give", main, ("as_of",)
)

if __name__ == "__main__":
    run_job(JOB)
