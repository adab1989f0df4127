"""The graph of jobs, declared once."""

import importlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from expectations.contract.errors import ConfigError, ContractError, JobError
from jobs.runtime.config import Config
from jobs.runtime.job import Job, Options


@dataclass(frozen=True)
class Step:
    """A job and the jobs whose tables it reads.

    `wanted` tells whether a configuration has the step. `checked_after` names a job that creates the input of this job's check. `subject` is the `--subject` of a
    job that runs once for each kind of subject; `after` then names such a step as `job:subject`.
    """

    name: str
    after: tuple[str, ...] = ()
    checked_after: str | None = None
    wanted: Callable[[Config], object] = lambda _: True
    subject: str | None = None

    @property
    def key(self) -> str:
        """What the step is known by in the graph: the job, and its subject if it has one."""
        return f"{self.name}:{self.subject}" if self.subject else self.name

    def options(self, given: Options) -> Options:
        """The options of its job."""
        return replace(given, subject=self.subject) if self.subject else given

    @property
    def job(self) -> Job:
        """The job itself; its module is imported only now."""
        job: Job = importlib.import_module(f"jobs.{self.name}").JOB
        return job


#: The pipeline's graph. Of steps that may run next the one that is declared first does.
STEPS = (
    Step("convert_source", wanted=lambda config: config.source.mapping),
    Step("ingest_batch", after=("convert_source",), checked_after="convert_source"),
    Step("conform_tables", after=("ingest_batch",)),
    Step("validate_tables", after=("conform_tables",)),
    Step("build_facts", after=("validate_tables",)),
    Step("build_labels", after=("validate_tables",)),
    Step(
        "build_earlier_days",
        after=("build_facts", "build_labels"),
        wanted=lambda config: config.train.earlier_days,
    ),
    Step("build_member_features", after=("build_facts", "build_earlier_days")),
    Step("score_resemblance", after=("build_member_features",)),
    Step("build_institution_features", after=("validate_tables", "build_member_features")),
    Step("build_doctor_features", after=("build_member_features",)),
    Step("build_drug_features", after=("build_member_features",)),
    Step("build_account_links", after=("build_facts", "build_earlier_days")),
    Step("find_rings", after=("build_account_links", "build_member_features", "score_resemblance")),
    Step(
        "flag_indicators",
        after=(
            "build_member_features",
            "build_institution_features",
            "build_doctor_features",
            "find_rings",
            "score_resemblance",
        ),
    ),
    Step("build_training_set", after=("build_labels", "flag_indicators", "find_rings")),
    Step("train_model", after=("build_training_set",), subject="member"),
    Step(
        "score_subjects",
        after=("flag_indicators", "find_rings", "train_model:member"),
        subject="member",
    ),
    Step("propose_accounts", after=("flag_indicators", "score_subjects:member")),
    Step(
        "build_triage_features",
        after=("build_facts",),
        wanted=lambda config: config.triage.legal_basis,
    ),
    Step("build_links", after=("validate_tables",)),
    Step("build_components", after=("build_links",)),
    Step("train_model", after=("build_institution_features", "build_components")),
    Step("score_subjects", after=("build_institution_features", "train_model")),
    Step("monitor_model", after=("score_subjects:member", "propose_accounts")),
    Step("write_report", after=("score_subjects", "build_components", "propose_accounts")),
)


def steps_of(config: Config) -> list[Step]:
    """The steps of a configuration, each after the steps that it needs."""
    return in_order([step for step in STEPS if step.wanted(config)])


def needed_steps(config: Config, last: str, without: Collection[str] = ()) -> list[Step]:
    """The steps that one step rests on, itself among them, in their order.

    Args:
        config: the configuration.
        last: the key of the step.
        without: keys of steps that are left out; what they rest on stays.

    Raises:
        ConfigError: when the configuration has no such step.
    """
    steps = steps_of(config)
    after = {step.key: step.after for step in steps}
    if last not in after:
        raise ConfigError(f"{last} is no step of the pipeline here; there are {', '.join(after)}")
    wanted: set[str] = set()
    waiting = [last]
    while waiting:
        key = waiting.pop()
        if key in after and key not in wanted:
            wanted.add(key)
            waiting += after[key]
    return [step for step in steps if step.key in wanted.difference(without)]


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Steps in an order that puts each after the steps that it needs; otherwise in the given order.

    Raises:
        ContractError: when steps need each other, or a step is given twice.
    """
    declared = {step.key: place for place, step in enumerate(steps)}
    if len(declared) < len(steps):
        raise ContractError("a step of the pipeline is declared twice")
    graph = TopologicalSorter(
        {step.key: [name for name in step.after if name in declared] for step in steps}
    )
    try:
        graph.prepare()
    except CycleError as error:
        raise ContractError(
            f"steps of the pipeline need each other: {' after '.join(error.args[1])}"
        ) from None
    ready: list[int] = []
    ordered: list[Step] = []
    while graph.is_active():
        for name in graph.get_ready():
            heappush(ready, declared[name])
        next_step = steps[heappop(ready)]
        ordered.append(next_step)
        graph.done(next_step.key)
    return ordered


def check_all(steps: Sequence[Step], config: Config, options: Options) -> None:
    """Run the checks of all steps on arguments, configuration and rules, before the first step starts.

    A check whose input an earlier step creates is left out.

    Raises:
        ConfigError: with every fault of every step, each once.
        JobError: when everything is right but a server cannot be reached.
    """
    names = {step.name for step in steps}
    checks = [
        (step.job.check, step.options(options)) for step in steps if step.checked_after not in names
    ]
    faults: dict[str, JobError] = {}
    # Several steps may share a check.
    for check, given in dict.fromkeys(checks):
        if check:
            try:
                check(config, given)
            except JobError as error:
                faults.setdefault(str(error), error)
    if faults:
        wrong = [text for text, error in faults.items() if isinstance(error, ConfigError)]
        if wrong:
            raise ConfigError("\n".join(wrong))
        raise next(iter(faults.values()))
