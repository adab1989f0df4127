"""validate_tables: critical expectations stop the pipeline, warnings do not, and nothing tells a value."""

from datetime import date, datetime
from pathlib import Path

import pytest

from expectations.landing.reference import PERSON
from expectations.ops import VALIDATION_RESULT
from jobs.validate_tables import JOB

TIME = datetime(2024, 1, 1)


def person(member, record, **changes):
    row = {
        "member_id": member,
        "arrive_time": TIME,
        "batch": date(2024, 1, 31),
        "batch_version": "v",
        "source_file": "part-0.csv",
        "record_number": record,
        "valid_from": TIME,
        "is_first": True,
        "key_hash": record,
    } | changes
    return tuple(row.get(name) for name in PERSON.silver.columns)


@pytest.fixture(scope="module")
def workspace(new_workspace):
    return new_workspace()


def write(workspace, rows):
    frame = workspace.spark.createDataFrame(rows, PERSON.silver.schema)
    workspace.lake.replace(frame, PERSON.silver)


def broken(workspace):
    results = workspace.lake.read(VALIDATION_RESULT).filter("NOT is_met").collect()
    return {
        (row["expectation"], row["columns"], row["severity"], row["rows_unexpected"])
        for row in results
    }


def test_a_warning_is_recorded_and_lets_the_pipeline_go_on(workspace):
    died_before_birth = {"birth_date": date(2000, 1, 1), "death_date": date(1999, 1, 1)}
    write(workspace, [person("hidden-1", 1, **died_before_birth), person("hidden-2", 2)])
    result = workspace.run(JOB)
    assert (result.exit_code, result.outcome) == (0, "succeeded")
    assert broken(workspace) == {
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            "death_date, birth_date",
            "warning",
            1,
        )
    }


def test_a_double_key_and_a_value_that_is_not_allowed_stop_it(workspace):
    write(workspace, [person("hidden-1", 1), person("hidden-1", 2), person("hidden-3", 3, sex="7")])
    result = workspace.run(JOB)
    assert (result.exit_code, result.outcome) == (3, "refused")
    assert (
        "silver.person: expect_column_values_to_be_unique (member_id) broken by 2 of 3 rows"
        in result.message
    )
    assert "expect_column_values_to_be_in_set (sex) broken by 1 of" in result.message


def test_neither_results_nor_data_docs_tell_an_identifier(workspace):
    docs = Path(workspace.config.report.root) / "data_docs"
    pages = [page.read_text() for page in docs.rglob("*.html")]
    assert len(pages) >= 2
    assert not [page for page in pages if "hidden-" in page]
    assert not [
        row for row in workspace.lake.read(VALIDATION_RESULT).collect() if "hidden-" in str(row)
    ]
