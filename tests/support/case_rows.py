"""Training rows of accounts, made up: who has many points is confirmed more often."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES
from models.case_rows import AMOUNT

DAYS = (date(2025, 1, 1), date(2025, 4, 1), date(2025, 7, 1))


def training_rows(count: int = 400, seed: int = 1) -> pd.DataFrame:
    """Accounts of three days, in the columns that `models.case_rows` reads."""
    rng = np.random.default_rng(seed)
    points = rng.exponential(1.0, count)
    target = rng.random(count) < points / 12
    is_negative = ~target & (rng.random(count) < 0.05)
    is_labelled = target | is_negative
    day = rng.integers(0, 3, count)
    numbers = {name: np.zeros(count) for name in MEMBER_MODEL_INPUT_NAMES}
    numbers |= {"prior": np.log(points + 0.25) - 4, "own_points": points, "points_use": points}
    numbers["link_weight_two_best_365d"] = np.where(rng.random(count) < 0.1, points, np.nan)
    return pd.DataFrame(
        {
            "member_id": [f"m{number:04}" for number in range(count)],
            "feature_date": [DAYS[each] for each in day],
            "label": np.where(is_labelled, target.astype(float), np.nan),
            "decided_on": [
                DAYS[place] + timedelta(days=30 * (number % 9)) if labelled else None
                for number, (place, labelled) in enumerate(zip(day, is_labelled, strict=True))
            ],
            "trigger": [("tip", "audit")[number % 3 == 0] for number in range(count)],
            "typology": ["gang_card_holder" if each else None for each in target],
            "loss_amount": np.where(target, 100.0 + np.arange(count), np.nan),
            "propensity": np.where(is_labelled, 1.0, np.where(points > 1, 1.0, 0.1)),
            "component": [f"c{number // 2}" for number in range(count)],
            AMOUNT: rng.exponential(100.0, count),
            **numbers,
        }
    )
