"""Catalogues of the city (drugs, illnesses, complaints), its parameters and the event log."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Arr = npt.NDArray[Any]
Rng = np.random.Generator

# ingredient, ATC, category, days a box, yuan, flags: c chronic, k cold, w watch list, d dear places
_DRUGS = """
amlodipine C08CA01 c 14 24 cw|valsartan C09CA03 c 14 29 cw|metoprolol C07AB02 c 14 26 c
nifedipine C08CA05 c 14 31 cw|metformin A10BA02 c 15 19 c|acarbose A10BF01 c 10 36 cw
glargine A10AE04 b 14 132 ckw|dapagliflozin A10BK01 c 14 58 cw|gliclazide A10BB09 c 15 32 c
atorvastatin C10AA05 c 14 39 cw|rosuvastatin C10AA07 c 14 35 c|aspirin B01AC06 c 30 15 c
clopidogrel B01AC04 c 14 62 cw|isosorbide C01DA14 c 14 33 c|速效救心丸 - p 20 38 cw
通心络 - p 10 34 cw|血塞通 - p 10 45 cw|丹红注射液 - j 2 68 w|参麦注射液 - j 1 54 w
budesonide R03AK07 c 30 178 cw|tiotropium R03BB04 c 30 140 c|montelukast R03DC03 c 10 32 c
salbutamol R03AC02 c 30 24 c|valproate N03AG01 c 15 42 c|levetiracetam N03AX14 c 15 95 c
levothyroxine H03AA01 c 50 32 c|thiamazole H03BB02 c 25 16 c|febuxostat M04AA03 c 14 38 cw
methotrexate L04AX03 c 28 21 c|adalimumab L04AB04 b 14 1280 ckdw|calcitriol A11CC04 c 10 42 cw
alendronate M05BA04 c 28 66 c|celecoxib M01AH01 c 10 36 w|glucosamine M01AX05 c 15 48 cw
sertraline N06AB06 c 14 44 c|olanzapine N05AH03 c 14 56 c|levodopa N04BA02 c 20 52 c
donepezil N06DA02 c 14 88 cw|tamsulosin G04CA02 c 10 34 cw|finasteride G04CB01 c 10 37 c
entecavir J05AF10 c 28 72 cw|ketoacid V06DD01 c 9 118 cw|epoetin B03XA01 b 7 64 ckw
tacrolimus L04AD02 c 15 640 cdw|mycophenolate L04AA06 c 10 230 cdw|letrozole L02BG04 c 30 260 cd
osimertinib L01EB04 c 30 4980 d|capecitabine L01BC06 c 14 520 d|latanoprost S01EE01 c 28 92 ckw
rivaroxaban B01AF01 c 14 98 cw|sacubitril C09DX04 c 14 86 cw|omeprazole A02BC01 c 14 28 -
培菲康 A07FA51 b 6 33 kw|感冒灵 - p 3 16 -|amoxicillin J01CA04 c 6 14 -
azithromycin J01FA10 c 3 26 -|ambroxol R05CB06 c 5 22 -|ibuprofen M01AE01 c 5 18 -|montmorillonite A07BC05 c 3 19 -
levofloxacin J01MA12 c 5 24 -|三金片 - p 6 29 w|达克宁 D01AC02 c 14 19 w
mometasone D07AC13 c 10 25 -|活血止痛 - p 6 36 -|metronidazole J01XD01 c 5 8 -|levoeye S01AE05 c 10 17 -|云南白药 - p 8 46 w
天麻素 - p 8 42 -|zopiclone N05CF04 c 7 34 -|loratadine R06AX13 c 6 20 -|阿胶 - h 15 480 w
西洋参 - h 15 260 w|安神补脑液 - p 7 39 -|中药饮片 - h 7 150 -
"""
# condition, ICD-10, share at 45, share at 70, special-disease code, s specialist, ingredient:share
_CONDS = """
hypertension I10 .11 .5 M03900 - amlodipine:.5,valsartan:.4,metoprolol:.25,nifedipine:.2
diabetes E11 .055 .2 M01600 - metformin:.7,acarbose:.3,glargine:.2,dapagliflozin:.25,gliclazide:.2
hyperlipidaemia E78 .05 .17 - - atorvastatin:.7,rosuvastatin:.35
coronary I25 .008 .14 M04600 - aspirin:.7,clopidogrel:.45,isosorbide:.3,速效救心丸:.3,通心络:.25
stroke I69 .004 .07 M04803 - aspirin:.6,clopidogrel:.3,血塞通:.4,atorvastatin:.3,丹红注射液:.03
copd J44 .006 .06 M05300 - budesonide:.6,tiotropium:.45
asthma J45 .015 .02 M05400 - salbutamol:.5,montelukast:.4,budesonide:.4
epilepsy G40 .004 .004 M02500 s valproate:.6,levetiracetam:.5
hypothyroid E03 .012 .02 - - levothyroxine:1
hyperthyroid E05 .006 .004 - - thiamazole:1
gout M10 .015 .02 - - febuxostat:.9
rheumatoid M06 .004 .008 M06900 s methotrexate:.7,celecoxib:.4,adalimumab:.22
osteoporosis M81 .005 .07 - - calcitriol:.7,alendronate:.4
osteoarthritis M17 .01 .08 - - glucosamine:.6,celecoxib:.5
depression F32 .012 .015 - s sertraline:1
schizophrenia F20 .005 .004 M02000 s olanzapine:1
parkinson G20 .0004 .009 M02300 s levodopa:1
dementia F03 .0002 .012 - s donepezil:1
prostate N40 .003 .05 - - tamsulosin:.7,finasteride:.5
hepatitis_b B18 .012 .01 M00200 s entecavir:1
kidney N18 .003 .015 M07801 s ketoacid:.7,epoetin:.35,calcitriol:.3,dapagliflozin:.2
dialysis N18 .0006 .0022 M07802 s epoetin:.9,calcitriol:.4
transplant Z94 .0006 .0005 M08300 s tacrolimus:.9,mycophenolate:.7
cancer C50 .003 .01 M00500 s letrozole:.6,capecitabine:.4
lung_cancer C34 .0008 .003 M00501 s osimertinib:.7
glaucoma H40 .003 .015 - s latanoprost:1
fibrillation I48 .002 .03 M04700 - rivaroxaban:.7,metoprolol:.4
heart_failure I50 .001 .025 M04100 - sacubitril:.6,metoprolol:.5,dapagliflozin:.3,参麦注射液:.02
gastritis K29 .02 .04 - - omeprazole:.8,培菲康:.3
"""
# complaint, weights under 15, 15 to 60, over 60, season, share at a pharmacy, ingredient:share
_ACUTE = """
J06 5 2.6 1.6 w .45 感冒灵:.7,ibuprofen:.4,amoxicillin:.4,ambroxol:.3
J20 1.6 .7 1.1 w .1 azithromycin:.5,ambroxol:.7,amoxicillin:.3,levofloxacin:.15
A09 1.2 .7 .4 s .3 montmorillonite:.7,培菲康:.5
N39 .1 .5 .5 n .35 levofloxacin:.6,三金片:.5
B35 .2 .5 .4 s .6 达克宁:.9
L30 .5 .6 .5 n .3 mometasone:.7,loratadine:.4
M54 0 .7 1.2 n .3 活血止痛:.5,celecoxib:.35,ibuprofen:.2,云南白药:.3
K04 .4 .8 .5 n .05 metronidazole:.5,amoxicillin:.4,ibuprofen:.3
H10 .3 .3 .3 n .3 levoeye:.9
S93 .3 .4 .3 n .2 云南白药:.6,活血止痛:.4
R42 0 .4 1 n .2 天麻素:.6,zopiclone:.2,安神补脑液:.3
J30 .4 .5 .2 n .3 loratadine:.8,montelukast:.3
R53 0 .5 .8 n .75 西洋参:.2,阿胶:.13,安神补脑液:.4,中药饮片:.25
R07 0 .15 .5 n .2 速效救心丸:.6
K59 .2 .3 .5 n .4 培菲康:.6
Z00 .2 .4 .4 n 0 montmorillonite:0
"""
DRUGS = [d.split() for line in _DRUGS.strip().splitlines() for d in line.split("|")]
CONDS = [line.split() for line in _CONDS.strip().splitlines()]
ACUTE = [line.split() for line in _ACUTE.strip().splitlines()]
INGR, COND_NAMES = [d[0] for d in DRUGS], [c[0] for c in CONDS]


def shares(text: str) -> list[tuple[int, float]]:
    """Reads `ingredient:share` pairs as (ingredient number, share)."""
    return [(INGR.index(p.split(":")[0]), float(p.split(":")[1])) for p in text.split(",")]


DX = sorted({c[1] for c in CONDS} | {a[0] for a in ACUTE} | {"I63", "J18", "K80", "Z51"})
COND_DX, ACUTE_DX = (
    np.array([DX.index(c[1]) for c in CONDS]),
    np.array([DX.index(a[0]) for a in ACUTE]),
)
COND_CERT, COND_SPEC = (
    np.array([c[4] != "-" for c in CONDS]),
    np.array([c[5] == "s" for c in CONDS]),
)
FLAG = {f: np.array([f in d[5] for d in DRUGS]) for f in "ckwd"}
CAT = np.array([d[2] for d in DRUGS])
# FITS[c, i]: ingredient i is a therapy of condition c
FITS = np.array([[i in dict(shares(c[6])) for i in range(len(INGR))] for c in CONDS])


@dataclass(frozen=True)
class Params:
    """What a world is drawn with; `--draw` changes all but the first six."""

    members: int = 20000
    months: int = 12
    seed: int = 1
    fraud_share: float = 0.003
    benign: float = 1.0
    typologies: str = "all"
    pharmacies: float = 1.0  # density
    rural: float = 0.38
    price: float = 1.0
    acute: float = 1.0
    voucher: float = 0.34  # share of visits shown on a phone
    skill_power: float = 0.7  # below 1: more skilled gangs
    gang_size: float = 1.0
    greed: float = 1.0  # visits a card and month
    coverage: float = 0.6  # share of counters that scan from the beginning
    resale_scanned: float = 0.45


def drawn(p: Params, rng: Rng, names: list[str]) -> Params:
    """Draws the world's own parameters from the seed."""
    keep = rng.permutation(names)[: int(rng.integers(5, len(names) + 1))]
    span = {
        "pharmacies": (0.6, 1.7),
        "rural": (0.15, 0.6),
        "price": (0.8, 1.3),
        "acute": (0.85, 1.15),
    }
    span |= {"voucher": (0.15, 0.6), "skill_power": (0.4, 0.9), "gang_size": (0.6, 1.5)}
    span |= {"greed": (0.75, 1.3), "coverage": (0.35, 0.85), "resale_scanned": (0.15, 0.7)}
    new: dict[str, Any] = {k: float(rng.uniform(*v)) for k, v in span.items()}
    return replace(p, typologies=",".join(sorted(map(str, keep))), **new)


