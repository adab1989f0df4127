"""Parcels, as far as a warrant or request has laid them open: those of gangs and those of households."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Floats, Ints, generator, mixed, pick
from jobs.province.arrays.shapes import Columns, Events
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.gangs.at_work import GangAtWork
from jobs.province.gangs.founding import spread
from jobs.province.gangs.gangs import DEALER, ORGANISER, SELLER, Province
from jobs.province.gangs.settings import GangSettings, ParcelSettings
from jobs.province.people.geography import A_CLINIC, A_PHARMACY
from jobs.province.settings import CELL_PEOPLE

#: `Parcels.receiver_kind`; the words of the landing contract in this order.
RECEIVERS = ("home", "shop", "pharmacy", "clinic", "warehouse", "unknown")
HOME, SHOP, AT_PHARMACY, CLINIC, WAREHOUSE, UNKNOWN = range(6)

#: Numbers of addresses and phones that are nobody's home: those of institutions, and any others.
INSTITUTION_ADDRESS = 1 << 44
OTHER_ADDRESS = 1 << 45
OTHER_PHONE = 1 << 45

#: Warrants against a hub for a quarter, and against a gang's members.
_HUB_WARRANT, _SENDER_WARRANT = 0, 1 << 40
_QUARTER_MONTHS = 3
#: ice and foam of a cold-packed parcel
_COLD_KG = 1.2
#: parcels follow pick-ups within so many hours (feature post_pick_parcel)
_AFTER_PICK_UP_HOURS = (2, 72)
_BUYERS = 6


@dataclass(frozen=True)
class Parcels(Columns):
    """One row per parcel on record."""

    #: `waybill_no` is its hash
    number: Ints
    #: seconds since the province's first midnight
    time: Ints
    #: numbers of phones and addresses in the currency of `People.phone` and `People.address`; -1 none
    sender_phone: Ints
    sender_address: Ints
    #: index into the districts of `Places`
    sender_district: Ints
    receiver_phone: Ints
    receiver_address: Ints
    receiver_district: Ints
    receiver_kind: Ints
    goods: npt.NDArray[np.str_]
    weight_kg: Floats
    cold_pack: Flags
    #: number of the warrant or request; `legal_basis_id` is its hash
    warrant: Ints
    arrive_time: Ints


@dataclass(frozen=True)
class _Receivers(Columns):
    phone: Ints
    address: Ints
    district: Ints
    kind: Ints


def household_parcels(province: Province, settings: GangSettings, cell: int, month: int) -> Parcels:
    """What the households of a neighbourhood sent in a month, where its hub was under a warrant."""
    chosen = settings.parcels
    if not bool(_is_covered(province.seed, chosen, np.array([cell]), month)[0]):
        return no_parcels()
    rng = generator(province.seed, "household parcels", cell, month)
    people = province.people_of(cell)
    first, after = province.settings.month_days(month)
    here = np.flatnonzero(
        (people.age(first) >= 18)
        & ~people.elsewhere
        & ((people.death_day < 0) | (people.death_day > after))
    )
    households = len(np.unique(people.household))
    # Some send every week, most hardly ever.
    wish = rng.gamma(0.4, 1.0, len(people))[here]
    count = int(rng.poisson(chosen.household_month * households))
    sender = here[pick(rng, wish, count)]
    receivers = _receivers(rng, province, chosen, chosen.household_receivers, count)
    kin = (receivers.kind == HOME) & (rng.random(count) < 0.15)
    other = here[rng.integers(0, len(here), count)]
    cold = rng.random(count) < chosen.household_cold
    time = first * DAY + (rng.random(count) * (after - first) * DAY).astype(np.int64)
    return Parcels(
        number=mixed(np.arange(count), province.seed, f"parcels {cell} {month}").view(np.int64),
        time=_by_day(rng, time),
        sender_phone=people.phone[sender],
        sender_address=people.address[sender],
        sender_district=people.district[sender],
        receiver_phone=np.where(kin, people.phone[other], receivers.phone),
        receiver_address=np.where(kin, people.address[other], receivers.address),
        receiver_district=np.where(kin, people.district[other], receivers.district),
        receiver_kind=receivers.kind,
        goods=np.array(chosen.household_declared)[
            pick(rng, _falling(len(chosen.household_declared)), count)
        ],
        weight_kg=_weights(rng, rng.lognormal(0.4, 0.8, count), cold),
        cold_pack=cold,
        warrant=np.full(count, _HUB_WARRANT + cell * 4096 + month // _QUARTER_MONTHS),
        arrive_time=_hub_arrival(province, cell, month, rng.random(count)),
    )


def gang_parcels(rng: np.random.Generator, gang: GangAtWork, month: int, events: Events) -> Parcels:
    """What a gang sends after its pick-ups of a month, and what of it a warrant lays open."""
    province, chosen = gang.province, gang.settings.parcels
    count_of_visits = len(events.visits)
    usual = gang.habits.cards.median * gang.habits.habits.visits.median
    mean = gang.habits.flow.parcels_month * np.sqrt(count_of_visits / usual)
    count = int(rng.poisson(mean))
    if not count:
        return no_parcels()
    senders = np.isin(gang.members.role, (ORGANISER, DEALER, SELLER))
    # Whoever works alone sends under his own name.
    phones = gang.members.phone[senders] if senders.any() else gang.cards.phone[:1]
    homes = gang.members.address[senders] if senders.any() else gang.cards.phone[:1]
    person = gang.members.person[senders] if senders.any() else gang.cards.person[:1]
    found = gang.members.found[senders] if senders.any() else gang.cards.found[:1]
    who = pick(rng, _falling(len(phones)), count)
    own = rng.random(count) < chosen.own_phone * (1.2 - 0.4 * float(gang.row.skill[0]))
    burner = OTHER_PHONE + gang.number * 64 + rng.integers(0, 4, count)
    drop = OTHER_ADDRESS + gang.number * 64 + rng.integers(0, 3, count)
    at_home = rng.random(count) < chosen.own_phone
    after_visit = events.visits.time[rng.integers(0, count_of_visits, count)]
    time = after_visit + rng.integers(*_AFTER_PICK_UP_HOURS, count) * 3600
    lines = events.lines
    cold_share = float(CATALOGUE.cold_chain[lines.drug[lines.drug >= 0]].mean())
    cold = rng.random(count) < cold_share * chosen.cold_packed
    buyers = _receivers(
        generator(province.seed, "buyers", gang.number),
        province,
        chosen,
        chosen.receivers,
        _BUYERS,
        chosen.elsewhere,
    )
    to = buyers.take(pick(rng, _falling(_BUYERS), count))
    boxes = spread(rng, chosen.boxes, count)
    cell = person[who] // CELL_PEOPLE
    time = _by_day(rng, time)
    warrant, arrive = _laid_open(rng, gang, month, cell, found[who], time)
    parcels = Parcels(
        number=mixed(np.arange(count), province.seed, f"gang parcels {gang.number} {month}").view(
            np.int64
        ),
        time=time,
        sender_phone=np.where(own, phones[who], burner),
        sender_address=np.where(at_home, homes[who], drop),
        sender_district=province.places.cell_district[cell],
        receiver_phone=to.phone,
        receiver_address=to.address,
        receiver_district=to.district,
        receiver_kind=to.kind,
        goods=np.array(chosen.declared)[pick(rng, _falling(len(chosen.declared)), count)],
        weight_kg=_weights(rng, boxes * spread(rng, chosen.box_kg, count), cold),
        cold_pack=cold,
        warrant=warrant,
        arrive_time=arrive,
    )
    return parcels.take(warrant >= 0)


def no_parcels() -> Parcels:
    """Nothing on record."""
    ints, floats, flags = np.empty(0, np.int64), np.empty(0), np.empty(0, np.bool_)
    return Parcels(
        number=ints,
        time=ints,
        sender_phone=ints,
        sender_address=ints,
        sender_district=ints,
        receiver_phone=ints,
        receiver_address=ints,
        receiver_district=ints,
        receiver_kind=ints,
        goods=np.empty(0, np.str_),
        weight_kg=floats,
        cold_pack=flags,
        warrant=ints,
        arrive_time=ints,
    )


def _laid_open(
    rng: np.random.Generator, gang: GangAtWork, month: int, cell: Ints, found: Flags, time: Ints
) -> tuple[Ints, Ints]:
    """Warrant (-1 none) and arrival of a gang's parcels: by the hub's records or its members' own."""
    province, chosen = gang.province, gang.settings.parcels
    count = len(time)
    warrant, arrive = np.full(count, -1), np.full(count, np.iinfo(np.int64).max)
    opened = int(gang.row.open_day[0])
    if opened >= 0:
        day = time // DAY
        named = found & (day >= opened - chosen.look_back_days) & (day < opened + 45)
        warrant[named] = _SENDER_WARRANT + gang.number
        arrive[named] = (
            np.maximum(opened + 8, day + 2)[named] * DAY + rng.integers(0, 20 * DAY, count)[named]
        )
    covered = _is_covered(province.seed, chosen, cell, month)
    for each in np.unique(cell[covered]):
        mine = covered & (cell == each)
        by_hub = _hub_arrival(province, int(each), month, rng.random(count))
        sooner = mine & (by_hub < arrive)
        warrant[sooner] = _HUB_WARRANT + int(each) * 4096 + month // _QUARTER_MONTHS
        arrive[sooner] = by_hub[sooner]
    return warrant, arrive


