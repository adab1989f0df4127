"""The ranked list as a sheet for spreadsheets."""

import csv
import io

from jobs.dossier.facts import Report
from jobs.dossier.strings import Words
from jobs.dossier.words import N_

_REASONS = 5
#: The last four are what East Asian keyboards type; some spreadsheets take them for the first.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def ranked_list_csv(report: Report) -> str:
    """The shown institutions, one a line, with a byte-order mark so that Excel reads UTF-8."""
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


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return (
        f"'{cell}"
        if cell.startswith(_FORMULA_STARTS) or cell.lstrip().startswith(_FORMULA_STARTS)
        else cell
    )
