"""Provinces by several hands, made by one command each and kept by what went into them.

`city`, `countryside`, `harbour` and `plateau` were written from the landing contract and the field's notes alone, by
others than the rules, links and models that are chosen on them. `ours` is the project's simulator. `shared` lies
beside the project: it is to judge by, nothing is chosen on it.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "provinces"


@dataclass(frozen=True)
class Generator:
    """A generator: its command without arguments, and the files that it is made of."""

    name: str
    command: tuple[str, ...]
    sources: tuple[Path, ...]

    def province(self, folder: Path, members: int, seed: int, *options: str) -> Path:
        """Make a province with `landing` and `truth` below a folder of its own, once; its folder.

        Raises:
            FileNotFoundError: when the generator is not there.
        """
        files = sorted(path for source in self.sources for path in _files(source))
        if not files:
            raise FileNotFoundError(f"the generator {self.name} is not there: {self.sources[0]}")
        arguments = ["--members", str(members), "--seed", str(seed), *options]
        digest = hashlib.sha256(repr((self.command[1:], arguments)).encode())
        for path in files:
            digest.update(path.read_bytes())
        made = folder / f"{self.name}-{members}-{seed}-{digest.hexdigest()[:10]}"
        if not (made / "done").exists():
            places = ["--out", f"{made}/landing", "--truth", f"{made}/truth"]
            subprocess.run([*self.command, *arguments, *places], check=True, cwd=ROOT)
            (made / "done").touch()
        return made


def _files(source: Path) -> Iterable[Path]:
    kinds = (".py", ".yaml", ".csv", ".txt")
    every = source.rglob("*") if source.is_dir() else [source]
    return (path for path in every if path.suffix in kinds and path.is_file())


def _of_this_folder(name: str) -> Generator:
    command = (sys.executable, "-m", f"benchmarks.provinces.{name}")
    return Generator(name, command, (ROOT / "benchmarks/provinces" / name,))


GENERATORS = {
    each.name: each
    for each in (
        Generator(
            "ours",
            (sys.executable, "-m", "jobs.simulate_province"),
            (ROOT / "jobs/province", ROOT / "conf/simulation"),
        ),
        *map(_of_this_folder, ("city", "countryside", "harbour", "plateau")),
        Generator("shared", (sys.executable, str(SHARED / "province.py")), (SHARED,)),
    )
}
