"""What simulate_province can be asked for, and which folders it may write to."""

import argparse
import json
from pathlib import Path
from typing import Any

from expectations.contract.errors import ConfigError
from jobs.province.dirt.dirt import check_factor

#: What says which province a folder holds.
MARKER = "_province.json"
_MOST_MEMBERS = 300_000_000
_MOST_MONTHS = 120
_MOST_DAILY_MONTHS = 24


def check_numbers(given: argparse.Namespace) -> None:
    """Refuse numbers that cannot be.

    Raises:
        ConfigError: a sentence about the first of them.
    """
    if not 100 <= given.members <= _MOST_MEMBERS:
        raise ConfigError(
            f"--members {given.members}: a province has from 100 to {_MOST_MEMBERS:,} members"
        )
    if not 1 <= given.months <= _MOST_MONTHS:
        raise ConfigError(f"--months {given.months}: from 1 to {_MOST_MONTHS} can be simulated")
    if given.daily and given.months > _MOST_DAILY_MONTHS:
        raise ConfigError(
            f"--daily with --months {given.months}: at most {_MOST_DAILY_MONTHS} months in daily"
            " batches, longer times in monthly ones"
        )
    if given.partitions is not None and given.partitions < 1:
        raise ConfigError(f"--partitions {given.partitions}: give at least 1")
    if given.dirt is not None:
        check_factor(given.dirt)
    if given.seed < 0:
        raise ConfigError(f"--seed {given.seed}: give a number from 0 on")


def check_folders(out: Path, truth: Path, marker: dict[str, Any]) -> None:
    """Refuse folders that hold something else, or that would mix truth and landing."""
    if truth.is_relative_to(out) or out.is_relative_to(truth):
        raise ConfigError(
            f"--truth {truth} and --out {out} lie in one another: the truth has to be where no job reads"
        )
    for folder, option in ((out, "--out"), (truth, "--truth")):
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{option} {folder} is not a folder")
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        known = json.loads((out / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(
            f"--out {out} holds something that is no simulated province: give an empty folder"
        ) from None
    other = sorted(name for name in marker if name != "months" and known.get(name) != marker[name])
    if other:
        raise ConfigError(
            f"--out {out} holds another province (its {', '.join(other)} differ): give another folder"
        )
    if known["months"] > marker["months"]:
        raise ConfigError(
            f"--out {out} already holds {known['months']} months of this province, more than"
            f" --months {marker['months']}: give another folder"
        )
