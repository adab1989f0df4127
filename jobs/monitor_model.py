"""Watch the model of accounts in use: drift, precision as cases close, calibration, districts; with warnings."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import functions as F

from expectations.gold.member_score import MEMBER_SCORE, MODEL_MONITOR
from jobs.inputs.model_store import store_of
from jobs.inputs.monitored import (
    SCORE,
    alerts_by_district,
    decided_before,
    draws_until,
    reference_values,
    values_of_day,
    version_of_day,
    weeks_accounts,
)
from jobs.lake.locks import local_path
from jobs.report.files import replace_text
from jobs.report.monitor_page import DRAWN, Monitored, monitor_page
from jobs.report.strings import Words
from jobs.report.words import ADVICE
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, writable_folder
from jobs.runtime.execution import code_version
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.mlflow_server import check_mlflow
from models.monitoring import (
    calibration,
    drifts,
    is_below,
    is_crowded,
    is_miscalibrated,
    quantile_edges,
    realised_precision,
)
from models.watched import Watched, log_watched

PAGE = "models/monitor.html"


def check(config: Config, options: Options) -> None:
    """MLflow answers, and the page's folder can be written."""
    check_mlflow(config, options)
    writable_folder(config.report.root, "report.root")


def main(run: JobRun) -> str:
    """Measure one day, and write its rows, metrics and page; safe to run again."""
    name, version = version_of_day(run)
    store = store_of(run)
    registered = store.find(name, version)
    reference, rows = _drift(run, version, registered.train_as_of if registered else None)
    with step(run, "cases followed up"):
        rows += [
            *_precision(run),
            *_calibration(run, version),
            *_label_delay(run),
            *_districts(run),
        ]
    words = Words(run.config.report.language)
    table = [
        {
            "as_of_date": run.as_of,
            "model_version": version,
            **vars(each),
            "advice": words.text(ADVICE[each.measure]) if each.is_warning else "",
        }
        for each in rows
    ]
    frame = run.spark.createDataFrame(table, MODEL_MONITOR.schema).coalesce(1)
    run.lake.replace(frame, MODEL_MONITOR, {"as_of_date": run.as_of})
    log_watched(store, run.config.train.experiment, name, version, run.as_of, rows)
    shown = Monitored(name, version, run.as_of, reference, tuple(rows), _history(run, version))
    page = local_path(run.config.report.root) / PAGE
    replace_text(page, monitor_page(shown, words, datetime.now(UTC), code_version()))
    warnings = sum(each.is_warning for each in rows)
    return f"{warnings} warnings among {len(rows)} figures of version {version} of {name}: {page}"


def _drift(
    run: JobRun, version: str, trained_on: date | None
) -> tuple[tuple[str, date] | None, list[Watched]]:
    """What the day is compared with, if there is anything, and the index of each input and of the scores."""
    found = reference_values(run, version, trained_on)
    if found is None:
        return None, [Watched("score_psi", "", None, run.config.monitor.psi_limit, 0)]
    told, before = found
    with step(run, "drift measured"):
        edges = quantile_edges(before)
        measured = drifts(before, values_of_day(run, run.as_of, version), edges)
    rows = []
    for each in measured:
        # Training rows have no scores to compare with, and nothing is said of those.
        known = each.reference_rows > 0
        limit = each.limit(run.config.monitor.psi_limit)
        is_score = each.name == SCORE
        rows.append(
            Watched(
                measure="score_psi" if is_score else "input_psi",
                slice="" if is_score else each.name,
                value=each.psi if known else None,
                limit=limit,
                n=each.rows,
                is_warning=known and each.psi > limit,
            )
        )
    return told, rows


