"""Kinds of drugs, certificates, credentials and scans, slowly: plain Python from the definitions."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from support.member_histories import Row
from support.member_reference_rows import Seen, alike, last, median, prefixes, ratio, share


def product_reference(seen: Seen) -> Row:
    drugs = seen.outside_drugs

    def part(days: int, holds: Callable[[Row], object]) -> float | None:
        rows = last(drugs, days)
        return ratio(sum(d["cents"] for d in rows if holds(d)), sum(d["cents"] for d in rows))

    def watched(d: Row) -> bool:
        start = d["about"]["watch_from"]
        return start is not None and start <= d["visit"]["time"].date()

    def gain(days: int) -> float:
        street = [
            (d["cents"], (d["about"]["resale_ratio"] or 0) - (1 - d["visit"]["share"]))
            for d in last(drugs, days)
        ]
        return sum(cents * max(0, more) for cents, more in street) / 100

    chronic = [d for d in drugs if d["about"]["chronic"]]
    by_month: dict[tuple[int, int, str], float] = defaultdict(float)
    for d in drugs:
        when = d["visit"]["time"]
        by_month[when.year, when.month, d["drug_id"]] += d["quantity"]
    most = {d["drug_id"]: d["about"]["monthly_max_boxes"] for d in drugs}
    full = {
        (year, month)
        for (year, month, drug), boxes in by_month.items()
        if most[drug] and round(boxes, 4) / most[drug] >= 0.95
    }
    chronic_amount = sum(d["cents"] for d in chronic) / 100
    examined = any(v["exam"] > 0 for v in seen.visits)
    return {
        "cold_chain_share_90d": part(90, lambda d: d["about"]["cold_chain"]),
        "injection_share_90d": part(90, lambda d: d["about"]["category"] == "tcm_injection"),
        "tonic_share_90d": part(90, lambda d: d["about"]["category"] == "herb_tonic"),
        "watch_share_90d": part(90, watched),
        "resalable_share_180d": part(180, lambda d: d["about"]["resale_ratio"]),
        "resale_gain_sum_90d": gain(90),
        "resale_gain_sum_365d": gain(365),
        "chronic_class_count_180d": len({d["atc"][0] for d in last(chronic, 180) if d["atc"]}),
        "ingredient_count_180d": len({d["ingredient"] for d in last(drugs, 180)}),
        "visit_mismatch_share_180d": part(180, lambda d: not d["fits_visit"]),
        "unexplained_share_180d": part(180, lambda d: not d["explained"]),
        "unexplained_fund_sum_365d": sum(d["fund"] for d in drugs if not d["explained"]) / 100,
        "chronic_amount_sum_365d": chronic_amount,
        "month_cap_count_365d": len(full),
        "is_unmonitored_365d": float(chronic_amount > 1000 and not examined),
    }


def certificate_reference(seen: Seen) -> Row:
    held = seen.certificates
    spent = [d for d in seen.drugs if d["visit"]["visit_type"] == "14"]
    recent = last(spent, 180)
    texts = [
        prefixes(seen.diseases.get(c["special_disease_code"], {}).get("indications")) for c in held
    ]
    covered = {prefix for each in texts for prefix in each}
    unrelated = [d for d in recent if d["for"] and not alike(covered, d["for"])]
    caps: dict[str, float] = defaultdict(float)
    for c in held:
        disease = c["special_disease_code"]
        caps[disease] = max(caps[disease], c["annual_cap"] or 0)
    amount = sum(d["cents"] for d in spent) / 100
    begun = [(seen.as_of - c["start_date"]).days for c in held]
    return {
        "has_certificate": float(bool(held)),
        "certificate_age_days": min(begun, default=None),
        "certificate_amount_sum_365d": amount,
        "certificate_unrelated_share_180d": ratio(
            sum(d["cents"] for d in unrelated), sum(d["cents"] for d in recent)
        )
        if held and all(texts)
        else None,
        "certificate_cap_share_365d": ratio(amount, sum(caps.values())),
    }


def credential_reference(seen: Seen) -> Row:
    half = last(seen.drug_visits, 180)
    found: Row = {
        "proxy_count_180d": len({v["proxy"] for v in half} - {None}),
        "proxy_visit_share_180d": share(half, lambda v: v["proxy"] is not None),
        "kin_share_90d": ratio(
            sum(s["relatives"] - 1 for s in seen.shared),
            sum(s["accounts"] - 1 for s in seen.shared),
        ),
    }
    for kind in ("device", "proxy"):
        of_kind = [s for s in seen.shared if s["kind"] == kind]
        found[f"accounts_per_{kind}_90d"] = max((s["accounts"] for s in of_kind), default=0)
        found[f"strangers_per_{kind}_90d"] = max(
            (s["accounts"] - s["relatives"] for s in of_kind), default=0
        )
    return found


def trace_reference(seen: Seen) -> Row:
    sales = seen.sales
    boxes: dict[str, float] = defaultdict(float)
    for d in last(seen.outside_drugs, 90):
        start = d["about"]["trace_from"]
        if start is not None and start <= seen.as_of - timedelta(days=d["ago"]):
            boxes[d["drug_id"]] += d["quantity"]
    scanned: dict[str | None, int] = defaultdict(int)
    for s in last(sales, 90):
        start = s["about"].get("trace_from")
        if s["drug_id"] is None or (start is not None and start <= s["day"]):
            scanned[s["drug_id"]] += 1
    missing = sum(max(0, round(n, 4) - scanned[drug]) for drug, n in boxes.items())
    return {
        "resold_box_count_365d": sum(s["sold_again"] for s in sales) if sales else None,
        "resold_box_surprise_365d": surprise(
            sum(s["sold_again"] for s in sales), sum(s["chance_ppb"] for s in sales) / 1e9
        )
        if sales
        else None,
        "resold_gap_days_median_365d": median([s["gap_days"] for s in sales if s["sold_again"]]),
        "uncoded_share_90d": ratio(max(0, missing - scanned[None]), sum(boxes.values())),
    }


def surprise(count: int, mean: float) -> float:
    """-log10 P(X >= count) for X ~ Poisson(mean), by adding up the terms of the tail."""
    if not count:
        return 0.0
    terms = [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count, 200)]
    return -math.log10(math.fsum(terms))
