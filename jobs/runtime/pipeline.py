"""The graph of jobs, declared once: what runs after what."""

import importlib
from dataclasses import dataclass

from jobs.runtime.config import Config
from jobs.runtime.job import Job


@dataclass(frozen=True)
class Step:
    """A job and the jobs whose tables it reads."""

    name: str
    after: tuple[str, ...] = ()
    needs_source: bool = False
    needs_legal_basis: bool = False

    @property
    def job(self) -> Job:
        """The job itself; its module is imported only now."""
        job: Job = importlib.import_module(f"jobs.{self.name}").JOB
        return job


#: In an order that is valid for `after`; a test holds it to that.
STEPS = (
    Step("convert_source", needs_source=True),
    Step("ingest_batch", after=("convert_source",)),
    Step("conform_tables", after=("ingest_batch",)),
    Step("validate_tables", after=("conform_tables",)),
    Step("build_facts", after=("validate_tables",)),
    Step("build_member_features", after=("build_facts",)),
    Step("build_institution_features", after=("validate_tables", "build_member_features")),
    Step("build_doctor_features", after=("build_member_features",)),
    Step("build_drug_features", after=("build_member_features",)),
    Step("build_account_links", after=("build_facts",)),
    Step("find_rings", after=("build_account_links", "build_member_features")),
    Step(
        "flag_indicators",
        after=(
            "build_member_features",
            "build_institution_features",
            "build_doctor_features",
            "find_rings",
        ),
    ),
    Step("propose_accounts", after=("flag_indicators",)),
    Step("build_triage_features", after=("build_facts",), needs_legal_basis=True),
    Step("build_links", after=("validate_tables",)),
    Step("build_components", after=("build_links",)),
    Step("train_model", after=("build_institution_features", "build_components")),
    Step("score_subjects", after=("build_institution_features", "train_model")),
    Step("write_report", after=("score_subjects", "build_components", "propose_accounts")),
)


def steps_of(config: Config) -> list[Step]:
    """The steps that a configuration asks for, in an order that runs each after those it needs."""
    return [
        step
        for step in STEPS
        if (config.source.mapping or not step.needs_source)
        and (config.triage.legal_basis or not step.needs_legal_basis)
    ]
