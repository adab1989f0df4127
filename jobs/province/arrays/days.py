"""The calendar of the province: weekdays, public holidays, market days, hours of opening."""

from datetime import date, timedelta
from functools import cache

import numpy as np

from jobs.province.arrays.draws import Flags, Floats, Ints
from jobs.province.settings import Settings

DAY = 86_400
#: A market is held every fifth day, on a day of the neighbourhood's own.
MARKET_DAYS = 5
#: First day and length of the Spring Festival's holidays, by the State Council's notices; later years
#: by the lunar calendar.
_SPRING = {
    2024: (date(2024, 2, 10), 8),
    2025: (date(2025, 1, 28), 8),
    2026: (date(2026, 2, 15), 9),
    2027: (date(2027, 2, 5), 8),
    2028: (date(2028, 1, 25), 8),
    2029: (date(2029, 2, 12), 8),
    2030: (date(2030, 2, 2), 8),
}
#: Month, day, length of the other holidays (the Dragon Boat and Mid-Autumn days vary by a few days).
_FIXED = ((1, 1, 1), (4, 4, 3), (5, 1, 5), (6, 10, 2), (10, 1, 7))

#: Visits by hour of the day, by sort of institution: hospitals in the morning, pharmacies until night.
_HOURS = (
    "0 0 0 0 0 0 1 8 18 19 16 9 3 8 12 9 5 2 1 1 1 1 0 0",
    "0 0 0 0 0 0 1 9 18 18 15 8 3 8 11 8 5 2 1 1 1 0 0 0",
    "0 0 0 0 0 0 1 9 19 18 14 6 2 8 11 9 5 1 0 0 0 0 0 0",
    "0 0 0 0 0 0 0 5 12 13 12 7 4 7 10 10 8 5 3 2 1 0 0 0",
    "0 0 0 0 0 0 0 3 8 10 10 7 5 6 8 9 9 8 7 6 4 1 0 0",
    "0 0 0 0 0 1 3 9 13 12 10 6 3 5 8 9 8 6 4 2 0 0 0 0",
)


def hours() -> Floats:
    """Weights of the 24 hours, a row a sort of institution."""
    return np.array([[float(weight) for weight in row.split()] for row in _HOURS])


def weekdays(settings: Settings, day: Ints) -> Ints:
    """0 for Monday to 6 for Sunday."""
    found: Ints = (settings.start.weekday() + day) % 7
    return found


def is_holiday(settings: Settings, day: Ints) -> Flags:
    """Whether days counted from the start are public holidays."""
    flags = _holiday_flags(settings.start)
    return flags[np.clip(day, 0, len(flags) - 1)]


def before_travel(settings: Settings, day: Ints) -> Flags:
    """Whether a day lies in the three weeks before the Spring Festival or the October holiday."""
    flags = _holiday_flags(settings.start)
    found = np.zeros(len(flags), bool)
    for number in range(len(flags)):
        when = settings.start + timedelta(days=number)
        if flags[number] and (when.month in (1, 2, 10)) and not flags[max(number - 1, 0)]:
            found[max(number - 21, 0) : number] |= (when.month, when.day) != (1, 1)
    return found[np.clip(day, 0, len(flags) - 1)]


def ends_year(settings: Settings, day: Ints) -> Flags:
    """Whether a day lies in December."""
    flags = _december_flags(settings.start)
    return flags[np.clip(day, 0, len(flags) - 1)]


def day_weights(settings: Settings, first: int, after: int, market: int | None) -> Floats:
    """How many go to the doctor on each day of a month, relative; `market` is the day's phase or None."""
    day = np.arange(first, after)
    care = settings.care
    weights = np.where(weekdays(settings, day) == 6, care.sunday_factor, 1.0)
    weights = np.where(weekdays(settings, day) == 0, 1.15, weights)
    weights = np.where(is_holiday(settings, day), care.holiday_factor, weights)
    if market is not None:
        weights = weights * np.where(day % MARKET_DAYS == market, care.market_factor, 1.0)
    return np.asarray(weights, np.float64)


@cache
def _holiday_flags(start: date) -> Flags:
    flags = np.zeros(3660, bool)
    spans = list(_SPRING.values())
    for year in range(start.year, start.year + 11):
        spans += [(date(year, month, day), length) for month, day, length in _FIXED]
    for first, length in spans:
        begin = (first - start).days
        if begin + length > 0:
            flags[max(begin, 0) : begin + length] = True
    return flags


@cache
def _december_flags(start: date) -> Flags:
    return np.array([(start + timedelta(days=number)).month == 12 for number in range(3660)])
