"""Settlements as rows of the landing tables: settlement, fee_detail, and what hangs on a settlement."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.landing.codes import CREDENTIAL_TYPES, VISIT_TYPES
from jobs.province.arrays.columns import coded, decimals, texts, timestamps, worded
from jobs.province.arrays.days import DAY
from jobs.province.arrays.draws import Flags, Ints, generator, hex_text, mixed
from jobs.province.arrays.sampling import first_of_each
from jobs.province.arrays.shapes import DRUG, INPATIENT, ITEM_TYPES, RELATIONS
from jobs.province.care.billing import Settled
from jobs.province.care.catalogue import CATALOGUE, CONDITIONS, DIAGNOSES, USES
from jobs.province.people.geography import Places
from jobs.province.people.neighbours import diagnosis_lists

#: Settlements, fee lines, and the rows of each landing table that come with them.
BILL_TABLES = (
    "settlement",
    "fee_detail",
    "settlement_code",
    "settlement_doctor",
    "proxy_pickup",
)
_SURGERY = USES.index("surgery_stay")
_SHIFT = 8 * 3600
#: Longest way from the doctor's order to the till, seconds.
_AT_TILL = 1_200


@dataclass(frozen=True)
class Arrivals:
    """Rows of a landing table in the order of their arrival (seconds since the start)."""

    table: str
    rows: pa.Table
    arrive: Ints


@dataclass(frozen=True)
class Ids:
    """How numbers become the identifiers of the landing tables."""

    seed: int

    def text(self, numbers: Ints, purpose: str) -> npt.NDArray[np.bytes_]:
        """Hexadecimal hashes; one purpose, one key."""
        return hex_text(mixed(numbers, self.seed, purpose))

    def column(self, numbers: Ints, purpose: str, null: Flags | None = None) -> pa.Array:
        """A coded text column of hashes."""
        known, indices = np.unique(numbers, return_inverse=True)
        return coded(indices, texts(self.text(known, purpose)), null)


def settlement_ids(ids: Ids, settled: Settled) -> pa.Array:
    """`setl_id` of every bill."""
    return texts(ids.text(settled.bills.number, "setl_id"))


def settlements(ids: Ids, start: int, places: Places, settled: Settled) -> Arrivals:
    """Rows of `settlement`."""
    bills, visits = settled.bills, settled.events.visits.take(settled.bills.visit)
    rng = generator(ids.seed, "desk", int(bills.number[0]) if len(bills) else 0)
    in_bed = visits.med_type == INPATIENT
    length = np.where(in_bed, visits.stay * DAY, rng.integers(240, 5400, len(bills)))
    end = settled.events.visits.time[bills.visit]
    shift = bills.time % DAY // _SHIFT + 3 * (bills.time // DAY % 4)
    desk = (visits.institution << 12 | visits.terminal << 4) | shift
    cash = bills.total - bills.fund - bills.account
    reversed_id = texts(ids.text(bills.number - 1, "setl_id"), ~bills.refund)
    rows = {
        "setl_id": settlement_ids(ids, settled),
        "mdtrt_id": texts(ids.text(bills.number - bills.refund, "mdtrt_id")),
        "psn_no": ids.column(visits.person, "psn_no"),
        "fixmedins_code": coded(visits.institution, texts(places.code)),
        "setl_time": timestamps(start, bills.time),
        "med_type": _words(visits.med_type, {int(code): code for code in VISIT_TYPES}),
        "dise_codg": worded(visits.diagnosis, DIAGNOSES.code.tolist()),
        "begntime": timestamps(start, end - length),
        "endtime": timestamps(start, end),
        "mdtrt_cert_type": _words(
            visits.certificate_type, {int(code): code for code in CREDENTIAL_TYPES}
        ),
        "device_hash": ids.column(visits.device, "device", visits.device < 0),
        "terminal_id": ids.column(visits.institution << 12 | visits.terminal, "terminal"),
        "opter_no": ids.column(desk, "operator"),
        "medfee_sumamt": decimals(bills.total, 16, 2),
        "fund_pay_sumamt": decimals(bills.fund, 16, 2),
        "acct_pay": decimals(bills.account, 16, 2),
        "psn_cash_pay": decimals(cash, 16, 2),
        "refd_setl_flag": coded(bills.refund.astype(np.int64), pa.array(["0", "1"])),
        "orig_setl_id": reversed_id,
        "arrive_time": timestamps(start, bills.arrive),
    }
    return Arrivals("settlement", pa.table(rows), bills.arrive)


def fee_details(
    ids: Ids, start: int, places: Places, settled: Settled, setl_ids: pa.Array
) -> Arrivals:
    """Rows of `fee_detail`."""
    bills, billed = settled.bills, settled.lines
    visits, lines = settled.events.visits, settled.events.lines.take(billed.line)
    bill = billed.bill
    rng = generator(ids.seed, "fees", int(bills.number[0]) if len(bills) else 0)
    people, person = np.unique(visits.person, return_inverse=True)
    in_bed = visits.med_type == INPATIENT
    span = np.where(in_bed, visits.stay * DAY, _AT_TILL)[bills.visit]
    since = (rng.random(len(bill), np.float32) * span[bill]).astype(np.int64)
    doctor = visits.doctor[bills.visit]
    serial = np.maximum(int(billed.serial.max(initial=1)), int(billed.reverses.max(initial=1)))
    serials = pa.array([str(number) for number in range(1, serial + 1)])
    no_days = np.isnan(lines.days)
    days = np.where(no_days, 0, lines.days * 100).astype(np.int64) * billed.sign
    rows = {
        "setl_id": coded(bill, setl_ids),
        "feedetl_sn": coded(billed.serial - 1, serials),
        "orig_feedetl_sn": coded(billed.reverses - 1, serials, billed.reverses == 0),
        "psn_no": coded(person[bills.visit][bill], texts(ids.text(people, "psn_no"))),
        "fee_ocur_time": timestamps(start, bills.time[bill] - since),
        "med_list_codg": coded(lines.drug, texts(CATALOGUE.code), lines.drug < 0),
        "item_type": coded(lines.item_type, pa.array(ITEM_TYPES)),
        "bilg_dr_codg": coded(doctor[bill], texts(places.doctor_code), doctor[bill] < 0),
        "cnt": decimals(np.round(lines.quantity * 10_000).astype(np.int64) * billed.sign, 16, 4),
        "pric": decimals(np.round(lines.price * 100).astype(np.int64) * 10_000, 16, 6),
        "det_item_fee_sumamt": decimals(billed.cents, 16, 2),
        "prd_days": decimals(np.abs(days), 6, 2, no_days),
        "arrive_time": timestamps(start, bills.arrive[bill]),
    }
    return Arrivals("fee_detail", pa.table(rows), bills.arrive[bill])


def settlement_codes(
    ids: Ids,
    start: int,
    settled: Settled,
    setl_ids: pa.Array,
    conditions_of: Callable[[Ints], Ints],
) -> Arrivals:
    """Rows of `settlement_code`: the diagnoses, and for stays what was admitted and how it is paid."""
    bills, visits, lines = settled.bills, settled.events.visits, settled.events.lines
    rng = generator(ids.seed, "codes", int(bills.number[0]) if len(bills) else 0)
    main_use = DIAGNOSES.use[visits.diagnosis]
    drug = np.flatnonzero(lines.item_type == DRUG)
    visit, use = lines.visit[drug], CATALOGUE.use[lines.drug[drug]]
    conditions = conditions_of(visits.person)
    known = (conditions[visit] >> np.minimum(use, 62) & 1 == 1) & (use < len(CONDITIONS))
    # Doctors write down what a drug is for, more often so where the patient is known to have it.
    written = rng.random(len(use)) < np.where(known, 0.85, 0.4)
    written &= use != main_use[visit]
    visit, use = visit[written], use[written]
    once = first_of_each(visit * len(USES) + use)
    visit, use = visit[once], use[once]
    chance = mixed(visits.person[visit] * 128 + use, ids.seed, "diagnosis") >> np.uint64(11)
    code = diagnosis_lists().one(use, chance.astype(np.float64) * 2.0**-53)
    every = settled.bill_of_visit
    order = np.argsort(visit, kind="stable")
    visit, code = visit[order], code[order]
    turn = np.arange(len(visit)) - np.searchsorted(visit, visit)
    stay = np.flatnonzero(visits.med_type == INPATIENT)
    surgery = stay[(main_use[stay] == _SURGERY) & (rng.random(len(stay)) < 0.7)]
    drg = len(DIAGNOSES.code) + main_use[stay] * 3 + rng.integers(0, 3, len(stay))
    cut = len(DIAGNOSES.code) + len(USES) * 3 + rng.integers(0, len(_PROCEDURES), len(surgery))
    words = [*DIAGNOSES.code, *_DRGS, *_PROCEDURES]
    same = rng.random(len(stay)) < 0.75
    symptom = diagnosis_lists().one(main_use[stay], rng.random(len(stay)))
    parts = [
        (every, 0, np.ones(len(every), np.int64), visits.diagnosis),
        (every[visit], 0, turn + 2, code),
        (
            every[stay],
            1,
            np.ones(len(stay), np.int64),
            np.where(same, visits.diagnosis[stay], symptom),
        ),
        (every[stay], 2, np.ones(len(stay), np.int64), drg),
        (every[surgery], 3, np.ones(len(surgery), np.int64), cut),
    ]
    bill = np.concatenate([part[0] for part in parts])
    kind = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    seq = np.concatenate([part[2] for part in parts])
    codes = np.concatenate([part[3] for part in parts])
    order = np.lexsort((seq, kind, bill))
    bill, kind = bill[order], kind[order]
    rows = {
        "setl_id": coded(bill, setl_ids),
        "code_type": coded(kind, pa.array(["diagnosis", "admit_diagnosis", "drg", "procedure"])),
        "seq": pa.array(seq[order].astype(np.int32)),
        "code_system": coded(np.array([0, 0, 1, 2])[kind], pa.array(["icd10", "drg", "icd9"])),
        "code": worded(codes[order], words),
        "arrive_time": timestamps(start, bills.arrive[bill]),
    }
    return Arrivals("settlement_code", pa.table(rows), bills.arrive[bill])


def settlement_doctors(
    ids: Ids, start: int, places: Places, settled: Settled, setl_ids: pa.Array
) -> Arrivals:
    """Rows of `settlement_doctor`: who attended, and who operated."""
    visits, every = settled.events.visits, settled.bill_of_visit
    seen = np.flatnonzero(visits.doctor >= 0)
    use = DIAGNOSES.use[visits.diagnosis]
    operated = seen[(visits.med_type[seen] == INPATIENT) & (use[seen] == _SURGERY)]
    institution = visits.institution[operated]
    of_house = places.doctor_start[institution + 1] - places.doctor_start[institution]
    turn = mixed(settled.bills.number[every[operated]], ids.seed, "operates") % of_house.astype(
        np.uint64
    )
    surgeon = places.doctor_start[institution] + turn.astype(np.int64)
    bill = np.concatenate([every[seen], every[operated]])
    role = np.repeat([0, 1], [len(seen), len(operated)])
    doctor = np.concatenate([visits.doctor[seen], surgeon])
    order = np.lexsort((role, bill))
    bill = bill[order]
    rows = {
        "setl_id": coded(bill, setl_ids),
        "role": coded(role[order], pa.array(["attending", "operating"])),
        "dr_codg": coded(doctor[order], texts(places.doctor_code)),
        "arrive_time": timestamps(start, settled.bills.arrive[bill]),
    }
    return Arrivals("settlement_doctor", pa.table(rows), settled.bills.arrive[bill])


def proxy_pickups(
    ids: Ids, start: int, settled: Settled, setl_ids: pa.Array, phone_of: Callable[[Ints], Ints]
) -> Arrivals:
    """Rows of `proxy_pickup`: who collected for the insured person."""
    visits = settled.events.visits
    fetched = np.flatnonzero(visits.proxy >= 0)
    bill = settled.bill_of_visit[fetched]
    order = np.argsort(bill)
    fetched, bill = fetched[order], bill[order]
    proxy = visits.proxy[fetched]
    relation = visits.relation[fetched]
    rows = {
        "setl_id": coded(bill, setl_ids),
        "agnter_cert_hash": ids.column(proxy, "cert"),
        "agnter_tel_hash": ids.column(phone_of(proxy), "tel"),
        "agnter_rlts": coded(relation, pa.array(RELATIONS), relation < 0),
        "arrive_time": timestamps(start, settled.bills.arrive[bill]),
    }
    return Arrivals("proxy_pickup", pa.table(rows), settled.bills.arrive[bill])


def _words(values: Ints, words: dict[int, str]) -> pa.Array:
    """Codes of one of few values as text."""
    place = np.zeros(max(words) + 1, np.int64)
    place[list(words)] = np.arange(len(words))
    return coded(place[values], pa.array(list(words.values())))


_DRGS = [
    f"{'BCEFGHIJKLMNORSTUVW'[use % 19]}{'RSTUVWXYZ'[use % 9]}{1 + use % 4}{suffix}"
    for use in range(len(USES))
    for suffix in "135"
]
_PROCEDURES = ["47.01", "51.23", "53.05", "13.41", "68.41", "79.35", "81.54", "45.76", "49.46"]
