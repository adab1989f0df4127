"""What tests of the page for readers share."""

from datetime import UTC, date, datetime
from html.parser import HTMLParser

from jobs.dossier import facts

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
