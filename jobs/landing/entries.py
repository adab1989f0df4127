"""What lies in a landing folder: its entries by kind, and files that are opened without following a link.

`landing.root` may itself be a link and is resolved once. Below it no link is followed, wherever it leads: whoever
can drop a file could otherwise have any file of the machine read as data.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow.fs as pafs

from jobs.lake.locks import is_local, local_path

FILE, FOLDER, LINK = "file", "folder", "link"
_OTHER = "device, pipe or socket"
_LONGEST_SHOWN = 120


class NotReadable(Exception):
    """An entry cannot be read; the message goes on after the entry's name."""


class NotThere(NotReadable):
    """There is no such entry."""


def resolved_root(root: str) -> str:
    """A landing root with its own links resolved, without a slash at its end."""
    return str(local_path(root).resolve()) if is_local(root) else root.rstrip("/")


def filesystem(path: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a path, and the path within it."""
    if not is_local(path):
        found: tuple[pafs.FileSystem, str] = pafs.FileSystem.from_uri(
            path.replace("s3a://", "s3://")
        )
        return found
    return pafs.LocalFileSystem(), str(local_path(path).absolute())


def shown(name: str) -> str:
    """A name from outside as it may be put into a message: no control characters, no look-alikes."""
    safe = name if re.fullmatch(r"[!-~]+", name) else ascii(name)
    return safe if len(safe) <= _LONGEST_SHOWN else f"{safe[:_LONGEST_SHOWN]}..."


def folder_entries(path: str, depth: int) -> dict[str, str]:
    """The names in a folder, sorted, with the kind of each; none when the folder is not there.

    Args:
        path: the folder.
        depth: how many levels below the landing root it lies; none of these may be a link.

    Raises:
        NotReadable: when it is no folder or must not be looked into.
    """
    try:
        if is_local(path):
            with _descended(Path(path), depth) as folder, os.scandir(folder) as entries:
                return dict(sorted((entry.name, _kind_of(entry)) for entry in entries))
        system, inner = filesystem(path)
        found = system.get_file_info(pafs.FileSelector(inner, allow_not_found=True))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _not_readable(error) from None
    is_folder = pafs.FileType.Directory
    return {
        entry.base_name: FOLDER if entry.type == is_folder else FILE
        for entry in sorted(found, key=lambda each: str(each.base_name))
    }


def open_landed(path: str) -> IO[bytes]:
    """Open a file `<root>/<table>/<batch>/<name>`, which has to be a plain file.

    Raises:
        NotThere: when there is none.
        NotReadable: when it is something else or cannot be opened.
    """
    try:
        if is_local(path):
            with _descended(Path(path).parent, 2) as folder:
                return os.fdopen(_opened(folder, Path(path).name, FILE), "rb")
        system, inner = filesystem(path)
        stream: IO[bytes] = system.open_input_stream(inner, compression=None)
        return stream
    except FileNotFoundError:
        raise NotThere("is not there") from None
    except OSError as error:
        raise _not_readable(error) from None


def read_landed(path: str, max_bytes: int) -> bytes:
    """A whole small file.

    Raises:
        NotThere: when there is none.
        NotReadable: when it cannot be read or is larger than `max_bytes`.
    """
    with open_landed(path) as stream:
        try:
            content = stream.read(max_bytes + 1)
        except OSError as error:
            raise _not_readable(error) from None
    if len(content) > max_bytes:
        raise NotReadable(f"is larger than {max_bytes >> 20} MiB")
    return content


def _not_readable(error: OSError) -> NotReadable:
    return NotReadable(f"can't be read: {error.strerror or type(error).__name__}")


@contextmanager
def _descended(folder: Path, depth: int) -> Iterator[int]:
    """A descriptor of a folder some levels below the landing root.

    Each level is opened from the one above it, so that none can become a link in between.
    """
    names = folder.parts[len(folder.parts) - depth :]
    found = os.open(Path(*folder.parts[: len(folder.parts) - depth]), os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in names:
            above, found = found, _opened(found, name, FOLDER)
            os.close(above)
        yield found
    finally:
        os.close(found)


def _opened(folder: int, name: str, wanted: str) -> int:
    """A descriptor of an entry of a folder, which has to be of a kind."""
    _refuse_other(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode, wanted)
    # Should it have become a pipe or a link since then: this neither waits nor follows.
    found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        _refuse_other(os.fstat(found).st_mode, wanted)
    except NotReadable:
        os.close(found)
        raise
    return found


def _refuse_other(mode: int, wanted: str) -> None:
    kind = _kind(mode)
    if kind == LINK:
        raise NotReadable(f"is a link, which is never followed: put the {wanted} itself there")
    if kind != wanted:
        raise NotReadable(f"is a {kind}, not a {wanted}")


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return LINK
    if stat.S_ISDIR(mode):
        return FOLDER
    return FILE if stat.S_ISREG(mode) else _OTHER


def _kind_of(entry: "os.DirEntry[str]") -> str:
    if entry.is_symlink():
        return LINK
    if entry.is_dir(follow_symlinks=False):
        return FOLDER
    return FILE if entry.is_file(follow_symlinks=False) else _OTHER
