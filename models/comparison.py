"""Two versions of a model on the same rows: every row is scored by trees that were fitted without it."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from os import cpu_count
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from xgboost import XGBClassifier

from expectations.contract.errors import JobError
from models.evaluation import (
    Labels,
    Numbers,
    PairedDifference,
    differences_from,
    fold_figures,
    spreads,
)

CHAMPION, CHALLENGER = "champion", "challenger"
#: The figure that decides.
HEADLINE = "average_precision"

Verdict = Literal["better", "worse", "alike", "unknown"]


class NotComparable(JobError):
    """Two versions cannot be judged on the same rows."""


@dataclass(frozen=True)
class Side:
    """How one of the two versions was made, so that it can be fitted again without a fold.

    Attributes:
        name: CHAMPION or CHALLENGER.
        features: the features of its trees.
        parameters: of the trees.
        rows: its training rows: identity, group, label, weight and the features. `identity` is whom a row
            is about; an account may have several rows.
    """

    name: str
    features: tuple[str, ...]
    parameters: Mapping[str, Any]
    rows: pd.DataFrame


@dataclass(frozen=True)
class Changed:
    """A parameter, a setting or the version of a table in which the two differ; empty: it has none."""

    name: str
    champion: str
    challenger: str


@dataclass(frozen=True)
class Moved:
    """A subject that comes into the first places or goes out of them; a rank is None beyond the list."""

    subject: str
    champion_rank: int | None
    challenger_rank: int | None


@dataclass(frozen=True)
class ListChange:
    """What the challenger changes among the first `top` places of the list of a day."""

    as_of: str
    top: int
    stayed: int
    entered: tuple[Moved, ...] = ()
    left: tuple[Moved, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A figure of both versions over the same folds, and their difference (challenger less champion)."""

    figure: str
    champion: float
    challenger: float
    difference: PairedDifference


