"""A small province with gangs, made once for the tests about them."""

from functools import cache
from pathlib import Path

import numpy as np

from jobs.province.gangs.fraud import GangMonth, gang_months
from jobs.province.gangs.gangs import Plan, Province
from jobs.province.gangs.plan import plan
from jobs.province.gangs.settings import GangSettings, load_gang_settings
from jobs.province.settings import load_settings
from jobs.province.world import World

CONF = Path(__file__).parents[2] / "conf" / "simulation"
MEMBERS, SHARE, MONTHS = 20_000, 0.02, 12


@cache
def gang_settings() -> GangSettings:
    return load_gang_settings(CONF / "gangs.yaml")


@cache
def province(seed: int = 1, members: int = MEMBERS) -> Province:
    return World(seed, load_settings(str(CONF / "province.yaml")), members).province()


@cache
def planned(
    seed: int = 1, members: int = MEMBERS, share: float = SHARE, months: int = MONTHS
) -> Plan:
    return plan(province(seed, members), gang_settings(), share, months)


@cache
def at_work(seed: int = 1, months: int = MONTHS) -> tuple[GangMonth, ...]:
    """All months of all gangs."""
    here, gangs = province(seed), planned(seed)
    return tuple(
        each
        for gang in range(len(gangs.gangs))
        for each in gang_months(here, gang_settings(), gangs, gang, months)
    )


def rows_equal(left: object, right: object) -> bool:
    """Whether two sets of columns hold the same values."""
    return all(
        np.array_equal(value, getattr(right, name), equal_nan=value.dtype.kind == "f")
        for name, value in vars(left).items()
    )
