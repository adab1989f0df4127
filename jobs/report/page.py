"""The page: content in, one HTML document out."""

from jobs.report import pictures
from jobs.report.content import Report
from jobs.report.rendering import rendered
from jobs.report.ring_page import ring_exports, ring_page
from jobs.report.strings import Words
from jobs.report.timeline import Timeline
from jobs.report.timeline_picture import mark_picture, timeline_picture
from jobs.report.words import N_, VISIT_KINDS

#: Identifier in the page, and title; in the order of the page.
SECTIONS = (
    ("accounts", N_("Accounts to look at first")),
    ("rings", N_("Rings")),
    ("ranking", N_("Institutions, ranked")),
    ("reading", N_("About the ranking")),
    ("groups", N_("Groups")),
    ("model", N_("The model")),
    ("arrivals", N_("What came in")),
    ("quarantine", N_("What was quarantined")),
    ("validation", N_("Validation")),
    ("jobs", N_("The jobs")),
)


def report_page(report: Report) -> str:
    """Render the page in the report's language. The page loads nothing from outside."""
    words = Words(report.language)
    return rendered(
        "page.html.j2",
        words,
        has_style_attributes=True,
        report=report,
        sections=SECTIONS,
        pictures=_Pictures(report, words),
        run_outcome=words.run_outcome,
    )


def ring_files(report: Report) -> dict[str, str]:
    """The pages of the first rings, and the files beside them, by name."""
    words = Words(report.language)
    files: dict[str, str] = {}
    for ring in report.rings.first if report.rings else ():
        files[f"{ring.ring}.html"] = ring_page(ring, report.written_at, report.code_version, words)
        files.update(ring_exports(ring, words))
    return files


class _Pictures:
    """The pictures of a page, each None when there is nothing to draw."""

    def __init__(self, report: Report, words: Words) -> None:
        self._report, self._words = report, words

    @property
    def precision_recall(self) -> str | None:
        model = self._report.model
        if model is None or not model.curves:
            return None
        return pictures.precision_recall_picture(model.curves, model.prevalence, self._words)

    @property
    def calibration(self) -> str | None:
        model = self._report.model
        if model is None or not model.calibration:
            return None
        return pictures.calibration_picture(model.calibration, self._words)

    @property
    def distribution(self) -> str | None:
        if not self._report.distribution:
            return None
        return pictures.distribution_picture(self._report.distribution, self._words)

    def component(self, number: int) -> str | None:
        groups = self._report.groups
        if groups is None:
            return None
        return pictures.component_picture(groups.largest[number - 1], number, self._words)

    def contender(self, name: str) -> str:
        return pictures.contender_label(name, self._words)

    def timeline(self, timeline: Timeline, number: int) -> str:
        return timeline_picture(timeline, number, self._words)

    def mark(self, kind: str, has_drugs: bool = True) -> str:
        return mark_picture(kind, self._words, has_drugs)

    def visit_kinds(self, timeline: Timeline) -> list[tuple[str, str]]:
        seen = {visit.kind for visit in timeline.visits}
        return [(kind, name) for kind, name in VISIT_KINDS.items() if kind in seen]

    @property
    def link_colors(self) -> dict[str, str]:
        return pictures.LINKS
