"""The truth is read from CSV and Parquet alike, whatever its ids look like."""

from datetime import date, datetime

import polars as pl
import pytest

from expectations.contract.errors import DataRefused
from jobs.inputs.truth import read_truth

PEOPLE = """psn_no,gang_id,active_from,active_to,typology,role,victim
007,1,2025-01-02,,rented_cards,holder,0
008,1,2025-01-03 00:00:00,,rented_cards,dealer,0
"""
LINES = """setl_id,feedetl_sn,psn_no,gang_id,fund_loss
1,1,007,1,2.50
2,1,007,1,3
3,1,9,2,1.25
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "truth_person.csv").write_text(PEOPLE)
    (tmp_path / "truth_line.csv").write_text(LINES)
    (tmp_path / "truth_benign.csv").write_text("psn_no,benign_type\n010,dialysis\n")
    return tmp_path


def seen(truth):
    return sorted(truth.accounts.rows()), truth.benign.rows()


EXPECTED = (
    [
        ("007", 5.5, "rented_cards", date(2025, 1, 2), "1", None),
        ("9", 1.25, "unknown", None, None, None),
    ],
    [("010", "dialysis")],
)


def test_ids_of_figures_stay_as_they_are_written(folder):
    assert seen(read_truth(folder, 5)) == EXPECTED


def test_parquet_with_times_gives_the_same(folder):
    for name in ("truth_person", "truth_line", "truth_benign"):
        path = folder / f"{name}.csv"
        frame = pl.read_csv(path, infer_schema=False)
        if name == "truth_person":
            frame = frame.with_columns(
                active_from=pl.Series([datetime(2025, 1, 2, 8), datetime(2025, 1, 3)])
            )
        frame.write_parquet(path.with_suffix(".parquet"))
        path.unlink()
    assert seen(read_truth(folder, 5)) == EXPECTED


def test_a_column_that_is_not_there_is_named(folder):
    (folder / "truth_benign.csv").write_text("psn,benign_type\n010,dialysis\n")
    with pytest.raises(DataRefused, match=r"truth_benign\.csv: psn_no, benign_type can't be read"):
        read_truth(folder, 5)


def test_a_loss_that_is_no_number_is_refused(folder):
    (folder / "truth_line.csv").write_text(LINES.replace("2.50", "much"))
    with pytest.raises(DataRefused, match=r"truth_line\.csv"):
        read_truth(folder, 5)


def test_skills_come_from_the_gangs_or_from_what_is_told_about_the_province(folder):
    (folder / "truth_about.json").write_text('{"seed": 1, "skill": {"1": 0.75, "2": 0.1}}')
    assert (
        read_truth(folder, 5).accounts.filter(pl.col("member_id") == "007")["skill"].item() == 0.75
    )

    (folder / "truth_about.json").unlink()
    gangs = pl.DataFrame({"gang_id": ["1"], "skill": [0.25]})
    gangs.write_parquet(folder / "truth_gang.parquet")
    assert (
        read_truth(folder, 5).accounts.filter(pl.col("member_id") == "007")["skill"].item() == 0.25
    )
