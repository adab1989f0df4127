"""A city of simulated claims: `python -m benchmarks.provinces.city --seed 1 --out LANDING --truth TRUTH`."""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.provinces.city.base import Log, Params, drawn
from benchmarks.provinces.city.bill import Bill, Writer
from benchmarks.provinces.city.files import Files
from benchmarks.provinces.city.gangs import SPECS, Gangs
from benchmarks.provinces.city.honest import Honest
from benchmarks.provinces.city.world import World


def main(argv: list[str] | None = None) -> int:
    """Reads the arguments, builds the city and writes it."""
    a = argparse.ArgumentParser(prog="python -m benchmarks.provinces.city")
    for name, kind, value in (("members", int, 20000), ("months", int, 12), ("seed", int, 1)):
        a.add_argument(f"--{name}", type=kind, default=value)
    a.add_argument("--fraud-share", type=float, default=0.003)
    a.add_argument("--benign", type=float, default=1.0)
    a.add_argument("--draw", action="store_true")
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--truth", type=Path, required=True)
    o = a.parse_args(argv)
    for folder in (o.out, o.truth):
        if folder.exists() and any(folder.iterdir()):
            print(f"{folder} is not empty", file=sys.stderr)
            return 2
        folder.mkdir(parents=True, exist_ok=True)
    p = Params(o.members, o.months, o.seed, o.fraud_share, o.benign)
    streams = [np.random.default_rng([o.seed, k]) for k in range(6)]
    if o.draw:
        p = drawn(p, streams[0], list(SPECS))
    w, log = World(p, streams[1]), Log()
    honest = Honest(w, log, streams[2])
    gangs = Gangs(w, log, streams[3], honest)
    bill = Bill(w, log, gangs, streams[4], Writer(o.out, p.months, o.seed))
    Files(bill, honest, streams[5], o.truth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
