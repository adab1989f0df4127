"""A mapping is data: it reads its own files by SELECT, and does nothing else."""

import pytest
from support.sources import PLACES, Source

from expectations.contract.errors import ConfigError
from jobs.landing.mappings import load_mapping, source_files
from jobs.landing.selects import fault_of_select

VIEWS = {"places": {"files": "places.csv"}}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT code, upper(name) AS name FROM places WHERE code IS NOT NULL ORDER BY code LIMIT 3",
        "WITH a AS (SELECT 1 AS x) SELECT (SELECT max(x) FROM a) FROM A WHERE x IN (SELECT 1)",
        "SELECT count(*) FROM places GROUP BY code HAVING count(*) > 1",
        "SELECT a FROM VALUES (1, array(2)) AS t(a, b) LATERAL VIEW explode(b) c AS d",
        "SELECT * FROM places LEFT JOIN constants ON code = known UNION ALL SELECT * FROM places",
        "SELECT row_number() OVER w FROM places WINDOW w AS (PARTITION BY code ORDER BY name)",
        "FROM places |> WHERE code > 1 |> SELECT code",
        "SELECT transform(array(1), each -> each + 1), n FROM explode(array(1)) AS t(n)",
        "SELECT * FROM places, LATERAL (SELECT code AS again)",
        "SELECT * FROM places PIVOT (count(name) FOR code IN ('1', '2'))",
    ],
)
def test_a_select_over_declared_views_may_be_run(spark, text):
    assert fault_of_select(spark, text, ["constants", "places"]) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("INSERT OVERWRITE DIRECTORY '/tmp/x' USING csv SELECT 1", "no plain SELECT"),
        ("FROM places INSERT INTO places SELECT 1", "no plain SELECT"),
        ("WITH a AS (SELECT 1) INSERT INTO places SELECT * FROM a", "no plain SELECT"),
        ("CREATE TABLE t AS SELECT 1", "no plain SELECT"),
        ("DROP VIEW places", "no plain SELECT"),
        ("SET spark.sql.shuffle.partitions = 1", "no plain SELECT"),
        ("ADD JAR '/tmp/x.jar'", "no plain SELECT"),
        ("EXECUTE IMMEDIATE 'DROP VIEW places'", "no plain SELECT"),
        ("BEGIN SELECT 1; DROP VIEW places; END", "no plain SELECT"),
        ("SELECT TRANSFORM(code) USING 'cat' AS b FROM places", "no plain SELECT"),
        ("SELECT * FROM csv.`/etc/passwd`", "reads csv./etc/passwd, which is no view"),
        (
            "SELECT EXISTS(SELECT * FROM text.`../x`) FROM places",
            "reads text.../x, which is no view",
        ),
        (
            "WITH a AS (SELECT * FROM json.`../x`) SELECT * FROM a",
            "reads json.../x, which is no view",
        ),
        ("SELECT * FROM later", "reads later, which is no view that the mapping declares before"),
        ("SELECT * FROM places WITH ('path' = '/etc')", "reads places with options"),
        ("SELECT * FROM IDENTIFIER('csv.`/etc/x`')", "reads csv./etc/x, which is no view"),
        ("SELECT * FROM IDENTIFIER('pl' || 'aces')", "IDENTIFIER|no plain SELECT"),
        ("SELECT reflect('java.lang.System', 'getProperty', 'user.home')", "calls reflect"),
        ("SELECT upper(java_method('java.lang.System', 'lineSeparator'))", "calls java_method"),
        ("SELECT default.secret(code) FROM places", "calls default.secret"),
        ("SELECT * FROM sql_keywords()", "calls sql_keywords"),
    ],
)
def test_anything_else_is_refused_with_what_it_does(spark, text, told):
    fault = fault_of_select(spark, text, ["constants", "places"])
    assert any(each in fault for each in told.split("|")), fault


def test_what_a_mapping_or_a_rule_says_stays_as_it_is_written(spark):
    text = "SELECT '${spark.app.name} ${system:user.home} ${env:PATH}' AS said"
    assert spark.sql(text).first()["said"] == "${spark.app.name} ${system:user.home} ${env:PATH}"


def test_a_view_that_writes_is_refused_by_name_and_writes_nothing(new_workspace, tmp_path):
    source = Source(new_workspace, tmp_path)
    source.file("places.csv", b"code,name\nh1,a\n")
    target = tmp_path / "written"
    evil = f"INSERT OVERWRITE DIRECTORY '{target}' USING csv SELECT * FROM places"
    source.map(VIEWS | {"evil": {"sql": evil}}, {"institution": PLACES})
    result = source.convert()
    assert (result.exit_code, target.exists()) == (2, False)
    assert "views.evil is no plain SELECT" in result.message


