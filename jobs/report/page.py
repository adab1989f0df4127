"""The page: content in, one HTML document out."""

from collections.abc import Callable
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobs.report import pictures
from jobs.report.content import Report
from jobs.report.data_docs import content_policy
from jobs.report.ring_page import ring_exports, ring_page
from jobs.report.strings import Words, visible_text
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
    # As the browser sees it, so that its hash is that of the policy.
    style = f"\n{resource('style.css')}\n"
    page = (
        environment(words)
        .get_template("page.html.j2")
        .render(
            report=report,
            words=words,
            sections=SECTIONS,
            style=Markup(style),  # noqa: S704 - a file of this package
            policy=content_policy(style, has_style_attributes=True),
            pictures=_Pictures(report, words),
            run_outcome=words.run_outcome,
        )
    )
    return visible_text(page)


def ring_files(report: Report) -> dict[str, str]:
    """The pages of the first rings, and the files beside them, by name."""
    words = Words(report.language)
    style = f"\n{resource('style.css')}\n"
    files: dict[str, str] = {}
    for ring in report.rings.first if report.rings else ():
        files[f"{ring.ring}.html"] = ring_page(
            ring, report.written_at, report.code_version, words, style, environment(words)
        )
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
        return mark_picture(kind, has_drugs)

    def visit_kinds(self, timeline: Timeline) -> list[tuple[str, str]]:
        seen = {visit.kind for visit in timeline.visits}
        return [(kind, name) for kind, name in VISIT_KINDS.items() if kind in seen]

    @property
    def link_colors(self) -> dict[str, str]:
        return pictures.LINKS


def environment(words: Words) -> Environment:
    """The templates of this package, in the language of the words."""
    templates = Environment(
        loader=FunctionLoader(lambda name: resource(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.policies["ext.i18n.trimmed"] = True
    install: Callable[..., Any] = templates.install_gettext_translations  # type: ignore[attr-defined]
    install(words.catalogue, newstyle=True)
    return templates


def resource(path: str) -> str:
    """The text of a file of this package."""
    return (resources.files("jobs.report") / path).read_text(encoding="utf-8")
