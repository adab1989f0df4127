"""The page's words in English and Chinese, from one catalogue, and its numbers and dates.

English texts are the keys. The Chinese texts are in `locale/zh/LC_MESSAGES/drugtrail.po`, which is read
directly, so no compiled file can be out of date.
"""

import io
import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import NullTranslations, Translations

from expectations.feature.institution import INSTITUTION_FEATURES
from expectations.feature.member_model import MEMBER_MODEL_INPUTS
from jobs.report.arrival import QuarantineReason
from jobs.report.content import Reason, Unscored
from jobs.report.words import (
    EXPECTATIONS,
    FIGURES,
    INSTITUTION_KINDS,
    LINK_KINDS,
    OTHER_VISIT,
    OUTCOMES,
    PART_KINDS,
    RANKED_BY,
    RING_FINDINGS,
    ROLE_REASONS,
    ROLES,
    ROW_REASONS,
    RUN_OUTCOMES,
    STATES,
    SUBJECTS,
    SUBSETS,
    TABLES,
    TYPOLOGIES,
    UNSCORED_REASONS,
    VISIT_KINDS,
)

#: Characters that turn the direction of the text around them (Unicode TR 9, explicit formatting).
_DIRECTION_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}
_FEATURES = {feature.name: feature for feature in INSTITUTION_FEATURES}
_MODEL_INPUTS = {each.name: each for each in MEMBER_MODEL_INPUTS}


