"""The catalogue of conditions, drugs, habits and typologies, read from the text beside this file."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_TEXT = Path(__file__).with_name("catalogue.txt").read_text("utf-8")


def table(section: str) -> dict[str, npt.NDArray[Any]]:
    """Columns of a table of the catalogue, as text."""
    lines = _TEXT.split(f"[{section}]\n")[1].split("\n[")[0].splitlines()
    rows = [row.strip().split(",") for line in lines for row in line.split(";")]
    return {name: np.array(values) for name, *values in zip(*rows)}


def named(section: str, column: str) -> dict[str, Any]:
    """One column of a table by the names of its rows."""
    columns = table(section)
    return dict(zip(columns["name"].tolist(), columns[column].tolist()))


CONDITIONS, DRUGS = table("conditions"), table("drugs")
HABITS = {name: float(share) for name, share in named("habits", "share").items()}
TYPOLOGIES = {name: float(share) for name, share in named("typologies", "share").items()}
MODE = named("typologies", "mode")
TIES = {k: [float(x) for x in odds.split()] for k, odds in named("typologies", "ties").items()}
WORDS = {k: words.split("|") for k, words in named("words", "words").items()}
COND = {name: i for i, name in enumerate(CONDITIONS["name"].tolist())}
DRUG = {name.split()[0]: i for i, name in enumerate(DRUGS["name"].tolist())}
PREVALENCE = np.array([CONDITIONS[k].astype(float) for k in ("young", "middle", "old")])
CERTIFIED = CONDITIONS["certified"].astype(float)
ACUTE_ICD = ["J06", "J20", "K52", "B35", "N30", "M54", "L30", "H10", "J02", "R51"]
DRUG_COND = np.array([COND.get(name, -1) for name in DRUGS["condition"].tolist()])
DAYS, YUAN, STREET = (DRUGS[k].astype(float) for k in ("days", "yuan", "street"))
STREET_YUAN = YUAN * STREET
MOST_BOXES = np.where(DRUG_COND >= 0, np.ceil(90 / DAYS), 5).astype(int)
ACUTE = np.flatnonzero((DRUG_COND < 0) & (np.arange(len(DAYS)) > DRUG["herbal"]))
_RESOLD = "ejiao cordyceps daktarin sanjin lianhua suxiao bifid insulin clopidogrel butylphthalide"
RESOLD = [DRUG[name] for name in _RESOLD.split()]
COLD = [DRUG["insulin"], DRUG["insulin"] - 1, DRUG["bifid"]]
