"""Makes a province: `python -m benchmarks.provinces.harbour --members N --out DIR --truth DIR`."""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.provinces.harbour import honest
from benchmarks.provinces.harbour.book import Book
from benchmarks.provinces.harbour.cases import Office
from benchmarks.provinces.harbour.channels import Channels
from benchmarks.provinces.harbour.city import City
from benchmarks.provinces.harbour.gangs import Underworld
from benchmarks.provinces.harbour.habits import habits
from benchmarks.provinces.harbour.params import Params
from benchmarks.provinces.harbour.reference import reference
from benchmarks.provinces.harbour.scans import Boxes
from benchmarks.provinces.harbour.settle import Bill
from benchmarks.provinces.harbour.truth import Truth
from benchmarks.provinces.harbour.types import Floats
from benchmarks.provinces.harbour.world import World
from benchmarks.provinces.harbour.writer import Writer

NEEDS = "500 members, 1 month, a seed of 0 or more, a fraud share up to 0.2, benign up to 4"


def main() -> int:
    """Simulate a province and write its landing folder and the truth."""
    options = _options()
    for folder in (options.out, options.truth):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            print(f"harbour: {folder} must be empty or absent.", file=sys.stderr)
            return 2
    p = Params(options.members, options.months, options.seed, options.fraud_share, options.benign)
    counts = p.members >= 500 and p.months >= 1 and p.seed >= 0
    if not counts or not 0 <= p.fraud_share <= 0.2 or not 0 <= p.benign <= 4:
        print(f"harbour: needs {NEEDS}.", file=sys.stderr)
        return 2
    if options.draw:
        p.draw()
    for folder in (options.out, options.truth):
        folder.mkdir(parents=True, exist_ok=True)
    streams = np.random.SeedSequence([p.seed, 2025]).spawn(6)
    for_city, for_life, for_gangs, for_rows, for_bill, for_reference = map(
        np.random.default_rng, streams
    )
    w, book = World(p, City(p, for_city), for_life), Book()
    habits(w, for_life)
    for part in (honest.acute, honest.stays, honest.chronic, honest.courses):
        part(w, book, for_life)
    u = Underworld(w, for_gangs)
    if p.fraud_share > 0:
        u.build()
        u.plan()
        Channels(u, book).live()
    out = Writer(w, options.out, for_rows)
    bill = Bill(w, book, out, for_bill)
    Boxes(bill, np.array([*(g.outlet for g in u.gangs), -1])).write()
    office = Office(u, out, _losses(u, bill))
    reference(w, out, for_reference)
    Truth(office, bill, options.truth)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="harbour", description=__doc__)
    for name, value in (("members", 40000), ("months", 12), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, share in (("fraud-share", 0.003), ("benign", 1.0)):
        parser.add_argument(f"--{name}", type=float, default=share)
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    return parser.parse_args()


def _losses(u: Underworld, bill: Bill) -> Floats:
    """The fund's loss by each gang; a card that was never used is no fraud and is dropped."""
    fraud = bill.fraud()
    losses = np.bincount(fraud["gang"], fraud["loss"], len(u.gangs)).astype(float)
    billed = set(zip(fraud["psn"].tolist(), fraud["gang"].tolist()))
    for g in u.gangs:
        if g.past:  # an estimate: its lines are older than the data
            losses[g.gid] = len(g.cards) * (g.stop - g.start) * u.rng.uniform(5, 40)
        else:
            g.cards = [card for card in g.cards if (card.psn, g.gid) in billed]
    return losses


if __name__ == "__main__":
    sys.exit(main())
