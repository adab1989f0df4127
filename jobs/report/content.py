"""The content of the page, as plain data: `jobs/write_report.py` fills it, `page.py` renders it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from jobs.report.account import Accounts
from jobs.report.arrival import (
    Arrival,
    Constant,
    EmptiedValue,
    Expectation,
    QuarantineReason,
    RefusedBatch,
)
from jobs.report.ring import Rings


@dataclass(frozen=True)
class Reason:
    """One contribution to a score; `text` is the scoring job's own sentence."""

    feature: str
    value: float | None
    typical: float | None
    contribution: float
    text: str


@dataclass(frozen=True)
class Ranked:
    """One institution of the ranked list; `outcome` 1 confirmed, 0 no finding, None unknown."""

    rank: int
    institution: str
    score: float
    reasons: tuple[Reason, ...]
    outcome: int | None = None
    component: str | None = None
    component_size: int | None = None


@dataclass(frozen=True)
class Unscored:
    """Institutions that the model cannot score, by reason; the list `institutions` is limited.

    `text` is the scoring job's own sentence, `code` that of the reason, which was so before `day`; `code` is
    None in rows of an older version.
    """

    text: str
    code: str | None
    day: date
    count: int
    institutions: tuple[str, ...]


@dataclass(frozen=True)
class ScoreBin:
    """The number of institutions with a score from `low` to below `low` plus the width of a bin."""

    low: float
    confirmed: int
    cleared: int
    unknown: int


@dataclass(frozen=True)
class LinkFilter:
    """The filter in force for one kind of link, and the links that its limits removed."""

    kind: str
    pairs_tested: int
    min_weight: int
    min_significance: float
    links_kept: int
    buckets_cut: int
    pairs_cut: int
    largest_component: int


@dataclass(frozen=True)
class Node:
    """An institution in a drawn component."""

    institution: str
    score: float | None
    rank: int | None
    outcome: int | None


@dataclass(frozen=True)
class Edge:
    """A kept link of one kind between two drawn institutions."""

    src: str
    dst: str
    kind: str
    weight: int


@dataclass(frozen=True)
class Component:
    """A connected group; `size` counts all its institutions, `nodes` and `edges` are limited."""

    name: str
    size: int
    links: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def is_big(self) -> bool:
        """Whether its picture needs more space than most."""
        return len(self.nodes) > 12


@dataclass(frozen=True)
class Groups:
    """All components in short, and the largest of them."""

    components: int
    institutions: int
    filters: tuple[LinkFilter, ...]
    largest: tuple[Component, ...]

    def number_of(self, component: str | None) -> int | None:
        """The number under which a component is drawn, if it is."""
        names = [each.name for each in self.largest]
        return names.index(component) + 1 if component in names else None


@dataclass(frozen=True)
class Figure:
    """A figure over the folds: mean and standard deviation."""

    name: str
    mean: float
    sd: float | None


@dataclass(frozen=True)
class Contender:
    """One method of ranking, evaluated in the same folds."""

    name: str
    figures: tuple[Figure, ...]
    is_chosen: bool = False

    def figure(self, name: str) -> Figure | None:
        """One of its figures by name."""
        return next((each for each in self.figures if each.name == name), None)


@dataclass(frozen=True)
class Paired:
    """The chosen model against another in the same folds: mean difference and its interval.

    `subset` is with_basis (what the model can score) or all_labelled (the others ranked last).
    """

    subset: str
    contender: str
    versus: str
    figure: str
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Precision at each recall, mean over repeats."""

    contender: str
    recall: tuple[float, ...]
    precision: tuple[float, ...]
    is_chosen: bool = False


@dataclass(frozen=True)
class CalibrationPoint:
    """Institutions with similar scores: their mean score and the confirmed share."""

    mean_score: float
    observed: float
    rows: int


@dataclass(frozen=True)
class Model:
    """The registered model behind the scores, from its tracking run."""

    name: str
    version: str
    run_id: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    contenders: tuple[Contender, ...] = ()
    all_labelled: tuple[Contender, ...] = ()
    paired: tuple[Paired, ...] = ()
    importances: tuple[tuple[str, float], ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    curves: tuple[Curve, ...] = ()
    prevalence: float | None = None
    calibration: tuple[CalibrationPoint, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class JobFact:
    """The newest run of one job."""

    job: str
    outcome: str
    message: str
    seconds: float
    rows_read: int | None
    rows_written: int | None
    rows_quarantined: int | None
    peak_memory_mb: int | None


@dataclass(frozen=True)
class Report:
    """The whole content of the page. An empty tuple or None means that the date has no such part."""

    as_of: date
    language: str
    written_at: datetime
    code_version: str
    source_title: str | None = None
    constants: tuple[Constant, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    refused: tuple[RefusedBatch, ...] = ()
    quarantine: tuple[QuarantineReason, ...] = ()
    quarantine_reasons_cut: int = 0
    emptied: tuple[EmptiedValue, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    data_docs: str | None = None
    accounts: Accounts | None = None
    rings: Rings | None = None
    scored: int = 0
    ranked: tuple[Ranked, ...] = ()
    unscored: tuple[Unscored, ...] = ()
    distribution: tuple[ScoreBin, ...] = ()
    groups: Groups | None = None
    model: Model | None = None
    jobs: tuple[JobFact, ...] = ()

    @property
    def runs(self) -> Mapping[str, JobFact]:
        """The newest run of each job, by its name."""
        return {fact.job: fact for fact in self.jobs}

    @property
    def reconciles(self) -> bool:
        """Whether every table reconciles."""
        return bool(self.arrivals) and all(arrival.reconciles for arrival in self.arrivals)

    @property
    def headline(self) -> Figure | None:
        """The average precision of the chosen contender."""
        contenders = self.model.contenders if self.model else ()
        chosen = next((each for each in contenders if each.is_chosen), None)
        return chosen.figure("average_precision") if chosen else None

    def broken(self, severity: str) -> list[Expectation]:
        """The expectations of a severity that did not hold."""
        return [each for each in self.expectations if each.severity == severity and not each.is_met]

    def expected(self, severity: str) -> int:
        """How many expectations of a severity were checked."""
        return sum(each.severity == severity for each in self.expectations)
