"""Values that stand for "nothing" in a landed column, as `conf/placeholders.yaml` lists them. Pure."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from expectations.contract.yaml_files import checked, read_yaml
from expectations.landing.table import LandingField, LandingTable

#: What a reason in quarantine and a row of `ops.value_profile` call a value that too many people carry.
SHARED = "carried by too many people"
#: The entry of a text without letters: it is emptied like the others, but nobody has to be told.
EMPTY_TEXT = "empty text"
#: What programs put around a word for nothing, [NULL] and (null), and the brackets of Chinese texts.
_BRACKETS = (
    ("[", "]"),
    ("(", ")"),
    ("<", ">"),
    ("{", "}"),
    ("\uff08", "\uff09"),
    ("\u3010", "\u3011"),
)
_HASH = "_hash"
#: How the names of codes end, that of a diagnosis too, which is no id.
_CODE_END = "_codg"
_ARRIVAL = "arrive_time"
#: Required columns that are held against no other table, so that whatever is in them would be believed.
_BELIEVED = frozenset({"drug_trac_codg", "legal_basis_id"})
_FUNCTIONS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sm3")
#: Hashes are delivered whole or cut. So many characters of one name it: no other value begins alike by chance.
HASH_HEAD = 16
#: OpenSSL may be built without SM3: then at least the hash of the empty text is known.
_SM3_OF_NOTHING = "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Shared(_Part):
    """When a value is carried by more people than any could be.

    Args:
        columns: `table.column` in landing names.
        most_people: so many may carry one value within the days.
        times_next: so many times as many people as carry the commonest of the other values.
        history_days: batches of so many days before the newest batch are counted too.
    """

    columns: tuple[str, ...]
    most_people: int = Field(ge=2)
    times_next: float = Field(ge=1)
    history_days: int = Field(ge=0)


class Placeholders(_Part):
    """The list. Texts are compared without regard to capitals, outer blanks, brackets around them and a stop behind."""

    texts: tuple[str, ...]
    id_patterns: tuple[str, ...]
    hash_functions: tuple[str, ...]
    hashed_texts: tuple[str, ...]
    hash_key_variables: tuple[str, ...]
    dates: tuple[date, ...]
    far_dates: tuple[date, ...]
    dates_of: Mapping[str, tuple[date, ...]] = {}
    numbers: Mapping[str, tuple[float, ...]]
    shared: Shared

    @field_validator("id_patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern} is no regular expression: {error}") from None
        return patterns

    @model_validator(mode="after")
    def _has_known_functions(self) -> "Placeholders":
        if unknown := sorted(set(self.hash_functions) - set(_FUNCTIONS)):
            raise ValueError(
                f"hash_functions has {', '.join(unknown)}: known are {', '.join(_FUNCTIONS)}"
            )
        return self


@dataclass(frozen=True)
class ColumnPlaceholders:
    """What stands for nothing in one column; values are given with the name of their entry.

    Args:
        texts: lower-case texts without outer blanks.
        hash_heads: the first `HASH_HEAD` characters of hashes, in lower case.
        patterns: regular expressions of whole lower-case texts.
        days: dates; a time stands for nothing if it lies on one of them, at whatever hour.
        numbers: numbers.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    hash_heads: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    days: Mapping[date, str] = field(default_factory=dict)
    numbers: tuple[float, ...] = ()

    def entry_of(self, value: object) -> str | None:
        """The entry that a value is, or None."""
        if isinstance(value, str):
            text = value.strip().lower()
            whole = (each for each in self.patterns if re.fullmatch(each, text))
            head = self.hash_heads.get(text[:HASH_HEAD])
            return self.texts.get(text) or head or next(whole, None)
        if isinstance(value, date):
            return self.days.get(value.date() if isinstance(value, datetime) else value)
        return next((f"{each:g}" for each in self.numbers if value == each), None)


def load_placeholders(path: str, tables: Iterable[LandingTable]) -> Placeholders:
    """Read and check the list.

    Args:
        path: the file.
        tables: the landing tables whose columns it may name.

    Raises:
        ConfigError: one sentence for every fault, with the key.
    """
    known = {f"{table.name}.{each.name}": each for table in tables for each in table.fields}

    class _Checked(Placeholders):
        @model_validator(mode="after")
        def _names_columns(self) -> "_Checked":
            named = {
                "numbers": self.numbers,
                "dates_of": self.dates_of,
                "shared.columns": self.shared.columns,
            }
            for key, names in named.items():
                for name in names:
                    if name not in known:
                        raise ValueError(f"{key} has {name}, which is no column of the contract")
            for key, is_right in (("numbers", _is_number), ("dates_of", _is_time)):
                for name in named[key]:
                    if not is_right(known[name]):
                        raise ValueError(f"{key} has {name}, which is {known[name].type}")
            return self

    return checked(_Checked, read_yaml(path, "the list of placeholders"), path)


