"""The parameters of the gangs, their parcels and the inquiries: conf/simulation/gangs.yaml, checked at start."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from expectations.contract.yaml_files import checked, read_yaml

#: YAML has lists only.
Words = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
Weights = Annotated[tuple[float, ...], Field(strict=False, min_length=6, max_length=6)]


class _Section(BaseModel):
    """A part of the parameters: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Spread(_Section):
    """A heavy-tailed number: log-normal by its median and the deviation of its logarithm, cut off."""

    median: float = Field(gt=0)
    sigma: float = Field(ge=0)
    smallest: float = Field(ge=0)
    largest: float = Field(gt=0)


class Founding(_Section):
    """How many gangs there are."""

    window_months: int = Field(ge=1)
    burn_in_months: int = Field(ge=0)
    largest_share: float = Field(gt=0, le=1)
    unused: float = Field(ge=0, lt=1)


class BySkill(_Section):
    """A number that goes in a straight line from the clumsiest gang to the most careful one."""

    clumsy: float = Field(ge=0)
    careful: float = Field(ge=0)

    def at(self, skill: float) -> float:
        """The number at a skill from 0 to 1."""
        return self.clumsy + (self.careful - self.clumsy) * skill


class ShareBySkill(BySkill):
    """A share, from 0 to 1, that depends on the skill."""

    clumsy: float = Field(ge=0, le=1)
    careful: float = Field(ge=0, le=1)


class Skill(_Section):
    """How careful gangs are, from 0 to 1, and what the careful do otherwise."""

    alpha: float = Field(gt=0)
    beta: float = Field(gt=0)
    learnt_per_year: float = Field(ge=0)
    visits_cut: float = Field(ge=0, lt=1)
    most_visits: BySkill
    visits_spread: ShareBySkill
    handed_over: ShareBySkill
    trip_cards: BySkill
    dealer_days: ShareBySkill
    near_home: ShareBySkill
    usual_place: ShareBySkill
    places: BySkill
    own_counter: ShareBySkill
    wait_minutes: BySkill
    habit_hour: ShareBySkill
    league: ShareBySkill
    cover_days: BySkill
    products: BySkill
    fitting: BySkill
    doctor_visits: ShareBySkill
    shown: ShareBySkill
    mismatch: ShareBySkill
    rested: ShareBySkill
    rest_activity: float = Field(ge=0, le=1)
    certified_visits: float = Field(ge=1)
    uncertified_amount: float = Field(gt=0, le=1)
    gang_spread: float = Field(ge=0)


class Dealings(_Section):
    """What gangs have to do with one another."""

    dealer_shared: float = Field(ge=0, le=1)
    card_taken_over: float = Field(ge=0, le=1)
    take_over_days: int = Field(ge=1)


class Crew(_Section):
    """Members without an account in use, mean number for a gang of median size."""

    collectors: float = Field(ge=0)
    dispensers: float = Field(ge=0)
    dealers: float = Field(ge=0)
    sellers: float = Field(ge=0)


class Goods(_Section):
    """What is bought for resale: relative weights of the kinds of drug."""

    chronic: float = Field(ge=0)
    patent: float = Field(ge=0)
    injection: float = Field(ge=0)
    tonic: float = Field(ge=0)
    cold_chain: float = Field(ge=0)
    common: float = Field(ge=0)


class Holders(_Section):
    """Whose accounts are used, and how."""

    min_age: int = Field(ge=0)
    certified: float = Field(ge=1)
    arranged: float = Field(ge=0, le=1)
    kin: float = Field(ge=0, le=1)
    handed_over: float = Field(ge=0, le=1)
    victims: float = Field(ge=0, le=1)
    near: float = Field(ge=0, le=1)


class Habits(_Section):
    """How an account is used in a month."""

    visits: Spread
    amount: Spread
    sorts: Weights
    institutions: float = Field(ge=1)
    same_doctor: float = Field(ge=0, le=1)
    products: int = Field(ge=1)
    colluding: float = Field(ge=0, le=1)
    after_hours: float = Field(ge=0, le=1)
    own_need: float = Field(ge=0, le=1)
    partial: float = Field(ge=0, le=1)
    together: float = Field(ge=1)
    proxy: float = Field(ge=0, le=1)
    e_voucher: float = Field(ge=0, le=1)
    shared_phone: float = Field(ge=0, le=1)
    treatment: float = Field(ge=0, le=1)


