"""Inputs of models of accounts with their values, in words of English and Chinese."""

from collections.abc import Iterable, Mapping

from expectations.feature.member_model import ModelInput

_NO_LINK = {"en": "no link to another household", "zh": "与其他家庭无关联"}
_PLAIN = dict.fromkeys(("count", "nats", "ratio", "log10"), "")
_UNITS = {
    "en": _PLAIN
    | {"points": " points", "yuan": " yuan", "share": " %", "days": " days", "km": " km"},
    "zh": _PLAIN | {"points": " 分", "yuan": " 元", "share": " %", "days": " 天", "km": " 公里"},
}


def sentences(
    names: Iterable[str], values: Iterable[float], known: Mapping[str, ModelInput], language: str
) -> list[str]:
    """Inputs with their values in words; accounts repeat them, so each is written once."""
    written: dict[tuple[str, float | None], str] = {}
    found = []
    for name, value in zip(names, values, strict=True):
        # NaN is not equal to itself, so it would be written again for every row.
        key = (name, value if value == value else None)
        if key not in written:
            written[key] = sentence(known[name], value, language)
        found.append(written[key])
    return found


def sentence(each: ModelInput, value: float | None, language: str) -> str:
    """An input with its value: "sum over families of the strongest rule, links left out: 4.5 points"."""
    label = each.zh if language == "zh" else each.en
    mark = "\N{FULLWIDTH COLON}" if language == "zh" else ": "
    if value is None or value != value:
        return f"{label}{mark}{_NO_LINK[language]}"
    shown = value * 100 if each.unit == "share" else value
    digits = 0 if abs(shown) >= 100 or each.unit == "count" else 2
    number = f"{shown:,.{digits}f}"
    if digits:
        number = number.rstrip("0").rstrip(".")
    return f"{label}{mark}{number}{_UNITS[language][each.unit]}"
