"""What the province is like: `conf/simulation/province.yaml`, checked by typed models at start."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from expectations.contract.yaml_files import checked, read_yaml

#: People of one neighbourhood.
CELL_PEOPLE = 5_000
#: Most neighbourhoods that one task simulates.
CHUNK_CELLS = 10


class _Section(BaseModel):
    """A part of the settings: frozen, and closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class PerKind(_Section):
    """A number for each kind of institution."""

    level_3: float = Field(ge=0)
    level_2: float = Field(ge=0)
    level_1: float = Field(ge=0)
    clinic: float = Field(ge=0)
    pharmacy: float = Field(ge=0)
    village: float = Field(ge=0)

    def numbers(self) -> tuple[float, ...]:
        """In the order of `geography.KINDS`."""
        return (
            self.level_3,
            self.level_2,
            self.level_1,
            self.clinic,
            self.pharmacy,
            self.village,
        )


class Geography(_Section):
    """Districts, institutions and doctors."""

    prefix: str = Field(pattern=r"^\d\d$")
    other_prefixes: list[str] = Field(min_length=1)
    latitude: float
    longitude: float
    radius_km: float = Field(gt=0)
    cells_per_district: int = Field(ge=1)
    urban_share: float = Field(ge=0, le=1)
    institutions_per_100k: PerKind
    institutions_at_least: PerKind
    visits_weight: PerKind
    dual_channel_share: float = Field(ge=0, le=1)
    elsewhere_share: float = Field(ge=0, le=1)
    doctors_per_1000: float = Field(gt=0)
    visit_cap: PerKind


class Population(_Section):
    """Age and sex, households, insurance."""

    households: dict[str, float]
    urban_employee_share: float = Field(ge=0, le=1)
    rural_employee_share: float = Field(ge=0, le=1)
    elsewhere_share: float = Field(ge=0, le=0.2)
    own_phone_share: float = Field(ge=0, le=1)
    spouse_phone_share: float = Field(ge=0, le=1)
    clerk_share: float = Field(ge=0, le=1)
    clerk_registers: float = Field(ge=0, le=1)
    pause_rate: float = Field(ge=0, le=1)
    entry_rate: float = Field(ge=0, le=1)
    death_rate_at_65: float = Field(gt=0, lt=1)
    death_rate_doubling_years: float = Field(gt=0)
    dormitory_share: float = Field(ge=0, le=1)
    nursing_home_share: float = Field(ge=0, le=1)


class Care(_Section):
    """How often people are treated, and how much of what they get."""

    acute_rate: float = Field(ge=0)
    pharmacy_rate: float = Field(ge=0)
    stay_rate: float = Field(ge=0)
    scaled_lines: float = Field(gt=0)
    fixed_lines: float = Field(ge=0)
    refilling_share: float = Field(ge=0, le=1)
    refill_days: float = Field(gt=0)
    refill_spread: float = Field(ge=0, le=1)
    refill_missed: float = Field(ge=0, le=1)
    second_institution_share: float = Field(ge=0, le=1)
    usual_institution: float = Field(ge=0, le=1)
    proxy_share: float = Field(ge=0, le=1)
    stated_days_share: float = Field(ge=0, le=1)
    holiday_factor: float = Field(ge=0, le=1)
    sunday_factor: float = Field(ge=0, le=1)
    market_factor: float = Field(ge=1)
    refill_services: float = Field(ge=0, le=1)
    other_diagnosis: float = Field(ge=0, le=1)
    other_code: float = Field(ge=0, le=1)
    material_buyers: float = Field(ge=0, le=1)
    material_share: float = Field(ge=0, le=1)
    stay_drugs: float = Field(ge=0)
    stay_days: float = Field(ge=1)
    longer_from: date | None
    longer_share: float = Field(ge=0, le=1)
    longer_times: int = Field(ge=2, le=6)


class Certificates(_Section):
    """Those who hold a special-disease certificate."""

    months_before_start: float = Field(ge=0)
    common_uptake: float = Field(ge=0)
    least_cap: list[float] = Field(min_length=2, max_length=2)
    visits_a_month: float = Field(gt=0)
    visits_spread: float = Field(ge=0)
    drugs_a_visit: float = Field(gt=0)
    monthly_cost: float = Field(gt=0)
    monthly_cost_spread: float = Field(ge=0)
    herbal_share: float = Field(ge=0, le=1)
    herbal_cost: float = Field(gt=0)
    herbal_cost_spread: float = Field(ge=0)
    second_institution_share: float = Field(ge=0, le=1)
    same_day_share: float = Field(ge=0, le=1)
    same_day_rate: float = Field(ge=0, le=1)
    fund_share: float = Field(ge=0, le=1)


