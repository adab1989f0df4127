"""Two registered versions of a model beside each other: their facts from MLflow, their rows from the lake."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from expectations.contract.errors import DataRefused, JobError
from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from jobs.inputs.model_rows import training_frame
from jobs.runtime.job import JobRun
from models.comparison import (
    CHALLENGER,
    CHAMPION,
    Comparison,
    NotComparable,
    Side,
    VersionFacts,
    compared_figures,
    differing,
)
from models.estimators import BOOSTER
from models.splits import repeated_folds
from models.tracking import Store, Version

_INPUT = "input."
#: Parameters of a run that say on what it was trained, not how.
_COUNTS = (
    *("train_as_of", "labelled", "positives", "with_basis", "positives_with_basis"),
    *("confirmed", "cleared", "in_no_case", "in_no_case_drawn_from", "feature_days"),
)
#: Tags of a version that are as good as parameters.
_TAGS = ("care_setting", "code_version", "catalogue_digest", "blend_weight")
#: Parameters of trees that a run may have beside those of `models.estimators.BOOSTER`.
_MORE_PARAMETERS = ("max_delta_step", "reg_alpha", "gamma", "colsample_bytree")


def wanted_version(run: JobRun, store: Store, name: str, wanted: str) -> Version:
    """A version by number or alias.

    Raises:
        DataRefused: when there is none.
    """
    found = store.find(name, wanted)
    if found is not None:
        return found
    kind = "version" if wanted.isdigit() else "version with the alias"
    known = ", ".join(each.version for each in store.versions(name)) or "none"
    raise DataRefused(
        f"model {name} has no {kind} {wanted}: its versions are {known}; give one with --version or"
        " --against, or run train_model"
    )


def compared(
    run: JobRun, store: Store, subject: str, champion: Version, challenger: Version
) -> Comparison:
    """What differs between two versions, and their figures on the challenger's training rows."""
    of_champion, of_challenger = (
        store.client.get_run(each.run_id).data.params for each in (champion, challenger)
    )
    found = Comparison(
        subject=subject,
        name=challenger.name,
        champion=_facts(champion),
        challenger=_facts(challenger),
        parameters=differing(
            _settings(champion, of_champion), _settings(challenger, of_challenger)
        ),
        data=differing(_data(champion, of_champion), _data(challenger, of_challenger)),
        features_added=_missing(challenger, champion),
        features_removed=_missing(champion, challenger),
    )
    try:
        sides = [
            Side(
                side,
                version.features,
                _trees(params) | _directions(subject, version),
                training_frame(run, subject, version),
            )
            for side, version, params in (
                (CHAMPION, champion, of_champion),
                (CHALLENGER, challenger, of_challenger),
            )
        ]
        return _judged(run, found, sides)
    except (NotComparable, DataRefused) as problem:
        return replace(found, problem=str(problem))
    except JobError as problem:
        return replace(found, problem=f"its training rows cannot be read again: {problem}")


def _judged(run: JobRun, found: Comparison, sides: list[Side]) -> Comparison:
    settings = run.config.train
    rows = _rows_of_both(sides)
    try:
        folds = repeated_folds(
            rows["subject"].tolist(),
            rows["label"].tolist(),
            rows["group"].tolist(),
            settings.folds,
            settings.repeats,
            settings.seed,
        )
    except ValueError as problem:
        raise NotComparable(f"the rows give no folds: {problem}") from None
    figures = compared_figures(rows, folds, sides, settings.seed)
    counts = {
        "rows": len(rows),
        "positives": int(rows["label"].sum()),
        "folds": settings.folds,
        "repeats": settings.repeats,
    }
    return replace(found, figures=figures, counts=counts)


def _rows_of_both(sides: list[Side]) -> pd.DataFrame:
    """The challenger's rows that have the features of both."""
    champion, challenger = sides
    absent = sorted({*champion.features} - {*challenger.rows.columns})
    if absent:
        raise NotComparable(
            f"the challenger's training rows have no {', '.join(absent)}, which the champion looks at"
        )
    unknown = sorted({*champion.features} - {*champion.rows.columns})
    if unknown:
        raise NotComparable(f"the champion's training rows have no {', '.join(unknown)}")
    return challenger.rows


def _facts(version: Version) -> VersionFacts:
    return VersionFacts(
        version.version, version.run_id, version.train_as_of.isoformat(), version.features
    )


def _settings(version: Version, params: Mapping[str, str]) -> dict[str, str]:
    """How a version was trained: the run's parameters and some tags, without what it was trained on."""
    found = {
        key: value
        for key, value in params.items()
        if key not in _COUNTS and not key.startswith(_INPUT)
    }
    tags = version.signed_tags
    return found | {key: tags[key] for key in _TAGS if tags.get(key)}


def _data(version: Version, params: Mapping[str, str]) -> dict[str, str]:
    """What a version was trained on: day, rows, and the versions of the tables that were read."""
    found = {key: params[key] for key in _COUNTS if key in params}
    found["train_as_of"] = version.train_as_of.isoformat()
    tags = version.signed_tags
    return found | {
        key.removeprefix(_INPUT): value for key, value in tags.items() if key.startswith(_INPUT)
    }


def _missing(of: Version, beside: Version) -> tuple[str, ...]:
    return tuple(name for name in of.features if name not in beside.features)


def _trees(params: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of the trees, from the texts that MLflow keeps."""
    found = dict(BOOSTER)
    for key in (*BOOSTER, *_MORE_PARAMETERS):
        if key in params:
            found[key] = _value(params[key])
    return found


def _directions(subject: str, version: Version) -> dict[str, Any]:
    """The directions of declared inputs, which the trees of accounts keep to."""
    if subject != "member":
        return {}
    declared = {each.name: int(each.direction) for each in MEMBER_MODEL_INPUTS}
    return {"monotone_constraints": tuple(declared.get(name, 0) for name in version.features)}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