def _is_covered(seed: int, chosen: ParcelSettings, cell: Ints, month: int) -> Flags:
    """Whether the records of the hub of each neighbourhood were obtained for that quarter."""
    hashed = mixed(cell * 4096 + month // _QUARTER_MONTHS, seed, "hub warrant")
    covered: Flags = (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53 < chosen.hub_quarter
    return covered


def _hub_arrival(province: Province, cell: int, month: int, chance: Floats) -> Ints:
    """Weeks after the quarter, most of a hub's records at once."""
    last = month // _QUARTER_MONTHS * _QUARTER_MONTHS + _QUARTER_MONTHS - 1
    end = province.settings.month_days(last)[1]
    unit = generator(province.seed, "hub arrival", cell, month // _QUARTER_MONTHS)
    day = end + int(unit.integers(5, 40))
    late = np.where(chance < 0.9, chance * 6 * 3600, chance**20 * 30 * DAY)
    arrival: Ints = day * DAY + 8 * 3600 + late.astype(np.int64)
    return arrival


def _receivers(
    rng: np.random.Generator,
    province: Province,
    chosen: ParcelSettings,
    kinds: dict[str, float],
    count: int,
    elsewhere: float | None = None,
) -> _Receivers:
    """Receivers here and in other provinces; pharmacies and clinics have their own address."""
    places = province.places
    words = [RECEIVERS.index(word) for word in kinds]
    kind = np.array(words)[pick(rng, list(kinds.values()), count)]
    here = int(places.cell_district.max()) + 1
    share = chosen.elsewhere if elsewhere is None else elsewhere
    away = rng.random(count) < share
    district = np.where(
        away,
        rng.integers(here, len(places.district_code), count),
        rng.integers(0, here, count),
    )
    address = OTHER_ADDRESS + (1 << 40) + rng.integers(0, 1 << 38, count)
    for word, sort in ((AT_PHARMACY, A_PHARMACY), (CLINIC, A_CLINIC)):
        mine = kind == word
        found = np.flatnonzero(places.sort == sort)
        for is_away in (False, True):
            pool = found[places.elsewhere[found] == is_away]
            rows = np.flatnonzero(mine & (away == is_away))
            if len(pool) and len(rows):
                institution = pool[rng.integers(0, len(pool), len(rows))]
                address[rows] = INSTITUTION_ADDRESS + institution
                district[rows] = places.district[institution]
    phone = OTHER_PHONE + (1 << 40) + rng.integers(0, 1 << 38, count)
    return _Receivers(phone, address, district, kind)


def _by_day(rng: np.random.Generator, time: Ints) -> Ints:
    """Couriers collect by day: the hours between 8 and 20."""
    return time // DAY * DAY + rng.integers(8 * 3600, 20 * 3600, len(time))


def _weights(rng: np.random.Generator, goods_kg: Floats, cold: Flags) -> Floats:
    """Kilograms as weighed, with the carton, rounded up to a tenth."""
    ice = np.where(cold, _COLD_KG * rng.uniform(0.6, 2.0, len(cold)), 0.0)
    return np.asarray(np.ceil((goods_kg * 1.06 + 0.1 + ice) * 10) / 10, np.float64)


def _falling(count: int) -> Floats:
    """Weights that fall with the rank: the first is used most."""
    return np.asarray(1.0 / (1.0 + np.arange(count)), np.float64)
