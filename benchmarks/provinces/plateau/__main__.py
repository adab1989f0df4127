"""A plateau of simulated claims: `python -m benchmarks.provinces.plateau --out LANDING --truth TRUTH`."""

import argparse
import sys
from pathlib import Path

from benchmarks.provinces.plateau.cases import Office
from benchmarks.provinces.plateau.claims import Claims
from benchmarks.provinces.plateau.gangs import Underworld
from benchmarks.provinces.plateau.landing import Landing, hexes, month_starts
from benchmarks.provinces.plateau.ledger import Ledger
from benchmarks.provinces.plateau.life import Life
from benchmarks.provinces.plateau.raids import Raids
from benchmarks.provinces.plateau.registers import parcels, reference
from benchmarks.provinces.plateau.scans import write_scans
from benchmarks.provinces.plateau.settings import Settings, make
from benchmarks.provinces.plateau.truth import write_truth
from benchmarks.provinces.plateau.world import World

BOUNDS = "Members from 500, months 1 to 60, seed from 0, fraud share 0 to 0.1 and benign 0 to 4 are possible."


def main(argv: list[str] | None = None) -> int:
    """Reads the arguments, simulates day by day and writes the landing folder and the truth."""
    a = argparse.ArgumentParser(prog="python -m benchmarks.provinces.plateau", description=__doc__)
    for name, whole in (("members", 40000), ("months", 12), ("seed", 1)):
        a.add_argument(f"--{name}", type=int, default=whole)
    a.add_argument("--fraud-share", type=float, default=0.003)
    a.add_argument("--benign", type=float, default=1.0)
    a.add_argument("--draw", action="store_true")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--truth", type=Path, required=True)
    o = a.parse_args(argv)
    for folder in (o.out, o.truth):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            print(f"The folder {folder} must be empty or absent.", file=sys.stderr)
            return 2
    possible = o.members >= 500 and 1 <= o.months <= 60 and o.seed >= 0
    if not (possible and 0 <= o.fraud_share <= 0.1 and 0 <= o.benign <= 4):
        print(BOUNDS, file=sys.stderr)
        return 2
    s = make(Settings(o.members, o.months, o.seed, o.fraud_share, o.benign), o.draw)
    days, ledger, w = int(month_starts(s.months)[-1]), Ledger(), World(s)
    life, under = Life(w, ledger, days), Underworld(w, days)
    raids = Raids(under, life)
    for day in range(days):
        life.step(day)
        raids.step(day)
    claims = Claims(under, ledger, Landing(o.out, s.months, s.rng(9)))
    gang_ids = hexes(s.rng(10), len(under.gangs) + 40, 5).to_pylist()
    claims.write()
    touched = write_scans(claims)
    reference(claims)
    parcels(claims)
    used = write_truth(claims, o.truth, touched, gang_ids)
    Office(claims, used, gang_ids).work()
    return 0


if __name__ == "__main__":
    sys.exit(main())