class Billing(_Section):
    """Who pays, when it arrives, what is taken back."""

    outpatient_fund_share: PerKind
    inpatient_fund_share: PerKind
    employee_bonus: float = Field(ge=0, le=1)
    account_share: float = Field(ge=0, le=1)
    e_voucher_share: float = Field(ge=0, le=1)
    identity_card_share: float = Field(ge=0, le=1)
    refund_rate: float = Field(ge=0, le=1)
    partial_refund_share: float = Field(ge=0, le=1)
    next_day_share: float = Field(ge=0, le=1)
    late_share: float = Field(ge=0, le=1)
    late_days: float = Field(gt=0)


class Benign(_Section):
    """Shares of people who look guilty and are not; of those to whom it can apply."""

    couple: float = Field(ge=0, le=1)
    family_carer: float = Field(ge=0, le=1)
    neighbour_carer: float = Field(ge=0, le=1)
    dialysis_shift: float = Field(ge=0, le=1)
    shuttle_bus: float = Field(ge=0, le=1)
    shared_doctor: float = Field(ge=0, le=1)
    several_clinics: float = Field(ge=0, le=1)
    factory_shift: float = Field(ge=0, le=1)
    night_clinic: float = Field(ge=0, le=1)
    commuter: float = Field(ge=0, le=1)
    many_doctors: float = Field(ge=0, le=1)
    herbal_course: float = Field(ge=0, le=0.3)
    infusion_course: float = Field(ge=0, le=0.3)
    dear_course: float = Field(ge=0, le=0.3)
    new_treatment: float = Field(ge=0, le=0.3)
    double_dose: float = Field(ge=0, le=1)
    broken_treatment: float = Field(ge=0, le=1)
    year_end_stock: float = Field(ge=0, le=1)
    village_batch: float = Field(ge=0, le=1)
    market_day: float = Field(ge=0, le=1)
    long_prescription: float = Field(ge=0, le=1)
    travel_stock: float = Field(ge=0, le=1)
    regimen_switch: float = Field(ge=0, le=1)


class Desks(_Section):
    """What goes wrong at honest tills and desks."""

    careless_counter: float = Field(ge=0, le=1)
    careless_box: float = Field(ge=0, le=1)
    miskeyed_code: float = Field(ge=0, le=1)
    wrong_entry: float = Field(ge=0, le=1)
    returned_box: float = Field(ge=0, le=1)


class Settings(_Section):
    """All that can be set about the honest province."""

    start: date
    intensity: float = Field(gt=0, le=200)
    fraud_share: float = Field(ge=0, le=0.2)
    geography: Geography
    population: Population
    care: Care
    certificates: Certificates
    billing: Billing
    benign: Benign
    desks: Desks

    @field_validator("start")
    @classmethod
    def _first_of_month(cls, start: date) -> date:
        if start.day != 1:
            raise ValueError("the province starts on the first day of a month")
        return start

    def month_days(self, month: int) -> tuple[int, int]:
        """First day and day after the last of a month, counted from the start."""
        number = self.start.year * 12 + self.start.month - 1 + month
        first = date(number // 12, number % 12 + 1, 1)
        after = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
        return (first - self.start).days, (after - self.start).days

    @property
    def longer_day(self) -> int | None:
        """The day from which prescriptions may be longer, counted from the start."""
        since = self.care.longer_from
        return None if since is None else (since - self.start).days

    def day(self, number: int) -> date:
        """The date of a day counted from the start."""
        return self.start + timedelta(days=number)

    def calendar_month(self, month: int) -> int:
        """0 for January to 11 for December."""
        return (self.start.month - 1 + month) % 12

    @property
    def rate_factor(self) -> float:
        """By how much visits other than refills are scaled to reach the intensity."""
        return max(self.intensity - self.care.fixed_lines, 0.0) / self.care.scaled_lines

    @property
    def epoch_day(self) -> int:
        """The start in days since 1970-01-01."""
        return (self.start - date(1970, 1, 1)).days


def cells(members: int) -> int:
    """How many neighbourhoods so many people live in."""
    return -(-members // CELL_PEOPLE)


def chunks(members: int) -> list[range]:
    """The neighbourhoods of each task: a function of the number of people alone."""
    count = cells(members)
    size = max(1, min(CHUNK_CELLS, count // 4))
    return [range(first, min(first + size, count)) for first in range(0, count, size)]


def load_settings(path: str, changes: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; `changes` are top-level values from the command line.

    Raises:
        ConfigError: one sentence for every unknown key, wrong value or unreadable file.
    """
    content = read_yaml(path, "the settings")
    return checked(Settings, {**content, **(changes or {})}, path)
