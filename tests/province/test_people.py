from pathlib import Path

import numpy as np
import pytest

from expectations.contract.errors import ConfigError
from jobs.province.people.benign import BENIGN_TYPES
from jobs.province.people.people import EMPLOYEE, STUDENT_CHILD
from jobs.province.settings import CELL_PEOPLE, chunks, load_settings
from jobs.province.world import World

SETTINGS = load_settings("conf/simulation/province.yaml")


@pytest.fixture(scope="module")
def world():
    return World(7, SETTINGS, 100_000)


def test_a_neighbourhood_is_the_same_whoever_draws_it(world):
    again = World(7, SETTINGS, 100_000)
    again.lived_in(3)

    one, other = world.people_of(4), again.people_of(4)

    assert np.array_equal(one.birth_day, other.birth_day)
    assert np.array_equal(world.health_of(4).drug, again.health_of(4).drug)


def test_people_are_as_old_as_the_census_says(world):
    ages = np.concatenate([world.people_of(cell).age(0) for cell in range(20)])

    shares = np.histogram(ages, [0, 15, 60, 65, 120])[0] / len(ages)

    assert shares == pytest.approx([0.17, 0.64, 0.05, 0.14], abs=0.05)


def test_husband_and_wife_live_together_and_differ_in_sex(world):
    people = world.people_of(2)
    first = people.index[0]
    married = np.flatnonzero(people.spouse >= 0)
    spouse = people.spouse[married] - first

    assert (people.spouse[spouse] == people.index[married]).all()
    assert (people.sex[spouse] != people.sex[married]).all()
    assert (people.household[spouse] == people.household[married]).all()


def test_children_and_elders_use_a_phone_of_the_household_wives_that_of_their_husbands(world):
    people = world.people_of(next(cell for cell in range(20) if world.places.cell_urban[cell]))
    shared = people.phone != people.index
    husbands = shared & (people.phone == people.spouse)

    assert shared[people.age(0) < 14].all()
    assert (people.phone == people.household)[shared & ~husbands].all()
    assert 0.05 < husbands[people.spouse >= 0].mean() < 0.3


def test_some_villages_have_the_old_on_the_phone_of_a_clerk(world):
    people = world.people_of(next(cell for cell in range(20) if not world.places.cell_urban[cell]))
    owner = people.phone - people.index[0]
    outside = people.household[owner] != people.household

    assert (people.age(0)[outside] > 62).all()
    assert (people.age(0)[owner[outside]] < 58).all()
    clerks, registered = np.unique(owner[outside], return_counts=True)
    assert 2 <= len(clerks) <= 9
    assert registered.mean() > 4


def test_children_are_not_insured_as_employees(world):
    people = world.people_of(0)

    assert not (people.insutype[people.psn_type == STUDENT_CHILD] == EMPLOYEE).any()


def test_every_person_belongs_to_one_task():
    for members in (100, 10_000, 60_001, 1_000_000):
        cells = [cell for chunk in chunks(members) for cell in chunk]

        assert cells == list(range(-(-members // CELL_PEOPLE)))


def test_the_old_and_the_employed_hold_more_certificates(world):
    cells = range(20)
    people = [world.people_of(cell) for cell in cells]
    age = np.concatenate([each.age(0) for each in people])
    holds = np.concatenate([world.health_of(cell).certificate >= 0 for cell in cells])

    assert 0.015 < holds.mean() < 0.05
    assert holds[age > 65].mean() > 5 * holds[age < 50].mean()


def test_all_kinds_of_people_who_look_guilty_are_there(world):
    looks = np.concatenate([world.lived_in(cell)[2].type_of for cell in range(20)])
    people = [world.people_of(cell).index[world.lived_in(cell)[2].looks] for cell in range(20)]

    assert set(looks) == set(range(len(BENIGN_TYPES)))
    # Twenty honest ones for every account in fraud, at the share of two per cent as well.
    assert len(np.unique(np.concatenate(people))) >= 20 * 0.02 * 100_000


def test_a_carer_collects_on_one_day_for_two_to_six(world):
    _, health, habits = world.lived_in(5)
    rows = habits.looks[habits.type_of == BENIGN_TYPES.index("family_carer")]
    fetched = rows[habits.proxy[rows] >= 0]

    proxies, sizes = np.unique(habits.proxy[fetched], return_counts=True)

    assert len(proxies) > 5
    assert sizes.min() >= 2
    assert sizes.max() <= 6
    for proxy in proxies[:5]:
        mine = fetched[habits.proxy[fetched] == proxy]
        assert len(set(health.interval[mine])) == len(set(health.home[mine])) == 1


def test_settings_name_the_key_that_is_wrong(tmp_path):
    path = tmp_path / "province.yaml"
    text = Path("conf/simulation/province.yaml").read_text(encoding="utf-8")
    path.write_text(text.replace("urban_share: 0.66", "urban_share: 7.0"), encoding="utf-8")

    with pytest.raises(ConfigError, match=r"geography\.urban_share is 7\.0"):
        load_settings(str(path))


def test_a_province_starts_on_the_first_of_a_month():
    with pytest.raises(ConfigError, match="first day of a month"):
        load_settings("conf/simulation/province.yaml", {"start": SETTINGS.day(3)})
