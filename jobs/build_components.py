"""Build gold.institution_component: which institutions hang together by links that passed the filter."""

from pyspark.sql import functions as F

from expectations.gold.institution import INSTITUTION_COMPONENT, INSTITUTION_LINK
from features.components import connected_components
from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun


def main(run: JobRun) -> str:
    """Rebuild one as-of date; safe to run again."""
    links = run.lake.of_day(INSTITUTION_LINK, run.as_of)
    members = connected_components(links.filter("is_kept"))
    sizes = members.groupBy("component").agg(F.count("*").alias("component_size"))
    components = members.join(sizes, on="component", how="inner").select(
        F.lit(run.as_of).alias("as_of_date"),
        F.col("id").alias("institution_id"),
        "component",
        "component_size",
    )
    rows = run.lake.replace(components, INSTITUTION_COMPONENT, {"as_of_date": run.as_of})
    return f"{rows} institutions in components"


JOB = Job(
    "build_components", "Find the groups of institutions that the kept links join", main, ("as_of",)
)

if __name__ == "__main__":
    run_job(JOB)
