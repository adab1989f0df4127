"""The form of a manifest: JSON from outside, which may hold anything. Pure."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_ROWS = (1 << 63) - 1
_LONGEST_AMOUNT = 60


class ManifestFault(Exception):
    """A manifest is not in the form of the contract; the message says where and what is wanted."""


@dataclass(frozen=True)
class ListedFile:
    """A file as the manifest announces it."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a manifest says, its texts as they came."""

    table: str
    batch: str
    rows: int
    control: dict[str, Decimal]
    files: list[ListedFile]


def parsed_manifest(content: bytes) -> Manifest:
    """The manifest that some bytes hold.

    Raises:
        ManifestFault: when they hold none.
    """
    told = _loaded(content)
    if not isinstance(told, dict):
        raise ManifestFault("it has to be an object with table, batch, rows, control and files")
    control = {} if told.get("control") is None else told["control"]
    if not isinstance(control, dict):
        raise ManifestFault("control has to be an object of amount columns and their sums")
    files = told.get("files")
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise ManifestFault("files has to be a list of objects with name, rows and sha256")
    return Manifest(
        table=_text(told, "table"),
        batch=_text(told, "batch"),
        rows=_count(told, "rows"),
        control={name: _amount(amount) for name, amount in control.items()},
        files=[_listed(file, f"files[{number}].") for number, file in enumerate(files)],
    )


def _loaded(content: bytes) -> Any:
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        raise ManifestFault("it is not UTF-8 text") from None
    try:
        return json.loads(
            text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_once
        )
    except RecursionError:
        raise ManifestFault("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}, column {error.colno}"
        raise ManifestFault(f"it is not JSON: {error.msg} at {at}") from None
    except (ValueError, InvalidOperation):
        raise ManifestFault("it holds a number that is too long") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ManifestFault(f"it holds {name}, which is no JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ManifestFault("one of its objects has a key twice")
    return found


def _listed(file: dict[str, Any], at: str) -> ListedFile:
    sha256 = _text(file, "sha256", at).lower()
    if not _SHA256.fullmatch(sha256):
        raise ManifestFault(f"{at}sha256 has to be 64 hexadecimal digits")
    return ListedFile(_text(file, "name", at), _count(file, "rows", at), sha256)


def _text(told: dict[str, Any], key: str, at: str = "") -> str:
    found = told.get(key)
    if not isinstance(found, str):
        raise ManifestFault(f"{at}{key} has to be a text")
    return found


def _count(told: dict[str, Any], key: str, at: str = "") -> int:
    found = told.get(key)
    # To Python true is a number.
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= _MOST_ROWS:
        raise ManifestFault(f"{at}{key} has to be a whole number, 0 or more")
    return found


def _amount(found: Any) -> Decimal:
    """A control sum: a decimal number as text, or a number."""
    try:
        if isinstance(found, bool) or not isinstance(found, str | int | Decimal):
            raise ValueError
        amount = Decimal(found)
        if not amount.is_finite() or len(str(found)) > _LONGEST_AMOUNT:
            raise ValueError
    except (ValueError, InvalidOperation):
        raise ManifestFault("control: a sum has to be a decimal number as text") from None
    return amount
