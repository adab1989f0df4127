"""The page that compares two versions of a model: a comparison in, one HTML document out."""

from datetime import datetime

from jobs.report.rendering import rendered
from jobs.report.strings import Words
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
    return rendered(
        "comparison.html.j2",
        words,
        found=found,
        subject=words.text(MODEL_SUBJECTS[found.subject]),
        verdict=words.text(VERDICTS[found.verdict]),
        recommendation=recommendation(found, words),
        written_at=written_at,
        code=code,
    )


def recommendation(found: Comparison, words: Words) -> str:
    """What to do, in one or two sentences."""
    return words.text(
        RECOMMENDATIONS[found.verdict],
        challenger=found.challenger.version,
        champion=found.champion.version,
    )
