"""The drug catalogue and what goes with it: complete, consistent, and skewed as prices are."""

import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from expectations.tables import LANDING_BY_NAME
from jobs.province.care import catalogue
from jobs.province.care.catalogue import (
    AGE_BANDS,
    CATALOGUE,
    CATEGORIES,
    CONDITIONS,
    DIAGNOSES,
    ILLNESSES,
    SERVICES,
    SPECIAL_DISEASES,
    USES,
    certificate_pays,
    diagnoses_for,
    drugs_for,
    is_indicated,
    services_for,
)

ROOT = Path(__file__).parents[2]


def day(text):
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def named(*words):
    return np.array([any(word in name for word in words) for name in CATALOGUE.name])


def test_there_are_hundreds_of_drugs_and_each_has_a_code_of_its_own():
    assert len(CATALOGUE) >= 300
    assert len(set(CATALOGUE.code)) == len(set(CATALOGUE.name)) == len(CATALOGUE)
    assert {len(code) for code in CATALOGUE.code} == {23}


def test_categories_are_those_of_the_contract_and_none_is_rare():
    fields = {field.name: field for field in LANDING_BY_NAME["drug"].fields}
    assert fields["category"].values == CATEGORIES
    assert np.bincount(CATALOGUE.category).min() >= 10


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("price", 1, 20_000),
        ("days_per_box", 0.1, 366),
        ("monthly_max_boxes", 1, 400),
        ("max_boxes_visit", 1, 100),
        ("weight", 0.01, 100),
    ],
)
def test_every_drug_has_plausible_numbers(column, low, high):
    values = getattr(CATALOGUE, column)
    assert values.min() >= low
    assert values.max() <= high


def test_prices_are_skewed():
    lowest, median, high = np.percentile(CATALOGUE.price, [10, 50, 99])
    assert lowest < 12
    assert 25 < median < 50
    assert high > 3_000
    insulin = named("胰岛素") & (CATALOGUE.category == CATEGORIES.index("biological"))
    assert insulin.sum() >= 8
    assert 40 < CATALOGUE.price[insulin].min() < CATALOGUE.price[insulin].max() < 200


def test_the_drugs_of_the_police_reports_are_there_and_watched_from_the_first_day():
    for word in ("达克宁", "速效救心丸", "三金片", "培菲康", "胰岛素注射液"):
        found = CATALOGUE.watch_from[named(word)]
        assert len(found)
        assert set(found) == {day("2025-12-01")}, word


def test_what_must_be_kept_cold_is_marked():
    assert CATALOGUE.cold_chain[named("胰岛素注射液", "培菲康")].all()
    assert 20 <= CATALOGUE.cold_chain.sum() <= 80


def test_the_watch_list_grows_as_it_was_announced():
    watched = CATALOGUE.watch_from
    assert ((watched > 0) & (watched <= day("2025-12-01"))).sum() >= 50
    assert ((watched > 0) & (watched <= day("2026-06-01"))).sum() >= 100
    assert not np.isnan(CATALOGUE.resale_ratio[watched > 0]).any()
    assert ((CATALOGUE.resale_ratio > 0.1) & (CATALOGUE.resale_ratio < 0.9)).sum() >= 100


def test_most_boxes_must_be_scanned_from_july_2025():
    assert (CATALOGUE.trace_from == day("2025-07-01")).mean() > 0.5
    assert CATALOGUE.trace_from.max() == day("2026-01-01")


def test_one_ingredient_is_one_therapy():
    for therapy in range(CATALOGUE.therapy.max() + 1):
        assert len(set(CATALOGUE.ingredient[CATALOGUE.therapy == therapy])) == 1


def test_chronic_conditions_come_first_and_fit_a_bit_mask():
    assert [each.word for each in CONDITIONS] == list(USES[: len(CONDITIONS)])
    assert 30 <= len(CONDITIONS) < 63
    assert all(len(each.by_age) == len(AGE_BANDS) for each in ILLNESSES)
    assert all(min(each.season) >= 0 for each in ILLNESSES)
    assert all(sum(each.season) == pytest.approx(12) for each in ILLNESSES)


@pytest.mark.parametrize("use", range(len(USES)), ids=USES)
def test_an_illness_has_drugs_diagnoses_and_services_that_fit(use):
    drugs, found = drugs_for(use), diagnoses_for(use)
    assert len(drugs) >= 2
    assert len(found) >= 1
    codes = DIAGNOSES.code[found]
    assert all(code.startswith(ILLNESSES[use].prefixes) for code in codes)
    pairs = np.array(np.meshgrid(drugs, found)).reshape(2, -1)
    fits = is_indicated(*pairs).reshape(len(found), len(drugs))
    assert fits.any(axis=0).all(), "a drug that fits none of its own diagnoses"
    assert fits.any(axis=1).all(), "a diagnosis that none of its drugs fits"
    assert len(services_for(use, 3, False)) >= 5


def test_a_chronic_drug_serves_a_chronic_condition():
    assert (CATALOGUE.use[CATALOGUE.chronic] < len(CONDITIONS)).all()


def test_services_need_no_higher_hospital_than_there_is():
    assert set(SERVICES.level) <= {1, 2, 3}
    small = services_for(USES.index("stroke"), 1, False)
    assert set(small) < set(services_for(USES.index("stroke"), 3, False))


def test_a_certificate_pays_for_its_own_conditions_only():
    for number, disease in enumerate(SPECIAL_DISEASES):
        for use in disease.uses:
            found = diagnoses_for(use)
            assert certificate_pays(np.full(len(found), number), found).all(), disease.name
    cold = diagnoses_for(USES.index("cold"))
    assert not certificate_pays(np.zeros(len(cold), int), cold).any()
    assert not certificate_pays(np.full(len(cold), -1), cold).any()


def test_it_can_be_read_from_a_zip_archive(tmp_path):
    """As `spark-submit --py-files` hands it to the workers."""
    archive = tmp_path / "drugtrail.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        folders = (ROOT / "expectations", ROOT / "jobs")
        for path in (path for folder in folders for path in folder.rglob("*")):
            if path.suffix in (".py", ".csv") and "__pycache__" not in path.parts:
                packed.write(path, path.relative_to(ROOT))
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "from jobs.province.care import catalogue\n"
        "assert '.zip' in catalogue.__file__; print(len(catalogue.CATALOGUE))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(catalogue.CATALOGUE)
