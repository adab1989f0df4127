"""Why a landed row is kept out of bronze or silver: a code with a column and parameters, and its sentence. Pure.

On the way to quarantine, `reasons` is an array of `REASONS`: code, column, parameters and sentence. Quarantine
keeps the sentences in `reasons` and the rest in `reason_codes`, in the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, MapType, StringType, StructType

WRONG_FIELD_COUNT = "wrong_field_count"
UNREADABLE = "unreadable"
REQUIRED = "required"
IMPLAUSIBLE_YEAR = "implausible_year"
NOT_UTF8 = "not_utf8"
NUL_CHARACTER = "nul_character"
UNSEEN_LETTER = "unseen_letter"
SHORTENED_NUMBER = "shortened_number"
SPREADSHEET_TEXT = "spreadsheet_text"
QUOTATION_MARK = "quotation_mark"
DECIMAL_ID = "decimal_id"
NOT_LISTED = "not_listed"
AFTER_ARRIVAL = "after_arrival"
MISSING_PARENT = "missing_parent"
REVERSING_PARENT = "reversing_parent"
PLACEHOLDER = "placeholder"
OWN_ORIGINAL = "own_original"
NAMELESS_REFUND = "nameless_refund"
POSITIVE_REFUND = "positive_refund"
UNMARKED_REFUND = "unmarked_refund"
NEGATIVE_AMOUNT = "negative_amount"
OTHER_SIGN = "other_sign"

#: What each code says of its column, with its parameters by name.
SENTENCES = {
    WRONG_FIELD_COUNT: "does not have as many fields as the header",
    UNREADABLE: "can't be read as {type}",
    REQUIRED: "is empty, and it is required",
    IMPLAUSIBLE_YEAR: "lies outside the years {first} to {last}",
    NOT_UTF8: "is not valid UTF-8",
    NUL_CHARACTER: "holds a NUL character",
    UNSEEN_LETTER: "holds a letter that does not show",
    SHORTENED_NUMBER: "is a number that a spreadsheet shortened, its digits are lost",
    SPREADSHEET_TEXT: "is what a spreadsheet writes for a text or in place of a number",
    QUOTATION_MARK: "holds a quotation mark, and an id or code has none (quotes other than those of RFC 4180?)",
    DECIMAL_ID: "is a number with decimals (.0), and an id or code has none",
    NOT_LISTED: "is none of {values}",
    AFTER_ARRIVAL: "lies in the future of arrive_time (a clock error?)",
    MISSING_PARENT: "points at no row of {table}",
    REVERSING_PARENT: "points at a row that takes back another itself, and only an original can be taken back",
    PLACEHOLDER: "holds a placeholder, not a value",
    OWN_ORIGINAL: "names the row itself",
    NAMELESS_REFUND: "is empty in a refund",
    POSITIVE_REFUND: "is above zero in a refund",
    UNMARKED_REFUND: "is not 1 in a row that takes another back",
    NEGATIVE_AMOUNT: "is below zero in a row that is no refund",
    OTHER_SIGN: "has another sign than {other}",
}

#: A reason as a table keeps it beside its sentence.
REASON_CODE = (
    StructType()
    .add("code", "string")
    .add("column", "string")
    .add("parameters", MapType(StringType(), StringType()))
)
_REASON = StructType([*REASON_CODE.fields]).add("text", "string")
REASONS = ArrayType(_REASON)


@dataclass(frozen=True)
class RowReason:
    """One reason against a row.

    Args:
        code: a key of `SENTENCES`.
        column: the landing name of the column, or `record` for the whole row.
        parameters: what the sentence of the code names.
    """

    code: str
    column: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence: `<column>: <fault>`. It never holds a value of the row."""
        return f"{self.column}: {SENTENCES[self.code].format(**self.parameters)}"

    @property
    def literal(self) -> Column:
        """The reason as an element of `REASONS`."""
        pairs = [F.lit(part) for pair in self.parameters.items() for part in pair]
        return F.struct(
            F.lit(self.code).alias("code"),
            F.lit(self.column).alias("column"),
            F.create_map(*pairs).cast("map<string,string>").alias("parameters"),
            F.lit(self.text).alias("text"),
        )


def no_reasons() -> Column:
    """The reasons against a row that has none."""
    return F.array().cast(REASONS)


def quarantine_columns() -> dict[str, Column]:
    """The columns `reasons` and `reason_codes` of quarantine, from `reasons`."""
    return {
        "reasons": F.transform("reasons", lambda each: each["text"]),
        "reason_codes": F.transform("reasons", lambda each: each.dropFields("text")),
    }


def quarantined_reasons() -> Column:
    """`reasons` again from the columns of quarantine; code, column and parameters are null where it has none."""
    codes = F.coalesce("reason_codes", F.array().cast(ArrayType(REASON_CODE)))
    return F.zip_with(
        codes,
        "reasons",
        lambda code, text: F.struct(
            *(code[name].alias(name) for name in REASON_CODE.names), text.alias("text")
        ),
    )
