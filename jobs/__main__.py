"""`python -m jobs --help` lists the jobs in order."""

import importlib

from rich.console import Console
from rich.table import Table

from jobs._pipeline import STEPS


def main() -> None:
    """Print the jobs, the pipeline's in the order in which they run."""
    table = Table(
        "job", "what it does", title="drugtrail jobs: python -m jobs.<job> --help", box=None
    )
    for name in (*(step.name for step in STEPS), "run_pipeline"):
        table.add_row(name, importlib.import_module(f"jobs.{name}").JOB.summary)
    Console().print(table)


if __name__ == "__main__":
    main()
