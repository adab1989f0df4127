"""Private copies of landed files. What is hashed, inspected and read by Spark is the copy, never the original.

A file in the landing folder can be replaced at any time, between its hash and its reading too, and put back
before anyone looks again: size, time of change and a second hash all tell too little or too late, as Delta
commits at the end of the very pass that reads. A copy below `lake.root`, where senders cannot write, holds by
itself. It lies there for one run.
"""

import os
from pathlib import Path
from typing import IO

import pyarrow.fs as pafs

from jobs.lake.locks import is_local
from jobs.landing.entries import NotReadable, filesystem, open_landed

_CHUNK = 1 << 20
_FOLDER = "_landing"


def copies_folder(lake_root: str, run_id: str) -> str:
    """Where a run keeps its copies."""
    return f"{lake_root}/{_FOLDER}/{run_id}"


def drop_copies(lake_root: str, run_id: str) -> None:
    """Delete a run's copies; in a local lake, whose lock the run holds, also what killed runs have left."""
    folder = f"{lake_root}/{_FOLDER}" if is_local(lake_root) else copies_folder(lake_root, run_id)
    system, inner = filesystem(folder)
    if system.get_file_info(inner).type == pafs.FileType.Directory:
        system.delete_dir(inner)


def copy_landed(path: str, copies: str, max_bytes: int) -> str:
    """Copy a file `<root>/<table>/<batch>/<name>`; the copy's path, which ends in the same three names.

    Raises:
        NotReadable: when the file cannot be read, or holds more than `max_bytes`.
        OSError: when the copy cannot be written.
    """
    copy = "/".join((copies, *path.rsplit("/", 3)[1:]))
    with open_landed(path) as landed, _opened_new(copy) as target:
        size = 0
        while chunk := _read(landed):
            size += len(chunk)
            if size > max_bytes:
                raise NotReadable(
                    f"is larger than landing.max_file_gib ({max_bytes / (1 << 30):.3g})"
                )
            target.write(chunk)
    return copy


def cut_copy(copy: str, length: int) -> None:
    """Leave only the first bytes of a copy."""
    system, inner = filesystem(copy)
    whole = f"{inner}.whole"
    system.move(inner, whole)
    with (
        system.open_input_stream(whole, compression=None) as source,
        system.open_output_stream(inner, compression=None) as target,
    ):
        while length and (chunk := source.read(min(length, _CHUNK))):
            target.write(chunk)
            length -= len(chunk)
    system.delete_file(whole)


def _read(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_CHUNK)
    except OSError as error:
        raise NotReadable(f"can't be read: {error.strerror or error}") from None


def _opened_new(copy: str) -> IO[bytes]:
    system, inner = filesystem(copy)
    if is_local(copy):
        Path(inner).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(inner, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    stream: IO[bytes] = system.open_output_stream(inner, compression=None)
    return stream
