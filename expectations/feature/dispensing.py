"""Every dispensing feature of institutions, doctors and drugs, declared once."""

from expectations.contract.feature import declared

_SALES = "fee_fact, visit_fact, drug"
_OVER = "fee_fact, visit_fact, member_feature"
_SCANS = "trace_scan"

INSTITUTION_DRUG_FEATURES = (
    *declared(
        _SALES,
        ("drug_amount_sum_365d", "", 365, "yuan", (1,), "drugs, stays apart, refunds taken off"),
        ("drug_member_count_365d", "", 365, "count", (1,), "members who got them"),
        ("drug_amount_per_member_365d", "50", 365, "yuan", (1,), "their quotient"),
        (
            "lines_per_member_365d",
            "50",
            365,
            "ratio",
            (1,),
            "sums of settlement, drug and doctor / members",
        ),
        ("cold_chain_share_365d", "50", 365, "share", (1,), "cold-chain drugs by amount"),
        ("tonic_share_365d", "50", 365, "share", (1,), "costly herbs and tonics by amount"),
        (
            "resalable_share_365d",
            "50",
            365,
            "share",
            (4,),
            "drugs with a known street price, by amount",
        ),
        ("e_voucher_share_365d", "50", 365, "share", (4,), "by amount"),
        (
            "certificate_share_365d",
            "50",
            365,
            "share",
            (1,),
            "settled over certificates (visit type 14), by amount",
        ),
        ("top_member_share_365d", "50", 365, "share", (1,), "amount of the member with the most"),
        (
            "outlying_ratio_count_365d",
            "50",
            365,
            "count",
            (1,),
            "of the eight ratios marked 50, those more than 3.5 robust deviations from the median of institutions of the type; only with 20 peers and more",
        ),
        (
            "drug_amount_spike_365d",
            "48",
            365,
            "ratio",
            (1,),
            "(drug amount of the last 30 days - median of the earlier 30-day periods) / (1.4826 x their median deviation + a tenth of the median)",
        ),
        (
            "nonlocal_share_90d",
            "49",
            90,
            "share",
            (1,),
            "amount for members insured in another city (first four digits of the district)",
        ),
    ),
    *declared(
        _OVER,
        (
            "oversupplied_share_365d",
            "47",
            365,
            "share",
            (3,),
            "amount for members with supply_ratio_max_365d above 1.2",
        ),
    ),
    *declared(
        "visit_fact",
        (
            "operator_members_per_hour_max_30d",
            "51",
            30,
            "count",
            (0,),
            "most members in one clock hour of one operator",
        ),
    ),
    *declared(
        _SCANS,
        (
            "stock_gap_share_180d",
            "52",
            180,
            "share",
            (4,),
            "(boxes scanned as sold - scanned as received) / sold, where positive",
        ),
        (
            "resold_code_rate_90d",
            "74",
            90,
            "ratio",
            (4,),
            "boxes sold that had been sold before, for each 10,000",
        ),
        (
            "orphan_sale_share_180d",
            "76",
            180,
            "share",
            (4,),
            "boxes sold that were never scanned as received here",
        ),
    ),
)

DOCTOR_FEATURES = (
    *declared(
        _SALES,
        ("drug_amount_sum_365d", "", 365, "yuan", (1,), "drugs billed, refunds taken off"),
        ("drug_member_count_365d", "", 365, "count", (1,), "members who got them"),
        ("drug_amount_per_member_365d", "50", 365, "yuan", (1,), "their quotient"),
        ("top_member_share_365d", "46", 365, "share", (1,), "amount of the member with the most"),
        (
            "resalable_share_365d",
            "",
            365,
            "share",
            (4,),
            "drugs with a known street price, by amount",
        ),
        ("tonic_share_365d", "", 365, "share", (1,), "costly herbs and tonics by amount"),
        ("institution_count_365d", "", 365, "count", (1,), "institutions billed at"),
    ),
    *declared(
        _OVER,
        (
            "oversupplied_share_365d",
            "47",
            365,
            "share",
            (3,),
            "amount for members with supply_ratio_max_365d above 1.2",
        ),
    ),
    *declared(
        "special_cert",
        (
            "certificate_count_365d",
            "57",
            365,
            "count",
            (0,),
            "special-disease certificates diagnosed",
        ),
        (
            "certificate_count_deviation_365d",
            "57",
            365,
            "ratio",
            (0,),
            "(their logarithm - mean) / standard deviation over doctors who diagnosed any",
        ),
    ),
)

DRUG_FEATURES = (
    *declared(
        _SALES,
        ("drug_amount_sum_365d", "", 365, "yuan", (1,), "sold, stays apart, refunds taken off"),
        ("drug_member_count_365d", "", 365, "count", (1,), "members who got it"),
        ("institution_count_365d", "", 365, "count", (1,), "institutions that sold it"),
        ("drug_amount_spike_365d", "48", 365, "ratio", (1,), "as of an institution"),
        (
            "top_member_share_365d",
            "7",
            365,
            "share",
            (1,),
            "quantity of the hundredth of its members with the most, at least one",
        ),
    ),
    *declared(
        _OVER,
        (
            "oversupplied_share_365d",
            "47",
            365,
            "share",
            (3,),
            "amount for members with supply_ratio_max_365d above 1.2",
        ),
    ),
    *declared(
        _SCANS,
        (
            "resold_code_rate_365d",
            "74",
            365,
            "ratio",
            (4,),
            "boxes sold that had been sold before, for each 10,000",
        ),
    ),
)
