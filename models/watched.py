"""The figures of a day's watch over a model, and their place in MLflow."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mlflow.entities import Metric, RunTag

from models.tracking import Store

#: The tag that says which day's watch a run is.
WATCH_TAG = "monitor_as_of"
_BATCH = 500


@dataclass(frozen=True)
class Watched:
    """One figure; `value` is None where nothing can be measured, `limit` is where warnings begin."""

    measure: str
    slice: str
    value: float | None
    limit: float | None
    n: int
    is_warning: bool = False


def log_watched(
    store: Store, experiment: str, name: str, version: str, day: date, rows: Sequence[Watched]
) -> None:
    """Log the figures of a day as metrics of one run; a day that is watched again keeps its run.

    Figures of districts stay in the lake: a metric for each would bury the others.
    """
    now = int(time.time() * 1000)
    metrics = [
        Metric(f"{each.measure}/{each.slice or 'all'}", float(each.value), now, 0)
        for each in rows
        if each.value is not None and each.measure != "district_share"
    ]
    metrics.append(Metric("warnings", float(sum(each.is_warning for each in rows)), now, 0))
    run_id = _known_run(store, experiment, name, version, day)
    if run_id is None:
        with store.run(experiment, f"monitor {name} {day}") as run_id:
            tags = {WATCH_TAG: day.isoformat(), "model": name, "model_version": version}
            store.client.log_batch(run_id, tags=[RunTag(*pair) for pair in tags.items()])
    for start in range(0, len(metrics), _BATCH):
        store.client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def _known_run(store: Store, experiment: str, name: str, version: str, day: date) -> str | None:
    found = store.client.get_experiment_by_name(experiment)
    if found is None:
        return None
    wanted = (
        f"tags.{WATCH_TAG} = '{day.isoformat()}' AND tags.model = '{name}'"
        f" AND tags.model_version = '{version}'"
    )
    runs = store.client.search_runs([found.experiment_id], wanted, max_results=1)
    return str(runs[0].info.run_id) if runs else None
