"""What is prescribed and billed: drugs, illnesses, diagnoses, special diseases and services, from CSV.

The files lie beside this module and are read as package resources, so that an archive given to
`spark-submit --py-files` holds them too. Names, packs and prices follow what is sold in China in 2025
(centrally procured generics, negotiated drugs, patent medicines); codes have the national form and are
made up. Months of the `season` columns count from January.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.arrays.resources import Texts, days, flags, numbers, places, resource_rows, texts
from jobs.province.arrays.shapes import ITEM_TYPES

#: `Drugs.category`, the words of the landing contract.
CATEGORIES = ("chemical", "biological", "tcm_patent", "tcm_injection", "herb_tonic")
CHEMICAL, BIOLOGICAL, TCM_PATENT, TCM_INJECTION, HERB_TONIC = range(5)
#: `Drugs.channel`: who may dispense it.
ANYWHERE, HOSPITAL_ONLY, DUAL_CHANNEL = range(3)
_CHANNELS = ("any", "hospital", "dual")
#: Ages from which the prevalences of an illness hold, in years.
AGE_BANDS = (0, 18, 40, 60, 75)
#: Where doctors work; the department of an illness and of a service is an index into it.
DEPARTMENTS = (
    "general",
    "cardiology",
    "endocrinology",
    "neurology",
    "respiratory",
    "gastroenterology",
    "nephrology",
    "oncology",
    "rheumatology",
    "infectious",
    "psychiatry",
    "surgery",
    "orthopaedics",
    "urology",
    "gynaecology",
    "paediatrics",
    "dermatology",
    "ophthalmology",
    "ent",
    "tcm",
    "emergency",
)


@dataclass(frozen=True)
class Drugs:
    """The drug catalogue, one entry a drug (a pack of one maker)."""

    #: `med_list_codg`
    code: Texts
    name: Texts
    ingredient: Texts
    #: drugs of one ingredient share this number
    therapy: Ints
    #: empty where WHO has none
    atc: Texts
    #: index into `CATEGORIES`
    category: Ints
    days_per_box: Floats
    #: NaN where WHO has none
    ddd_per_box: Floats
    monthly_max_boxes: Floats
    max_boxes_visit: Floats
    #: list price, yuan a box
    price: Floats
    #: street price over list price, NaN where no one buys it
    resale_ratio: Floats
    chronic: Flags
    cold_chain: Flags
    #: ICD-10 prefixes joined by semicolons; empty is any
    indications: Texts
    #: days since 1970-01-01, -1 never
    watch_from: Ints
    trace_from: Ints
    #: how often it is chosen among the drugs of its use
    weight: Floats
    #: index into `USES`: what it is taken for
    use: Ints
    #: `ANYWHERE`, `HOSPITAL_ONLY` (injections) or `DUAL_CHANNEL` (hospital or dual-channel pharmacy)
    channel: Ints

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class Illness:
    """What people have, chronic or acute; a drug's `use` points at one."""

    #: as in `person_condition.condition`
    word: str
    name: str
    chronic: bool
    #: ICD-10 prefixes
    prefixes: tuple[str, ...]
    #: chronic: share of people who have it by age; acute: visits a person a year by age (`AGE_BANDS`)
    by_age: tuple[float, ...]
    #: a man's share or rate over that of everyone
    male_factor: float
    #: index into `DEPARTMENTS`
    department: int
    #: share of the year's visits by calendar month over 1/12
    season: tuple[float, ...]
    #: how many drugs a patient of this illness takes, on average
    drugs: float
    #: visits with an inpatient stay over all visits
    inpatient: float


@dataclass(frozen=True)
class Diagnoses:
    """ICD-10 codes; `Visits.diagnosis` is an index into them."""

    code: Texts
    name: Texts
    #: index into `USES`
    use: Ints
    weight: Floats


@dataclass(frozen=True)
class SpecialDisease:
    """A special disease that people hold certificates for."""

    #: `opsp_dise_code`
    code: str
    name: str
    #: ICD-10 prefixes that the certificate pays for
    prefixes: tuple[str, ...]
    #: indices into `USES`: the conditions for which it is given
    uses: tuple[int, ...]
    #: share of those who have the condition that hold a certificate
    uptake: float
    #: yuan, lowest and highest
    annual_cap: tuple[float, float]
    #: share of eligible fees that the fund pays
    fund_share: float
    #: years of validity
    years: int


@dataclass(frozen=True)
class Services:
    """What is billed beside drugs."""

    name: Texts
    #: index into `shapes.ITEM_TYPES`
    item_type: Ints
    price: Floats
    #: index into `DEPARTMENTS`; -1 is any
    department: Ints
    #: index into `USES` that it belongs to; -1 is any of the department
    use: Ints
    #: how often per visit of that department or use, as a probability
    share: Floats
    #: billed a day in bed, otherwise a visit
    inpatient: Flags
    #: lowest hospital level (1 to 3) that has it
    level: Ints


@cache
def illnesses() -> tuple[Illness, ...]:
    """All illnesses, the chronic ones first, in the order of `USES`."""
    return tuple(
        Illness(
            word=row["word"],
            name=row["name"],
            chronic=row["chronic"] == "1",
            prefixes=tuple(row["prefixes"].split(";")),
            by_age=tuple(float(share) for share in row["by_age"].split(";")),
            male_factor=float(row["male_factor"]),
            department=DEPARTMENTS.index(row["department"]),
            season=_season(float(row["peak_month"]), float(row["swing"])),
            drugs=float(row["drugs"]),
            inpatient=float(row["inpatient"]),
        )
        for row in resource_rows("illnesses.csv")
    )


