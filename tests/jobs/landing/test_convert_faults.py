"""Files that Spark reads wrongly without a word, and mappings that do not fit: refused with the true reason."""

import gzip

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest
from support.sources import PLACES, Source

from expectations.contract.errors import JobError
from expectations.ops import JOB_RUN

IDENTITY = "440301199001010011"
PEOPLE = """SELECT id AS psn_no, known AS arrive_time, DATE'2025-01-31' AS batch
            FROM p CROSS JOIN constants WHERE kind <> 'closed'"""
THREE = b'{"id":"m1","kind":"a"}\n{"id":"m2","kind":"closed"}\n{"id":"m3","kind":"b"}\n'


@pytest.fixture
def source(new_workspace, tmp_path):
    return Source(new_workspace, tmp_path)


def convert(source, files, view=None, select=PEOPLE):
    """The exit code and the message of a conversion of some files to people."""
    for name, content in files.items():
        source.file(name, content)
    source.map({"p": {"files": "p*"} | (view or {})}, {"person": select})
    try:
        result = source.convert()
    except JobError as error:
        return error.exit_code, str(error)
    return result.exit_code, result.message


def parquet(columns):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (THREE, {"multiLine": True}, "holds more than one JSON document"),
        (b'{"id":"m1","kind":"a"}{"id":"m2","kind":"b"}\n', {}, "has a line with more than one"),
        (THREE.replace(b'"closed"', b"closed"), {}, "has a record that is damaged or no JSON"),
        (THREE[:-5], {}, "ends within a record"),
        (b"[" + THREE.replace(b"\n", b",\n")[:-2] + b"]", {}, "has a damaged record, or one over"),
    ],
)
def test_no_record_of_a_json_file_is_lost(source, content, options, told):
    view = {"format": "json", "options": options}
    code, message = convert(source, {"p1.json": THREE[:23], "p2.json": content}, view)
    assert code == 3
    assert f"p2.json {told}" in message


def test_json_is_read_as_lines_or_as_one_document(source):
    assert convert(source, {"p1.json": THREE, "p2.json.gz": gzip.compress(THREE)})[0] == 2
    view = {"format": "json"}
    assert convert(source, {"p1.json": THREE, "p2.json.gz": gzip.compress(THREE)}, view)[0] == 0
    assert sorted(row["psn_no"] for row in source.landed("person")) == ["m1", "m1", "m3", "m3"]


@pytest.mark.parametrize(
    ("content", "is_mixed"),
    [
        (b"id,kind\nm1,a\r\nm2,closed\r\n", True),
        (b"id,kind\r\nm1,a\nm2,closed\n", True),
        (b'id,kind,"the\nnote"\r\nm1,a,\r\nm2,closed,\r\n', True),
        (b'id,kind,note\r\nm1,a,"x\ny"\r\nm2,closed,\r\n', False),
    ],
)
def test_csv_of_two_kinds_of_line_end_is_refused_and_breaks_in_quotes_are_none(
    source, content, is_mixed
):
    code, message = convert(source, {"p1.csv": content})
    if is_mixed:
        assert code == 3
        assert "p1.csv ends some lines in CR LF and others in LF: use one kind" in message
    else:
        assert code == 0
        assert [row["psn_no"] for row in source.landed("person")] == ["m1"]


def test_line_by_line_every_line_end_is_taken_for_one(source):
    view = {"options": {"multiLine": False}}
    assert convert(source, {"p1.csv": b"id,kind\nm1,a\r\nm2,closed\r\n"}, view)[0] == 0
    assert [row["psn_no"] for row in source.landed("person")] == ["m1"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p1.csv", "id,kind\nm1,中文\n".encode("gbk"), "is not UTF-8, its bytes look like GB18030"),
        ("p1.json", '{"id":"m1","kind":"中文"}\n'.encode("gbk"), "is not UTF-8, its bytes look"),
        ("p1.csv", "id,kind\nm1,a\n".encode("utf-16"), "is UTF-16: set the reader option encoding"),
    ],
)
def test_a_file_in_an_encoding_that_is_not_told_is_refused(source, name, content, told):
    code, message = convert(source, {name: content}, {"format": name[3:]})
    assert code == 3
    assert f"{name} {told}" in message


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_a_column_that_one_file_has_and_another_has_not_is_named_with_both(source, kind):
    folder = source.folder / "files"
    write = pq.write_table if kind == "parquet" else orc.write_table
    write(pa.table({"id": ["m1"], "kind": ["a"]}), str(folder / f"p1.{kind}"))
    write(pa.table({"id": ["m2"], "kinds": ["b"]}), str(folder / f"p2.{kind}"))
    code, message = convert(source, {}, {"format": kind})
    assert code == 3
    assert f"p1.{kind} has a column kind, and {folder}/p2.{kind} has not" in message
    merged = {"format": kind, "options": {"mergeSchema": True}}
    assert convert(source, {}, merged)[0] == 0