def hash01(a: Arr, b: Arr | int, salt: int) -> Arr:
    """A uniform number fixed by (a, b, salt): what members of one group share without a table."""
    x = np.asarray(a).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = x + np.asarray(b).astype(np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    x = x + np.full(1, salt * 7919 + 13, np.uint64)
    for shift, mult in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(mult)
    return np.asarray(((x ^ (x >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53)


def expand(counts: Arr) -> tuple[Arr, Arr]:
    """Row numbers repeated `counts` times, and the running number inside each repeat."""
    owner = np.repeat(np.arange(len(counts)), counts)
    return owner, np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]


class Log:
    """Visits and their lines, as they happen; honest and guilty write the same columns."""

    V: ClassVar[dict[str, int]] = {"psn": 0, "day": 0, "minute": 0, "place": 0, "dx": 0, "dev": -1}
    V |= {"proxy": -1, "doc": -1, "gang": -1, "stay": 0, "cond": -1}
    L: ClassVar[dict[str, int]] = {
        "visit": 0,
        "drug": -1,
        "cnt": 1,
        "item": 0,
        "price": 0,
        "fraud": 0,
    }

    def __init__(self) -> None:
        """Starts empty."""
        self.n, self.v = 0, {k: list[Arr]() for k in self.V}
        self.lines = {k: list[Arr]() for k in self.L}

    def add(self, psn: Arr, **cols: Any) -> Arr:
        """Writes visits and returns their numbers; device and proxy -1 mean the owner's own."""
        for k, default in self.V.items():
            val = psn if k == "psn" else cols.get(k, default)
            self.v[k].append(np.broadcast_to(np.asarray(val).astype(np.int32), len(psn)))
        self.n += len(psn)
        return np.arange(self.n - len(psn), self.n)

    def line(self, visit: Arr, **cols: Any) -> None:
        """Writes fee lines of visits; drug -1 is a service at `price` (in fen)."""
        for k, default in self.L.items():
            val = visit if k == "visit" else cols.get(k, default)
            self.lines[k].append(np.broadcast_to(np.asarray(val).astype(np.int32), len(visit)))
