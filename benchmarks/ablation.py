"""What the institution model owes to which features: `python -m benchmarks.ablation LAKE`.

Reads the newest gold.institution_training_row, judges variants of the model in the same folds as
train_model, and prints average precision with the corrected interval of each difference.
"""

import sys

import numpy as np
from pyspark.sql import functions as F
from rich.console import Console
from rich.table import Table

from expectations.feature.institution import PLAIN_FEATURES, model_inputs
from expectations.gold.institution import INSTITUTION_TRAINING_ROW
from jobs.lake.tables import Lake
from jobs.runtime.config import load_config
from jobs.runtime.session import start_session
from models.cross_validation import Contender, out_of_fold_scores
from models.judgement import judgement
from models.splits import repeated_folds

_DAILY_COST = "inpatient_amount_per_day_mean"
_LONG_STAYS = {
    "inpatient_stay_days_max",
    "inpatient_stay_days_std",
    "inpatient_stay_days_second_max",
    "inpatient_stay_days_max_to_mean",
    "inpatient_amount_per_day",
    "inpatient_amount_per_day_median",
}
#: Found by eye in these labels, thresholds included: see docs/results.md.
_RULE_DAYS, _RULE_DAILY_COST = 22, 2300


def contenders() -> list[Contender]:
    """The model first, then less and less of it, and the bars."""
    inputs = model_inputs("inpatient")
    plain = tuple(PLAIN_FEATURES)
    without_daily = tuple(name for name in inputs if name != _DAILY_COST)
    return [
        Contender("the model", "trees", tuple(inputs)),
        Contender("without mean daily charge", "trees", without_daily),
        Contender(
            "nor long stays, nor daily cost",
            "trees",
            tuple(name for name in without_daily if name not in _LONG_STAYS),
        ),
        Contender("19 plain features", "trees", plain),
        Contender(
            "plain without longest stay", "trees", tuple(n for n in plain if n not in _LONG_STAYS)
        ),
        Contender("rule, then claim count", "ranking", ("rule",)),
        Contender("claim count", "ranking", ("inpatient_claim_count",)),
    ]


def main(root: str) -> None:
    """Judge the variants and print them."""
    spark = start_session("ablation", "conf/spark-local.conf")
    settings = load_config("conf/real.yaml").train
    rows = Lake(spark, root).read(INSTITUTION_TRAINING_ROW)
    newest = rows.agg(F.max("as_of_date")).collect()[0][0]
    frame = rows.filter(F.col("as_of_date") == F.lit(newest)).orderBy("institution_id").toPandas()
    frame["has_basis"] = frame["inpatient_claim_count"] > 0
    is_ruled = (frame["inpatient_stay_days_max"] >= _RULE_DAYS) & (
        frame[_DAILY_COST] >= _RULE_DAILY_COST
    )
    frame["rule"] = 1e6 * is_ruled + frame["inpatient_claim_count"]
    strata = (2 * frame["label"] + frame["has_basis"]).tolist()
    ids, groups = frame["institution_id"].tolist(), frame["component"].tolist()
    folds = repeated_folds(ids, strata, groups, settings.folds, settings.repeats, settings.seed)
    compared = contenders()
    scores = out_of_fold_scores(spark, frame, compared, folds, settings.seed)
    judged = judgement(frame, folds, scores, compared)
    table = Table(
        "variant", "average precision", "sd", "the model less it", "corrected 95 %", box=None
    )
    by_fold = judged.spread.query("subset == 'with_basis' and metric == 'average_precision'")
    for row in by_fold.itertuples():
        less = judged.differences.query(
            "subset == 'with_basis' and metric == 'average_precision' and contender == @row.contender"
        )
        told = [
            f"{v:.3f}" for v in np.ravel(less[["mean", "corrected_low", "corrected_high"]])
        ] or [""] * 3
        table.add_row(
            str(row.contender), f"{row.mean:.3f}", f"{row.sd:.3f}", told[0], " to ".join(told[1:])
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main(sys.argv[1])
