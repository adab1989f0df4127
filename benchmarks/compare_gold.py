"""Compare the gold tables of two lakes row by row: `python -m benchmarks.compare_gold LAKE LAKE`."""

import sys

from expectations.tables import all_contracts
from jobs.lake.tables import Lake
from jobs.runtime.session import start_session


def main(first: str, second: str) -> int:
    """Print each table's rows and differences; 1 when any row differs."""
    spark = start_session("compare_gold", "conf/spark-local.conf")
    lakes = Lake(spark, first), Lake(spark, second)
    differing = 0
    for contract in (each for each in all_contracts() if each.layer == "gold"):
        present = [lake.exists(contract) for lake in lakes]
        if not any(present):
            continue
        if not all(present):
            print(f"{contract.name:32} is in one lake only")
            differing += 1
            continue
        one, other = (lake.read(contract) for lake in lakes)
        only = one.exceptAll(other).count() + other.exceptAll(one).count()
        print(f"{contract.name:32} {one.count():8} rows, {only} differ")
        differing += only
    print("identical" if not differing else "NOT identical")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
