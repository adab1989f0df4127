"""The page that compares two versions of a model: a comparison in, one HTML document out."""

from datetime import datetime

from markupsafe import Markup

from jobs.report.data_docs import content_policy
from jobs.report.page import environment, resource
from jobs.report.strings import Words, visible_text
from jobs.report.words import MODEL_SUBJECTS, RECOMMENDATIONS, VERDICTS
from models.comparison import Comparison


def comparison_page(found: Comparison, language: str, written_at: datetime, code: str) -> str:
    """Render the comparison; the page loads nothing from outside.

    Args:
        found: the comparison.
        language: en or zh.
        written_at: when, in UTC.
        code: the version of the code.
    """
    words = Words(language)
    # As the browser sees it, so that its hash is that of the policy.
    style = f"\n{resource('style.css')}\n"
    page = (
        environment(words)
        .get_template("comparison.html.j2")
        .render(
            found=found,
            words=words,
            subject=words.text(MODEL_SUBJECTS[found.subject]),
            verdict=words.text(VERDICTS[found.verdict]),
            recommendation=recommendation(found, words),
            written_at=written_at,
            code=code,
            style=Markup(style),  # noqa: S704 - a file of this package
            policy=content_policy(style),
        )
    )
    return visible_text(page)


def recommendation(found: Comparison, words: Words) -> str:
    """What to do, in one or two sentences."""
    return words.text(
        RECOMMENDATIONS[found.verdict],
        challenger=found.challenger.version,
        champion=found.champion.version,
    )