class Flow(_Section):
    """Where the boxes go."""

    to_pharmacies: float = Field(ge=0, le=1)
    parcels_month: float = Field(ge=0)
    swapped: float = Field(ge=0, le=1)


class Typology(_Section):
    """The parameters of one way to defraud the fund."""

    weight: float = Field(gt=0)
    cards: Spread
    life_months: Spread
    card_months: Spread
    replaced: float = Field(ge=0, lt=1)
    crew: Crew
    holders: Holders
    habits: Habits
    goods: Goods
    flow: Flow
    case_year: float = Field(ge=0)


class Typologies(_Section):
    """One set of parameters for each of the ten typologies."""

    rented_cards: Typology
    cash_per_box: Typology
    pharmacy_ring: Typology
    hospital_stall: Typology
    certificate_abuse: Typology
    cold_chain: Typology
    remote_voucher: Typology
    code_swap: Typology
    staff_hoard: Typology
    lone_collector: Typology


class Ladder(_Section):
    """The layered price of a box as shares of its list price."""

    self_pay: float = Field(gt=0, lt=1)
    collector_pays: float = Field(gt=0, lt=1)
    dealer_pays: float = Field(gt=0, lt=1)


class Resale(_Section):
    """How boxes surface again."""

    lag_days: Spread
    elsewhere: float = Field(ge=0, le=1)
    outlets: int = Field(ge=1)
    peeled: ShareBySkill


class ParcelSettings(_Section):
    """What is shipped, and what of it is laid open."""

    box_kg: Spread
    boxes: Spread
    declared: Words
    household_declared: Words
    receivers: dict[str, float]
    household_receivers: dict[str, float]
    elsewhere: float = Field(ge=0, le=1)
    own_phone: float = Field(ge=0, le=1)
    household_month: float = Field(ge=0)
    hub_quarter: float = Field(ge=0, le=1)
    cold_packed: float = Field(ge=0, le=1)
    household_cold: float = Field(ge=0, le=1)
    look_back_days: int = Field(ge=0)


class AfterCase(_Section):
    """What a gang does once a case against it is open."""

    folds: float = Field(ge=0, le=1)
    activity: float = Field(ge=0, le=1)
    member_found: float = Field(ge=0, le=1)
    card_stops_days: float = Field(gt=0)


class CaseSettings(_Section):
    """How clues and cases come about, and how long they take."""

    triggers: dict[str, float]
    tip_delay_days: Spread
    decision_days: Spread
    landed_days: Spread
    outcomes_gang: dict[str, float]
    outcomes_honest: dict[str, float]
    appeal: float = Field(ge=0, le=1)
    proven: Spread
    recovered: float = Field(ge=0, le=1)
    gang_clues: float = Field(ge=0)
    tips_without_case: float = Field(ge=0)
    without_identifier: float = Field(ge=0, le=1)
    wrong_identifier: float = Field(ge=0, le=1)
    honest_tips: float = Field(ge=0)
    malicious_tips: float = Field(ge=0)
    honest_tip_case: float = Field(ge=0, le=1)
    audits: float = Field(ge=0)
    random_audits: float = Field(ge=0)
    english: float = Field(ge=0, le=1)


class GangSettings(_Section):
    """All parameters of the fraud in the province."""

    founding: Founding
    skill: Skill
    dealings: Dealings
    ladder: Ladder
    typologies: Typologies
    resale: Resale
    parcels: ParcelSettings
    after_case: AfterCase
    cases: CaseSettings

    def typology(self, word: str) -> Typology:
        """The parameters of a typology by its word."""
        found: Typology = getattr(self.typologies, word)
        return found


def load_gang_settings(path: Path) -> GangSettings:
    """Read the gangs' parameters.

    Raises:
        ConfigError: one sentence for every unknown key, wrong value or unreadable file.
    """
    return checked(GangSettings, read_yaml(path, "the gangs' parameters"), str(path))