def test_a_field_of_a_column_is_looked_for_too_and_capitals_and_order_are_not(source):
    one = {"id": ["m1"], "kind": ["a"], "more": [{"x": 1, "y": 2}]}
    view = {"format": "parquet"}
    other = {"KIND": ["b"], "more": [{"x": 1, "y": 2}], "id": ["m2"]}
    files = {"p1.parquet": parquet(one), "p2.parquet": parquet(other)}
    assert convert(source, files, view)[0] == 0
    files["p2.parquet"] = parquet(other | {"more": [{"x": 1}]})
    code, message = convert(source, files, view)
    assert (code, "p1.parquet has a column more.y, and" in message) == (3, True)


def test_a_column_of_two_types_is_named_with_both_files(source):
    files = {
        "p1.parquet": parquet({"id": [1], "kind": ["a"]}),
        "p2.parquet": parquet({"id": ["x"], "kind": ["b"]}),
    }
    code, message = convert(source, files, {"format": "parquet"})
    assert code == 3
    assert "p2.parquet can't be read with the others: its column id is string, and int64" in message
    assert "damaged" not in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"kind,id\na,m2\n", "its header differs from that of"),
        (b"id,kind,note\nm2,a,\n", "its header has 3 columns, and 2 in"),
        (f"{IDENTITY},a\nm2,a\n".encode(), "p1.csv in column 1 (id)"),
    ],
)
def test_a_csv_file_with_another_header_says_so(source, content, told):
    code, message = convert(source, {"p1.csv": b"id,kind\nm1,a\n", "p2.csv": content})
    assert code == 3
    assert "can't be read with the others: " in message
    assert told in message
    assert "fields" not in message
    assert IDENTITY not in message


@pytest.mark.parametrize(
    ("select", "told"),
    [
        (
            "SELECT id FROM p",
            "there is no column `id`; if it is to come from a CSV file, has it no header?",
        ),
        ("SELECT p.`id` FROM p", "there is no column `p.id`"),
        ("SELECT q.* FROM p", "there is no `q` to take all columns of"),
        ("SELECT explode(*) FROM p", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION in `explode(*)`"),
        ("SELECT struct(p.*) + 1 AS psn_no FROM p", "DATATYPE_MISMATCH"),
        ("SELECT *, count(*) FROM p", "MISSING_GROUP_BY"),
        ("SELECT * FROM p UNION SELECT 1", "NUM_COLUMNS_MISMATCH"),
        ("SELECT * FROM p JOIN p AS q USING (id)", "UNRESOLVED_USING_COLUMN_FOR_JOIN"),
        ("SELECT * FROM p", "3 columns that * takes from the files are none of the contract"),
    ],
)
def test_a_file_without_a_header_shows_no_value(source, capfd, select, told):
    content = f"{IDENTITY},a,x\n440301199001010022,b,x\n".encode()
    code, message = convert(source, {"p1.csv": content}, select=select)
    shown = capfd.readouterr()
    log = source.workspace.folder / "log.jsonl"
    runs = str(source.workspace.lake.read(JOB_RUN).collect()) if code else ""
    assert code == 2
    assert told in message
    for text in (message, shown.out, shown.err, log.read_text(), runs):
        assert IDENTITY not in text


def test_a_column_that_a_select_gives_twice_is_named(source):
    source.file("places.csv", b"code,name\nh1,a\n")
    twice = PLACES.replace("name AS", "code AS fixmedins_name, name AS")
    source.map({"places": {"files": "*.csv"}}, {"institution": twice})
    assert "tables.institution: fixmedins_name is given twice" in source.convert().message


def test_try_cast_is_advised_only_where_a_value_cannot_be_read(source):
    files = {"p1.csv": b"id,kind\nm1,0\n"}
    divided = PEOPLE.replace("id AS psn_no", "1 / int(kind) AS psn_no")
    code, message = convert(source, files, select=divided)
    assert (code, "DIVIDE_BY_ZERO" in message, "read it with" in message) == (3, True, False)
    cast = PEOPLE.replace("id AS psn_no", "int(id) AS psn_no")
    assert "read it with try_cast" in convert(source, files, select=cast)[1]
