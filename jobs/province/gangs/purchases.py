"""What is bought on the outings of gangs, and the visits as they will be billed.

Prices, diagnoses, doctors, consultation fees and opening hours are those of honest care.
"""

from dataclasses import replace
from functools import cache

import numpy as np

from jobs.province.arrays.days import DAY, weekdays
from jobs.province.arrays.draws import Flags, Floats, Ints, mixed
from jobs.province.arrays.sampling import expanded
from jobs.province.arrays.shapes import (
    DRUG,
    E_VOUCHER,
    IDENTITY_CARD,
    INSURANCE_CARD,
    OUTPATIENT,
    PHARMACY,
    RELATIONS,
    SPECIAL,
    TREATMENT,
    Events,
    Lines,
    Visits,
    stacked,
)
from jobs.province.care.catalogue import (
    CATALOGUE,
    CONDITIONS,
    ILLNESSES,
    SERVICES,
    SPECIAL_DISEASES,
)
from jobs.province.care.fees import drug_price, service_lines
from jobs.province.care.materials import material_lines
from jobs.province.gangs.at_work import GangAtWork, sold_at
from jobs.province.gangs.gangs import COLLECTOR, DISPENSER, ORGANISER
from jobs.province.gangs.outings import Outings
from jobs.province.gangs.supply import Supply, within_supply
from jobs.province.people.geography import PHARMACY as A_PHARMACY_KIND
from jobs.province.people.neighbours import (
    AT_CHECK,
    AT_REFILL,
    AT_VISIT,
    diagnosis_lists,
    services_index,
    services_level,
    services_lists,
)

_DEPARTMENT = np.array([each.department for each in ILLNESSES])
_IS_CHRONIC = np.array([each.chronic for each in ILLNESSES])
#: drugs on a visit beyond the first, on average; honest prescriptions have about as many
_FURTHER_DRUGS = 0.8
_MOST_DRUGS = 5
#: how far a visit's amount varies around the card's (deviation of the logarithm)
_AMOUNT_JITTER = 0.35
#: a visit stays this far below what the institution may settle
_BELOW_CAP = (0.80, 0.99)
_OWN_SHARE_SPREAD = 2.0
_TREATED_SHARE = 0.75
_STATED = ("relative", "child", "carer", "neighbour", "other")


def bought(rng: np.random.Generator, gang: GangAtWork, outings: Outings, supply: Supply) -> Events:
    """The visits of the outings with their lines, in the order of time.

    Nobody sets out where every drug wanted would be too much: `supply` is what the cards have by now.
    """
    outings = outings.take(np.argsort(outings.time, kind="stable"))
    drugs = within_supply(gang, outings, _drug_lines(rng, gang, outings), supply)
    going, visit = np.unique(drugs.visit, return_inverse=True)
    outings, drugs = outings.take(going), replace(drugs, visit=visit)
    use = _main_use(rng, gang, outings, drugs)
    visits = _visits(rng, gang, outings, use)
    treatment = _treatment_lines(rng, gang, outings)
    fees = _fee_lines(rng, gang, outings, use)
    lines = stacked([drugs, treatment, fees])
    return Events(visits, lines.take(np.argsort(lines.visit, kind="stable")))


def certificate_of(gang: GangAtWork, card: Ints, day: Ints) -> Ints:
    """The special disease for which each card has a certificate in force that day, -1 none."""
    cards = gang.cards
    arranged = (cards.certificate[card] >= 0) & (cards.certificate_day[card] <= day)
    own = (cards.own_certificate[card] >= 0) & (cards.own_certificate_day[card] <= day)
    found: Ints = np.where(
        arranged, cards.certificate[card], np.where(own, cards.own_certificate[card], -1)
    )
    return found


