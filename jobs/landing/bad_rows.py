"""When a batch has too many bad rows to be kept, and what its files have to do with it."""

from collections.abc import Mapping

from jobs.landing.manifests import LandingBatch
from jobs.runtime.config import Quarantine


def too_many_bad(limits: Quarantine, batch: LandingBatch, bad: int) -> str:
    """Why so many bad rows are too many; empty if they are not."""
    is_small = batch.rows < limits.share_from_rows
    key = "max_share_of_few" if is_small else "max_share"
    most = limits.max_share_of_few if is_small else limits.max_share
    if bad <= most * batch.rows:
        return ""
    return f"{bad} of {batch.rows} rows break the contract, more than quarantine.{key} ({most:.0%})"


def shape_faults(batch: LandingBatch, malformed: int) -> list[str]:
    """What to say of records that have another number of fields than their header.

    Args:
        batch: the batch.
        malformed: how many records there are.
    """
    if not malformed:
        return []
    told = [f"{malformed} records do not have as many fields as the header"]
    for name, facts in batch.facts.items():
        first, header = facts.text.first_fields, len(facts.columns)
        if first not in (0, header):
            told.append(f"{name} has {header} fields in its header and {first} in its first record")
    return told


def encoding_faults(batch: LandingBatch) -> list[str]:
    """Which files are not UTF-8, and what they look like."""
    return [
        f"{name} is not UTF-8, its bytes look like {facts.text.encoding}"
        for name, facts in batch.facts.items()
        if facts.text.encoding
    ]


def common(reasons: Mapping[str, int]) -> list[str]:
    """The three reasons that most rows are bad for, with their numbers."""
    commonest = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    return [f"{text} ({number})" for text, number in commonest[:3]]
