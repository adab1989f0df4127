"""Train a model on closed cases as of a date, judge it, and register it in MLflow."""

from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options
from jobs.runtime.mlflow_server import check_mlflow
from jobs.training import institution, member, simulated

_TRAININGS = {institution.SUBJECT: institution.train, member.SUBJECT: member.train}


def check(config: Config, options: Options) -> None:
    """MLflow has to be within reach, and what is trained on simulated provinces needs some."""
    if config.train.source == "simulated" and _subject(config, options) == member.SUBJECT:
        simulated.check(config)
    check_mlflow(config, options)


def main(run: JobRun) -> str:
    """Train as of a date; with the same training rows and settings as before, keep that model."""
    subject = _subject(run.config, run.options)
    if run.config.train.source == "simulated" and subject == member.SUBJECT:
        return simulated.train(run)
    return _TRAININGS[subject](run)


def _subject(config: Config, options: Options) -> str:
    return options.subject or config.train.subject


JOB = Job(
    "train_model",
    "Train, judge and register the model of a subject as of a date",
    main,
    ("as_of", "subject"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
