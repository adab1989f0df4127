"""What a change costs landing: ingest_batch of this checkout beside that of another one, run by run.

    git worktree add build/before COMMIT
    python -m benchmarks.landing_beside LANDING --before build/before --runs 12

A session of each checkout ingests once to compile its code; then they take turns, the first of a pair second in the
next, each run into a fresh lake. Beside seconds it says the CPU seconds of the session's JVM and Python workers and
the seconds that Spark's tasks took. Of each, the ratio is that of pairs of neighbouring runs, as a machine gets
slower and faster by the minute.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

_SESSION = """
import shutil, sys
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

def task_seconds():
    # All stages so far: the status store is Spark's own, and the only one that knows.
    none = spark.sparkContext._gateway.new_array(spark._jvm.double, 0)
    stages = spark._jsc.sc().statusStore().stageList(None, False, False, none, None)
    return sum(stages.apply(place).executorRunTime() for place in range(stages.size())) / 1000

print(0, flush=True)
for run in range(runs + 1):
    sys.stdin.readline()
    code = execute(ingest_batch.JOB, spark, config, Options()).exit_code
    print(code, flush=True); sys.stdin.readline()
    print(task_seconds(), flush=True); sys.stdin.readline()
    shutil.rmtree(f"{scratch}/lake")
    print(0, flush=True)
sys.stdin.readline()
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("--before", type=Path, required=True, help="another checkout")
    parser.add_argument("--runs", type=int, default=6)
    given = parser.parse_args()
    landing = given.landing.resolve()
    names = ("before", "now")
    sessions = {
        name: Session(checkout, landing, given.runs)
        for name, checkout in zip(names, (given.before.resolve(), Path.cwd()), strict=True)
    }
    found: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(given.runs + 1):
        for name in names if number % 2 else reversed(names):
            found[name].append(sessions[name].run())
    for session in sessions.values():
        session.end()
    for what in Cost._fields:
        costs = {name: [getattr(cost, what) for cost in found[name][1:]] for name in names}
        for name, each in costs.items():
            print(f"{what}, {name}: {', '.join(f'{value:.1f}' for value in sorted(each))}")
        ratios = sorted(now / was for was, now in zip(costs["before"], costs["now"], strict=True))
        least = min(costs["now"]) / min(costs["before"])
        print(
            f"{what}, now to before: {median(ratios):.3f} the median of pairs ({ratios[0]:.2f} to"
            f" {ratios[-1]:.2f}), {least:.3f} of the least"
        )


class Cost(NamedTuple):
    """What one run took, in seconds: by the clock, of processors, and in Spark's tasks."""

    seconds: float
    cpu_seconds: float
    task_seconds: float


class Session:
    """A process that ingests when told to."""

    def __init__(self, checkout: Path, landing: Path, runs: int) -> None:
        """Start it in a checkout, for one run more than those counted."""
        self._checkout, self._tasks = checkout, 0.0
        scratch = checkout / "build" / "beside"
        shutil.rmtree(scratch, ignore_errors=True)
        command = [sys.executable, "-c", _SESSION, str(landing), str(scratch), str(runs)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=checkout, stdin=pipe, stdout=pipe, text=True)
        self._told()

    def run(self) -> Cost:
        """Ingest once into a fresh lake."""
        clock, used = time.perf_counter(), _cpu_seconds(self._process.pid)
        self._go_on()
        code = self._told()
        seconds, cpu = time.perf_counter() - clock, _cpu_seconds(self._process.pid) - used
        if code not in (0, 3):
            raise SystemExit(f"{self._checkout}: ingest_batch left with {code}")
        self._go_on()
        before, self._tasks = self._tasks, float(self._told())
        self._go_on()
        self._told()
        return Cost(seconds, cpu, self._tasks - before)

    def end(self) -> None:
        """Let it leave."""
        self._go_on()
        self._process.wait()

    def _told(self) -> float:
        assert self._process.stdout is not None
        return float(self._process.stdout.readline())

    def _go_on(self) -> None:
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)


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
