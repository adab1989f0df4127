"""What is left of a member's rows after refunds, in plain Python: the ground of the slow reference."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from support.member_histories import Row, Rows


@dataclass
class Seen:
    """What is left of a member's rows after refunds, each with the days before the as-of date."""

    as_of: date
    visits: list[Row]
    drugs: list[Row]
    certificates: list[Row]
    person: Row
    sales: list[Row]
    shared: list[Row]
    diseases: dict[str, Row]

    @property
    def drug_visits(self) -> list[Row]:
        return [v for v in self.visits if v["drugs"] and v["visit_type"] != "21"]

    @property
    def outside_drugs(self) -> list[Row]:
        return [d for d in self.drugs if d["visit"]["visit_type"] != "21"]


def plain(code: str | None) -> str:
    return "".join(c for c in (code or "").upper() if c.isascii() and c.isalnum())


def ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def prefixes(text: str | None) -> list[str]:
    return [plain(each) for each in (text or "").split(";") if plain(each)]


def seen_of(own: Rows, references: Rows, as_of: date) -> Seen:
    drugs_by_id = {row["drug_id"]: row for row in references["drugs"]}
    places = {row["institution_id"]: row for row in references["institutions"]}
    diseases = {row["special_disease_code"]: row for row in references["diseases"]}
    visits, drugs = [], []
    own_fees = [_believed(fee, drugs_by_id.get(fee["drug_id"], {})) for fee in own["fees"]]
    for row in own["visits"]:
        ago = (as_of - row["time"].date()).days
        if row["is_refund"] or not 1 <= ago <= 365:
            continue
        refunds = [
            each
            for each in own["visits"]
            if each["is_refund"]
            and each["original_settlement_id"] == row["settlement_id"]
            and each["time"].date() < as_of
        ]
        cents = row["cents"] + sum(each["cents"] for each in refunds)
        if refunds and cents <= 0:
            continue
        place = places.get(row["institution_id"], defaultdict(lambda: None))
        codes = [plain(code) for code in [row["diagnosis"], *(row["diagnoses"] or [])]]
        visit = row | {
            "ago": ago,
            "cents": cents,
            "share": ratio(row["fund_cents"], row["cents"]) or 0.0,
            "place": place,
            "main": plain(row["diagnosis"]),
            "codes": [code for code in codes if code],
        }
        fees = _fees_left(row, refunds, own_fees)
        visit["drugs"] = [fee for fee in fees if fee["drug_id"] is not None]
        for kind in ("exam", "treatment"):
            visit[kind] = sum(
                f["cents"] for f in fees if f["drug_id"] is None and f["item_type"] == kind
            )
        fund = max(row["fund_cents"] + sum(each["fund_cents"] for each in refunds), 0)
        all_fees = sum(fee["cents"] for fee in visit["drugs"]) + visit["exam"] + visit["treatment"]
        if all_fees * visit["share"] > fund:
            visit["share"] = fund / all_fees
        for fee in visit["drugs"]:
            about = drugs_by_id.get(fee["drug_id"], defaultdict(lambda: None))
            drugs.append(
                fee
                | {
                    "visit": visit,
                    "ago": ago,
                    "about": about,
                    "ingredient": about["ingredient"] or fee["drug_id"],
                    "atc": plain(about["atc"]),
                    "for": prefixes(about["indications"]),
                    "supply": fee["stated_days"]
                    + fee["unstated_quantity"] * (about["days_per_box"] or 0),
                    "fund": round(fee["cents"] * visit["share"]),
                }
            )
        visits.append(visit)
    visits.sort(key=lambda v: (v["time"], v["settlement_id"]))
    drugs.sort(key=lambda d: (d["visit"]["time"], d["visit"]["settlement_id"], d["drug_id"]))
    certificates = [
        row
        for row in own["certificates"]
        if row["start_date"] < as_of
        and (row["end_date"] is None or (as_of - row["end_date"]).days <= 365)
    ]
    known = {code for v in visits if v["visit_type"] != "41" for code in v["codes"]}
    for row in certificates:
        known |= set(prefixes(diseases.get(row["special_disease_code"], {}).get("indications")))
    for each in drugs:
        fits = any(code.startswith(p) for code in each["visit"]["codes"] for p in each["for"])
        each["fits_visit"] = fits or not each["for"]
        each["explained"] = each["fits_visit"] or alike(known, each["for"])
    sales = [row | {"ago": (as_of - row["day"]).days} for row in own["sales"]]
    return Seen(
        as_of,
        visits,
        drugs,
        certificates,
        own["persons"][0] if own["persons"] else defaultdict(lambda: None),
        [
            row | {"about": drugs_by_id.get(row["drug_id"], {})}
            for row in sales
            if 1 <= row["ago"] <= 365
        ],
        list(own["shared"]),
        diseases,
    )


def alike(codes: set[str], others: Sequence[str]) -> bool:
    return any(a.startswith(b) or b.startswith(a) for a in codes for b in others)


def _believed(fee: Row, about: Row) -> Row:
    """A fee with tablets as boxes, and without days that are more than four times off the label's."""
    boxes, unstated, days = fee["quantity"], fee["unstated_quantity"], fee["stated_days"]
    price = (about.get("list_price") or 0) * 100
    if fee["cents"] * boxes > 0 and abs(fee["cents"]) < 0.2 * price * abs(boxes):
        unstated = round(unstated * (fee["cents"] / price / boxes), 4)
        boxes = round(fee["cents"] / price, 4)
    label = abs((boxes - unstated) * (about.get("days_per_box") or 0))
    if label and days and not label / 4 <= abs(days) <= label * 4:
        unstated, days = boxes, 0.0
    return fee | {"quantity": boxes, "unstated_quantity": unstated, "stated_days": days}


def _fees_left(visit: Row, refunds: list[Row], fees: Sequence[Row]) -> list[Row]:
    """A visit's fees less what was taken back of the same drug, or of the same kind of other fee.

    A line of the visit itself may take back, too.
    """
    own = [fee for fee in fees if fee["settlement_id"] == visit["settlement_id"]]
    ids = {refund["settlement_id"] for refund in refunds}
    back = [fee for fee in fees if fee["settlement_id"] in ids]
    if not back and all(fee[name] >= 0 for fee in own for name in ("quantity", "cents")):
        return own
    left: dict[object, Row] = {}
    for fee in own + back:
        key = fee["drug_id"] or ("other", fee["item_type"])
        if key not in left:
            left[key] = dict(fee)
            continue
        for name in ("quantity", "cents", "stated_days", "unstated_quantity"):
            left[key][name] = round(left[key][name] + fee[name], 4)
        doctors = [d for d in (left[key]["doctor_id"], fee["doctor_id"]) if d is not None]
        left[key]["doctor_id"] = min(doctors, default=None)
    return [fee for fee in left.values() if fee["quantity"] > 0 and fee["cents"] > 0]


def last(rows: Sequence[Row], days: int) -> list[Row]:
    return [row for row in rows if row["ago"] <= days]


def share(rows: Sequence[Row], holds: Callable[[Row], bool]) -> float | None:
    return ratio(sum(1 for row in rows if holds(row)), len(rows))


def median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