@cache
def translations(language: str) -> NullTranslations:
    """The catalogue of a language, compiled in memory."""
    if language == "en":
        return NullTranslations()
    folder = resources.files("jobs.report") / "locale" / language / "LC_MESSAGES"
    catalogue = read_po(io.BytesIO((folder / "drugtrail.po").read_bytes()), locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def visible_text(text: str) -> str:
    """A text with direction marks shown by their numbers instead of applied."""
    return _DIRECTION_MARKS.sub(lambda mark: f"\u27e8U+{ord(mark[0]):04X}\u27e9", text)


class Words:
    """Texts, numbers and dates in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = _LOCALES[language]
        self.catalogue = translations(language)

    def text(self, message: str, /, **values: object) -> str:
        """A message of the catalogue with its values; an unknown message stays as it is."""
        found = str(self.catalogue.gettext(message)) if message else ""
        return found % values if values else found

    def number(self, value: float | Decimal | None, digits: int = 0) -> str:
        """A number with the separators of the language and a fixed number of decimals."""
        if value is None:
            return "\N{EN DASH}"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(value, format=pattern, locale=self.locale))

    def percent(self, value: float, digits: int = 1) -> str:
        """A share as a percentage."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
        return str(format_percent(value, format=pattern, locale=self.locale))

    def day(self, value: date) -> str:
        """A date in words."""
        return str(format_date(value, format="long", locale=self.locale))

    def days(self, first: date, last: date) -> str:
        """A span of days in short, both ends included."""
        ends = [
            str(format_date(each, format="medium", locale=self.locale)) for each in (first, last)
        ]
        return f"{ends[0]} \N{EN DASH} {ends[1]}"

    def month(self, value: date) -> str:
        """A month in short, January with its year."""
        pattern = "MMM y" if value.month == 1 else "MMM"
        if self.language == "zh" and value.month == 1:
            pattern = "y年M月"
        return str(format_date(value, format=pattern, locale=self.locale))

    def time(self, value: datetime) -> str:
        """A moment to the minute, UTC."""
        moment = format_datetime(value, format="d MMMM y, HH:mm", locale=self.locale)
        if self.language == "zh":
            moment = format_datetime(value, format="y年M月d日 HH:mm", locale=self.locale)
        return f"{moment} UTC"

    def table(self, name: str) -> str:
        """The name of the rows of a landing or silver table."""
        return self.text(TABLES.get(name.rsplit(".", 1)[-1], name))

    def label(self, feature: str) -> str:
        """A feature's label, beginning with a capital in English."""
        if feature in _MODEL_INPUTS:
            declared = _MODEL_INPUTS[feature]
            return declared.zh if self.language == "zh" else declared.en.capitalize()
        known = _FEATURES.get(feature)
        text = self.text(known.label) if known else feature
        return text[:1].upper() + text[1:] if known else text

    def value(self, feature: str, value: float | None) -> str:
        """A feature's value in its unit; amounts are in the currency of the source."""
        known = _FEATURES.get(feature)
        return self.measured(value, known.unit if known else "")

    def measured(self, value: float | None, unit: str) -> str:
        """A value in its unit."""
        if value is None or value != value:
            return self.text("none")
        if unit == "share":
            return self.percent(value)
        if unit == "count":
            return self.number(value)
        if unit == "days":
            return self.text("%(days)s days", days=self.number(value, 0 if value % 1 == 0 else 1))
        if unit == "yuan a day":
            return self.text("%(amount)s a day", amount=self.number(value, _cents(value)))
        return self.number(value, _cents(value) if unit == "yuan" else 2)

    def usual(self, value: float, unit: str) -> str:
        """The usual value among peers, with no more digits than the sentence beside it."""
        digits = {"yuan": 0, "ratio": 1}
        return self.number(value, digits[unit]) if unit in digits else self.measured(value, unit)

    def reason(self, reason: Reason) -> str:
        """The sentence of a reason; for an unknown feature, the scoring job's sentence."""
        if reason.feature not in _FEATURES:
            return reason.text
        return self.text(
            "%(label)s: %(value)s (median of all scored: %(typical)s)",
            label=self.label(reason.feature),
            value=self.value(reason.feature, reason.value),
            typical=self.value(reason.feature, reason.typical),
        )

    def quarantine_reason(self, found: QuarantineReason) -> str:
        """A reason for quarantine; the job's sentence if it has no code or one without words here."""
        if found.reason is None or found.reason.code not in ROW_REASONS:
            return found.text
        values = dict(found.reason.parameters)
        if "table" in values:
            values["table"] = self.table(values["table"])
        return self.text(ROW_REASONS[found.reason.code], column=found.reason.column, **values)

    def unscored_reason(self, found: Unscored) -> str:
        """The reason why there is no score; the job's sentence if it has no code."""
        if found.code not in UNSCORED_REASONS:
            return found.text
        return self.text(UNSCORED_REASONS[found.code], day=self.day(found.day))

    def typology(self, name: str) -> str:
        """The name of a pattern of the rules; its code if it has no name here."""
        return self.text(TYPOLOGIES.get(name, name.replace("_", " ")))

    def state(self, name: str) -> str:
        """The state of a proposal."""
        return self.text(STATES.get(name, name))

    def ranked_by(self, name: str) -> str:
        """What speaks for a place in the list."""
        return self.text(RANKED_BY.get(name, name))

    def subject(self, name: str) -> str:
        """The kind of a flagged subject."""
        return self.text(SUBJECTS.get(name, name))

    def role(self, name: str) -> str:
        """What somebody's part in a ring is consistent with."""
        return self.text(ROLES.get(name, name))

    def part_kind(self, name: str) -> str:
        """What takes part in a ring."""
        return self.text(PART_KINDS.get(name, name))

    def role_reason(self, code: str) -> str:
        """What a role rests on."""
        return self.text(ROLE_REASONS.get(code, code.replace("_", " ")))

    def ring_finding(self, code: str) -> str:
        """A way in which a ring works."""
        return self.text(RING_FINDINGS.get(code, code.replace("_", " ")))

    def institution_kind(self, kind: str) -> str:
        """The kind of an institution."""
        return self.text(INSTITUTION_KINDS.get(kind, kind))

    def subset(self, name: str) -> str:
        """The institutions behind the figures."""
        return self.text(SUBSETS.get(name, name))

    def expectation(self, kind: str) -> str:
        """An expectation in words."""
        return self.text(EXPECTATIONS.get(kind, kind))

    def link_kind(self, kind: str) -> str:
        """A kind of link."""
        return self.text(LINK_KINDS.get(kind, kind))

    def figure(self, name: str) -> str:
        """The name of a figure of model quality."""
        return self.text(FIGURES.get(name, name.replace("_", " ")))

    def visit_kind(self, code: str) -> str:
        """The kind of a visit."""
        return self.text(VISIT_KINDS.get(code, OTHER_VISIT))

    def outcome(self, outcome: int | None) -> str:
        """A known outcome, or nothing."""
        return "" if outcome is None else self.text(OUTCOMES[outcome])

    def run_outcome(self, outcome: str) -> str:
        """How a job ended."""
        return self.text(RUN_OUTCOMES.get(outcome, outcome))


def _cents(value: float) -> int:
    return 0 if abs(value) >= 100 else 2
