"""A manifest comes from outside and may hold anything: it is read right or refused in one sentence."""

import json
from decimal import Decimal

import pytest

from jobs.landing.manifest_form import ManifestFault, parsed_manifest

SOUND = {
    "table": "person",
    "batch": "2024-01-31",
    "rows": 2,
    "control": {"visit_cap": "10.50", "annual_cap": 3},
    "files": [{"name": "part-0.csv", "rows": 2, "sha256": "A" * 64}],
}


def written(**changes):
    return json.dumps(SOUND | changes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-le"])
def test_a_sound_manifest_is_read_in_any_encoding_of_unicode(encoding):
    manifest = parsed_manifest(written().encode(encoding))
    assert (manifest.table, manifest.batch, manifest.rows) == ("person", "2024-01-31", 2)
    assert manifest.control == {"visit_cap": Decimal("10.50"), "annual_cap": Decimal(3)}
    assert [(file.name, file.rows, file.sha256) for file in manifest.files] == [
        ("part-0.csv", 2, "a" * 64)
    ]


def with_file(**changes):
    return written(files=[SOUND["files"][0] | changes])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ('{"table":' * 100_000, "it is nested too deeply"),
        ("", "it is not JSON: Expecting value at line 1, column 1"),
        (written()[:-1], "it is not JSON: Expecting ',' delimiter at line 1, column 229"),
        ("[]", "it has to be an object with table, batch, rows, control and files"),
        ("null", "it has to be an object with table, batch, rows, control and files"),
        ('"text"', "it has to be an object with table, batch, rows, control and files"),
        (written(rows=True), "rows has to be a whole number, 0 or more"),
        (written(rows=2.0), "rows has to be a whole number, 0 or more"),
        (written(rows="2"), "rows has to be a whole number, 0 or more"),
        (written(rows=-2), "rows has to be a whole number, 0 or more"),
        (written(rows=None), "rows has to be a whole number, 0 or more"),
        (written(rows=1 << 63), "rows has to be a whole number, 0 or more"),
        (written().replace('"rows": 2', '"rows": 1e400', 1), "rows has to be a whole number"),
        (written().replace('"rows": 2', '"rows": 1e999999999999999999999', 1), "too long"),
        (written().replace('"rows": 2', '"rows": ' + "9" * 5000, 1), "a number that is too long"),
        (written(rows=float("nan")), "it holds NaN, which is no JSON"),
        (written(rows=float("-inf")), "it holds -Infinity, which is no JSON"),
        (written().replace('"rows": 2', '"rows": 2, "rows": 3', 1), "has a key twice"),
        (written(table=7), "table has to be a text"),
        (written(batch=None), "batch has to be a text"),
        (written(control=["1"]), "control has to be an object"),
        (written(control=[]), "control has to be an object"),
        (written(control=""), "control has to be an object"),
        (written(control=False), "control has to be an object"),
        (written(control={"a": True}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": "NaN"}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": "sNaN"}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": "Infinity"}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": "1,5"}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": None}), "control: a sum has to be a decimal number as text"),
        (written(control={"a": "1" * 61}), "control: a sum has to be a decimal number as text"),
        (written(files=None), "files has to be a list of objects"),
        (written(files={"name": "part-0.csv"}), "files has to be a list of objects"),
        (written(files=["part-0.csv"]), "files has to be a list of objects"),
        (with_file(name=None), r"files\[0\].name has to be a text"),
        (with_file(rows=1.5), r"files\[0\].rows has to be a whole number, 0 or more"),
        (with_file(sha256="a" * 63), r"files\[0\].sha256 has to be 64 hexadecimal digits"),
        (with_file(sha256="g" * 64), r"files\[0\].sha256 has to be 64 hexadecimal digits"),
    ],
)
def test_what_is_no_manifest_is_refused_in_a_sentence(text, fault):
    with pytest.raises(ManifestFault, match=fault):
        parsed_manifest(text.encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(ManifestFault, match="it is not UTF-8 text"):
        parsed_manifest(b'{"table": "\xff\xfe"}')
