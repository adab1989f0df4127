"""Operating-system locks on local tables: Delta in a plain folder is safe for one driver only."""

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from expectations.contract.errors import ConfigError, LockHeld

_PATIENCE_SECONDS = 300
#: How long the JVM of a killed run may take to notice that its driver is gone.
_JVM_SECONDS = 30


@dataclass(frozen=True)
class HeldLock:
    """A lock that this process holds.

    Attributes:
        descriptor: the open lock file, which a JVM may inherit: the lock then lasts until both the process
            and its JVM have ended. None on object storage.
        taken_over: a sentence about the dead run that held the lock; None if there was none.
    """

    descriptor: int | None = None
    taken_over: str | None = None


def is_local(root: str) -> bool:
    """Whether a root is a folder of this machine, rather than object storage."""
    return "://" not in root or root.startswith("file:")


def local_path(root: str) -> Path:
    """The folder that a local root names."""
    return Path(root.removeprefix("file://").removeprefix("file:"))


@contextmanager
def job_lock(lake_root: str, job: str) -> Iterator[HeldLock]:
    """Hold the lock of a job's tables, or refuse at once.

    The system frees the lock when its holder dies, so a dead run never blocks the next. On object storage
    this does nothing; configure Delta's multi-cluster log store there.

    Raises:
        LockHeld: naming the process that holds it.
        ConfigError: when the lake's folder cannot be written.
    """
    if not is_local(lake_root):
        yield HeldLock()
        return
    folder = _lock_folder(lake_root)
    holder = folder / f"{job}.holder.json"
    lock = FileLock(folder / f"{job}.lock", timeout=0)
    try:
        _acquire(lock, holder)
    except Timeout:
        raise LockHeld(
            f"{job} is already running on {lake_root}: {_describe(holder)}."
            " Wait for it to end, or stop it; a dead run frees its lock by itself"
        ) from None
    except (OSError, NotImplementedError) as error:
        raise _unwritable(lake_root, error) from None
    try:
        taken_over = _left_behind(holder, job)
        try:
            _write_holder(holder)
        except OSError as error:
            raise _unwritable(lake_root, error) from None
        # Private to filelock, which gives no other way to hand a lock on to a child process.
        yield HeldLock(lock._context.lock_file_fd, taken_over)
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def require_free(lake_root: str, jobs: Sequence[str]) -> None:
    """Refuse if another process holds the lock of one of these jobs.

    Raises:
        LockHeld: naming the first such job and the process.
        ConfigError: when the lake's folder cannot be written.
    """
    if is_local(lake_root):
        for job in jobs:
            with job_lock(lake_root, job):
                pass


@contextmanager
def commit_lock(lake_root: str, table: str) -> Iterator[None]:
    """Wait for the lock of a table to which several jobs append.

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


def _acquire(lock: FileLock, holder: Path) -> None:
    try:
        lock.acquire()
    except Timeout:
        facts = _facts(holder)
        if not facts or facts["host"] != socket.gethostname() or _is_alive(int(facts["pid"])):
            raise
        # The driver was killed, and its JVM, which may still commit, has not noticed yet.
        lock.acquire(timeout=_JVM_SECONDS)


def _lock_folder(lake_root: str) -> Path:
    folder = local_path(lake_root) / "_locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(lake_root, error) from None
    return folder


def _unwritable(lake_root: str, error: Exception) -> ConfigError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return ConfigError(
        f"lake.root is {lake_root}, which cannot be written to: {reason}."
        " Give a folder on a writable disk with space, or change its rights"
    )


def _write_holder(holder: Path) -> None:
    facts = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    holder.write_text(json.dumps(facts))


def _left_behind(holder: Path, job: str) -> str | None:
    """The note of a run that died with the lock; a run that ends normally removes its note."""
    if not holder.exists():
        return None
    message = f"took over the lock of {job} from a run that died: {_describe(holder)}"
    facts = _facts(holder)
    if facts and facts["host"] != socket.gethostname():
        message += "; it ran on another host: check there that it has ended"
    return message


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _facts(holder: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(holder.read_text())
        return {"pid": int(facts["pid"]), "host": facts["host"], "since": facts["since"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _describe(holder: Path) -> str:
    facts = _facts(holder)
    if facts is None:
        return "a process whose note cannot be read"
    return f"process {facts['pid']} on {facts['host']} since {facts['since']}"
