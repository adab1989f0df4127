"""Reads YAML files and checks them against a pydantic model, for all files under conf/.

A file is data from outside. Size, depth, duplicate keys and the expansion of aliases are limited, so every
faulty file gives one sentence that names file and place.
"""

import difflib
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from expectations.contract.errors import ConfigError

#: Bytes; the largest file that the project has is 40 kB.
_LARGEST = 4_000_000
#: Brackets and indents inside one another; the rules need 5.
_DEEPEST = 50
#: Values that a file may hold, those that aliases stand for counted each time.
_MOST_VALUES = 100_000
#: The largest whole number that Spark and pandas can hold.
_LARGEST_NUMBER = 2**63 - 1

_Model = TypeVar("_Model", bound=BaseModel)
_Place = tuple[int | str, ...]


def read_yaml(path: str | Path, what: str) -> dict[str, Any]:
    """The keys of a YAML file; an empty file has none.

    Args:
        path: the file.
        what: its content, for the message, such as "the configuration file".

    Raises:
        ConfigError: with the file, the fault, and the line if it is known.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {what} {path}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{path} is not valid YAML: it is not UTF-8 text") from None
    if len(content) > _LARGEST:
        raise ConfigError(
            f"{path} has more than {_LARGEST // 1_000_000} MB: it cannot be {what}, give another file"
        )
    try:
        parsed = parse_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise ConfigError(f"{path} must hold keys with values, such as name: value")
    return parsed


def parse_yaml(text: str) -> Any:
    """The value of a YAML text: mappings with text keys, lists, texts, finite numbers, dates, null.

    Raises:
        ValueError: one line about the fault.
    """
    try:
        # A SafeLoader with less.
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{error.problem or error.context}{where}") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError(f"it is nested more than {_DEEPEST} deep") from None


def checked(
    model: type[_Model],
    content: Any,
    source: str,
    place: Callable[[_Place], str] | None = None,
) -> _Model:
    """The content of a file as a model.

    Args:
        model: the pydantic model.
        content: the result of `read_yaml`.
        source: the file, for the messages.
        place: names the place of a fault; by default its keys with dots between them.

    Raises:
        ConfigError: one sentence for every fault.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        known = known_keys(model)
        sentences = [
            f"{source}: {fault_sentence(fault, known, (place or dotted)(fault['loc']))}"
            for fault in error.errors()
        ]
        raise ConfigError("\n".join(sentences)) from None


def fault_sentence(fault: ErrorDetails, known: Iterable[str], key: str) -> str:
    """A fault that pydantic found, as a sentence for the author of the file.

    Args:
        fault: one of `ValidationError.errors()`.
        known: the valid names, with dots between the levels.
        key: the place, as the message should name it.
    """
    kind = fault["type"]
    if kind == "extra_forbidden":
        return f"unknown key {key}; {nearest_name(dotted(fault['loc']), known)}"
    if kind == "missing":
        return f"{key} is missing"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"{key} must hold keys with values, not {fault['input']!r:.60}"
    if kind == "value_error":
        return f"{key}: {fault['msg'].removeprefix('Value error, ')}"
    if kind == "string_type" and not isinstance(fault["input"], dict | list | None):
        return f"{key} is {fault['input']!s:.200}, read as {_kind_of(fault['input'])}: put it in quotes"
    if isinstance(fault["input"], dict | list):
        return f"{key}: {fault['msg']}"
    return f"{key} is {fault['input']!r:.200}: {fault['msg']}"


def _kind_of(value: Any) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", date: "a date"}
    return next((told for kind, told in kinds.items() if isinstance(value, kind)), "something else")


def nearest_name(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest valid name."""
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"the nearest valid name is {nearest[0]}" if nearest else "no name is valid here"


def known_keys(model: type[BaseModel], at: str = "") -> list[str]:
    """All keys of a model and of those inside it, with dots between the levels."""
    keys = []
    for name, declared in model.model_fields.items():
        keys.append(f"{at}{name}")
        for inner in _models_in(declared.annotation):
            keys += known_keys(inner, f"{at}{name}.")
    return list(dict.fromkeys(keys))


def dotted(place: _Place) -> str:
    """The keys of a place with dots between them."""
    return ".".join(str(part) for part in place)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is None and not isinstance(annotation, UnionType):
        return []
    return [model for part in get_args(annotation) for model in _models_in(part)]


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without constructs that a reader of the file would misread."""

    _depth = 0

    def get_single_node(self) -> Any:
        """Refuse a file whose aliases expand to too many values, or to themselves."""
        node = super().get_single_node()
        if node is not None and _values(node, {}) > _MOST_VALUES:
            raise yaml.MarkedYAMLError(
                problem=f"its aliases (*) stand for more than {_MOST_VALUES:,} values"
            )
        return node

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse excessive depth before the interpreter's stack overflows."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"it is nested more than {_DEEPEST} deep",
                problem_mark=self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """Refuse a key that occurs twice or is not text."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                shown = "a list or mapping" if isinstance(key, list | dict) else repr(key)
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key_node.value!r:.40} is read as {shown}, put it in quotes",
                    problem_mark=key_node.start_mark,
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r:.80} occurs twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Refuse whole numbers that are too large, and dates that do not exist."""
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, OverflowError, TypeError, AttributeError):
            raise yaml.MarkedYAMLError(
                problem=f"{node.value!r:.40} cannot be read as {node.tag.rpartition(':')[2]},"
                " put it in quotes if it is text",
                problem_mark=node.start_mark,
            ) from None
        if isinstance(value, str) and not _is_unicode(value):
            raise yaml.MarkedYAMLError(
                problem=f"{value!r:.40} holds half a letter (a surrogate), which is no text",
                problem_mark=node.start_mark,
            )
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise yaml.MarkedYAMLError(
                problem=f"{node.value:.40} is larger than any number of 64 bits",
                problem_mark=node.start_mark,
            )
        return value


def _values(node: yaml.Node, known: dict[int, int], depth: int = 0) -> int:
    """The number of values of a node, with each use of an alias counted."""
    if depth > _DEEPEST:
        raise yaml.MarkedYAMLError(
            problem=f"it is nested more than {_DEEPEST} deep, or an alias (*) stands for itself",
            problem_mark=node.start_mark,
        )
    if id(node) not in known:
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif isinstance(node, yaml.MappingNode):
            inner = [each for pair in node.value for each in pair]
        known[id(node)] = 1 + sum(_values(each, known, depth + 1) for each in inner)
    return known[id(node)]


def _merges_nothing(_: yaml.SafeLoader, node: Any) -> None:
    raise yaml.MarkedYAMLError(problem="<<: is not supported", problem_mark=node.start_mark)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _makes_nothing(_: yaml.SafeLoader, node: Any) -> None:
    raise yaml.MarkedYAMLError(
        problem=f"!!{node.tag.rpartition(':')[2]} is not supported", problem_mark=node.start_mark
    )


_StrictLoader.add_constructor("tag:yaml.org,2002:merge", _merges_nothing)
for _kind in ("binary", "set", "omap", "pairs"):
    _StrictLoader.add_constructor(f"tag:yaml.org,2002:{_kind}", _makes_nothing)
