"""What reviewers decided about versions of a model, kept as tags of the versions."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from models.tracking import PROMOTION_TAG, Store, Version

Outcome = Literal["promoted", "refused"]


@dataclass(frozen=True)
class Decision:
    """One decision about a version.

    Attributes:
        outcome: whether the alias was moved.
        by: the reviewer.
        at: when, ISO 8601 in UTC.
        reason: the reviewer's words.
        previous: the version that had the alias; empty if none had it.
        verdict: of the comparison with it, or `first`.
        is_override: whether it was made against the comparison.
        difference: of the headline figure, with its corrected interval; empty without a comparison.
    """

    outcome: Outcome
    by: str
    at: str
    reason: str
    previous: str
    verdict: str
    is_override: bool = False
    difference: tuple[float, ...] = ()


def decisions(store: Store, version: Version) -> list[Decision]:
    """All decisions about a version, the oldest first."""
    tags = store.client.get_model_version(version.name, version.version).tags
    numbered = sorted(key for key in tags if key.startswith(PROMOTION_TAG))
    found = []
    for key in numbered:
        values = json.loads(tags[key])
        values["difference"] = tuple(values["difference"])
        found.append(Decision(**values))
    return found


def note(store: Store, version: Version, decision: Decision) -> None:
    """Add a decision to the version's tags; earlier ones stay."""
    number = len(decisions(store, version)) + 1
    store.client.set_model_version_tag(
        version.name,
        version.version,
        f"{PROMOTION_TAG}{number:03d}",
        json.dumps(asdict(decision), ensure_ascii=False),
    )


def move_alias(store: Store, version: Version, champion: str, challenger: str) -> None:
    """Make a version the champion; it is then no challenger any more."""
    store.client.set_registered_model_alias(version.name, champion, version.version)
    waiting = store.aliased(version.name, challenger)
    if waiting is not None and waiting.version == version.version:
        store.client.delete_registered_model_alias(version.name, challenger)


def now_text(now: datetime) -> str:
    """A time as it is kept."""
    return now.isoformat(timespec="seconds")
