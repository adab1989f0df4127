"""How often, where and when, slowly: plain Python from the definitions."""

import itertools
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import time

from support.member_histories import Row
from support.member_reference_rows import Seen, last, median, ratio, share


def _clock(visit: Row) -> bool:
    return bool(visit["time"].time() != time.min)


def _drug_cents(visit: Row) -> int:
    return sum(fee["cents"] for fee in visit["drugs"])


def _boxes(visit: Row) -> float:
    return round(sum(fee["quantity"] for fee in visit["drugs"]), 4)


def use_reference(seen: Seen) -> Row:
    visits = seen.drug_visits
    quarter, half = last(visits, 90), last(visits, 180)
    amount = [sum(map(_drug_cents, last(visits, days))) / 100 for days in (90, 360)]
    capped = [v for v in quarter if v["place"]["visit_cap"]]
    pairs = list(itertools.pairwise(visits))
    gaps = [a["ago"] - b["ago"] for a, b in pairs if b["ago"] <= 180]
    woken, awake_at = 0, None
    for a, b in pairs:
        if a["ago"] - b["ago"] >= 90:
            awake_at = b["ago"]
        woken += awake_at is not None and awake_at - b["ago"] < 30 and b["ago"] <= 180
    fund = [(v["ago"], round(_drug_cents(v) * v["share"]) / 100) for v in visits]
    small = median([_boxes(v) for v in quarter])
    typed = [v for v in visits if v["place"]["institution_type"]]
    return {
        **{f"visit_count_{days}d": len(last(visits, days)) for days in (30, 90, 365)},
        **{f"drug_fund_sum_{d}d": sum(f for ago, f in fund if ago <= d) for d in (90, 365)},
        "drug_amount_sum_365d": sum(map(_drug_cents, visits)) / 100,
        "active_day_share_90d": len({v["ago"] for v in quarter}) / 90 if visits else None,
        "drug_only_share_180d": share(half, lambda v: v["exam"] == 0 and v["treatment"] == 0),
        "drug_amount_growth_360d": math.log((amount[0] + 100) / ((amount[1] - amount[0]) / 3 + 100))
        if visits
        else None,
        "off_hour_share_90d": share(
            [v for v in quarter if _clock(v)],
            lambda v: v["time"].hour >= 20 or v["time"].hour < 6,
        ),
        "cap_hug_share_90d": share(
            capped,
            lambda v: 0.9 <= round(v["cents"] / round(v["place"]["visit_cap"] * 100), 9) < 1,
        ),
        "small_visit_count_90d": len(quarter) if small is not None and small <= 2 else 0,
        "gap_variation_180d": statistics.stdev(gaps) / statistics.mean(gaps)
        if len(gaps) > 1 and sum(gaps) > 0
        else None,
        "wake_up_visit_count_180d": woken,
        "village_share_365d": share(typed, lambda v: v["place"]["institution_type"] == "village"),
    }


def care_reference(seen: Seen) -> Row:
    visits = seen.visits
    kidney = ("N18", "N19", "Z49", "Z94", "Z99")
    return {
        "dialysis_visit_count_90d": sum(
            v["main"].startswith(kidney) and v["treatment"] > v["exam"] for v in last(visits, 90)
        ),
        "transplant_visit_count_365d": sum(v["main"].startswith(("Z94", "T86")) for v in visits),
        "cancer_visit_share_365d": share(visits, lambda v: v["main"].startswith("C")),
        "stay_count_365d": sum(v["visit_type"] == "21" for v in visits),
        "treatment_share_365d": ratio(
            sum(v["exam"] + v["treatment"] for v in visits), sum(v["cents"] for v in visits)
        ),
    }