def _precision(run: JobRun) -> Iterable[Watched]:
    """Of each week's accounts whose case was decided since, the confirmed share; and of all together.

    Beside it that of the accounts drawn at random, from the list and from the others.
    """
    settings = run.config.monitor
    listed = weeks_accounts(run.lake, run.as_of, settings.days)
    weeks = realised_precision(listed, decided_before(run)).orderBy("as_of_date").collect()
    counted = [(str(row["as_of_date"]), row["confirmed"], row["rows"]) for row in weeks]
    total = ("", sum(row[1] for row in counted), sum(row[2] for row in counted))
    for week, confirmed, rows in [total, *counted]:
        yield Watched(
            measure="precision",
            slice=week,
            value=confirmed / rows if rows else None,
            limit=settings.min_precision,
            n=rows,
            is_warning=is_below(confirmed, rows, settings.min_precision),
        )
    draws = draws_until(run.lake, run.as_of, settings.days)
    for stratum in ("listed", "unlisted"):
        of_stratum = draws.filter(F.col("stratum") == stratum)
        found = realised_precision(of_stratum, decided_before(run)).agg(
            F.sum("confirmed").alias("confirmed"), F.sum("rows").alias("rows")
        )
        row = found.first()
        if row is not None and row["rows"]:
            share = row["confirmed"] / row["rows"]
            yield Watched("precision", f"{DRAWN}{stratum}", share, None, row["rows"])


def _calibration(run: JobRun, version: str) -> Iterable[Watched]:
    """The mean score less the confirmed share of accounts decided since, by the day of the score."""
    settings = run.config.monitor
    since = run.as_of - timedelta(days=settings.days)
    scores = run.lake.read(MEMBER_SCORE).filter(
        (F.col("model_version") == version) & F.col("as_of_date").between(since, run.as_of)
    )
    followed = calibration(scores.select("as_of_date", "member_id", "score"), decided_before(run))
    for row in followed.orderBy("as_of_date").collect():
        confirmed, rows, mean = row["confirmed"], row["rows"], row["mean_score"]
        yield Watched(
            measure="calibration_gap",
            slice=str(row["as_of_date"]),
            value=mean - confirmed / rows,
            limit=settings.calibration_limit,
            n=rows,
            is_warning=is_miscalibrated(confirmed, rows, mean, settings.calibration_limit),
        )


def _label_delay(run: JobRun) -> Iterable[Watched]:
    """The median days from the first clue to the decision, of the decisions of the followed days."""
    settings = run.config.monitor
    since = run.as_of - timedelta(days=settings.days)
    delay = F.datediff("decided_on", "opened_on")
    recent = decided_before(run).filter(F.col("decided_on") >= F.lit(since))
    row = recent.agg(F.median(delay).alias("days"), F.count(delay).alias("rows")).first()
    days, rows = (row["days"], row["rows"]) if row else (None, 0)
    yield Watched(
        measure="label_delay_days",
        slice="",
        value=days,
        limit=float(settings.label_delay_days),
        n=rows,
        is_warning=days is not None and days > settings.label_delay_days,
    )


def _districts(run: JobRun) -> Iterable[Watched]:
    """Each district's share of the week's accounts, against its share of the members."""
    ratio = run.config.monitor.district_ratio
    rows = alerts_by_district(run)
    of_alerts, of_members = sum(row[1] for row in rows), sum(row[2] for row in rows)
    for district, alerts, members in sorted(rows):
        if alerts:
            share = members / of_members
            yield Watched(
                measure="district_share",
                slice=district,
                value=alerts / of_alerts,
                limit=min(ratio * share, 1.0),
                n=of_alerts,
                is_warning=is_crowded(alerts, of_alerts, share, ratio),
            )


def _history(run: JobRun, version: str) -> tuple[tuple[str, float | None, int], ...]:
    """The drift of the scores and the number of warnings of each day so far: day, index, warnings."""
    past = run.lake.read(MODEL_MONITOR).filter(
        (F.col("model_version") == version) & (F.col("as_of_date") <= F.lit(run.as_of))
    )
    rows = past.groupBy("as_of_date").agg(
        F.max(F.when(F.col("measure") == "score_psi", F.col("value"))).alias("psi"),
        F.count_if("is_warning").alias("warnings"),
    )
    return tuple(
        (str(row["as_of_date"]), row["psi"], row["warnings"])
        for row in rows.orderBy("as_of_date").collect()
    )


JOB = Job(
    "monitor_model",
    "Watch the model of accounts in use, and warn with what to do",
    main,
    ("as_of",),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
