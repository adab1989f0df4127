"""What the rows of a batch say against it: counts, sums, too many bad rows, files that Spark cannot read."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from jobs.landing.bad_rows import common, encoding_faults, shape_faults, too_many_bad
from jobs.landing.manifests import LandingBatch
from jobs.landing.row_counts import BadValues
from jobs.runtime.config import Quarantine

#: A file in a message of Spark: the batch's day and the file's name.
_FAILED_FILE = re.compile(
    r"reading file [^\n]*?/batch=([0-9-]{10})/(part-[A-Za-z0-9._-]+)\.(?:\s|$)"
)


def check_content(
    batch: LandingBatch,
    stats: list[Mapping[str, Any]],
    found_bad: BadValues,
    limits: Quarantine,
) -> None:
    """Compare what was read with the manifest and the limits, adding to the batch's reasons.

    Args:
        batch: the batch.
        stats: `file_stats` of its files.
        found_bad: what is wrong with its rows.
        limits: when bad rows make a batch refused.
    """
    by_file = {row["source_file"]: row for row in stats}
    for file in batch.files:
        found = by_file[file.name]["rows"] if file.name in by_file else 0
        if found != file.rows:
            told = f"{file.name} has {found} records, the manifest says {file.rows}"
            text = batch.facts[file.name].text
            if text.is_quote_open:
                told += ": one of its quotes may not be closed"
            elif text.is_quote_odd:
                told += ": its quotes are not as RFC 4180 has them"
            elif found_bad.malformed:
                told += f": {found_bad.malformed} of the batch's records do not have as many fields as the header"
            batch.reasons.append(told)
    for name, (count, read) in found_bad.unreadable.items():
        if count > 1 and not read:
            batch.reasons.append(
                f"column {name} can't be read throughout: not one value fits its type"
            )
    warnings = [
        f"{name} {told}" for name, facts in batch.facts.items() for told in facts.text.warnings
    ]
    for name, wanted in batch.control.items():
        found_sum = amount_sum(stats, f"{name}__landed")
        missing = found_bad.malformed + found_bad.unreadable.get(name, (0, 0))[0]
        if found_sum != wanted and missing:
            warnings.append(f"the control sum of {name} can't be checked: {missing} unreadable")
        elif found_sum != wanted:
            batch.reasons.append(
                f"the sum of {name} is {found_sum.normalize():f}, the manifest says {wanted}"
            )
    encodings = encoding_faults(batch)
    if fault := too_many_bad(limits, batch, total(stats, "bad")):
        causes = [*shape_faults(batch, found_bad.malformed), *encodings, *common(found_bad.reasons)]
        batch.reasons.append(f"{fault}: {', '.join(causes)}")
    else:
        warnings += encodings
    # What Spark could not read is read again without the files that were to blame.
    batch.warnings += [text for text in warnings if text not in batch.warnings]


def blame_files(batches: list[LandingBatch], error: Exception) -> bool:
    """Add to the reasons of the batches whose files an error of Spark names; whether it names any."""
    named = set(_FAILED_FILE.findall(str(error)))
    is_any = False
    for batch in batches:
        for file in batch.files:
            if (batch.day.isoformat(), file.name) in named:
                batch.reasons.append(
                    f"{file.name} can't be read by Spark (damaged, or a record of far too many fields):"
                    " send it again"
                )
                is_any = True
    return is_any


def total(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    """The sum of a count."""
    return sum(row[name] for row in rows)


def amount_sum(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    """The sum of an amount; none counts as nothing."""
    return sum((row[name] or Decimal(0) for row in rows), Decimal(0))
