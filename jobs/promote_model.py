"""Make a version of a model the champion, on a reviewer's word; refuse one that is worse beyond noise."""

from datetime import UTC, datetime

from expectations.contract.errors import ConfigError, DataRefused
from jobs.inputs.member_scores import require_same_inputs
from jobs.inputs.model_comparison import compared, wanted_version
from jobs.inputs.model_store import store_of, verified_model
from jobs.runtime.command_line import run_job
from jobs.runtime.config import Config
from jobs.runtime.job import Job, JobRun, Options, step
from jobs.runtime.mlflow_server import check_mlflow
from models.comparison import Comparison
from models.institution_model import model_name
from models.promotion import Decision, Outcome, move_alias, note, now_text
from models.tracking import Store, Version

_MOST_LETTERS = 1000


def check(config: Config, options: Options) -> None:
    """A promotion names the version, the reviewer and the reason."""
    for name in ("version", "by", "reason"):
        given = (getattr(options, name) or "").strip()
        if not given:
            raise ConfigError(
                f"--{name} is missing: a promotion names the version, the reviewer and the reason"
            )
        if len(given) > _MOST_LETTERS:
            raise ConfigError(f"--{name} has {len(given)} letters: give at most {_MOST_LETTERS}")
    check_mlflow(config, options)


def main(run: JobRun) -> str:
    """Move the alias, or refuse to; either is noted on the version.

    Raises:
        DataRefused: when the version is worse than the champion beyond noise, or cannot be compared with
            it, and this is not overridden; when there is no such version, or its files were changed.
    """
    options, settings = run.options, run.config.train
    subject = options.subject or settings.subject
    store = store_of(run)
    version = wanted_version(run, store, model_name(subject), options.version or "")
    # What cannot be used is not promoted, whoever asks.
    model = verified_model(store, version)
    if subject == "member":
        require_same_inputs(version, model)
    champion = store.aliased(version.name, settings.alias)
    if champion is not None and champion.version == version.version:
        return f"version {version.version} of {version.name} is {settings.alias} already"
    if champion is None:
        _note(run, store, version, "promoted", "", None)
        move_alias(store, version, settings.alias, settings.challenger_alias)
        return f"{_told(run, version)} is now {settings.alias}, the first"
    with step(run, "compared with the champion"):
        found = compared(run, store, subject, champion, version)
    if found.verdict in ("worse", "unknown") and not options.override:
        _note(run, store, version, "refused", champion.version, found)
        raise DataRefused(f"{_why_not(version, champion, found)}; asked by {_who(run)}")
    # The note first: a promotion without a note must not be; a note without one is mended by a second run.
    _note(run, store, version, "promoted", champion.version, found)
    move_alias(store, version, settings.alias, settings.challenger_alias)
    against = ", overridden" if found.verdict in ("worse", "unknown") else ""
    return (
        f"{_told(run, version)} is now {settings.alias} instead of version {champion.version}:"
        f" {found.verdict}{against}"
    )


def _who(run: JobRun) -> str:
    return f"{(run.options.by or '').strip()}: {(run.options.reason or '').strip()}"


def _told(run: JobRun, version: Version) -> str:
    return f"on the word of {_who(run)}; version {version.version} of {version.name}"


def _why_not(version: Version, champion: Version, found: Comparison) -> str:
    what = f"version {version.version} of {version.name} is not promoted"
    if found.headline is None:
        return (
            f"{what}: it could not be compared with version {champion.version}: {found.problem}; give"
            " --override and the reason if it has to be"
        )
    difference = found.headline.difference
    return (
        f"{what}: its {found.headline.figure.replace('_', ' ')} on the same rows is"
        f" {found.headline.challenger:.3f} against {found.headline.champion:.3f} of version"
        f" {champion.version}, a difference of {difference.mean:.3f} ({difference.corrected_low:.3f} to"
        f" {difference.corrected_high:.3f}), worse beyond noise; give --override and the reason if it has to be"
    )


def _note(
    run: JobRun,
    store: Store,
    version: Version,
    outcome: Outcome,
    previous: str,
    found: Comparison | None,
) -> None:
    """Keep who decided what, when and why among the version's tags."""
    difference = found.headline.difference if found and found.headline else None
    verdict = found.verdict if found else "first"
    note(
        store,
        version,
        Decision(
            outcome=outcome,
            by=(run.options.by or "").strip(),
            at=now_text(datetime.now(UTC)),
            reason=(run.options.reason or "").strip(),
            previous=previous,
            verdict=verdict,
            is_override=outcome == "promoted" and verdict in ("worse", "unknown"),
            difference=(
                (difference.mean, difference.corrected_low, difference.corrected_high)
                if difference
                else ()
            ),
        ),
    )


JOB = Job(
    "promote_model",
    "Make a version of a model the champion, with a reviewer's name and reason",
    main,
    ("subject", "promotion"),
    check,
)

if __name__ == "__main__":
    run_job(JOB)
