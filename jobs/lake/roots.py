"""Folders and addresses that can hold a lake."""

import re

from expectations.contract.errors import ConfigError
from jobs.lake.locks import is_local, local_path

#: Delta can make no table below a folder with a backtick, and no file system needs the others.
_REFUSED = re.compile(r"[`\x00-\x1f\x7f]")


def lake_root(root: str) -> str:
    """The root below which tables are addressed. A local root is a folder, and its letters are taken literally.

    Raises:
        ConfigError: when it is empty or has letters that Delta or Spark would not take literally.
    """
    if not root.strip():
        raise ConfigError("lake.root is empty: give the folder or address of the lake")
    if found := _REFUSED.search(root):
        raise ConfigError(
            f"lake.root holds {found[0]!r}, below which Delta can make no table: give a path without it"
        )
    if not is_local(root):
        return root.rstrip("/")
    if root.startswith("file:") and "%" in root:
        raise ConfigError(
            f"lake.root is {root}: write it as a plain path, since % in a file: address may stand for"
            " another letter"
        )
    return str(local_path(root).absolute())