def _spread(values: Sequence[object]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    shares = [n / len(values) for n in Counter(values).values()]
    return sum(-s * math.log(s) for s in shares), sum(s * s for s in shares)


def shopping_reference(seen: Seen) -> Row:
    visits, billed = seen.drug_visits, [d for d in seen.outside_drugs if d["doctor_id"]]
    quarter = last(visits, 90)
    at = {v["institution_id"] for v in quarter}
    doctors = {d["doctor_id"] for d in last(billed, 90)}
    by_day = defaultdict(set)
    for v in quarter:
        by_day[v["ago"]].add(v["institution_id"])
    entropy, concentration = _spread([v["institution_id"] for v in last(visits, 180)])
    doctor_entropy, doctor_concentration = _spread([d["doctor_id"] for d in last(billed, 180)])
    old = {v["institution_id"] for v in visits if v["ago"] > 90}
    return {
        "institution_count_30d": len({v["institution_id"] for v in last(visits, 30)}),
        "institution_count_90d": len(at),
        "doctor_count_90d": len(doctors),
        "is_multiple_provider_90d": float(len(doctors) >= 5 and len(at) >= 5),
        "institution_entropy_180d": entropy,
        "institution_concentration_180d": concentration,
        "doctor_entropy_180d": doctor_entropy,
        "doctor_concentration_180d": doctor_concentration,
        "new_institution_share_90d": ratio(len(at - old), len(at)),
        "multi_institution_day_count_90d": sum(len(each) > 1 for each in by_day.values()),
        "split_settlement_count_90d": len(quarter)
        - len({(v["ago"], v["institution_id"]) for v in quarter}),
        "district_count_90d": len({v["place"]["district"] for v in quarter} - {None}),
    }


def _km(a: tuple[float | None, ...], b: tuple[float | None, ...]) -> float | None:
    """By the angle between two directions from the Earth's centre."""
    if None in a or None in b:
        return None
    (lat, lon), (lat_2, lon_2) = (tuple(math.radians(x or 0.0) for x in each) for each in (a, b))
    cosine = math.sin(lat) * math.sin(lat_2) + math.cos(lat) * math.cos(lat_2) * math.cos(
        lon - lon_2
    )
    return 6371 * math.acos(max(-1, min(1, cosine)))


def travel_reference(seen: Seen) -> Row:
    visits, person = seen.drug_visits, seen.person
    home = (person["latitude"], person["longitude"])
    impossible, gaps = 0, []
    for a, b in itertools.pairwise(visits):
        if not (_clock(a) and _clock(b)):
            continue
        minutes = (b["time"] - a["time"]).total_seconds() / 60
        km = _km(_place(a), _place(b))
        impossible += km is not None and km - 3 > 120 * minutes / 60 and b["ago"] <= 180
        if a["institution_id"] != b["institution_id"] and b["ago"] <= 90:
            gaps.append(minutes)
    stays = [v for v in seen.visits if v["visit_type"] == "21"]
    clashes = [
        v
        for v in visits
        if v["proxy"] is None
        and any(
            (s["start"] or s["time"].date()) < v["time"].date() < (s["end"] or s["time"].date())
            and s["institution_id"] != v["institution_id"]
            for s in stays
        )
    ]
    death, pause = person["death_date"], person["paused_from"]
    gone = [
        v
        for v in visits
        if (death and v["time"].date() > death) or (pause and v["time"].date() >= pause)
    ]
    away = {v["settlement_id"]: _km(home, _place(v)) for v in visits}
    far = [v for v in last(visits, 90) if (away[v["settlement_id"]] or 0) > 50]
    shown = [v for v in last(visits, 90) if v["credential"] is not None]
    known = [away[v["settlement_id"]] for v in last(visits, 180)]
    return {
        "impossible_travel_count_180d": impossible,
        "home_km_median_180d": median([km for km in known if km is not None]),
        "min_gap_minutes_90d": min(gaps, default=None),
        "admitted_visit_count_365d": len(clashes),
        "dead_or_paused_visit_count_365d": len(gone),
        "e_voucher_share_90d": share(shown, lambda v: v["credential"] == "01"),
        "far_voucher_count_90d": sum(v["credential"] == "01" for v in far),
    }


def _place(visit: Row) -> tuple[float | None, float | None]:
    return visit["place"]["latitude"], visit["place"]["longitude"]
