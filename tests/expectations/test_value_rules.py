"""Spark and Arrow say the same of random rows: a file is sound if and only if no row of it has a reason."""

import random
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from expectations.landing.column_rules import has_contract_types, sound_sums
from expectations.landing.event import SETTLEMENT
from expectations.landing.plausible import Plausible
from expectations.landing.reasons import AFTER_ARRIVAL
from expectations.landing.reference import INSTITUTION, PERSON
from expectations.landing.row_rules import typed_rows
from expectations.landing.table import LandingField, LandingTable
from expectations.landing.value_rules import VALUE_RULES

PLAUSIBLE = Plausible(24, 1880, 1990, 2100)
TABLES = (SETTLEMENT, PERSON, INSTITUTION)
FILES, ROWS = 120, 3
#: A file has so many odd values in the mean, so that some have none.
ODD_IN_FILE = 1.0
ARRIVED = datetime(2024, 1, 6)
#: What most values are, by type, and what some are. An odd value need not break a rule.
PLAIN = {"date": date(2020, 2, 29), "timestamp": ARRIVED, "double": 30.5, "boolean": True}
ODD = {
    "string": [
        *(None, b"", b"99", b"I\0", "感冒".encode(), "感冒".encode("gbk"), "I\ufffd0".encode()),
        # Identifiers that a spreadsheet shortened, and one that only looks like it.
        *(b"4.10123E+17", b"-4,1e+17", b"4E17"),
        # What else programs write for identifiers, and a letter that does not show.
        *(
            b'="410"',
            b"'410",
            b"###",
            b"410.0",
            b"4.10",
            "4\u200b1".encode(),
            "4\u00a01".encode(),
            b"4\x7f1",
            b"4\n1",
            *(b'4"1', "“41”".encode()),
        ),
    ],
    "date": [
        *(None, date(1, 1, 1), date(1879, 12, 31), date(1880, 1, 1)),
        *(date(2100, 12, 31), date(2101, 1, 1), date(9999, 12, 31)),
    ],
    "timestamp": [
        *(None, datetime(1879, 12, 31, 23, 59, 59), datetime(1989, 12, 31, 23, 59, 59)),
        *(datetime(2024, 1, 7), datetime(2024, 1, 7, 0, 0, 1), datetime(2101, 1, 1)),
    ],
    "double": [None, float("nan"), float("inf"), float("-inf"), -0.0],
    "boolean": [None, False],
}
TYPES = {
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "decimal(16,2)": pa.decimal128(16, 2),
}


def column_of(rng: random.Random, column: LandingField, share_odd: float) -> pa.Array:
    plain = PLAIN.get(column.type, 1)
    odd = ODD.get(column.type, [None])
    if column.type == "string":
        plain = (column.values[0] if column.values else "x").encode()
    values = [rng.choice(odd) if rng.random() < share_odd else plain for _ in range(ROWS)]
    if column.type != "string":
        return pa.array(values, TYPES[column.type])
    # Bytes that a writer took for text.
    texts = pa.array(values, pa.binary()).cast(pa.string(), safe=False)
    return texts.dictionary_encode() if rng.random() < 0.5 else texts


def random_file(rng: random.Random, table: LandingTable) -> pa.Table:
    share_odd = ODD_IN_FILE / (ROWS * len(table.fields))
    present = [column for column in table.fields if column.required or rng.random() < 0.8]
    return pa.table({column.name: column_of(rng, column, share_odd) for column in present})


@pytest.fixture(scope="module")
def judged(spark, tmp_path_factory):
    """By table, what Arrow says of each file, and the codes that Spark gives for its rows."""
    rng = random.Random(21)
    found = {}
    for table in TABLES:
        folder = tmp_path_factory.mktemp(table.name)
        is_sound = {}
        for number in range(FILES):
            file = random_file(rng, table)
            assert has_contract_types(file.schema, table)
            is_sound[number] = sound_sums([file], table, PLAUSIBLE) is not None
            pq.write_table(file, folder / f"{number}.parquet")
        found[table.name] = is_sound, spark_codes(spark, table, folder)
    return found


def spark_codes(spark, table: LandingTable, folder: Path) -> dict[int, set[str]]:
    schema = ", ".join(f"{column.name} {column.type}" for column in table.fields)
    raw = spark.read.schema(schema).parquet(str(folder))
    name = F.substring_index(F.col("_metadata.file_name"), ".", 1)
    typed = typed_rows(raw.select(name.cast("int").alias("file"), "*"), table, PLAUSIBLE)
    codes = F.array_distinct(F.flatten(F.collect_list("reasons.code")))
    rows = typed.groupBy("file").agg(codes.alias("codes")).collect()
    return {row["file"]: set(row["codes"]) for row in rows}


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_a_file_is_sound_if_and_only_if_no_row_of_it_has_a_reason(judged, table):
    is_sound, codes = judged[table]
    assert {number for number in is_sound if is_sound[number]} == {
        number for number in codes if not codes[number]
    }
    assert 0 < sum(is_sound.values()) < FILES


def test_every_rule_is_broken_by_some_row(judged):
    broken = {code for _, codes in judged.values() for found in codes.values() for code in found}
    assert broken == {AFTER_ARRIVAL, *(rule.code for rule in VALUE_RULES)}
