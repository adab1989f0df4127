"""The card of a model of accounts: what it is for, what it was trained on, and where it ends (Mitchell et al. 2019)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from models.case_comparison import Comparison
from models.case_contenders import PRIOR, TREES, CaseContender
from models.case_rows import Numbers
from models.case_splits import EVALUATIONS

_MEANINGS = {
    "random": "rows at random: the easiest, as members of a gang are in training and test",
    "group": "by group: no household, ring or case in both",
    "time": "by time: what was known before a day, tested on that day's accounts",
    "time_group": "by time and group: both; the headline",
}


@dataclass(frozen=True)
class Trained:
    """What a card tells of a training.

    Attributes:
        name: of the registered model.
        as_of: the day as of which it was trained.
        rows: of `models.case_rows.case_rows`.
        versions: tables read, with their Delta versions.
        settings: of the final trees.
        facts: capacity, seed, folds, embargo, search, and the like.
        tried: the settings that the search tried, see `models.case_search.Search`.
    """

    name: str
    as_of: date
    rows: pd.DataFrame
    versions: Mapping[str, int]
    settings: Mapping[str, Any]
    facts: Mapping[str, object]
    tried: pd.DataFrame


def counts(rows: pd.DataFrame) -> dict[str, int]:
    """How many rows of which kind there are."""
    target, labelled = rows["target"].to_numpy(bool), rows["is_labelled"].to_numpy(bool)
    return {
        "confirmed": int(target.sum()),
        "cleared": int((labelled & ~target).sum()),
        "in_no_case": int((~labelled).sum()),
        "in_no_case_drawn_from": round(float(rows["population"][~labelled].sum())),
        "feature_days": int(rows["feature_day"].nunique()),
    }


def model_card(trained: Trained, compared: Comparison, contenders: Sequence[CaseContender]) -> str:
    """The card as Markdown."""
    number = counts(trained.rows)
    days = sorted(str(day)[:10] for day in trained.rows["feature_day"].unique())
    positives = trained.rows[trained.rows["target"] == 1]
    triggers = ", ".join(
        f"{name} {count}" for name, count in positives["trigger"].value_counts().items()
    )
    versions = ", ".join(f"{name} {number}" for name, number in sorted(trained.versions.items()))
    inputs = ", ".join(f"`{each.name}`" for each in MEMBER_MODEL_INPUTS)
    settings = ", ".join(f"{key} {value}" for key, value in sorted(trained.settings.items()))
    facts = ", ".join(f"{key} {value}" for key, value in sorted(trained.facts.items()))
    return f"""# {trained.name}, trained as of {trained.as_of}

## Intended use
Helps people to decide which insured accounts to look at first: it moves the list of rules and links by a weight of
{compared.blend.weight}. A score is an indicator, no finding about a person, and locks nothing.

## Data
{number["confirmed"]} accounts of confirmed cases, {number["cleared"]} cleared or without finding, and
{number["in_no_case"]:,} in no case, drawn from {number["in_no_case_drawn_from"]:,} rows with a known chance. Features
of {number["feature_days"]} days, {days[0]} to {days[-1]}, each not after the day before the first clue. Tables and Delta
versions: {versions}.

Inputs: {inputs}. Their meaning is in docs/features.md.

## Where the labels come from
Cases that were decided before {trained.as_of}. Confirmed by trigger: {triggers or "none"}. A case that was cleared is a
hard negative.

## Left out
Open and withdrawn cases, confirmations under appeal, victims, and labelled accounts without features before their cut.
Everybody in a case that is known, decided or not, is left out of the draw.

## Assumptions
Accounts in no case count as innocent weakly: most of the fraud among them is unknown. Within a trigger, cases are taken
to be found whatever the inputs (selected completely at random); triggers count alike in training. Cases cannot test it.
The probability is that of being confirmed in a case, not of fraud: log-odds of the trees, times
{compared.calibration.slope}, plus {compared.calibration.intercept}, which the evaluation by group gives.

## Evaluation
Average precision with the middle 90 % of {len(compared.evaluations[compared.main].times)} bootstrap draws of whole groups. Accounts in no case count as
innocent, so the figures are lower bounds for all contenders alike.

{_evaluations(compared, contenders)}

{_main(compared, contenders)}

{_bounds(compared)}

## How much it moves the list
{_blend(compared)}

## Limits
{_limits(compared, number["confirmed"])}

