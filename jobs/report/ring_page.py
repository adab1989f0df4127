"""A ring's page and its files, as text."""

from collections.abc import Callable
from datetime import datetime

from expectations.landing.codes import VICTIM
from jobs.report.rendering import rendered
from jobs.report.ring import CARRYING, Finding, Ring
from jobs.report.ring_exports import follow_the_money, graphml, links_csv, members_csv
from jobs.report.ring_network_picture import drawn_cards, network_picture
from jobs.report.ring_pictures import MOST_ROWS, places_picture, weeks_picture
from jobs.report.ring_words import chance_words, finding_sentence, how_it_works
from jobs.report.strings import Words


def ring_page(ring: Ring, written_at: datetime, code_version: str, words: Words) -> str:
    """Render a ring's page in the words' language. It loads nothing from outside.

    Args:
        ring: the ring.
        written_at: when.
        code_version: by which version.
        words: the language.
    """

    def sentence(finding: Finding) -> str:
        return finding_sentence(finding, ring, words)

    def chance(finding: Finding) -> str:
        return chance_words(finding, words)

    return rendered(
        "ring.html.j2",
        words,
        has_style_attributes=True,
        ring=ring,
        how=how_it_works(ring, words),
        sentence=sentence,
        chance=chance,
        network=network_picture(ring, words),
        weeks=weeks_picture(ring, words),
        places=places_picture(ring, words),
        cards_drawn=drawn_cards(ring),
        holders=sum(part.role not in CARRYING for part in ring.people),
        rows_drawn=min(len(ring.cards), MOST_ROWS),
        has_victims=any(part.role == VICTIM for part in ring.people),
        written_at=written_at,
        code_version=code_version,
    )


def ring_exports(ring: Ring, words: Words) -> dict[str, str]:
    """The files beside a ring's page, by name."""
    exports: dict[str, Callable[[], str]] = {
        "-members.csv": lambda: members_csv(ring, words),
        "-links.csv": lambda: links_csv(ring),
        ".graphml": lambda: graphml(ring),
        ".ftm.json": lambda: follow_the_money(ring),
    }
    return {f"{ring.ring}{ending}": export() for ending, export in exports.items()}
