"""Training rows of accounts as arrays: what is learned, with which weight, and what must not be split.

Closed cases are no random sample of fraud: severe cases and those of some triggers are found first, and most fraud
is in no case. So accounts in no case count as innocent only weakly: each stands for as many as it was drawn from
(`1 / propensity`), and so much more fraud among them lowers every probability alike. The assumption is that within a
trigger cases are found whatever the inputs of the account (selected completely at random; Elkan and Noto 2008);
triggers count alike, so that the commonest one does not decide what fraud looks like. It cannot be tested on cases.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.feature.member_model import MEMBER_MODEL_INPUT_NAMES

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: What the fund paid for drugs in a year: models are compared with a ranking by it.
AMOUNT = "drug_fund_sum_365d"

#: What the columns of `case_rows` are made of.
SOURCE_COLUMNS = (
    *("member_id", "feature_date", "label", "decided_on", "trigger", "typology", "loss_amount"),
    *("propensity", "component", AMOUNT, *MEMBER_MODEL_INPUT_NAMES),
)
_UNKNOWN = "unknown"


def case_rows(training_rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in a fixed order with `target`, `population`, `weight`, `loss` beside the inputs.

    `target` is 1 for confirmed accounts. `population` is how many accounts a row stands for. `weight` is its
    weight in training: that number, and for confirmed accounts one that makes triggers count alike.
    `loss` is the proven loss in yuan, 0 where none is known. Days are NumPy days.

    Args:
        training_rows: SOURCE_COLUMNS of gold.member_training_row.
    """
    rows = training_rows.sort_values(["member_id", "feature_date"], ignore_index=True)
    target = (rows["label"] == 1).to_numpy()
    population = 1.0 / rows["propensity"].to_numpy(np.float64)
    trigger = rows["trigger"].fillna(_UNKNOWN).astype(str)
    numbers = rows[[AMOUNT, *MEMBER_MODEL_INPUT_NAMES]].astype(np.float64)
    return pd.DataFrame(
        {
            "member_id": rows["member_id"].astype(str),
            "component": rows["component"].astype(str),
            "feature_day": pd.to_datetime(rows["feature_date"]).to_numpy("datetime64[D]"),
            "decided_day": pd.to_datetime(rows["decided_on"]).to_numpy("datetime64[D]"),
            "is_labelled": rows["label"].notna().to_numpy(),
            "target": target.astype(np.int_),
            "trigger": trigger,
            "typology": rows["typology"].fillna(_UNKNOWN).astype(str),
            "loss": np.where(target, rows["loss_amount"].astype(np.float64).fillna(0.0), 0.0),
            "population": population,
            "weight": training_weights(target, population, trigger.to_numpy()),
            **{name: numbers[name].to_numpy() for name in numbers},
        }
    )


def training_weights(
    target: Flags, population: Numbers, trigger: npt.NDArray[np.object_]
) -> Numbers:
    """The weight of each row: its population, and for confirmed accounts such that triggers count alike.

    The weights of confirmed accounts sum to their number.
    """
    weights = population.astype(np.float64).copy()
    kinds, place, counts = np.unique(
        trigger[target].astype(str), return_inverse=True, return_counts=True
    )
    if len(kinds):
        weights[target] = target.sum() / (len(kinds) * counts[place])
    return weights
