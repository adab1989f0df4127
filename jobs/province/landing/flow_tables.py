"""Rows of trace_scan, parcel, clue and closed_case."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.province.arrays.columns import coded, dates, decimals, texts, timestamps
from jobs.province.arrays.draws import Flags, Ints
from jobs.province.boxes.scans import SCAN_TYPES, Scans
from jobs.province.care.bill_tables import Arrivals, Ids
from jobs.province.care.catalogue import CATALOGUE
from jobs.province.inquiry.inquiry import NEVER, Cases, Clues
from jobs.province.inquiry.parcels import RECEIVERS, Parcels
from jobs.province.people.geography import Places


def trace_scans(
    ids: Ids, start: int, places: Places, scans: Scans, bill: Ints, setl_ids: pa.Array
) -> Arrivals:
    """Rows of `trace_scan`; `bill` is the settlement's row of a sale or return, -1 for inbound."""
    order = np.lexsort((scans.scan_id, scans.arrive))
    scans, bill = scans.take(order), bill[order]
    rows = {
        "scan_id": texts(scans.scan_id),
        "drug_trac_codg": texts(scans.code),
        "scan_type": coded(scans.scan_type, pa.array(SCAN_TYPES)),
        "scan_time": timestamps(start, scans.time),
        "fixmedins_code": coded(scans.institution, texts(places.code)),
        "med_list_codg": coded(scans.drug, texts(CATALOGUE.code)),
        "setl_id": coded(bill, setl_ids, bill < 0),
        "psn_no": ids.column(scans.person, "psn_no", scans.person < 0),
        "split_pack": pa.array(scans.split_pack),
        "arrive_time": timestamps(start, scans.arrive),
    }
    return Arrivals("trace_scan", pa.table(rows), scans.arrive)


def parcel_rows(ids: Ids, start: int, places: Places, parcels: Parcels) -> Arrivals:
    """Rows of `parcel`."""
    parcels = parcels.take(np.lexsort((parcels.number, parcels.arrive_time)))
    district = texts(places.district_code)

    def hashed(numbers: Ints, purpose: str) -> pa.Array:
        return ids.column(numbers, purpose, numbers < 0)

    rows = {
        "waybill_no": texts(ids.text(parcels.number, "waybill")),
        "send_time": timestamps(start, parcels.time),
        "sender_tel_hash": hashed(parcels.sender_phone, "tel"),
        "sender_addr_hash": hashed(parcels.sender_address, "addr"),
        "sender_admdvs": coded(parcels.sender_district, district, parcels.sender_district < 0),
        "recv_tel_hash": hashed(parcels.receiver_phone, "tel"),
        "recv_addr_hash": hashed(parcels.receiver_address, "addr"),
        "recv_admdvs": coded(parcels.receiver_district, district, parcels.receiver_district < 0),
        "recv_addr_type": coded(parcels.receiver_kind, pa.array(RECEIVERS)),
        "declared_goods": texts(parcels.goods),
        "weight_kg": pa.array(parcels.weight_kg),
        "cold_pack": pa.array(parcels.cold_pack),
        "legal_basis_id": ids.column(parcels.warrant, "warrant"),
        "arrive_time": timestamps(start, parcels.arrive_time),
    }
    return Arrivals("parcel", pa.table(rows), parcels.arrive_time)


def clue_rows(start: int, clues: Clues) -> Arrivals:
    """Rows of `clue`."""
    clues = clues.take(np.lexsort((clues.clue_id, clues.arrive_time)))
    rows = {
        "clue_id": texts(clues.clue_id),
        "channel": _text(clues.channel),
        "recv_time": timestamps(start, clues.recv_time),
        "subject_type": _text(clues.subject_type),
        "subject_id": _text(clues.subject_id),
        "text": _text(clues.text),
        "drug_text": _text(clues.drug_text),
        "place_text": _text(clues.place_text),
        "verified": _answer(clues.verified),
        "arrive_time": timestamps(start, clues.arrive_time),
    }
    return Arrivals("clue", pa.table(rows), clues.arrive_time)


def case_rows(start: int, cases: Cases) -> Arrivals:
    """Rows of `closed_case`, a row a version."""
    cases = cases.take(
        np.lexsort((cases.subject_id, cases.subject_type, cases.case_id, cases.arrive_time))
    )
    rows = {
        "case_id": texts(cases.case_id),
        "subject_type": _text(cases.subject_type),
        "subject_id": _text(cases.subject_id),
        "role": _text(cases.role),
        "gang_id": _text(cases.gang_id),
        "trigger": _text(cases.trigger),
        "offence_start": dates(start, *_known(cases.offence_start)),
        "offence_end": dates(start, *_known(cases.offence_end)),
        "clue_time": timestamps(start, *_known(cases.clue_time)),
        "open_time": timestamps(start, cases.open_time),
        "decision_time": timestamps(start, *_known(cases.decision_time)),
        "outcome": _text(cases.outcome),
        "final": _answer(cases.final),
        "loss_amt": _amount(cases.loss_amt),
        "recovered_amt": _amount(cases.recovered_amt),
        "arrive_time": timestamps(start, cases.arrive_time),
    }
    return Arrivals("closed_case", pa.table(rows), cases.arrive_time)


def _text(values: npt.NDArray[np.str_]) -> pa.Array:
    return texts(values, values == "")


def _known(times: Ints) -> tuple[Ints, Flags]:
    unknown = times == NEVER
    return np.where(unknown, 0, times), unknown


def _answer(values: Ints) -> pa.Array:
    return pa.array(values == 1, mask=values < 0)


def _amount(yuan: npt.NDArray[np.float64]) -> pa.Array:
    unknown = np.isnan(yuan)
    return decimals(np.round(np.where(unknown, 0, yuan) * 100).astype(np.int64), 16, 2, unknown)
