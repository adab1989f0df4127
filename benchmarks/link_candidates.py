"""Which share of the accounts in fraud links can reach at all, on provinces whose truth is known.

    python -m benchmarks.link_candidates PROVINCE [PROVINCE ...]

takes folders with landing/ (in Parquet) and truth/, and prints for each how many accounts in fraud have a candidate
pair with another account of their gang, by what the pair did. Cards that never meet and share nothing are no pair, so
no weight of links finds them.
"""

import argparse
from pathlib import Path

import polars as pl

from features.network.meetings import Bounds
from jobs.network.training_pairs import Province, read_province
from jobs.runtime.config import load_config

#: What makes a pair a candidate, by trait.
_KINDS = {
    "met": pl.col("met_days") >= 2,
    "met within hours": pl.col("wide_days") > 0,
    "operator": pl.col("operator_surprise") > 0,
    "voucher phone": pl.col("device_rarity") > 0,
    "proxy": (pl.col("proxy_rarity") > 0) | (pl.col("proxy_phone_rarity") > 0),
    "phone on file": pl.col("phone_rarity") > 0,
}


def main() -> None:
    """Read each province and print its row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("provinces", type=Path, nargs="+")
    given = parser.parse_args()
    bounds = Bounds(sharers=load_config("conf/local.yaml", []).account_links.sharers)
    print(f"| province | in fraud | with a true pair | {' | '.join(_KINDS)} |")
    print(f"|{' --- |' * (len(_KINDS) + 3)}")
    for folder in given.provinces:
        found = reached(read_province(folder, bounds))
        print(f"| {folder.name} | {' | '.join(map(str, found))} |", flush=True)


def reached(province: Province) -> list[int]:
    """Accounts in fraud; those with a true candidate pair; and those by each kind of evidence."""
    true = province.pairs.filter("is_true")
    parts = [true, *(true.filter(is_of_kind) for is_of_kind in _KINDS.values())]
    ends = (set(part["src"]) | set(part["dst"]) for part in parts)
    return [len(province.in_fraud), *(len(each & province.in_fraud) for each in ends)]


if __name__ == "__main__":
    main()