@cache
def drugs() -> Drugs:
    """The drug catalogue."""
    rows = resource_rows("drugs.csv")
    ingredients = list(dict.fromkeys(row["ingredient"] for row in rows))
    return Drugs(
        code=texts(rows, "code"),
        name=texts(rows, "name"),
        ingredient=texts(rows, "ingredient"),
        therapy=places(rows, "ingredient", ingredients),
        atc=texts(rows, "atc"),
        category=places(rows, "category", CATEGORIES),
        days_per_box=numbers(rows, "days_per_box"),
        ddd_per_box=numbers(rows, "ddd_per_box"),
        monthly_max_boxes=numbers(rows, "monthly_max_boxes"),
        max_boxes_visit=numbers(rows, "max_boxes_visit"),
        price=numbers(rows, "price"),
        resale_ratio=numbers(rows, "resale_ratio"),
        chronic=flags(rows, "chronic"),
        cold_chain=flags(rows, "cold_chain"),
        indications=texts(rows, "indications"),
        watch_from=days(rows, "watch_from"),
        trace_from=days(rows, "trace_from"),
        weight=numbers(rows, "weight"),
        use=places(rows, "use", USES),
        channel=places(rows, "channel", _CHANNELS),
    )


@cache
def diagnoses() -> Diagnoses:
    """All diagnoses, those of one illness together."""
    rows = resource_rows("diagnoses.csv")
    return Diagnoses(
        code=texts(rows, "code"),
        name=texts(rows, "name"),
        use=places(rows, "use", USES),
        weight=numbers(rows, "weight"),
    )


@cache
def special_diseases() -> tuple[SpecialDisease, ...]:
    """All special diseases."""
    return tuple(
        SpecialDisease(
            code=row["code"],
            name=row["name"],
            prefixes=tuple(row["prefixes"].split(";")),
            uses=tuple(USES.index(word) for word in row["uses"].split(";")),
            uptake=float(row["uptake"]),
            annual_cap=(float(row["cap_low"]), float(row["cap_high"])),
            fund_share=float(row["fund_share"]),
            years=int(row["years"]),
        )
        for row in resource_rows("special_diseases.csv")
    )


@cache
def services() -> Services:
    """All services."""
    rows = resource_rows("services.csv")
    return Services(
        name=texts(rows, "name"),
        item_type=places(rows, "item_type", ITEM_TYPES),
        price=numbers(rows, "price"),
        department=places(rows, "department", DEPARTMENTS),
        use=places(rows, "use", USES),
        share=numbers(rows, "share"),
        inpatient=flags(rows, "inpatient"),
        level=numbers(rows, "level").astype(np.int64),
    )


@cache
def drugs_for(use: int) -> Ints:
    """Indices of the drugs that are taken for a condition or an acute illness."""
    return np.flatnonzero(CATALOGUE.use == use)


@cache
def diagnoses_for(use: int) -> Ints:
    """Indices of the diagnoses of an illness."""
    return np.flatnonzero(DIAGNOSES.use == use)


@cache
def services_for(use: int, level: int, in_bed: bool) -> Ints:
    """Indices of the services that a visit for an illness may bring at a hospital of this level."""
    mine = (SERVICES.use == use) | (
        (SERVICES.use == -1)
        & ((SERVICES.department == -1) | (SERVICES.department == ILLNESSES[use].department))
    )
    return np.flatnonzero(mine & (SERVICES.level <= level) & (SERVICES.inpatient == in_bed))


def is_indicated(drug: Ints, diagnosis: Ints) -> Flags:
    """Whether a diagnosis is among a drug's indications, element by element."""
    found: Flags = _indicated()[drug, diagnosis]
    return found


def certificate_pays(special_disease: Ints, diagnosis: Ints) -> Flags:
    """Whether a certificate pays for a diagnosis, element by element; -1 is no certificate."""
    found: Flags = _certified()[special_disease, diagnosis]
    return found


def _season(peak_month: float, swing: float) -> tuple[float, ...]:
    months = np.arange(1, 13)
    around = 1 + swing * np.cos(2 * np.pi * (months - peak_month) / 12)
    return tuple(float(share) for share in around)


@cache
def _indicated() -> Flags:
    return np.array([_starts(text.split(";") if text else ("",)) for text in CATALOGUE.indications])


@cache
def _certified() -> Flags:
    # The last row serves index -1.
    none = np.zeros(len(DIAGNOSES.code), dtype=bool)
    return np.array([*(_starts(each.prefixes) for each in SPECIAL_DISEASES), none])


def _starts(prefixes: Sequence[str]) -> Flags:
    return np.array([code.startswith(tuple(prefixes)) for code in DIAGNOSES.code])


ILLNESSES = illnesses()
#: What a drug, a diagnosis or a service is for; the chronic conditions come first.
USES = tuple(each.word for each in ILLNESSES)
#: The chronic conditions, which are `USES[:len(CONDITIONS)]`.
CONDITIONS = tuple(each for each in ILLNESSES if each.chronic)
CATALOGUE = drugs()
DIAGNOSES = diagnoses()
SPECIAL_DISEASES = special_diseases()
SERVICES = services()
