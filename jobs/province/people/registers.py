"""Reference tables of the landing contract: people and their illnesses, places, the catalogue."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from jobs.province.arrays.columns import coded, dates, decimals, texts, timestamps
from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Ints, generator
from jobs.province.care.bill_tables import Arrivals, Ids
from jobs.province.care.catalogue import (
    CATALOGUE,
    CATEGORIES,
    CONDITIONS,
    DEPARTMENTS,
    SPECIAL_DISEASES,
)
from jobs.province.people.geography import INSTITUTION_TYPES, LEVEL_1, Places
from jobs.province.people.neighbours import Neighbours
from jobs.province.people.people import PERSON_TYPES
from jobs.province.settings import Settings

_YEAR = 365


def place_tables(ids: Ids, settings: Settings, places: Places) -> list[Arrivals]:
    """Institutions, doctors, drugs and special diseases: all known on the first day."""
    start = settings.epoch_day
    rng = generator(ids.seed, "registers")

    def known(table: str, rows: dict[str, pa.Array]) -> Arrivals:
        arrive = np.sort(rng.integers(1, 3600, len(next(iter(rows.values())))))
        return Arrivals(table, pa.table({**rows, "arrive_time": timestamps(start, arrive)}), arrive)

    district = texts(places.district_code)
    levels = np.where(places.level == 9, 3, places.level - 1)
    always = np.zeros(len(places.code), bool)
    institutions = {
        "fixmedins_code": texts(places.code),
        "fixmedins_name": texts(places.name),
        "inst_type": coded(places.kind, pa.array(INSTITUTION_TYPES)),
        "medinslv": coded(levels, pa.array(["1", "2", "3", "9"])),
        "dual_channel": pa.array(places.dual),
        "visit_cap": decimals((places.visit_cap * 100).astype(np.int64), 16, 2),
        "admdvs": coded(places.district, district),
        "lat": pa.array(places.lat),
        "lon": pa.array(places.lon),
        "contract_from": dates(start, places.contract_from),
        "contract_to": dates(start, places.contract_from, ~always),
    }
    doctors = {
        "dr_codg": texts(places.doctor_code),
        "fixmedins_code": coded(places.doctor_institution, texts(places.code)),
        "dept": coded(places.doctor_department, pa.array(DEPARTMENTS)),
    }
    price = np.round(CATALOGUE.price * 100).astype(np.int64)
    drugs = {
        "med_list_codg": texts(CATALOGUE.code),
        "drug_name": texts(CATALOGUE.name),
        "ingredient": texts(CATALOGUE.ingredient),
        "atc": texts(CATALOGUE.atc, CATALOGUE.atc == ""),
        "category": coded(CATALOGUE.category, pa.array(CATEGORIES)),
        "days_per_box": pa.array(CATALOGUE.days_per_box, from_pandas=True),
        "ddd_per_box": pa.array(CATALOGUE.ddd_per_box, from_pandas=True),
        "monthly_max_boxes": pa.array(CATALOGUE.monthly_max_boxes, from_pandas=True),
        "max_boxes_visit": pa.array(CATALOGUE.max_boxes_visit, from_pandas=True),
        "list_price": decimals(price, 16, 2),
        "resale_ratio": pa.array(CATALOGUE.resale_ratio, from_pandas=True),
        "chronic": pa.array(CATALOGUE.chronic),
        "cold_chain": pa.array(CATALOGUE.cold_chain),
        "indications": texts(CATALOGUE.indications),
        "watch_from": dates(0, CATALOGUE.watch_from, CATALOGUE.watch_from < 0),
        "trace_from": dates(0, CATALOGUE.trace_from, CATALOGUE.trace_from < 0),
    }
    diseases = {
        "opsp_dise_code": pa.array([each.code for each in SPECIAL_DISEASES]),
        "opsp_dise_name": pa.array([each.name for each in SPECIAL_DISEASES]),
        "indications": pa.array([";".join(each.prefixes) for each in SPECIAL_DISEASES]),
    }
    return [
        known("institution", institutions),
        known("doctor", doctors),
        known("drug", drugs),
        known("special_disease", diseases),
    ]


@dataclass(frozen=True)
class _Versions:
    """One row per version of a person's row: what had been heard by then."""

    who: Ints
    arrive: Ints
    paused: Ints
    dead: Ints


