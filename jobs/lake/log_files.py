"""The newest version and the gaps of a Delta log, from its file names.

The names are Delta's protocol: a commit is `<version, 20 digits>.json`; a checkpoint, which holds all
earlier commits, is `<version>.checkpoint.parquet`, or has an id or its part's number between.
`_last_checkpoint` is a hint that Delta does not need and that may be damaged when a machine dies, so it is
not read.
"""

import re
from collections import Counter
from collections.abc import Iterable

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(
    r"(?P<version>\d{20})\.checkpoint(\.\d{10}\.(?P<parts>\d{10})|\.[0-9a-f-]+)?\.(parquet|json)"
)


class BrokenLog(ValueError):
    """A Delta log from which its table cannot be read; the message names the fault, not the table."""


def newest_version(names: Iterable[str]) -> int | None:
    """The last version of a log, from its file names; None if there is no version.

    Raises:
        BrokenLog: when a commit that is needed to read the table is missing.
    """
    given = list(names)
    committed, checkpoints = commits(given), _checkpoints(given)
    if not committed and not checkpoints:
        return None
    newest = max(committed | checkpoints)
    first = max(checkpoints, default=-1) + 1
    lost = sorted(set(range(first, newest + 1)) - committed)
    if lost:
        which = "its first commit" if lost[0] == 0 else f"commit {lost[0]} of {newest}"
        more = f" and {len(lost) - 1} more are" if len(lost) > 1 else " is"
        raise BrokenLog(f"{which}{more} missing in _delta_log ({lost[0]:020d}.json)")
    return newest


def commits(names: Iterable[str]) -> set[int]:
    """The versions whose commits exist."""
    return {int(found[1]) for found in map(_COMMIT.fullmatch, names) if found}


def _checkpoints(names: Iterable[str]) -> set[int]:
    """The versions with a complete checkpoint: all of its parts exist."""
    found = [match for match in map(_CHECKPOINT.fullmatch, names) if match]
    parts = Counter((int(each["version"]), int(each["parts"] or 1)) for each in found)
    return {version for (version, wanted), there in parts.items() if there >= wanted}