def _drug_lines(rng: np.random.Generator, gang: GangAtWork, outings: Outings) -> Lines:
    """Drugs for resale with some for the holder's own illness among them, up to the amount of a visit."""
    cards, places, habits = gang.cards, gang.province.places, gang.habits.habits
    count = len(outings)
    wanted = np.minimum(1 + rng.poisson(_FURTHER_DRUGS, count), _MOST_DRUGS)
    visit, _ = expanded(wanted)
    card, institution = outings.card[visit], outings.institution[visit]
    pharmacy = places.kind[institution] == A_PHARMACY_KIND
    drug = gang.goods.one(2 * card + pharmacy, rng.random(len(visit)))
    spread = _OWN_SHARE_SPREAD
    own_share = rng.beta(spread * habits.own_need + 1e-3, spread * (1 - habits.own_need), count)
    own = cards.own_drugs[card, rng.integers(0, cards.own_drugs.shape[1], len(card))]
    is_own = (rng.random(len(visit)) < own_share[visit]) & (own >= 0)
    is_own &= sold_at(np.maximum(own, 0), pharmacy, places.dual[institution])
    drug = np.where(is_own, own, drug)
    _, first = np.unique(visit * len(CATALOGUE) + drug, return_index=True)
    first.sort()
    visit, drug, is_own = visit[first], drug[first], is_own[first]
    certified = certificate_of(gang, outings.card, outings.time // DAY) >= 0
    amount = cards.amount[outings.card] * np.exp(_AMOUNT_JITTER * rng.standard_normal(count))
    amount = amount * np.where(certified, 1.0, gang.settings.skill.uncertified_amount)
    cap = places.visit_cap[outings.institution] * rng.uniform(*_BELOW_CAP, count)
    amount = np.minimum(amount, cap)
    part = rng.exponential(1.0, len(visit)) + 0.3
    part = part / np.bincount(visit, part, minlength=count)[visit]
    price = drug_price(places, outings.institution[visit], drug)
    boxes = np.rint(amount[visit] * part / price + rng.uniform(-0.3, 0.3, len(visit)))
    boxes = np.clip(boxes, 1, CATALOGUE.max_boxes_visit[drug])
    # The last of several drugs is left out where it would go past what the place may settle.
    total = np.cumsum(boxes * price)
    before = np.concatenate([[0.0], total])[np.searchsorted(visit, np.arange(count))]
    fits = (total - before[visit] <= places.visit_cap[outings.institution[visit]]) | (
        np.diff(visit, prepend=-1) > 0
    )
    visit, drug, is_own, boxes, price = (each[fits] for each in (visit, drug, is_own, boxes, price))
    too_much = rng.random(len(visit)) < habits.partial
    partial = np.where(too_much, rng.uniform(0.25, 0.9, len(visit)), 0.0)
    stated = rng.random(len(visit)) < gang.province.settings.care.stated_days_share
    days = np.round(np.minimum(boxes * CATALOGUE.days_per_box[drug], 180))
    return Lines(
        visit=visit,
        item_type=np.full(len(visit), DRUG),
        drug=drug,
        quantity=boxes,
        price=price,
        days=np.where(stated, np.maximum(days, 1), np.nan),
        misused=np.where(is_own, partial, 1.0),
    )


def _main_use(rng: np.random.Generator, gang: GangAtWork, outings: Outings, drugs: Lines) -> Ints:
    """The illness that each visit is entered for: that of a drug which fits the holder, or of the first."""
    use = CATALOGUE.use[drugs.drug]
    bits = gang.cards.conditions[outings.card[drugs.visit]] >> np.minimum(use, 62)
    order = np.lexsort((bits & 1 == 0, drugs.visit))
    use = use[order[np.searchsorted(drugs.visit[order], np.arange(len(outings)))]]
    day = outings.time // DAY
    certificate = certificate_of(gang, outings.card, day)
    certified = np.array([disease.uses[0] for disease in SPECIAL_DISEASES])[certificate]
    # What is certified is written down wherever the holder is treated under the certificate.
    use = np.where((certificate >= 0) & (rng.random(len(use)) < 0.55), certified, use)
    skill, careful = gang.settings.skill, gang.skill(int(day.min()) if len(day) else 0)
    wrong = rng.random(len(use)) < skill.mismatch.at(careful)
    other: Ints = np.where(wrong, _some_condition(gang, outings.card), use)
    return other


def _some_condition(gang: GangAtWork, card: Ints) -> Ints:
    """The first of the holder's conditions, or the commonest of all: what is always believed."""
    bits = gang.cards.conditions[card]
    has = (bits[:, None] >> np.arange(len(CONDITIONS))) & 1 == 1
    first: Ints = np.argmax(has, axis=1)
    return first


def _visits(rng: np.random.Generator, gang: GangAtWork, outings: Outings, use: Ints) -> Visits:
    places, settings, cards = gang.province.places, gang.province.settings, gang.cards
    habits, card, count = gang.habits.habits, outings.card, len(outings)
    person, day = cards.person[card], outings.time // DAY
    usual = rng.random(count) < habits.same_doctor
    turn = np.where(
        usual, _chance(gang, person * 16 + gang.number % 16, "doctor"), rng.random(count)
    )
    drawn = places.doctor_for(outings.institution, _DEPARTMENT[use], turn, weekdays(settings, day))
    terminals = places.terminals[outings.institution]
    at_pharmacy = places.kind[outings.institution] == A_PHARMACY_KIND
    certified = (certificate_of(gang, card, day) >= 0) & _IS_CHRONIC[use]
    shown, device = _credential(rng, gang, card)
    code = _chance(gang, person * 128 + use, "diagnosis")
    other = rng.random(count) < settings.care.other_code
    proxy, relation = _proxies(rng, gang, count)
    return Visits(
        person=person,
        institution=outings.institution,
        doctor=np.where(outings.doctor >= 0, outings.doctor, drawn),
        time=outings.time,
        med_type=np.where(certified, SPECIAL, np.where(at_pharmacy, PHARMACY, OUTPATIENT)),
        diagnosis=diagnosis_lists().one(use, np.where(other, rng.random(count), code)),
        stay=np.zeros(count, np.int64),
        certificate_type=shown,
        device=device,
        terminal=np.where(
            outings.terminal >= 0,
            outings.terminal,
            (rng.random(count) * terminals).astype(np.int64),
        ),
        proxy=proxy,
        relation=relation,
        gang=np.full(count, gang.number),
    )


def _credential(rng: np.random.Generator, gang: GangAtWork, card: Ints) -> tuple[Ints, Ints]:
    """Voucher, identity or insurance card; a voucher on the holder's phone or on one of the gang's."""
    habits, billing = gang.habits.habits, gang.province.settings.billing
    chance = rng.random(len(card))
    shown = np.where(
        chance < habits.e_voucher,
        E_VOUCHER,
        np.where(chance > 1 - billing.identity_card_share, IDENTITY_CARD, INSURANCE_CARD),
    )
    phone = gang.cards.phone[card]
    if len(gang.members):
        crew = np.isin(gang.members.role, (ORGANISER, COLLECTOR, DISPENSER))
        phones = gang.members.phone[crew]
        # The careful leave the voucher on the holder's phone; each card stays with one of theirs.
        likely = habits.shared_phone * gang.settings.skill.shown.at(gang.skill(0))
        shared = _chance(gang, gang.cards.person[card], "shared phone") < likely
        phone = np.where(shared, phones[gang.cards.person[card] % len(phones)], phone)
    return shown, np.where(shown == E_VOUCHER, phone, -1)


def _proxies(rng: np.random.Generator, gang: GangAtWork, count: int) -> tuple[Ints, Ints]:
    """Who is on record as collecting; few are, and they state to be of the family."""
    crew = np.isin(gang.members.role, (ORGANISER, COLLECTOR, DISPENSER))
    people = gang.members.person[crew]
    likely = gang.habits.habits.proxy * gang.settings.skill.shown.at(gang.skill(0))
    if not len(people):
        return np.full(count, -1), np.full(count, -1)
    on_record = rng.random(count) < likely
    words = np.array([RELATIONS.index(word) for word in _STATED])
    proxy = people[rng.integers(0, len(people), count)]
    relation = words[np.minimum((rng.random(count) ** 2 * len(words)).astype(np.int64), 4)]
    return np.where(on_record, proxy, -1), np.where(on_record, relation, -1)


def _treatment_lines(rng: np.random.Generator, gang: GangAtWork, outings: Outings) -> Lines:
    """Treatment on paper for some cards: dialysis for the certified, otherwise what any ward has."""
    card = outings.card
    level = services_level(gang.province.places, outings.institution)
    given = gang.cards.treated[card] & (level >= 1) & (rng.random(len(card)) < _TREATED_SHARE)
    visit = np.flatnonzero(given)
    certificate = certificate_of(gang, card[visit], outings.time[visit] // DAY)
    pool, dialysis = _treatments()
    choice = pool[
        (_chance(gang, gang.cards.person[card[visit]], "treatment") * len(pool)).astype(int)
    ]
    uraemia = np.array([disease.uses[0] for disease in SPECIAL_DISEASES])[certificate]
    sessions = (certificate >= 0) & (uraemia == SERVICES.use[dialysis]) & (level[visit] >= 2)
    service = np.where(sessions, dialysis, choice)
    times = np.where(sessions, 1, rng.integers(1, 7, len(visit))).astype(np.float64)
    lines = service_lines(visit, service, times)
    return Lines(**{**vars(lines), "misused": np.ones(len(visit))})


def _fee_lines(rng: np.random.Generator, gang: GangAtWork, outings: Outings, use: Ints) -> Lines:
    """Consultation and what else a visit for that illness brings, as for anyone."""
    share = gang.province.settings.care.refill_services
    level = services_level(gang.province.places, outings.institution)
    chronic = _IS_CHRONIC[use]
    # The careful have the holder looked at now and then.
    care = gang.settings.skill.doctor_visits.at(gang.skill(0))
    occasion = np.where(rng.random(len(use)) < care, AT_CHECK, AT_REFILL)
    index = services_index(use, level, np.where(chronic, occasion, AT_VISIT))
    # Dialysis itself is billed on paper only where the gang arranged it.
    row, service = services_lists(share).included(index, rng.random(len(outings)))
    small = SERVICES.price[service] < 400
    count, settings = len(use), gang.province.settings.care
    materials = material_lines(
        np.arange(count),
        use,
        _chance(gang, gang.cards.person[outings.card], "materials"),
        rng.random(count),
        rng.random(count),
        settings.material_buyers,
        settings.material_share,
    )
    return stacked([service_lines(row[small], service[small]), materials])


def _chance(gang: GangAtWork, numbers: Ints, purpose: str) -> Floats:
    hashed = mixed(numbers, gang.province.seed, purpose)
    return (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53


@cache
def _treatments() -> tuple[Ints, int]:
    """Treatments that any ward bills by the session, and dialysis."""
    is_treatment = (SERVICES.item_type == TREATMENT) & ~SERVICES.inpatient & (SERVICES.level == 1)
    pool: Flags = is_treatment & (SERVICES.price >= 25) & (SERVICES.price <= 120)
    return np.flatnonzero(pool), int(np.flatnonzero(SERVICES.name == "血液透析")[0])
