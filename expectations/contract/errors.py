"""The errors of jobs, each with its exit code."""


class JobError(Exception):
    """The base of all errors that the project raises: a job could not do its work, exit code 1."""

    exit_code = 1
    outcome = "failed"


class ConfigError(JobError):
    """An argument, a configured value or a path is wrong: exit code 2, before any Spark work."""

    exit_code = 2


class DataRefused(JobError):
    """The data fail a critical check; valid data were kept: exit code 3."""

    exit_code = 3
    outcome = "refused"


class LockHeld(JobError):
    """Another live run of the same job is writing: exit code 1."""

    outcome = "refused"


class JobSkipped(JobError):
    """The job has nothing to do or too little input, and says so: exit code 0."""

    exit_code = 0
    outcome = "skipped"


class Cancelled(JobError):
    """Someone stopped the run with Ctrl-C or SIGTERM: exit code 1."""

    outcome = "cancelled"


class ContractError(JobError):
    """A contract is declared wrongly, or a frame does not fit its contract: exit code 1."""
