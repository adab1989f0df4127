"""Rows of every kind in the columns of one flat table.

Spark hands rows to Python by column, and a column that is a struct costs many times what flat ones do,
even where it is empty. So kinds share columns: there are as many columns for text, whole numbers and
fractions as the kind with the most of them has. Features only compare ids, so ids become the 64-bit numbers
of `numbered`: they are smaller, and joins on them are faster.
"""

import polars as pl
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from expectations.contract.errors import ContractError

_TEXT, _NUMBER, _CODES = pl.String(), pl.Float64(), pl.List(pl.String)
_TIME, _DATE, _WHOLE, _FLAG = pl.Datetime("us"), pl.Date(), pl.Int64(), pl.Boolean()
#: Between the codes of a list: the unit separator of ASCII, which no code contains.
_BETWEEN = "\x1f"

#: What `MemberRows` holds beside member_id, by kind.
KINDS: dict[str, dict[str, pl.DataType]] = {
    "visits": {
        "settlement_id": _TEXT,
        "original_settlement_id": _TEXT,
        "is_refund": _FLAG,
        "time": _TIME,
        "institution_id": _TEXT,
        "visit_type": _TEXT,
        "diagnosis": _TEXT,
        "diagnoses": _CODES,
        "credential": _TEXT,
        "proxy": _TEXT,
        "start": _DATE,
        "end": _DATE,
        "cents": _WHOLE,
        "fund_cents": _WHOLE,
    },
    "fees": {
        "settlement_id": _TEXT,
        "day": _DATE,
        "item_type": _TEXT,
        "drug_id": _TEXT,
        "doctor_id": _TEXT,
        "quantity": _NUMBER,
        "cents": _WHOLE,
        "stated_days": _NUMBER,
        "unstated_quantity": _NUMBER,
    },
    "persons": {
        "paused_from": _DATE,
        "death_date": _DATE,
        "latitude": _NUMBER,
        "longitude": _NUMBER,
    },
    "certificates": {
        "special_disease_code": _TEXT,
        "start_date": _DATE,
        "end_date": _DATE,
        "annual_cap": _NUMBER,
    },
    "sales": {
        "drug_id": _TEXT,
        "day": _DATE,
        "sold_again": _FLAG,
        "gap_days": _NUMBER,
        "chance_ppb": _WHOLE,
    },
    "shared": {"kind": _TEXT, "accounts": _WHOLE, "relatives": _WHOLE},
}
#: What rows of a kind have beside that, for `shared_rows` alone: it stays behind.
_NOT_PACKED = {"visits": {"day", "device"}}
_NUMBERS = {name: number for number, name in enumerate(KINDS)}
#: The ids among them, here and in the references. Two of one member's would be taken for one once in
#: 10^13 members with a thousand settlements each.
_IDS = {
    *("settlement_id", "original_settlement_id", "institution_id", "drug_id", "doctor_id"),
    *("proxy", "ingredient"),
}
_SPARK_TYPES = {"text": "string", "whole": "bigint", "number": "double"}


def _slots(kind: str) -> dict[str, str]:
    """The shared column of each column of a kind."""
    used = dict.fromkeys(_SPARK_TYPES, 0)
    found = {}
    for name, of_type in KINDS[kind].items():
        groups = {_TEXT: "text", _CODES: "text", _NUMBER: "number"}
        group = "whole" if name in _IDS else groups.get(of_type, "whole")
        found[name] = f"{group}_{used[group]}"
        used[group] += 1
    return found


_SLOTS = {kind: _slots(kind) for kind in KINDS}
_ALL_SLOTS = sorted({slot for slots in _SLOTS.values() for slot in slots.values()})


def packed(rows: DataFrame, kind: str) -> DataFrame:
    """The rows of a kind as `member_id`, `kind_number` and the shared columns.

    Raises:
        ContractError: when the rows have a column that `KINDS` does not name, which no feature could read.
    """
    carried = {"member_id", *KINDS[kind], *_NOT_PACKED.get(kind, ())}
    if left_out := sorted(set(rows.columns) - carried):
        raise ContractError(
            f"rows of {kind} have {', '.join(left_out)}, which KINDS in features/member/packing.py does not name:"
            " add it there with its type, so that features can read it, or do not select it"
        )
    held = {
        slot: _packed(name, KINDS[kind][name]).alias(slot) for name, slot in _SLOTS[kind].items()
    }
    empty = {
        slot: F.lit(None).cast(_SPARK_TYPES[slot.split("_")[0]]).alias(slot) for slot in _ALL_SLOTS
    }
    return rows.select(
        "member_id",
        F.lit(_NUMBERS[kind]).cast("byte").alias("kind_number"),
        *(held.get(slot, empty[slot]) for slot in _ALL_SLOTS),
    )


def unpacked(table: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The rows of a kind in the columns of `KINDS`; ids are numbers."""
    rows = table.filter(pl.col("kind_number") == _NUMBERS[kind])
    return rows.select(
        "member_id",
        *(_unpacked(slot, KINDS[kind][name]).alias(name) for name, slot in _SLOTS[kind].items()),
    )


def numbered(frame: pl.DataFrame, spark: SparkSession) -> pl.DataFrame:
    """The ids of a small table as the numbers that `packed` makes of them."""
    ids = [name for name in frame.columns if name in _IDS]
    texts = pl.concat([frame.get_column(name).cast(pl.String).alias("text") for name in ids])
    held = spark.createDataFrame(texts.unique().drop_nulls().to_frame().to_arrow())
    numbers = pl.from_arrow(held.select("text", _number(F.col("text")).alias("number")).toArrow())
    assert isinstance(numbers, pl.DataFrame)
    return frame.with_columns(
        pl.col(name).replace_strict(
            numbers["text"], numbers["number"], default=None, return_dtype=pl.Int64
        )
        for name in ids
    )


def _number(column: Column) -> Column:
    return F.when(column.isNotNull(), F.xxhash64(column))


def _packed(name: str, of_type: pl.DataType) -> Column:
    column = F.col(name)
    if name in _IDS:
        return _number(column)
    if of_type == _CODES:
        return F.array_join(column, _BETWEEN)
    if of_type == _DATE:
        return F.unix_date(column).cast("bigint")
    if of_type == _TIME:
        # A wall-clock time, whatever the session's time zone.
        start = "TIMESTAMP_NTZ'1970-01-01 00:00:00'"
        return F.expr(f"timestampdiff(MICROSECOND, {start}, `{name}`)")
    return column.cast("bigint") if of_type in (_FLAG, _WHOLE) else column


def _unpacked(slot: str, of_type: pl.DataType) -> pl.Expr:
    column = pl.col(slot)
    if slot.startswith("whole") and of_type == _TEXT:
        return column
    if of_type == _CODES:
        return column.str.split(_BETWEEN)
    if of_type == _DATE:
        return column.cast(pl.Int32).cast(pl.Date)
    return column if of_type in (_TEXT, _NUMBER) else column.cast(of_type)
