"""Write a page that compares two versions of a model: what differs, figures on the same rows, the list."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from expectations.contract.errors import DataRefused
from jobs.inputs.list_comparison import list_changes
from jobs.inputs.model_comparison import compared, wanted_version
from jobs.inputs.model_store import store_of
from jobs.lake.locks import local_path
from jobs.report.comparison_page import comparison_page
from jobs.report.files import replace_text
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config, writable_folder
from jobs.runtime.execution import code_version
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.mlflow_server import check_mlflow
from models.comparison import Comparison
from models.institution_model import model_name
from models.tracking import Store, Version

FOLDER = "models"


def check(config: Config, options: Options) -> None:
    """MLflow answers, and the page's folder can be written."""
    check_mlflow(config, options)
    writable_folder(config.report.root, "report.root")


def main(run: JobRun) -> str:
    """Compare as of a day, whose list is made by both versions; safe to run again."""
    options, settings = run.options, run.config.train
    subject = options.subject or settings.subject
    store = store_of(run)
    name = model_name(subject)
    challenger = wanted_version(run, store, name, options.version or settings.challenger_alias)
    champion = wanted_version(run, store, name, options.against or settings.alias)
    with step(run, "compared on the same rows"):
        found = compared(run, store, subject, champion, challenger)
    with step(run, "lists compared"):
        found = _with_lists(run, store, found, champion, challenger)
    stem = f"{subject}_version_{challenger.version}_against_{champion.version}"
    folder = local_path(run.config.report.root) / FOLDER
    language = run.config.report.language
    page = comparison_page(found, language, datetime.now(UTC), code_version())
    document = json.dumps(found.document(), indent=1, ensure_ascii=False)
    replace_text(folder / f"{stem}.json", f"{document}\n")
    replace_text(folder / f"{stem}.html", page)
    return (
        f"version {challenger.version} of {name} against version {champion.version}:"
        f" {found.verdict}: {folder / stem}.html"
    )


def _with_lists(
    run: JobRun, store: Store, found: Comparison, champion: Version, challenger: Version
) -> Comparison:
    """The comparison with the change of the list, or with the reason why a version can make none."""
    try:
        changes = list_changes(run, store, found.subject, champion, challenger)
    except DataRefused as problem:
        run.log.warning("the lists were not compared", reason=str(problem))
        return replace(found, list_problem=str(problem))
    return replace(found, changes=changes)


JOB = Job(
    "compare_models",
    "Compare two versions of a model, and the lists that they make as of a date",
    main,
    ("as_of", "subject", "versions"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
