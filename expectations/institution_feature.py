"""Every institution feature, declared once: name, meaning, unit, and whether models look at it."""

from dataclasses import dataclass
from typing import Literal

CareSetting = Literal["inpatient", "outpatient", "any"]


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


INSTITUTION_FEATURES: tuple[Feature, ...] = ()


def model_inputs(care_setting: Literal["all", "inpatient"]) -> list[str]:
    """The features that a model may look at, in order, when it may use all claims or inpatient ones."""
    return [
        feature.name
        for feature in INSTITUTION_FEATURES
        if feature.is_model_input and (care_setting == "all" or feature.setting == "inpatient")
    ]
