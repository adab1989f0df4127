"""The same seed gives the same files on one core and on two, in one partition and in many.

    python -m benchmarks.same_province FOLDER --members 20000 --months 2

runs the simulator four ways below FOLDER and compares the SHA-256 of every file that it wrote.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

#: Cores and partitions of each way.
_WAYS = ((1, 1), (2, 2), (2, 1), (2, 5))


def main() -> None:
    """Run, compare and say so; exit code 1 where anything differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", default="20000")
    parser.add_argument("--months", default="2")
    given = parser.parse_args()
    seen: dict[str, str] = {}
    for cores, partitions in _WAYS:
        name = f"{cores} cores, {partitions} partitions"
        seen[name] = _digest(given, cores, partitions)
        print(f"{name}: {seen[name]}")
    same = len(set(seen.values())) == 1
    print("all the same" if same else "THEY DIFFER")
    sys.exit(not same)


def _digest(given: argparse.Namespace, cores: int, partitions: int) -> str:
    """One hash of all files of a province, the truth included, by name and content."""
    root = given.folder / f"{cores}-{partitions}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    properties = root / "spark.conf"
    local = Path("conf/spark-local.conf").read_text(encoding="utf-8")
    properties.write_text(f"{local}\nspark.master local[{cores}]\n", encoding="utf-8")
    command = [sys.executable, "-m", "jobs.simulate_province", "--seed", "3"]
    command += ["--members", given.members, "--months", given.months, "--fraud-share", "0.02"]
    command += ["--out", str(root / "landing"), "--truth", str(root / "truth")]
    command += ["--partitions", str(partitions), "--spark-properties", str(properties)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    digest = hashlib.sha256()
    for folder in ("landing", "truth"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
