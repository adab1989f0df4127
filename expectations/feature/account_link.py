"""What is measured of a pair of accounts, declared once: the columns of gold.account_link come from it."""

from dataclasses import dataclass

from expectations.contract.table import Field


@dataclass(frozen=True)
class Trait:
    """A measure of a pair: what it means, in two languages.

    `direction` is 1 where more of it may only speak for a link, -1 against it, 0 where both may be:
    a trained weight has to keep to that.
    """

    name: str
    en: str
    zh: str
    direction: int = 0

    @property
    def field(self) -> Field:
        """The column that holds it."""
        return Field(self.name, "double", self.en[0].upper() + self.en[1:])


TRAITS = (
    Trait(
        "met_surprise",
        "how surprisingly often they met within minutes: -log10 of a Poisson tail",
        "短时相遇次数超出偶然的程度",
        1,
    ),
    Trait(
        "places_surprise",
        "the same for pairs that met at two or more institutions, otherwise 0",
        "在两家以上机构相遇超出偶然的程度",
        1,
    ),
    Trait(
        "wide_surprise",
        "how surprisingly often both came within four hours, at two or more institutions",
        "四小时内同到两家以上机构超出偶然的程度",
        1,
    ),
    Trait(
        "operator_surprise",
        "loyalty of both to one operator: -log10 of a binomial tail, the weaker one's",
        "两户同时偏向同一操作员的程度",
        1,
    ),
    Trait("met_days", "days on which they met within minutes", "短时相遇的天数", 1),
    Trait("met_places", "institutions at which they met within minutes", "短时相遇的机构数", 1),
    Trait(
        "wide_days",
        "days within four hours of each other, at two or more institutions",
        "四小时内同到两家以上机构的天数",
        1,
    ),
    Trait("wide_places", "institutions of these days", "四小时内同到的机构数", 1),
    Trait(
        "met_share",
        "days met, as a share of the visits of the one with fewer",
        "相遇占较少一方就诊的比例",
    ),
    Trait("gap_minutes", "median minutes between them when they met", "相遇间隔分钟中位数"),
    Trait("span_days", "days from the first meeting to the last", "首末相遇相隔天数"),
    Trait("common_places", "institutions that both used", "共同就诊的机构数", 1),
    Trait(
        "rarity",
        "rarity of these: sum of one over the rank, by visits, of each among all institutions",
        "共同机构的罕见程度",
        1,
    ),
    Trait(
        "device_rarity",
        "an e-voucher phone in common: one over its other accounts",
        "共用电子凭证手机",
        1,
    ),
    Trait("proxy_rarity", "a proxy in common: one over the other accounts", "共同代办人", 1),
    Trait(
        "proxy_share_low",
        "a proxy in common: share of the visits of the one whom it carries less; 0 without one",
        "共同代办人占其代办较少一方就诊的比例",
    ),
    Trait(
        "proxy_share_high",
        "the same of the one whom it carries more; honest carers come most of the time",
        "共同代办人占其代办较多一方就诊的比例",
    ),
    Trait(
        "proxy_phone_rarity",
        "a proxy's phone in common: one over its other accounts",
        "共同代办人电话",
        1,
    ),
    Trait("phone_rarity", "a phone on file in common: one over its other accounts", "共用登记电话"),
    Trait("is_same_address", "1 if both live at one address", "是否同住址", -1),
    Trait("home_km", "kilometres between their homes", "住址相距公里数"),
    Trait(
        "away_km",
        "kilometres from the nearer home to where they met most often",
        "较近住址到主要相遇地的公里数",
    ),
    Trait(
        "value_share",
        "resale value taken at meetings, as a share of all that the one with less took",
        "相遇时所取可转卖药值占比",
        1,
    ),
    Trait(
        "both_took_share",
        "share of the days met on which both took drugs that are resold",
        "双方均取可转卖药的相遇日占比",
        1,
    ),
    Trait(
        "lower_value_rank",
        "share of accounts with no more resale value than the one who took less",
        "可转卖药值较低一方的位次",
        1,
    ),
    Trait(
        "higher_value_rank",
        "share of accounts with no more resale value than the one who took more",
        "可转卖药值较高一方的位次",
        1,
    ),
    Trait(
        "lower_visit_rank",
        "share of accounts with no more visits than the one with fewer",
        "就诊次数较少一方的位次",
    ),
    Trait(
        "higher_visit_rank",
        "share of accounts with no more visits than the one with more",
        "就诊次数较多一方的位次",
    ),
    Trait(
        "basket_likeness",
        "how alike what both took of drugs that are resold is: cosine of their values by ingredient",
        "双方所取可转卖药构成的相似程度",
        1,
    ),
    Trait("younger_age", "age of the younger one, years", "较年轻一方的年龄"),
    Trait("age_gap", "years between them", "年龄相差年数"),
)
TRAIT_NAMES = tuple(trait.name for trait in TRAITS)
