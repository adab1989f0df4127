"""What clerks enter wrongly at honest desks, and that the truth calls it benign."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from jobs.province.arrays.days import DAY
from jobs.province.arrays.shapes import INPATIENT
from jobs.province.care.bill_tables import Ids
from jobs.province.care.care import care
from jobs.province.care.desks import with_wrong_entries
from jobs.province.gangs.truth_rows import TruthParts, join_truth_parts, write_truth_parts
from jobs.province.settings import load_settings
from jobs.province.world import World

SETTINGS = load_settings("conf/simulation/province.yaml")


@pytest.fixture(scope="module")
def here():
    return World(11, SETTINGS, 20_000).neighbours(range(2))


def test_a_share_of_visits_has_a_wrong_hour_or_terminal(here):
    events = care(here, 1)
    entered, wrong = with_wrong_entries(5, here.places, 0, 1, events, 0.2)
    before, after = events.visits, entered.visits

    changed = (before.time != after.time) | (before.terminal != after.terminal)
    assert len(wrong) / len(before) == pytest.approx(0.2, abs=0.03)
    assert np.isin(np.flatnonzero(changed), wrong).all()
    assert (before.time // DAY == after.time // DAY).all()
    assert (before.person == after.person).all()
    assert not (changed & (before.med_type == INPATIENT)).any()
    assert 0.3 < (before.time != after.time)[wrong].mean() < 0.6


def test_no_visit_is_wrong_where_no_clerk_errs(here):
    events = care(here, 1)
    entered, wrong = with_wrong_entries(5, here.places, 0, 1, events, 0.0)

    assert len(wrong) == 0
    assert (entered.visits.time == events.visits.time).all()


def test_the_truth_tells_once_who_looks_guilty_by_a_mishap(here, tmp_path):
    parts = TruthParts()
    parts.add_mishaps(np.array([3, 4, 3]), "careless_counter")
    parts.add_mishaps(np.array([3]), "wrong_entry")
    parts.add_benign(here, np.array([4]))
    ids = Ids(here.seed)
    write_truth_parts(tmp_path, 0, ids, parts)
    join_truth_parts(tmp_path)

    rows = pq.read_table(tmp_path / "truth_benign.parquet").to_pylist()
    person, guilty = np.char.decode(ids.text(np.array([3, 4]), "psn_no"), "ascii")
    found = [(row["psn_no"], row["benign_type"]) for row in rows]
    assert found.count((person, "careless_counter")) == 1
    assert found.count((person, "wrong_entry")) == 1
    assert not [each for each in found if each[0] == guilty]
    assert len(set(found)) == len(found)
