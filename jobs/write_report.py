"""Write the page for readers: one static HTML file, and both ranked lists as sheets."""

from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame

from jobs.lake.locks import local_path
from jobs.landing.mappings import Mapping, load_mapping
from jobs.report.arrival import Constant
from jobs.report.content import Model, Report
from jobs.report.files import replace_text
from jobs.report.page import report_page, ring_files
from jobs.report.read_accounts import accounts
from jobs.report.read_arrivals import arrivals, expectations, quarantined
from jobs.report.read_model import model_facts
from jobs.report.read_rings import rings
from jobs.report.read_scores import (
    distribution,
    groups,
    job_facts,
    ranked,
    scored_institutions,
    unscored,
)
from jobs.report.read_values import emptied_values
from jobs.report.sheet import accounts_csv, ranked_list_csv
from jobs.rules.rulebook import check_rules
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, writable_folder
from jobs.runtime.execution import code_version
from jobs.runtime.job import Job, JobRun, Options, step

#: Folder of the rings' pages; what an earlier run left there is removed.
RINGS = "rings"
PAGE, DATA_DOCS = "index.html", "data_docs/index.html"
ACCOUNTS, INSTITUTIONS = "accounts.csv", "ranked_list.csv"


def check(config: Config, options: Options) -> None:
    """The page goes to a local folder; the source's mapping and the rules have to be readable."""
    writable_folder(config.report.root, "report.root")
    if config.source.mapping:
        load_mapping(config.source.mapping)
    check_rules(config, options)


def main(run: JobRun) -> str:
    """Gather the facts of a date and write the files, each in one move; safe to run again."""
    root = local_path(run.config.report.root)
    with step(run, "facts gathered"):
        report = gathered(run, root)
    with step(run, "page written"):
        replace_text(root / ACCOUNTS, accounts_csv(report))
        replace_text(root / INSTITUTIONS, ranked_list_csv(report))
        _replace_files(root / RINGS, ring_files(report))
        replace_text(root / PAGE, report_page(report))
    listed = report.accounts.listed if report.accounts else 0
    return f"{listed} accounts listed, {report.scored} institutions scored: {root / PAGE}"


def gathered(run: JobRun, root: Path) -> Report:
    """All that the page shows; parts that no job has written stay empty."""
    lake, day = run.lake, run.as_of
    waiting = quarantined(lake)
    landed, refused = arrivals(lake, waiting.rows)
    scored = scored_institutions(lake, day)
    if scored is not None:
        scored = scored.cache()
    mapping = load_mapping(run.config.source.mapping) if run.config.source.mapping else None
    report = Report(
        as_of=day,
        language=run.config.report.language,
        written_at=datetime.now(UTC),
        code_version=code_version(),
        source_title=mapping.title if mapping else None,
        constants=_constants(mapping),
        arrivals=landed,
        refused=refused,
        quarantine=waiting.reasons,
        quarantine_reasons_cut=waiting.reasons_cut,
        emptied=emptied_values(lake),
        expectations=expectations(lake),
        data_docs=DATA_DOCS if (root / DATA_DOCS).is_file() else None,
        accounts=accounts(lake, run.config, day),
        rings=rings(lake, run.config, day),
        scored=0 if scored is None else scored.count(),
        ranked=() if scored is None else ranked(lake, scored, day, run.config.report.top),
        unscored=unscored(lake, day),
        distribution=() if scored is None else distribution(scored),
        groups=groups(lake, day, scored),
        model=None if scored is None else _model(run, scored),
        jobs=job_facts(lake, day),
    )
    if scored is not None:
        scored.unpersist()
    return report


def _replace_files(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a folder, then remove those of an earlier run: a ring may have ended."""
    for name, content in files.items():
        replace_text(folder / name, content)
    for path in folder.glob("ring-*") if folder.is_dir() else ():
        if path.name not in files:
            path.unlink()


def _constants(mapping: Mapping | None) -> tuple[Constant, ...]:
    constants = mapping.constants if mapping else {}
    return tuple(Constant(name, each.value, each.note) for name, each in constants.items())


def _model(run: JobRun, scored: DataFrame) -> Model | None:
    """The facts of the model that gave the scores."""
    first = scored.orderBy("rank").select("model_name", "model_version").first()
    if first is None:
        return None
    mlflow = run.config.mlflow
    found = model_facts(mlflow.tracking_uri, mlflow.artifact_root, *first)
    if found.problem:
        run.log.warning("the model's figures could not be read from MLflow", error=found.problem)
    return found


JOB = Job(
    "write_report", "Write the page for readers and the ranked lists", main, ("as_of",), check
)

if __name__ == "__main__":
    run_job(JOB)
