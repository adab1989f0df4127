"""Add a person's decision on a proposed account to gold.account_decision. Nothing is locked."""

import getpass
import uuid
from datetime import UTC, datetime

from pyspark.sql import functions as F

from expectations.contract.errors import ConfigError, DataRefused
from expectations.gold.account import ACCOUNT_DECISION, HIGH_RISK_ACCOUNT
from jobs.lake.sequence import next_sequence
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options

_DECISIONS = ("approved", "rejected")


def check(config: Config, options: Options) -> None:
    """A decision names the account, says what and why."""
    for name in ("member", "decision", "reason"):
        if not (getattr(options, name) or "").strip():
            raise ConfigError(
                f"--{name} is missing: a decision names the account, says what and why"
            )
    if options.decision not in _DECISIONS:
        raise ConfigError(f"--decision {options.decision}: give one of {', '.join(_DECISIONS)}")


def main(run: JobRun) -> str:
    """Append one decision; the account has to be on the list of the as-of date."""
    lake, options = run.lake, run.options
    is_meant = F.col("member_id") == F.lit(options.member)
    listed = lake.of_day(HIGH_RISK_ACCOUNT, run.as_of).filter(is_meant)
    if listed.isEmpty():
        raise DataRefused(
            f"the account is not on the list as of {run.as_of}:"
            " give a member_id and a date of gold.high_risk_account"
        )
    row = {
        "decision_id": uuid.uuid4().hex,
        "member_id": options.member,
        "as_of_date": run.as_of,
        "decision": options.decision,
        "reason": options.reason,
        "decided_by": options.by or getpass.getuser(),
        "decided_at": datetime.now(UTC),
        "sequence": next_sequence(lake, ACCOUNT_DECISION),
    }
    frame = run.spark.createDataFrame([row], ACCOUNT_DECISION.schema).coalesce(1)
    lake.append(frame, ACCOUNT_DECISION)
    return f"{options.decision}, noted; the next propose_accounts shows it"


JOB = Job(
    "review_account",
    "Note a person's decision on a proposed account, with the reason",
    main,
    ("as_of", "review"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
