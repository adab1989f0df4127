"""Every institution feature, declared once: name, meaning, unit, and whether models look at it."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

CareSetting = Literal["inpatient", "outpatient", "any"]

#: Members seen at more institutions than this make no pairs of institutions: no join can explode.
MAX_INSTITUTIONS_OF_MEMBER = 50

#: Weight of the mean over all claims of a setting in the mean of a case group, in claims.
PEER_PRIOR_CLAIMS = 20


@dataclass(frozen=True)
class Feature:
    """One feature of an institution as of a date.

    `label` is what a reader of a reason sees, in lower case and without the unit; `definition` says
    how it is computed, for the data dictionary; `unit` is one of: count, yuan, days, ratio, share,
    yuan a day. `setting` is inpatient (visit type 21), outpatient (every other visit type) or any.
    """

    name: str
    label: str
    definition: str
    unit: str
    setting: CareSetting
    is_model_input: bool = False

    @property
    def measure(self) -> str:
        """The name without the setting: the same measure is taken in each of them."""
        return self.name.removeprefix(f"{self.setting}_")


@dataclass(frozen=True)
class _Measure:
    """What is measured in each of `settings`; the setting is filled in where a text has {setting}."""

    name: str
    label: str
    definition: str
    unit: str
    is_model_input: bool = False
    settings: tuple[CareSetting, ...] = ("inpatient", "outpatient")

    def of(self, setting: CareSetting) -> Feature:
        """The feature that this measure is in one setting."""
        return Feature(
            name=f"{setting}_{self.name}",
            label=self.label.format(setting=setting),
            definition=f"{setting} claims: {self.definition}",
            unit=self.unit,
            setting=setting,
            is_model_input=self.is_model_input,
        )


_Input = partial(_Measure, is_model_input=True)
_StayInput = partial(_Measure, is_model_input=True, settings=("inpatient",))
_PEERS = (
    "sum over its claims / sum of what peers' claims average in the same case group:"
    f" (group's sum + {PEER_PRIOR_CLAIMS} x mean of all claims) / (group's claims +"
    f" {PEER_PRIOR_CLAIMS}), over all institutions, this one too; the group is the DRG, without one"
    " the first three characters of the principal diagnosis, without that the claims without either"
)
_TOP_DISTRICT = "from the home district that most of its claims come from, of several the smallest"
_SHARED = f"members of more than {MAX_INSTITUTIONS_OF_MEMBER} institutions left out"

# A claim is a settlement after refunds: they are netted with what they reverse, and a settlement
# that comes to zero or less by them counts only as refunded. A stay has its discharge day less its
# admission day plus one days, at least one. Quantiles are interpolated linearly. What needs more
# claims than there are, or divides by zero, is empty.
_MEASURES = (
    _Input("claim_count", "{setting} claims", "their number", "count"),
    _Input("amount_sum", "total {setting} charges", "sum of total_amount", "yuan"),
    _Input("amount_mean", "mean {setting} charge", "mean total_amount of a claim", "yuan"),
    _Input("amount_max", "highest {setting} charge", "largest total_amount of a claim", "yuan"),
    _Measure(
        "amount_std",
        "spread of {setting} charges",
        "sample standard deviation of total_amount",
        "yuan",
    ),
    _Measure("amount_median", "median {setting} charge", "median of total_amount", "yuan"),
    _Input(
        "amount_p75", "upper quartile of {setting} charges", "75% quantile of total_amount", "yuan"
    ),
    _Measure("fund_amount_sum", "fund payments for {setting} claims", "sum of fund_amount", "yuan"),
    _Input(
        "amount_peer_ratio",
        "{setting} charges against peers' with the same cases",
        f"total_amount: {_PEERS}",
        "ratio",
    ),
    _StayInput("stay_days_sum", "total inpatient days", "sum of stays", "days"),
    _StayInput("stay_days_mean", "mean stay", "mean stay", "days"),
    _StayInput("stay_days_max", "longest stay", "longest stay", "days"),
    _StayInput(
        "stay_days_second_max",
        "second longest stay",
        "second longest stay; equals the longest in a tie",
        "days",
    ),
    _StayInput("stay_days_std", "spread of stays", "sample standard deviation of stays", "days"),
    _StayInput("stay_days_median", "median stay", "median stay", "days"),
    _StayInput(
        "stay_days_max_to_mean",
        "longest stay against the mean stay",
        "longest stay / mean stay",
        "ratio",
    ),
    _StayInput(
        "stay_days_peer_ratio",
        "inpatient days against peers' with the same cases",
        f"stay days: {_PEERS}",
        "ratio",
    ),
    _StayInput(
        "amount_per_day",
        "charges per inpatient day",
        "sum of total_amount / sum of stays",
        "yuan a day",
    ),
    _StayInput(
        "amount_per_day_mean",
        "mean charge per inpatient day",
        "mean over claims of total_amount / stay",
        "yuan a day",
    ),
    _StayInput(
        "amount_per_day_median",
        "median charge per day of the median stay",
        "median of total_amount / median stay",
        "yuan a day",
    ),
    _Input("member_count", "{setting} members", "distinct members", "count"),
    _Input(
        "claims_per_member", "{setting} claims per member", "claims / distinct members", "ratio"
    ),
    _Input(
        "claims_per_member_max",
        "most {setting} claims of one member",
        "most claims of one member here",
        "count",
    ),
    _Input(
        "repeat_member_count",
        "members with several {setting} claims",
        "members with at least two claims here",
        "count",
    ),
    _Input(
        "repeat_claim_count",
        "{setting} claims beyond each member's first",
        "claims - distinct members",
        "count",
    ),
    _Measure(
        "shared_member_count",
        "{setting} members also seen elsewhere",
        "members with a claim elsewhere too",
        "count",
    ),
    _Measure(
        "shared_member_share",
        "share of {setting} members also seen elsewhere",
        "members also seen elsewhere / distinct members",
        "share",
    ),
    _Measure(
        "shared_institution_count",
        "other institutions of its {setting} members",
        f"other institutions with a claim of one of its members; {_SHARED}",
        "count",
    ),
    _Measure(
        "shared_member_max",
        "most {setting} members shared with one institution",
        f"most members with claims both here and at one other; {_SHARED}",
        "count",
    ),
    _Measure(
        "deceased_member_count",
        "{setting} members who have died",
        "members with a day of death, whenever it was since this insurance began (1999) and since their birth",
        "count",
    ),
    _Measure(
        "deceased_member_share",
        "share of {setting} members who have died",
        "members with such a day of death / distinct members",
        "share",
    ),
    _Measure(
        "conditions_per_member_mean",
        "chronic conditions per {setting} member",
        "known chronic conditions / distinct members",
        "ratio",
    ),
    _Measure(
        "home_district_count",
        "home districts of {setting} members",
        "distinct home districts",
        "count",
    ),
    _Measure(
        "home_province_count",
        "home provinces of {setting} members",
        "distinct first two digits of home districts",
        "count",
    ),
    _Input(
        "top_district_share",
        "market share in the main home district, {setting}",
        f"its claims / all institutions' claims {_TOP_DISTRICT}",
        "share",
    ),
    _Input(
        "top_district_institution_count",
        "institutions in the main home district, {setting}",
        f"institutions with claims {_TOP_DISTRICT}",
        "count",
    ),
    _Input("doctor_count", "doctors on {setting} claims", "distinct doctors in any role", "count"),
    _Measure(
        "attending_doctor_count",
        "attending doctors, {setting}",
        "distinct attending doctors",
        "count",
    ),
    _Measure(
        "operating_doctor_count",
        "operating doctors, {setting}",
        "distinct operating doctors",
        "count",
    ),
    _Measure(
        "other_doctor_count",
        "other doctors, {setting}",
        "distinct doctors with the role other",
        "count",
    ),
    _Measure(
        "top_doctor_share",
        "share of {setting} claims with the busiest doctor",
        "most claims that name one doctor, in any role / claims",
        "share",
    ),
    _Input(
        "diagnosis_count",
        "different diagnoses on {setting} claims",
        "distinct diagnosis codes, without those on admission",
        "count",
    ),
    _Measure(
        "procedure_count",
        "different procedures on {setting} claims",
        "distinct procedure codes",
        "count",
    ),
    _Measure("drg_count", "different DRGs", "distinct DRGs", "count", settings=("inpatient",)),
    _Input(
        "visit_gap_variation",
        "irregularity of {setting} start days",
        "sample standard deviation / mean of the days between consecutive starts of visits",
        "ratio",
    ),
    _Measure(
        "refunded_claim_count", "refunded {setting} claims", "settlements with a refund", "count"
    ),
    _Measure(
        "refunded_claim_share",
        "share of {setting} claims refunded",
        "settlements with a refund / all settlements but the refunds",
        "share",
    ),
)

_SETTINGS: tuple[CareSetting, ...] = ("inpatient", "outpatient")

INSTITUTION_FEATURES: tuple[Feature, ...] = tuple(
    measure.of(setting)
    for setting in _SETTINGS
    for measure in _MEASURES
    if setting in measure.settings
)

_PLAIN = (
    "claim_count member_count attending_doctor_count operating_doctor_count other_doctor_count"
    " doctor_count amount_sum amount_mean amount_max amount_std fund_amount_sum stay_days_sum"
    " stay_days_mean stay_days_max diagnosis_count procedure_count drg_count home_province_count"
    " deceased_member_count"
)

#: What a plain baseline is trained on: counts and totals of the inpatient claims, nothing relative.
PLAIN_FEATURES: tuple[str, ...] = tuple(f"inpatient_{measure}" for measure in _PLAIN.split())


def model_inputs(care_setting: Literal["all", "inpatient"]) -> list[str]:
    """The features that a model may look at, in order, when it may use all claims or inpatient ones."""
    return [
        feature.name
        for feature in INSTITUTION_FEATURES
        if feature.is_model_input and (care_setting == "all" or feature.setting == "inpatient")
    ]
