"""What a model of accounts may look at, declared once: a reader, a training and a scoring mean the same by it.

Only what means the same in every province: points of rules, log-odds of links, the place in the list, money beyond
a holder's own use. No raw volumes: a model of these learns the province, not the fraud.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from expectations.contract.table import Field


@dataclass(frozen=True)
class ModelInput:
    """An input of the model of accounts: its name, unit and meaning in two languages.

    `direction` is 1 where more of it may only speak for fraud, which a trained model has to keep to, and 0 where it
    may speak either way. `is_of_links` says that it comes from links to other accounts or from a ring; it is then
    null for an account without a link, except for the prior, which every account has.
    """

    name: str
    unit: str
    en: str
    zh: str
    direction: Literal[0, 1] = 1
    is_of_links: bool = False

    @property
    def field(self) -> Field:
        """The column that holds it."""
        return Field(self.name, "double", f"{self.en[0].upper()}{self.en[1:]} ({self.unit})")


#: What the rules of a family look at, by the family's name in conf/typologies.yaml. Links have inputs of their own.
FAMILIES: dict[str, tuple[str, str]] = {
    "care": ("drugs that nobody examined the holder for", "无诊疗配药"),
    "certificate": ("drugs beside a special-disease certificate", "特殊病种证外用药"),
    "diagnosis": ("drugs that no illness on record explains", "用药与诊断不符"),
    "identity": ("visits at which the holder can hardly have been", "非本人就诊"),
    "no_examination": ("drugs at nearly every visit, examinations at none", "只配药不检查"),
    "product": ("drugs that sell well again", "易转卖药品"),
    "rhythm": ("a sudden beginning", "突然启用"),
    "sharing": ("phones and proxies shared with other households", "与其他家庭共用手机或代办人"),
    "shopping_overlap": ("the same drug from several places at once", "多处重复配药"),
    "supply": ("more drugs than can be used", "超量配药"),
    "trace": ("boxes that were sold again", "药盒再次售出"),
    "use": ("very many visits, doctors or places", "就诊频次和地点过多"),
    "volume": ("much money for drugs", "药费过高"),
}

_OF_FAMILIES = tuple(
    ModelInput(f"points_{family}", "points", f"strongest rule about {en}", f"{zh}的最强规则分值")
    for family, (en, zh) in FAMILIES.items()
)

#: In the order in which a model has them.
MEMBER_MODEL_INPUTS: tuple[ModelInput, ...] = (
    ModelInput(
        "prior",
        "nats",
        "priority in the list by rules, links and resemblance: the logarithm of what its places count",
        "凭规则、关联和相似程度的名单优先度",
        is_of_links=True,
    ),
    ModelInput(
        "own_points",
        "points",
        "sum over families of the strongest rule, links left out",
        "不含关联的各类规则最强分值之和",
    ),
    ModelInput("indicator_count", "count", "indicators that count, links left out", "有效疑点数"),
    *_OF_FAMILIES,
    ModelInput(
        "excess_fund_amount",
        "yuan",
        "fund's part of what was dispensed beyond the holder's own use in a year",
        "一年内超出自用的基金支付",
    ),
    ModelInput(
        "link_weight_two_best_365d",
        "nats",
        "mean log-odds of the two best links to other households",
        "与其他家庭两条最强关联的平均对数几率",
        is_of_links=True,
    ),
    ModelInput(
        "link_probability_best_365d",
        "share",
        "probability of the best link to another household",
        "与其他家庭最强关联的概率",
        is_of_links=True,
    ),
    ModelInput(
        "linked_account_count_365d",
        "count",
        "accounts of other households with a link that passed",
        "与其他家庭的有效关联账户数",
        direction=0,
        is_of_links=True,
    ),
    ModelInput(
        "ring_account_count_365d",
        "count",
        "accounts in its ring",
        "所在团伙账户数",
        direction=0,
        is_of_links=True,
    ),
    ModelInput(
        "ring_density_365d",
        "share",
        "linked share of the pairs of its ring",
        "所在团伙的关联密度",
        direction=0,
        is_of_links=True,
    ),
    ModelInput(
        "ring_kin_share_365d",
        "share",
        "members of its household among the other accounts of its ring",
        "团伙中同户成员占比",
        direction=0,
        is_of_links=True,
    ),
)

MEMBER_MODEL_INPUT_NAMES: tuple[str, ...] = tuple(each.name for each in MEMBER_MODEL_INPUTS)


def catalogue_digest(inputs: Sequence[ModelInput] = MEMBER_MODEL_INPUTS) -> str:
    """A hash of names, units, meanings and directions, in order: a model is used only with the ones it was trained on."""
    told = [[each.name, each.unit, each.en, each.zh, each.direction] for each in inputs]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()