@dataclass(frozen=True)
class VersionFacts:
    """What a reader needs to know of a version."""

    version: str
    run_id: str
    train_as_of: str
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion.

    Attributes:
        problem: why there are no figures; empty if there are.
        list_problem: why the lists were not compared; empty if they were.
        counts: rows, positives, folds and repeats behind the figures.
    """

    subject: str
    name: str
    champion: VersionFacts
    challenger: VersionFacts
    parameters: tuple[Changed, ...] = ()
    data: tuple[Changed, ...] = ()
    features_added: tuple[str, ...] = ()
    features_removed: tuple[str, ...] = ()
    figures: tuple[Compared, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    list_problem: str = ""
    changes: ListChange | None = None

    @property
    def headline(self) -> Compared | None:
        """The figure that decides."""
        return next((each for each in self.figures if each.figure == HEADLINE), None)

    @property
    def verdict(self) -> Verdict:
        """The challenger against the champion, by the corrected interval of the headline figure."""
        if self.headline is None:
            return "unknown"
        difference = self.headline.difference
        if difference.corrected_low > 0:
            return "better"
        return "worse" if difference.corrected_high < 0 else "alike"

    def document(self) -> dict[str, Any]:
        """The comparison as plain values for JSON."""
        return {**asdict(self), "verdict": self.verdict}


def differing(champion: Mapping[str, str], challenger: Mapping[str, str]) -> tuple[Changed, ...]:
    """The names whose values differ, in the order of the alphabet."""
    names = sorted({*champion, *challenger})
    return tuple(
        Changed(name, champion.get(name, ""), challenger.get(name, ""))
        for name in names
        if champion.get(name, "") != challenger.get(name, "")
    )


def compared_figures(
    judged: pd.DataFrame, folds: npt.NDArray[np.int32], sides: Sequence[Side], seed: int
) -> tuple[Compared, ...]:
    """The figures of both sides on the same rows in the same folds, the headline first.

    Args:
        judged: the rows that both are judged on: identity, group, label and the features of both; and,
            for a sample, population: how many each row stands for.
        folds: the fold that tests each row, of shape (repeats, rows); groups are whole in it.
        sides: the champion and the challenger.
        seed: of the trees.

    Raises:
        NotComparable: when a side has no rows of both labels left in a fold, or no fold tests both.
    """
    scores = held_out_scores(judged, folds, sides, seed)
    labels: Labels = judged["label"].to_numpy(np.int_)
    weights = judged["population"].to_numpy(np.float64) if "population" in judged else None
    by_fold = fold_figures(labels, folds, scores, list(scores), weights)
    by_fold = by_fold[by_fold["subset"] == "with_basis"]
    found = differences_from(by_fold, CHALLENGER, int(folds.max()) + 1)
    if found.empty:
        raise NotComparable("fewer than two folds have subjects of both labels")
    means = spreads(by_fold).set_index(["contender", "metric"])["mean"]
    parts = PairedDifference.__dataclass_fields__
    rows = [
        Compared(
            figure=str(row["metric"]),
            champion=float(means[CHAMPION, row["metric"]]),
            challenger=float(means[CHALLENGER, row["metric"]]),
            difference=PairedDifference(**{part: row[part] for part in parts}),
        )
        for row in found.to_dict("records")
    ]
    return tuple(sorted(rows, key=lambda each: (each.figure != HEADLINE, each.figure)))


def held_out_scores(
    judged: pd.DataFrame, folds: npt.NDArray[np.int32], sides: Sequence[Side], seed: int
) -> dict[str, Numbers]:
    """Scores of shape (repeats, rows) for each side, by its own rows less those of the tested fold.

    A side is fitted without the subjects of the fold and without the groups of these, whether or not
    it was registered with them. One thread fits one model, so the number of cores changes nothing.
    """
    scores = {side.name: np.full(folds.shape, np.nan) for side in sides}

    def fit(task: tuple[Side, int, int]) -> None:
        side, repeat, fold = task
        is_tested = folds[repeat] == fold
        scores[side.name][repeat, is_tested] = _scored(side, judged[is_tested], seed)

    tasks = [
        (side, repeat, fold)
        for side in sides
        for repeat in range(len(folds))
        for fold in range(int(folds.max()) + 1)
    ]
    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(fit, tasks))
    return scores


def list_change(ranks: pd.DataFrame, as_of: str, top: int) -> ListChange:
    """The change among the first places.

    Args:
        ranks: subject, champion_rank and challenger_rank (missing: not on that list), at least all
            subjects of the first places of either.
        as_of: the day of the list.
        top: the number of places.
    """
    before, after = ranks["champion_rank"] <= top, ranks["challenger_rank"] <= top
    return ListChange(
        as_of=as_of,
        top=top,
        stayed=int((before & after).sum()),
        entered=_moved(ranks[after & ~before], "challenger_rank"),
        left=_moved(ranks[before & ~after], "champion_rank"),
    )


def _moved(ranks: pd.DataFrame, order: str) -> tuple[Moved, ...]:
    return tuple(
        Moved(str(row["subject"]), _rank(row["champion_rank"]), _rank(row["challenger_rank"]))
        for row in ranks.sort_values(order).to_dict("records")
    )


def _rank(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _scored(side: Side, tested: pd.DataFrame, seed: int) -> Numbers:
    """Scores of a fold's rows by trees of a side that saw neither them nor their groups."""
    # Groups may be cut otherwise in another version's rows, so identities count too.
    is_tested = side.rows["identity"].isin(tested["identity"])
    rows = side.rows[~is_tested & ~side.rows["group"].isin(tested["group"])]
    if rows["label"].nunique() < 2:
        raise NotComparable(
            f"the {side.name} has no training rows of both labels outside one of the folds"
        )
    model = XGBClassifier(random_state=seed, n_jobs=1, **side.parameters)
    features = list(side.features)
    model.fit(
        rows[features].to_numpy(np.float64),
        rows["label"].to_numpy(np.int_),
        sample_weight=rows["weight"].to_numpy(np.float64),
    )
    found = model.predict_proba(tested[features].to_numpy(np.float64))[:, 1]
    return np.asarray(found, dtype=np.float64)
