"""Train a model on closed cases as of a date, judge it, and register it in MLflow."""

from jobs.runtime.command_line import run_job
from jobs.runtime.job import Job, JobRun
from jobs.runtime.mlflow_server import check_mlflow
from jobs.training import institution, member

_TRAININGS = {institution.SUBJECT: institution.train, member.SUBJECT: member.train}


def main(run: JobRun) -> str:
    """Train as of a date; with the same training rows and settings as before, keep that model."""
    return _TRAININGS[run.options.subject or run.config.train.subject](run)


JOB = Job(
    "train_model",
    "Train, judge and register the model of a subject as of a date",
    main,
    ("as_of", "subject"),
    check_mlflow,
)

if __name__ == "__main__":
    run_job(JOB)
