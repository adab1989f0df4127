"""What the likeness of an account to accounts in fraud looks at, and the features that it gives.

Of each input only its place among the member's peers counts (`models.surprise`), so that a model
of simulated provinces means the same in a real one.
"""

from expectations.contract.feature import declared
from expectations.feature.member_model import ModelInput


def _input(name: str, unit: str, en: str, zh: str) -> ModelInput:
    return ModelInput(name, unit, en, zh, direction=0)


#: Features of gold.member_feature, in the order in which a model has them.
RESEMBLANCE_INPUTS: tuple[ModelInput, ...] = (
    _input("visit_count_365d", "count", "visits for drugs in a year", "一年配药次数"),
    _input("drug_fund_sum_365d", "yuan", "fund's part of drugs in a year", "一年药品基金支付"),
    _input("active_day_share_90d", "share", "days with a visit in 90", "90 天内就诊日占比"),
    _input("drug_only_share_180d", "share", "visits for drugs alone", "仅配药就诊占比"),
    _input("drug_amount_growth_360d", "ratio", "growth of drug costs", "药费增长"),
    _input("off_hour_share_90d", "share", "visits from 20 to 6 o'clock", "夜间就诊占比"),
    _input("gap_variation_180d", "ratio", "irregular days between visits", "就诊间隔不规律程度"),
    _input(
        "treatment_share_365d", "share", "examinations and treatments by cost", "检查治疗费用占比"
    ),
    _input("supply_ratio_max_365d", "ratio", "largest supply over the year", "最大年供药比"),
    _input("excess_days_180d", "days", "supply beyond half a year", "半年超量天数"),
    _input("overlap_days_180d", "days", "days supplied twice", "重叠用药天数"),
    _input(
        "elsewhere_overlap_days_365d",
        "days",
        "days supplied by several institutions",
        "跨机构重叠用药天数",
    ),
    _input(
        "elsewhere_early_refill_count_180d",
        "count",
        "early refills elsewhere",
        "跨机构提前配药次数",
    ),
    _input(
        "repeat_elsewhere_7d_count_90d",
        "count",
        "the same within a week elsewhere",
        "七天内跨机构重复配药",
    ),
    _input(
        "stock_peak_days_365d", "days", "largest stock of an ingredient", "单一成分最大结余天数"
    ),
    _input("class_overlap_days_90d", "days", "days with two drugs of a class", "同类药品重叠天数"),
    _input("excess_fund_sum_365d", "yuan", "fund's part beyond own use", "超出自用的基金支付"),
    _input("long_fill_share_365d", "share", "fills for four weeks and more", "长处方占比"),
    _input("institution_count_90d", "count", "institutions in 90 days", "90 天内机构数"),
    _input("doctor_count_90d", "count", "doctors in 90 days", "90 天内医生数"),
    _input("institution_entropy_180d", "nats", "spread over institutions", "机构分散程度"),
    _input("new_institution_share_90d", "share", "institutions new to the account", "新机构占比"),
    _input("home_km_median_180d", "km", "distance from home", "离家距离"),
    _input("e_voucher_share_90d", "share", "visits with an e-voucher", "电子凭证就诊占比"),
    _input("cold_chain_share_90d", "share", "cold-chain drugs by cost", "冷链药品占比"),
    _input("tonic_share_90d", "share", "costly tonics by cost", "贵重滋补药材占比"),
    _input("resalable_share_180d", "share", "drugs with a street price, by cost", "易转卖药品占比"),
    _input("resale_gain_sum_365d", "yuan", "what resale would bring", "转卖可获利"),
    _input("chronic_class_count_180d", "count", "groups of chronic drugs", "慢病药大类数"),
    _input("ingredient_count_180d", "count", "ingredients", "药品成分数"),
    _input(
        "unexplained_share_180d", "share", "drugs that no diagnosis explains", "与诊断不符药品占比"
    ),
    _input(
        "unexplained_fund_sum_365d",
        "yuan",
        "fund's part of drugs that no diagnosis explains",
        "与诊断不符药品基金支付",
    ),
    _input("month_cap_count_365d", "count", "months at a drug's monthly most", "达到月限量的月数"),
    _input(
        "certificate_unrelated_share_180d", "share", "drugs not for the certificate", "证外用药占比"
    ),
    _input(
        "certificate_cap_share_365d",
        "share",
        "used part of the certificates' caps",
        "病种限额使用比",
    ),
    _input("proxy_count_180d", "count", "proxies", "代办人数"),
    _input("proxy_visit_share_180d", "share", "visits by proxy", "代办就诊占比"),
    _input("strangers_per_device_90d", "count", "strangers on its phone", "同手机的其他家庭账户数"),
    _input(
        "strangers_per_proxy_90d", "count", "strangers with its proxy", "同代办人的其他家庭账户数"
    ),
    _input(
        "kin_share_90d",
        "share",
        "kin among those on its phone or proxy",
        "同手机或代办人中亲属占比",
    ),
    _input("resold_box_count_365d", "count", "boxes sold again", "再次售出药盒数"),
    _input(
        "resold_box_surprise_365d",
        "log10",
        "how surprising the boxes sold again are",
        "再次售出超出偶然的程度",
    ),
)

RESEMBLANCE_INPUT_NAMES = tuple(each.name for each in RESEMBLANCE_INPUTS)

RESEMBLANCE_FEATURES = declared(
    "member_feature, peer_statistic",
    (
        "resemblance_365d",
        "",
        365,
        "nats",
        (3,),
        "log-odds, not calibrated, of the likeness to accounts in fraud in simulated provinces",
    ),
    (
        "resemblance_share_365d",
        "",
        365,
        "share",
        (3,),
        "share of accounts that resemble these less",
    ),
)
