"""`python -m jobs --help` lists the jobs in order."""

import importlib

from rich.console import Console
from rich.table import Table

from jobs.runtime.pipeline import STEPS

#: Jobs that are no step of the pipeline.
_BESIDE = (
    "run_pipeline",
    "check_tables",
    "migrate_tables",
    "review_account",
    "evaluate_detection",
    "evaluate_rings",
    "train_link_model",
    "compare_models",
    "promote_model",
)


def main() -> None:
    """Print the jobs, the pipeline's in the order in which they run."""
    table = Table(
        "job", "what it does", title="drugtrail jobs: python -m jobs.<job> --help", box=None
    )
    for name in (*dict.fromkeys(step.name for step in STEPS), *_BESIDE):
        table.add_row(name, importlib.import_module(f"jobs.{name}").JOB.summary)
    table.add_row(
        "simulate_province", "Write a simulated province's landing files, and its truth apart"
    )
    Console().print(table)


if __name__ == "__main__":
    main()
