"""What a change costs landing: ingest_batch of this checkout beside that of another one, turn by turn.

    git worktree add build/before COMMIT
    python -m benchmarks.landing_beside LANDING --before build/before --turns 2 --runs 3

Each turn starts a session in either checkout, ingests once to compile its code, then as often as asked into
fresh lakes. CPU seconds are those of the session's JVM and Python workers; on a busy machine they say more.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

_SESSION = """
import json, shutil, sys, time
from pathlib import Path
from jobs import ingest_batch
from jobs.runtime.config import load_config
from jobs.runtime.execution import execute
from jobs.runtime.job import Options
from jobs.runtime.session import start_session

landing, scratch, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])

def settings(name):
    keys = {"landing.root": landing, "lake.root": f"{scratch}/{name}", "log.file": f"{scratch}/log.jsonl"}
    return load_config("conf/local.yaml", [f"{key}={value}" for key, value in keys.items()])

config = settings("lake")
spark = start_session("landing_beside", config.spark.properties_file)
for run in range(runs + 1):
    print(json.dumps("begin"), flush=True); sys.stdin.readline()
    code = execute(ingest_batch.JOB, spark, config, Options()).exit_code
    print(json.dumps(code), flush=True); sys.stdin.readline()
    shutil.rmtree(f"{scratch}/lake")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("--before", type=Path, required=True, help="another checkout")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    checkouts = {"before": given.before.resolve(), "now": Path.cwd()}
    seconds: dict[str, list[float]] = {name: [] for name in checkouts}
    cpu: dict[str, list[float]] = {name: [] for name in checkouts}
    for _ in range(given.turns):
        for name, checkout in checkouts.items():
            for clock, used in _session(checkout, given.landing.resolve(), given.runs):
                seconds[name].append(clock)
                cpu[name].append(used)
    for what, found in (("seconds", seconds), ("CPU seconds", cpu)):
        for name, each in found.items():
            told = ", ".join(f"{value:.1f}" for value in sorted(each))
            print(f"{what}, {name}: {told}")
        ratios = [f(found["now"]) / f(found["before"]) for f in (min, median)]
        print(
            f"{what}, now to before: {ratios[0]:.3f} of the least, {ratios[1]:.3f} of the medians"
        )


def _session(checkout: Path, landing: Path, runs: int) -> list[tuple[float, float]]:
    """Seconds and CPU seconds of each run after the first."""
    scratch = checkout / "build" / "beside"
    shutil.rmtree(scratch, ignore_errors=True)
    command = [sys.executable, "-c", _SESSION, str(landing), str(scratch), str(runs)]
    found = []
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=checkout, stdin=pipe, stdout=pipe, text=True) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        for _ in range(runs + 1):
            session.stdout.readline()
            clock, used = time.perf_counter(), _cpu_seconds(session.pid)
            print(file=session.stdin, flush=True)
            code = json.loads(session.stdout.readline())
            found.append((time.perf_counter() - clock, _cpu_seconds(session.pid) - used))
            print(file=session.stdin, flush=True)
            if code not in (0, 3):
                raise SystemExit(f"{checkout}: ingest_batch left with {code}")
    return found[1:]


def _cpu_seconds(pid: int) -> float:
    """What a process and all below it have used so far, ended children included; Linux alone."""
    parents: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found = int(stat.parent.name)
        parents.setdefault(int(fields[1]), []).append(found)
        # User and system time in hundredths, its own and that of children it has waited for.
        used[found] = sum(map(int, fields[11:15])) / 100
    total, waiting = 0.0, [pid]
    while waiting:
        each = waiting.pop()
        total += used.get(each, 0.0)
        waiting += parents.get(each, [])
    return total


if __name__ == "__main__":
    main()
