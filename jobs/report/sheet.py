"""The ranked lists as sheets for spreadsheets."""

import csv
import io

from jobs.report.account import Account
from jobs.report.content import Report
from jobs.report.strings import Words, visible_text
from jobs.report.words import N_

_REASONS = 5
#: The last four are what East Asian keyboards type; some spreadsheets take them for the first.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def ranked_list_csv(report: Report) -> str:
    """The shown institutions, one per line, with a byte-order mark so that Excel reads UTF-8."""
    words = Words(report.language)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [N_("Rank"), N_("Institution"), N_("Score"), N_("Known outcome"), N_("Group size")]
    row = [words.text(head) for head in heads]
    row += [words.text(N_("Reason %(number)s"), number=at + 1) for at in range(_REASONS)]
    writer.writerow(row)
    for each in report.ranked:
        reasons = [words.reason(reason) for reason in each.reasons[:_REASONS]]
        texts = [each.institution, f"{each.score:.4f}", words.outcome(each.outcome)]
        texts += [str(each.component_size or ""), *reasons, *[""] * (_REASONS - len(reasons))]
        writer.writerow([each.rank, *(harmless(text) for text in texts)])
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def accounts_csv(report: Report) -> str:
    """The accounts to look at first, one per line; only the header if there is no list."""
    words = Words(report.language)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    heads = [N_("Rank"), N_("Account"), N_("Points"), N_("Expected loss"), N_("State")]
    heads += [N_("Void from"), N_("Ring"), N_("Which patterns"), N_("Check next")]
    row = [words.text(head) for head in heads]
    row += [words.text(N_("Reason %(number)s"), number=at + 1) for at in range(_REASONS)]
    row += [words.text(N_("What was held back")), words.text(N_("Ranked by"))]
    writer.writerow([*row, words.text(N_("Drawn at random, chance"))])
    found = report.accounts
    if found is None:
        return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()
    chances = {draw.account: f"{draw.propensity:.6g}" for draw in found.audit}
    for each in found.first:
        writer.writerow(_account_cells(each, words, chances.get(each.account, "")))
    on_sheet = {each.account for each in found.first}
    for draw in (each for each in found.audit if each.account not in on_sheet):
        chance = chances[draw.account]
        if draw.listed:
            writer.writerow(_account_cells(draw.listed, words, chance))
        else:
            writer.writerow(["", harmless(draw.account), *[""] * (len(heads) + _REASONS), chance])
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def _account_cells(each: Account, words: Words, chance: str) -> list[object]:
    """The cells of an account's line."""
    reasons = [sign.text for sign in (*each.leading, *each.further)[:_REASONS]]
    texts = [each.account, f"{each.points:.2f}", f"{each.expected_loss:.2f}"]
    texts += [words.state(each.state), each.expires_on.isoformat(), each.ring or ""]
    texts += ["; ".join(map(words.typology, each.typologies)), each.next_check]
    texts += [*reasons, *[""] * (_REASONS - len(reasons))]
    texts.append("; ".join(f"{sign.text} \N{EN DASH} {sign.held_back}" for sign in each.explained))
    texts.append(words.ranked_by(each.ranked_by))
    return [each.rank, *(harmless(text) for text in texts), chance]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet reads as a formula, without direction marks in force."""
    cell = visible_text(cell)
    return (
        f"'{cell}"
        if cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
        else cell
    )
