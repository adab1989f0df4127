"""What tests of the page for readers share."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from jobs.report import content as facts
from jobs.report.timeline import Fill, Supply, Timeline, Visit

HOSTILE = '<script>alert("x")</script>'
EMPTY = facts.Report(date(2010, 1, 3), "en", datetime(2026, 1, 1, tzinfo=UTC), "abc")


class Seen(HTMLParser):
    """Tags, references, section ids and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.sections: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href")
        ]
        self.sections += [value or "" for name, value in attrs if tag == "section" and name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def visit(day: date, institution: str = "H1", **changes: Any) -> Visit:
    row = Visit(f"{institution}-{day}", day, institution, "11", True, 80.0)
    return replace(row, **changes)


def timeline(**changes: Any) -> Timeline:
    days = [date(2009, 3, 1), date(2009, 3, 1), date(2009, 5, 9)]
    visits = [visit(day, f"H{at}") for at, day in enumerate(days)]
    supply = Supply(
        "amlodipine",
        (Fill(days[0], "H0", 30.0),),
        ((days[0], 0.0), (days[0], 30.0), (days[0] + timedelta(days=30), 0.0), (EMPTY.as_of, 0.0)),
    )
    return replace(Timeline("M1", EMPTY.as_of, tuple(visits), (supply,)), **changes)