def column_placeholders(
    listed: Placeholders, table: LandingTable, column: LandingField, keys: Mapping[str, str]
) -> ColumnPlaceholders | None:
    """What stands for nothing in a column; None if nothing does.

    A column with a list of values of its own can't hold others. Days in a key are left: a certificate in
    force since 1900 is in force.

    Args:
        listed: the list.
        table: the landing table.
        column: one of its columns.
        keys: the variables of the environment, of which `hash_key_variables` are looked up.
    """
    is_key = column.name in table.key
    if column.name == _ARRIVAL or column.values:
        return None
    if column.type == "string":
        texts = {form: text or EMPTY_TEXT for text in listed.texts for form in _forms(text)}
        heads = _hash_heads(listed, keys) if column.name.endswith(_HASH) else {}
        patterns: tuple[str, ...] = ()
        is_optional = not column.required and not is_key
        is_code = column.name in table.whole_id_columns or column.name.endswith(_CODE_END)
        is_looked_at = is_optional or _is_own_name(table, column) or column.name in _BELIEVED
        if column.name.endswith(_HASH) or (is_looked_at and is_code):
            patterns = listed.id_patterns
        return ColumnPlaceholders(texts=texts, hash_heads=heads, patterns=patterns)
    if _is_time(column) and not is_key:
        far = () if column.is_open_ended else listed.far_dates
        days = [*listed.dates, *far, *listed.dates_of.get(f"{table.name}.{column.name}", ())]
        return ColumnPlaceholders(days={day: f"{day}" for day in days})
    numbers = listed.numbers.get(f"{table.name}.{column.name}", ())
    return ColumnPlaceholders(numbers=numbers) if numbers and not is_key else None


def _is_own_name(table: LandingTable, column: LandingField) -> bool:
    """Whether a column names a person, place, doctor or drug. Rows that point at one without a name wait with it."""
    points = {each.column for each in table.references}
    return table.kind == "reference" and column.name in table.key and column.name not in points


def _is_number(column: LandingField) -> bool:
    return column.type in ("integer", "double") or column.type.startswith("decimal")


def _is_time(column: LandingField) -> bool:
    return column.type in ("date", "timestamp")


def _forms(text: str) -> Iterator[str]:
    """How a word for nothing is written: as it is, in brackets, and with a stop behind."""
    plain = text.strip().lower()
    yield plain
    if any(letter.isalnum() for letter in plain):
        yield f"{plain}."
        yield from (f"{first}{plain}{last}" for first, last in _BRACKETS)


def _hash_heads(listed: Placeholders, keys: Mapping[str, str]) -> dict[str, str]:
    """How hashes of what says nothing begin, in lower case, with the name of the entry.

    Programs hash what they call nothing in their own spelling, with or without a key, the empty one among them.
    They write the hash in hexadecimal, MD5 also as the 16 digits in its middle. Base64 and functions that are not listed
    are seldom: they are known of the empty text alone.
    """
    found: dict[str, str] = {}
    texts = dict.fromkeys(("", *listed.texts, *listed.hashed_texts))
    spelled = dict.fromkeys(form for text in texts for form in _spellings(text))
    secrets = ["", *(keys[name] for name in listed.hash_key_variables if keys.get(name))]
    for function in _FUNCTIONS:
        try:
            hashlib.new(function)
        except ValueError:
            if function == "sm3":
                found[_SM3_OF_NOTHING[:HASH_HEAD]] = "sm3 of the empty text"
            continue
        for written in spelled if function in listed.hash_functions else ("",):
            name = f"{function} of {written.strip() or 'the empty text'}"
            plain = hashlib.new(function, written.encode())
            found |= _heads(plain.hexdigest(), name)
            if not written:
                coded = base64.b64encode(plain.digest()).decode().lower()
                found[coded[:HASH_HEAD]] = name
            for secret in secrets:
                digest = hmac.new(secret.encode(), written.encode(), function)
                found |= _heads(digest.hexdigest(), f"keyed {name}")
    return found


def _spellings(text: str) -> tuple[str, ...]:
    return (text, text.upper(), text.lower(), text.capitalize())


def _heads(digits: str, name: str) -> dict[str, str]:
    # Half of an MD5, as many systems shorten it.
    middle = {digits[8 : 8 + HASH_HEAD]: name} if len(digits) == 2 * HASH_HEAD else {}
    return {digits[:HASH_HEAD]: name} | middle
