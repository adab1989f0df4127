"""Simulated people beside real ones: the columns of a published table of 16,000 insured people.

    python -m benchmarks.realism ../shared/data/member_profile/class_statistics.csv [--write docs/province.md]

Compared are people with a special-disease certificate in force for all of six months, no inpatient stay
and at least one visit, normal ones and those whose account is used in fraud apart. Rows of the real
table are not public: correlations between columns are unknown and cannot be compared.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.realism_columns import APPLICABLE, GIVEN, NOT_APPLICABLE, person_columns
from jobs.province.gangs.truth_rows import join_truth_parts
from jobs.province.landing.delivery import write_manifests
from jobs.province.settings import chunks
from jobs.province.task import simulate
from jobs.simulate_province import option_parser, prepared

MONTHS = 6
_TABLES = "person,institution,drug,special_cert,settlement,fee_detail"
_FACTOR = 1.5
_POINTS = 0.10
_BEGIN, _END = "<!-- realism: begin -->", "<!-- realism: end -->"
_QUARTILES = ("25%", "50%", "75%")


@dataclass(frozen=True)
class Compared:
    """One column on both sides."""

    column: str
    group: str
    real: dict[str, float]
    simulated: dict[str, float]
    zeros: float

    @property
    def is_close(self) -> bool:
        """Whether the quartiles lie within the factor; where real ones are zero, the share of zeros fits.

        The real share of zeros is known only to lie between two of the quarters.
        """
        real = [self.real[name] for name in _QUARTILES]
        close = [
            real_value / _FACTOR <= self.simulated[name] <= real_value * _FACTOR
            for name, real_value in zip(_QUARTILES, real, strict=True)
            if real_value != 0
        ]
        empty = sum(value == 0 for value in real)
        if empty:
            least, most = (0.25, 0.5, 0.75)[empty - 1], (0.5, 0.75, 1.0)[empty - 1]
            close.append(least - _POINTS <= self.zeros <= most + _POINTS)
        return all(close)


def compared(real: pd.DataFrame, people: pd.DataFrame, group: str) -> list[Compared]:
    """Every applicable column of one group of people."""
    found = []
    for column in APPLICABLE:
        row = real.loc[column]
        values = people[column]
        simulated = {name: float(np.quantile(values, int(name[:-1]) / 100)) for name in _QUARTILES}
        found.append(
            Compared(
                column,
                group,
                {name: float(str(row[f"{group}_{name}"])) for name in (*_QUARTILES, "mean")},
                {**simulated, "mean": float(values.mean())},
                float((values == 0).mean()),
            )
        )
    return found


def simulated_people(members: int, seed: int, share: float) -> tuple[pd.DataFrame, float]:
    """The comparable people of a province of six months, and its fee lines a member and year."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--members", str(members), "--months", str(MONTHS), "--seed", str(seed)]
        options += ["--fraud-share", str(share), "--tables", _TABLES]
        options += ["--out", f"{folder}/landing", "--truth", f"{folder}/truth"]
        run, _ = prepared(option_parser().parse_args(options))
        outcomes = [simulate(run, number) for number in range(len(chunks(members)))]
        write_manifests(Path(run.out), [file for outcome in outcomes for file in outcome.files])
        join_truth_parts(Path(run.truth))
        landing = Path(run.out)
        lines = sum(outcome.rows["fee_detail"] for outcome in outcomes)
        first, after = run.settings.day(0), run.settings.day(run.settings.month_days(MONTHS - 1)[1])
        people = person_columns(
            {name: pq.read_table(landing / name).to_pandas() for name in _TABLES.split(",")},
            first,
            after,
        )
        fraud = pq.read_table(Path(run.truth) / "truth_line.parquet", columns=["psn_no"])
        people["fraud"] = people.index.isin(set(fraud["psn_no"].to_pylist()))
    return people, lines / members * 12 / MONTHS


def report(groups: list[list[Compared]], sizes: dict[str, int], lines: float) -> str:
    """The comparison as Markdown."""
    normal = groups[0]
    close = sum(each.is_close for each in normal)
    counted = [each for each in normal if each.column not in GIVEN]
    text = [
        f"Fee lines a member and year: {lines:.1f}. Comparable people: {sizes['normal']:,} normal,"
        f" {sizes['fraud']:,} whose account is used in fraud (real: 15,207 and 793).",
        "",
        f"**Normal people: {close} of {len(normal)} applicable columns ({close / len(normal):.0%}) lie"
        f" within a factor of {_FACTOR} of the real quartiles, or within {_POINTS:.0%} of the share of"
        " zeros where these are zero.** Fraud is shown for comparison: there is no target for it, as"
        " the real table does not say what kinds of fraud it holds.",
        "",
        "Two columns hold by the choice of people and period (days in hospital, years), two repeat another"
        " one (months, declared examinations); counting none of these four,"
        f" {sum(each.is_close for each in counted)} of {len(counted)} are close.",
        "",
        "Real values first, simulated ones after the arrow. `yes` means that the column is close.",
    ]
    for group in groups:
        text += [
            "",
            f"#### {group[0].group.capitalize()} people",
            "",
            "| column | 25 % | median | 75 % | mean | zeros | close |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for each in group:
            cells = [
                f"{_short(each.real[name])} → {_short(each.simulated[name])}"
                for name in (*_QUARTILES, "mean")
            ]
            is_close = "yes" if each.is_close else "no"
            text.append(f"| {each.column} | {' | '.join(cells)} | {each.zeros:.0%} | {is_close} |")
    text += ["", "#### Not applicable", ""]
    text += [f"- `{column}`: {reason}" for column, reason in NOT_APPLICABLE.items()]
    return "\n".join(text)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def main() -> None:
    """Simulate, compare, print; with --write put the result into the document too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("statistics", type=Path, help="class_statistics.csv")
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20250101)
    parser.add_argument("--fraud-share", type=float, default=0.01)
    parser.add_argument("--write", type=Path, help="document whose marked part is replaced")
    given = parser.parse_args()
    real = pd.read_csv(given.statistics, index_col="column")
    missing = sorted(set(real.index) - set(APPLICABLE) - set(NOT_APPLICABLE))
    assert not missing, missing
    people, lines = simulated_people(given.members, given.seed, given.fraud_share)
    groups = {"normal": people[~people["fraud"]], "fraud": people[people["fraud"]]}
    tables = [compared(real, rows, group) for group, rows in groups.items() if len(rows)]
    text = report(tables, {group: len(rows) for group, rows in groups.items()}, lines)
    print(text)
    if given.write:
        document = given.write.read_text(encoding="utf-8")
        before, rest = document.split(_BEGIN)
        after = rest.split(_END)[1]
        given.write.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
