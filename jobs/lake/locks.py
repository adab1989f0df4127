"""Operating-system locks on local tables: Delta in a plain folder is safe for one driver only."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from expectations.contract.errors import LockHeld

_PATIENCE_SECONDS = 300


def is_local(root: str) -> bool:
    """Whether a root is a folder of this machine, rather than object storage."""
    return "://" not in root or root.startswith("file:")


def local_path(root: str) -> Path:
    """The folder that a local root names."""
    return Path(root.removeprefix("file://").removeprefix("file:"))


@contextmanager
def job_lock(lake_root: str, job: str) -> Iterator[None]:
    """Hold the lock of a job's tables, or refuse at once.

    The system frees the lock when its holder dies, so a dead run never blocks the next. On object
    storage this does nothing: there Delta's multi-cluster log store has to be configured.

    Raises:
        LockHeld: naming the process that holds it.
    """
    if not is_local(lake_root):
        yield
        return
    folder = _lock_folder(lake_root)
    holder = folder / f"{job}.holder.json"
    lock = FileLock(folder / f"{job}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LockHeld(
            f"{job} is already running on {lake_root}: {_describe(holder)}."
            " Wait for it to end, or stop it; a dead run frees its lock by itself"
        ) from None
    try:
        holder.write_text(
            json.dumps(
                {
                    "pid": os.getpid(),
                    "host": socket.gethostname(),
                    "since": datetime.now(UTC).isoformat(timespec="seconds"),
                }
            )
        )
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def commit_lock(lake_root: str, table: str) -> Iterator[None]:
    """Wait for the right to commit to a table that several jobs append to.

    Raises:
        LockHeld: when another process has kept it for five minutes.
    """
    if not is_local(lake_root):
        yield
        return
    lock = FileLock(_lock_folder(lake_root) / f"{table}.commit.lock", timeout=_PATIENCE_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise LockHeld(f"another process has held {table} in {lake_root} for too long") from None
    try:
        yield
    finally:
        lock.release()


def _lock_folder(lake_root: str) -> Path:
    folder = local_path(lake_root) / "_locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _describe(holder: Path) -> str:
    try:
        facts = json.loads(holder.read_text())
    except (OSError, ValueError):
        return "the holder is just starting"
    return f"process {facts['pid']} on {facts['host']} since {facts['since']}"