## Settings
Trees: {settings}. {facts}.
"""


def input_example(rows: pd.DataFrame) -> dict[str, object]:
    """One made-up account as JSON: the median of every input, so nobody's values; null where most have none."""
    names = [each.name for each in MEMBER_MODEL_INPUTS]
    row = []
    for name in names:
        values: Numbers = rows[name].to_numpy(float)
        is_empty = pd.isna(values).mean() > 0.5
        row.append(None if is_empty else round(float(pd.Series(values).median()), 2))
    return {"columns": names, "data": [row]}


def _evaluations(compared: Comparison, contenders: Sequence[CaseContender]) -> str:
    made = [name for name in EVALUATIONS if name in compared.evaluations]
    lines = [
        "| contender | " + " | ".join(name.replace("_", " and ") for name in made) + " |",
        "| --- |" + " --- |" * len(made),
    ]
    for each in contenders:
        cells = []
        for name in made:
            value, low, high = _with_interval(compared, name, each.name)
            cells.append(f"{value:.3f} ({low:.3f} to {high:.3f})")
        lines.append(f"| {each.name} | " + " | ".join(cells) + " |")
    missing = [name for name in EVALUATIONS if name not in compared.evaluations]
    told = [f"- {name.replace('_', ' and ')}: {_MEANINGS[name]}" for name in made]
    if missing:
        told.append(
            f"- not possible: {', '.join(name.replace('_', ' and ') for name in missing)}; too few confirmed"
            " accounts were known before a later day of features"
        )
    return "\n".join([*lines, "", *told])


def _main(compared: Comparison, contenders: Sequence[CaseContender]) -> str:
    metrics = (
        *("precision_at_capacity", "recall_at_capacity", "loss_recall_at_capacity"),
        *("lift_at_capacity", "brier", "calibration_error"),
    )
    evaluation = compared.evaluations[compared.main]
    lines = [
        f"By {compared.main.replace('_', ' and ')}, the first {evaluation.capacity:,.0f} accounts of all days tested,"
        f" {int(evaluation.rows['target'].sum())} confirmed:",
        "",
        "| contender | " + " | ".join(name.replace("_", " ") for name in metrics) + " |",
        "| --- |" + " --- |" * len(metrics),
    ]
    for each in contenders:
        values = [compared.of(each.name, metric) for metric in metrics]
        cells = ["" if value != value else f"{value:.4f}" for value in values]
        lines.append(f"| {each.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _bounds(compared: Comparison) -> str:
    lines = [
        "Precision of these, for a share of fraud among accounts in no case. Lowest: only what is confirmed. Highest: every"
        " account in no case among the first, as far as the share allows. If at random: what follows from the assumption above.",
        "",
        "| contender | share | lowest | if at random | highest |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in compared.bounds.to_dict("records"):
        if row["contender"] in (TREES, PRIOR):
            lines.append(
                f"| {row['contender']} | {row['share']:.1%} | {row['low']:.3f} | {row['if_random']:.3f}"
                f" | {row['high']:.3f} |"
            )
    return "\n".join(lines)


def _blend(compared: Comparison) -> str:
    lines = [
        "| weight | average precision | behind the best | standard error of that |",
        "| --- | --- | --- | --- |",
    ]
    for row in compared.blend.table.to_dict("records"):
        lines.append(
            f"| {row['weight']} | {row['average_precision']:.4f} | {row['behind']:.4f} | {row['noise']:.4f} |"
        )
    chosen = (
        f"Chosen: {compared.blend.weight}, the least weight that is not behind the best by more than one standard"
        f" error, by {compared.blend.evaluation.replace('_', ' and ')}. 0 leaves the list as it is."
    )
    return "\n".join([*lines, "", chosen])


def _limits(compared: Comparison, confirmed: int) -> str:
    told = [
        f"- {confirmed} confirmed accounts are few: see the intervals before any difference.",
        "- Cases are old and biased: who is never inquired into is never learned.",
        "- Fraud of a kind that no case had yet is left to rules and links.",
    ]
    model, rules = compared.of(TREES, "average_precision"), compared.of(PRIOR, "average_precision")
    if model < rules:
        told.append("- On closed cases the trees alone rank worse than rules and links do.")
    return "\n".join(told)


def _with_interval(compared: Comparison, evaluation: str, contender: str) -> tuple[float, ...]:
    rows = compared.figures
    found = rows[
        (rows["evaluation"] == evaluation)
        & (rows["contender"] == contender)
        & (rows["metric"] == "average_precision")
    ]
    if not len(found):
        return (float("nan"),) * 3
    first = found.iloc[0]
    return float(first["value"]), float(first["low"]), float(first["high"])
