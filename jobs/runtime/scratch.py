"""The temporary folder of one run, for checkpoints and Spark's blocks. Folders of killed runs are removed.

Every run has a folder of its own below `drugtrail-<user>`, and holds a lock on a file in it, which its
JVM inherits. A folder whose lock nobody holds belonged to a run that was killed.
"""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from expectations.contract.errors import ConfigError

_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Scratch:
    """The temporary folder of a run that holds its lock.

    Attributes:
        folder: the run's own.
        descriptor: its open lock file, for the JVM to inherit; None if the disk has no such locks.
        removed: the removed folders of killed runs, with their bytes.
    """

    folder: Path
    descriptor: int | None
    removed: dict[str, int] = field(default_factory=dict)

    @property
    def blocks(self) -> Path:
        """The folder of Spark's blocks and spilled data."""
        return self.folder / "blocks"

    @property
    def checkpoints(self) -> Path:
        """The folder of a local session's checkpoints."""
        return self.folder / "checkpoints"


def new_scratch(root: str | None) -> Scratch:
    """Make the folder of this run, readable by its owner only; remove those of killed runs.

    Args:
        root: where temporary files go; the system's temporary folder if None.

    Raises:
        ConfigError: when it cannot be written, or belongs to somebody else.
    """
    base = Path(root or tempfile.gettempdir()) / f"drugtrail-{os.getuid()}"
    try:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        owned = base.lstat()
        if base.is_symlink() or owned.st_uid != os.getuid():
            raise ConfigError(
                f"spark.scratch_root: {base} belongs to another user or is a link: remove it,"
                " or give another folder"
            )
        base.chmod(0o700)
        # One run at a time looks around and makes its folder, so that none takes another's, not yet
        # locked, for one that was left.
        with FileLock(base / ".lock", timeout=_PATIENCE_SECONDS):
            removed = _remove_left(base)
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=base))
            lock = FileLock(folder / ".lock", timeout=0)
            lock.acquire()
        for each in ("blocks", "checkpoints"):
            (folder / each).mkdir(mode=0o700)
    except (OSError, Timeout) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"spark.scratch_root: cannot write temporary files in {base}: {reason};"
            " set spark.scratch_root to a folder with space"
        ) from None
    # The lock is held as long as the object is there, which is as long as the interpreter runs.
    atexit.register(_remove, folder, lock)
    return Scratch(folder, lock._context.lock_file_fd, removed)


def _remove(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        lock.release()


def _remove_left(base: Path) -> dict[str, int]:
    removed = {}
    for folder in sorted(base.glob("run-*")):
        lock = FileLock(folder / ".lock", timeout=0)
        try:
            lock.acquire()
        except (Timeout, OSError):
            continue
        size = sum(each.lstat().st_size for each in folder.rglob("*") if not each.is_dir())
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            lock.release()
        removed[folder.name] = size
    return removed