@pytest.mark.parametrize("pattern", ["../other/*.csv", "/etc/pass*", "a/../../other/x.csv"])
def test_files_outside_the_source_folder_are_not_read(new_workspace, tmp_path, pattern):
    source = Source(new_workspace, tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.csv").write_text("code,name\nh1,a\n")
    source.map({"places": {"files": pattern}}, {"institution": PLACES})
    with pytest.raises(ConfigError, match=r"views.places: .* leads out of source.folder"):
        source.convert()


def test_a_file_that_spark_passes_over_is_refused_and_marks_are_no_files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a.csv", ".b.csv", ".a.csv.crc", "_SUCCESS"):
        (folder / name).write_text("code,name\n")
    path = tmp_path / "m.yaml"
    path.write_text("title: t\nviews: {places: {files: '*'}}\ntables: {}\n")
    assert source_files(load_mapping(str(path)), folder) == {"places": [str(folder / "a.csv")]}
    (folder / "_c.csv").write_text("code,name\n")
    with pytest.raises(ConfigError, match=r"Spark passes over .*_c\.csv.*: give it another name"):
        source_files(load_mapping(str(path)), folder)


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_link_out_of_the_source_folder_is_not_followed(tmp_path, is_folder):
    folder = tmp_path / "files"
    folder.mkdir()
    secret = tmp_path / "secret.csv"
    secret.write_text("code,name\n")
    place = folder / "places"
    if is_folder:
        place.mkdir()
        place = place / "part.csv"
    place.symlink_to(secret)
    path = tmp_path / "m.yaml"
    path.write_text("title: t\nviews: {places: {files: places}}\ntables: {}\n")
    with pytest.raises(ConfigError, match=r"is a link that leads out of source.folder"):
        source_files(load_mapping(str(path)), folder)


@pytest.mark.parametrize(
    ("view", "told"),
    [
        ("{files: a, options: {path: /etc}}", "views.v: path is no option that a mapping may give"),
        ("{files: a, options: {header: true, badRecordsPath: /tmp}}", "views.v: badRecordsPath is"),
        (
            "{files: a, format: jdbc, options: {url: x}}",
            "views.v.format is 'jdbc': Input should be",
        ),
        ("{files: a, options: {mode: DROPMALFORMED}}", "would lose records in silence"),
        ("{files: a, format: delta}", "views.v.format is 'delta': Input should be"),
        ("{files: a, options: {header: true, Header: false}}", "options header and Header are one"),
        ("{files: a, options: {sep: ';', delimiter: ','}}", "options sep and delimiter are one"),
        ("{files: a, options: {sep: null}}", "views.v.options.sep is None: Input should be"),
        ("{files: a, options: {sep: [a]}}", "views.v.options.sep: Input should be"),
        ("{files: a, options: {maxColumns: .inf}}", "maxColumns is inf, read as a number"),
        (
            "{files: a, options: {sep: ''}}",
            "views.v: option sep is '': it takes one letter or more",
        ),
        ("{files: a, options: {quote: ab}}", "option quote is 'ab': it takes one letter, or empty"),
        ("{files: a, options: {escape: ab}}", "option escape is 'ab'"),
        ("{files: a, options: {lineSep: ''}}", "option lineSep is ''"),
        (
            "{files: a, options: {header: maybe}}",
            "option header is 'maybe': it takes true or false",
        ),
        (
            "{files: a, options: {maxColumns: 0}}",
            "option maxColumns is '0': it takes a whole number",
        ),
        ("{files: a, options: {unescapedQuoteHandling: drop}}", "it takes STOP_AT_CLOSING_QUOTE"),
        ("{files: a, options: {sep: '#', comment: '#'}}", "sep and comment are both '#'"),
        ("{files: a, options: {delimiter: '\"'}}", "sep and quote are both"),
        ("{files: a, format: parquet, options: {int96RebaseMode: off}}", "it takes EXCEPTION"),
        ("{files: a, format: json, options: {multiLine: 2}}", "option multiLine is '2'"),
        ("{files: ''}", "views.v.files names no file: give a pattern such as '*.csv'"),
        ("{files: .}", "views.v.files names no file"),
        ("{files: a/**b}", "views.v.files is a/**b: ** stands for any folders"),
        ("{files: a}, V: {files: b}", "views: v and V differ in capitals only"),
        ("{files: a}, Constants: {files: b}", "views.Constants: the view of this name holds"),
        ("{files: a}, '': {files: b}", "views: a name is empty"),
    ],
)
def test_options_and_formats_that_reach_elsewhere_are_refused(tmp_path, view, told):
    path = tmp_path / "m.yaml"
    path.write_text(f"title: t\nviews: {{v: {view}}}\ntables: {{}}\n")
    with pytest.raises(ConfigError) as refused:
        load_mapping(str(path))
    assert told in str(refused.value)


def test_a_mapping_of_brackets_alone_is_named(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text("[" * 5_000)
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_mapping(str(path))


def test_a_column_to_hash_that_no_table_has_is_named_and_not_delivered_as_it_is(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(
        "title: t\nhash: {columns: [psn_nr]}\nviews: {v: {files: a}}\ntables: {person: SELECT 1}\n"
    )
    with pytest.raises(ConfigError, match=r"psn_nr is no column of .* the nearest .* is psn_no"):
        load_mapping(str(path))