def person_table(ids: Ids, here: Neighbours, month: int) -> Arrivals:
    """Rows of `person` that arrive in a month: all on the first day, later what changes."""
    people, settings, start = here.people, here.settings, here.settings.epoch_day
    versions = _in_month(settings, month, _person_versions(here))
    who = versions.who
    arrive = versions.arrive
    dead = people.death_day[who]
    rows = {
        "psn_no": texts(ids.text(people.index[who], "psn_no")),
        "gend": coded(people.sex[who] - 1, pa.array(["1", "2"])),
        "brdy": dates(start, people.birth_day[who]),
        "insutype": coded((people.insutype[who] == 390).astype(np.int64), pa.array(["310", "390"])),
        "psn_type": coded(people.psn_type[who], pa.array(PERSON_TYPES)),
        "insuplc_admdvs": coded(people.district[who], texts(here.places.district_code)),
        "household_id": texts(ids.text(people.household[who], "household")),
        "cert_hash": texts(ids.text(people.index[who], "cert")),
        "tel_hash": texts(ids.text(people.phone[who], "tel")),
        "addr_hash": texts(ids.text(people.address[who], "addr")),
        "home_lat": pa.array(people.home_lat[who]),
        "home_lon": pa.array(people.home_lon[who]),
        "insured_from": dates(start, people.insured_day[who]),
        "paused_from": dates(start, people.paused_day[who], versions.paused == 0),
        "death_date": dates(start, dead, versions.dead == 0),
        "arrive_time": timestamps(start, arrive),
    }
    return Arrivals("person", pa.table(rows), arrive)


def condition_table(ids: Ids, here: Neighbours, month: int) -> Arrivals:
    """Rows of `person_condition` that arrive in a month: chronic conditions known to the insurer."""
    people, start = here.people, here.settings.epoch_day
    bits = here.health.conditions[:, None] >> np.arange(len(CONDITIONS)) & 1
    who, condition = np.nonzero(bits)
    key = people.index[who] * 64 + condition
    known = here.chance(key, "known") < np.where(here.health.interval[who] > 0, 0.95, 0.5)
    who, condition, key = who[known], condition[known], key[known]
    recent = here.chance(key, "recent") < 0.08
    found = (here.chance(key, "since") * np.where(recent, 3 * _YEAR, -12 * _YEAR)).astype(np.int64)
    arrive = _first_known(here, who, found, key)
    rows = _Versions(np.arange(len(who)), arrive, who, condition)
    rows = _in_month(here.settings, month, rows)
    which, arrive = rows.who, rows.arrive
    return Arrivals(
        "person_condition",
        pa.table(
            {
                "psn_no": texts(ids.text(people.index[who[which]], "psn_no")),
                "condition": coded(condition[which], pa.array([each.word for each in CONDITIONS])),
                "since": dates(start, found[which]),
                "arrive_time": timestamps(start, arrive),
            }
        ),
        arrive,
    )


@dataclass(frozen=True)
class Certificates:
    """One row per special-disease certificate; days from the start."""

    person: Ints
    disease: Ints
    begin: Ints
    institution: Ints
    doctor: Ints


def own_certificates(here: Neighbours, month: int) -> tuple[Certificates, Ints, Ints]:
    """Certificates that begin in a month, or are in force at the start; their caps and arrival."""
    health, people = here.health, here.people
    first, after = here.settings.month_days(month)
    holders = np.flatnonzero(health.certificate >= 0)
    years = np.array([each.years for each in SPECIAL_DISEASES])[health.certificate[holders]]
    term = years * _YEAR
    # Certificates are renewed when they end; of those before the start the last one is delivered.
    turn = (after - 1 - health.certificate_from[holders]) // term
    begin = health.certificate_from[holders] + turn * term
    lives = (people.death_day[holders] < 0) | (begin < people.death_day[holders])
    due = (turn >= 0) & lives & ((begin >= first) | (month == 0))
    due &= begin >= np.where(people.insured_day[holders] > 0, people.insured_day[holders], begin)
    rows, begin = holders[due], begin[due]
    home = health.home[rows]
    institution = np.where(here.places.sort[home] <= LEVEL_1, home, health.second[rows])
    department = np.array([each.department for each in CONDITIONS])[health.main[rows]]
    doctor = here.places.doctor_for(
        institution,
        department,
        here.chance(people.index[rows], "certifies"),
        np.zeros(len(rows), np.int64),
    )
    found = Certificates(people.index[rows], health.certificate[rows], begin, institution, doctor)
    arrive = np.maximum(begin, 0) * DAY + (
        here.chance(people.index[rows], "paper") * 14_000
    ).astype(int)
    return found, np.round(health.annual_cap[rows] * 100).astype(np.int64), arrive + 1


