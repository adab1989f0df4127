"""Secrets: read from the environment, and masked by one function in all output of a run.

Log, `ops/job_run`, console, page and tracebacks all pass `masked`. It recognises secrets by their form
(addresses, queries, JDBC, headers, names such as `password`) and by their value (environment variables with
such names, and values of `${NAME}` in the configuration).
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from expectations.contract.errors import ConfigError

MASK = "***"

#: The words that make a name the name of a secret, whatever stands before and after them.
_SECRET_WORDS = re.compile(
    r"pass(?:word|wd|phrase|code)|\bpwd\b|(?:^|[._-])pwd$|secret|token|credential|authori[sz]ation|"
    r"signature|(?:^|[._-])sig$|cookie|"
    r"(?:api|access|account|private|shared|storage|encryption|hash|signing|session|master|auth)[._-]?key|"
    r"(?:^|[._-])key$|^auth$",
    re.IGNORECASE,
)
#: Names that end in `key` or hold such a word, and are none.
_HARMLESS = re.compile(
    r"(?:primary|pipeline|partition|foreign|sort|business|natural)[._-]?keys?$|"
    r"(?:^|[._-])tokens?[._-](?:count|number|length)$",
    re.IGNORECASE,
)
#: Shorter values from the environment would mask ordinary words.
_SHORTEST = 8
_SHORTEST_REFERENCED = 4

_VALUE = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^{}]*\}|[^\s&;,'"<>)\]}]+)"""
_ASSIGNED = re.compile(
    rf"""(?P<name>[\w.%\[\]-]{{2,80}})(?P<sign>["']?\s{{0,3}}[=:]\s{{0,3}})(?P<value>{_VALUE})"""
)
_HEADER = re.compile(
    r"(?i)(authorization[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?:(basic|bearer|digest|token|negotiate)\s+)?[^\s,;\"']+"
)
_BEARER = re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{6,}")
_PROPERTY = re.compile(r"(?P<name>\b(?:spark|fs)\.[\w.-]+)(?P<sign>\s+)(?P<value>\S+)")
_ORACLE = re.compile(r"(?i)(jdbc:oracle:\w+:[^\s/@]*)/[^\s]+(?=@)")
_ADDRESS = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*:/{2,3})(?P<rest>[^\s\"'<>]+)")
_BARE = re.compile(
    r"(?<![\w/:@])(?P<user>[\w.+%-]+):(?P<secret>[^\s/:\"'<>][^\s\"'<>]*)@(?=[\w\[])"
)
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

#: Values that `${NAME}` in the configuration of this process stood for.
_referenced: set[str] = set()


def is_secret_name(name: str) -> bool:
    """Whether a key, a property or a variable has the name of a secret."""
    plain = unquote(name)
    return bool(_SECRET_WORDS.search(plain)) and not _HARMLESS.search(plain)


def masked(text: str) -> str:
    """A text with every secret in it replaced by `***`; user names in front of passwords stay."""
    return _masked(text, _known_values())


def masked_tree(value: Any, name: str = "") -> Any:
    """Lists and mappings with masked texts; a value under the name of a secret is masked whole."""
    # Looked up once: a configuration has hundreds of texts.
    return _masked_tree(value, name, _known_values())


def _masked(text: str, known: Sequence[str]) -> str:
    for value in known:
        text = text.replace(value, MASK)
    text = _ORACLE.sub(rf"\1/{MASK}", text)
    text = _ADDRESS.sub(_masked_address, text)
    text = _BARE.sub(rf"\g<user>:{MASK}@", text)
    text = _HEADER.sub(lambda found: found[1] + (f"{found[2]} " if found[2] else "") + MASK, text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _PROPERTY.sub(_masked_assignment, text)
    return _ASSIGNED.sub(_masked_assignment, text)


def _masked_tree(value: Any, name: str, known: Sequence[str]) -> Any:
    if name and is_secret_name(name) and value not in (None, "", True, False):
        return MASK
    if isinstance(value, str):
        return _masked(value, known)
    if isinstance(value, Mapping):
        return {
            _masked(key, known) if isinstance(key, str) else key: _masked_tree(
                each, str(key), known
            )
            for key, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_tree(each, "", known) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _masked(str(value), known)


def with_environment(text: str, key: str) -> str:
    """A configured text with each `${NAME}` replaced by that variable of the environment.

    Inside an address the value is percent-encoded, so that a password may hold any letter.

    Args:
        text: the configured value.
        key: the key of the value, for the message.

    Raises:
        ConfigError: when a variable is not set.
    """

    def value(found: re.Match[str]) -> str:
        given = os.environ.get(found[1])
        if not given:
            raise ConfigError(
                f"{key} refers to ${{{found[1]}}}, which is not set: set that environment variable"
            )
        if len(given) >= _SHORTEST_REFERENCED:
            _referenced.add(given)
        return quote(given, safe="") if "://" in text[: found.start()] else given

    return _REFERENCE.sub(value, text)


def _known_values() -> list[str]:
    """Secrets by value, in plain and in encoded form, the longest first."""
    named = {
        value
        for name, value in os.environ.items()
        if len(value) >= _SHORTEST and is_secret_name(name) and not value.startswith(("/", "~"))
    }
    # A whole address from the environment is masked by its form, which leaves the host to be read.
    plain = {value for value in named | _referenced if "://" not in value}
    encoded = {form(value) for value in plain for form in (quote, _quoted_whole, quote_plus)}
    return sorted(plain | encoded, key=len, reverse=True)


def _quoted_whole(value: str) -> str:
    return quote(value, safe="")


def _masked_address(found: re.Match[str]) -> str:
    rest = found["rest"]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    # A password may hold a slash although it should not: then no @ comes before the first slash, and
    # what looks like a port is none.
    user = authority.partition(":")
    if "@" not in authority and user[1] and not re.fullmatch(r"\d*", user[2]) and "@" in rest:
        authority = rest[: rest.rindex("@") + 1]
    if "@" in authority:
        # A password may hold further @, before or after a ? or # that ends the authority.
        end = len(authority) if authority.endswith("@") else authority.rindex("@") + 1
        login, host = authority[: end - 1], rest[end:]
        name, colon, _ = login.partition(":")
        rest = f"{name}:{MASK}@{host}" if colon else f"{MASK}@{host}"
        # user:p?ss@host: what was taken for a query is the end of the password.
        tail = rest.partition("@")[2]
        if re.match(r"[^/]*[?#][^/=]*@", tail):
            rest = f"{rest.partition('@')[0]}@{tail[tail.rindex('@') + 1 :]}"
    elif re.match(r"[^/]*:[^/@]*[?#][^/]*@", rest):
        rest = f"{rest.partition(':')[0]}:{MASK}@{rest[rest.rindex('@') + 1 :]}"
    return found["scheme"] + re.sub(
        r"(?P<name>[^?&;=#/]+)(?P<sign>=)(?P<value>\{[^{}]*\}|[^&;#]*)", _masked_assignment, rest
    )


def _masked_assignment(found: re.Match[str]) -> str:
    value = found["value"]
    if is_secret_name(found["name"]) and value.strip("'\"") not in (MASK, ""):
        mark = value[0] if value[0] in "'\"" else ""
        return f"{found['name']}{found['sign']}{mark}{MASK}{mark}"
    # An address inside a query, percent-encoded.
    inner = unquote_plus(value)
    if inner != value and "://" in inner and masked(inner) != inner:
        return f"{found['name']}{found['sign']}{MASK}"
    return found[0]