def certificate_table(
    ids: Ids,
    settings: Settings,
    places: Places,
    certificates: Certificates,
    caps: Ints,
    arrive: Ints,
) -> Arrivals:
    """Rows of `special_cert`."""
    start = settings.epoch_day
    order = np.lexsort((certificates.person, arrive))
    person, disease = certificates.person[order], certificates.disease[order]
    begin, arrive = certificates.begin[order], arrive[order]
    doctor, institution = certificates.doctor[order], certificates.institution[order]
    years = np.array([each.years for each in SPECIAL_DISEASES])[disease]
    rows = {
        "psn_no": texts(ids.text(person, "psn_no")),
        "opsp_dise_code": coded(disease, pa.array([each.code for each in SPECIAL_DISEASES])),
        "begndate": dates(start, begin),
        "enddate": dates(start, begin + years * _YEAR - 1),
        "ide_fixmedins_no": coded(institution, texts(places.code)),
        "diag_dr_codg": coded(doctor, texts(places.doctor_code), doctor < 0),
        "annual_cap": decimals(caps[order], 16, 2),
        "arrive_time": timestamps(start, arrive),
    }
    return Arrivals("special_cert", pa.table(rows), arrive)


def _person_versions(here: Neighbours) -> _Versions:
    """Entry, end of payments and death, each some days after it happened."""
    people = here.people
    count = len(people)
    everyone = np.arange(count)
    entered = _first_known(here, everyone, people.insured_day, people.index)
    heard = (here.chance(people.index, "heard") * 20 * DAY).astype(np.int64) + 3 * DAY
    ended = people.paused_day * DAY + heard
    died = people.death_day * DAY + heard * 2
    # What happened before a person's entry to the register is in the first row.
    is_paused, is_dead = people.paused_day >= 0, people.death_day >= 0
    ended, died = np.maximum(ended, entered + 1), np.maximum(died, entered + 1)
    paused_first = is_paused & (~is_dead | (ended <= died))
    died_first = is_dead & (~is_paused | (died < ended))
    parts = [
        (everyone, entered, np.zeros(count), np.zeros(count)),
        (
            everyone[is_paused],
            ended[is_paused],
            np.ones(is_paused.sum()),
            (~paused_first)[is_paused],
        ),
        (everyone[is_dead], died[is_dead], (~died_first)[is_dead], np.ones(is_dead.sum())),
    ]
    return _Versions(
        *(np.concatenate([np.asarray(part[n], np.int64) for part in parts]) for n in range(4))
    )


def _first_known(here: Neighbours, who: Ints, day: Ints, key: Ints) -> Ints:
    """Arrival in the first hours of the province, or of the day on which something became known."""
    day = np.maximum(day, np.maximum(here.people.insured_day[who], 0))
    within = 1 + (here.chance(key, "register") * 3 * 3600).astype(np.int64)
    arrive: Ints = day * DAY + within
    return arrive


def _in_month(settings: Settings, month: int, versions: _Versions) -> _Versions:
    first, after = settings.month_days(month)
    found = np.flatnonzero((versions.arrive >= first * DAY) & (versions.arrive < after * DAY))
    found = found[np.lexsort((versions.who[found], versions.arrive[found]))]
    return _Versions(
        versions.who[found], versions.arrive[found], versions.paused[found], versions.dead[found]
    )
