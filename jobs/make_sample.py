"""A small seeded sample in the format of the contest's claims: the demo's input and the tests' fixture."""

import argparse
import csv
import gzip
import io
import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

_CONDITIONS = [
    f"ChronicCond_{name}"
    for name in (
        "Alzheimer Heartfailure KidneyDisease Cancer ObstrPulmonary Depression Diabetes"
        " IschemicHeart Osteoporasis rheumatoidarthritis stroke"
    ).split()
]
_BENEFICIARY = [
    *["BeneID", "DOB", "DOD", "Gender", "Race", "RenalDiseaseIndicator", "State", "County"],
    *["NoOfMonths_PartACov", "NoOfMonths_PartBCov"],
    *_CONDITIONS,
    *["IPAnnualReimbursementAmt", "IPAnnualDeductibleAmt", "OPAnnualReimbursementAmt"],
    "OPAnnualDeductibleAmt",
]
_CODES = [f"ClmDiagnosisCode_{n}" for n in range(1, 11)] + [
    f"ClmProcedureCode_{n}" for n in range(1, 7)
]
_CLAIM = (
    "BeneID ClaimID ClaimStartDt ClaimEndDt Provider InscClaimAmtReimbursed"
    " AttendingPhysician OperatingPhysician OtherPhysician"
).split()
_STAY = (
    "AdmissionDt ClmAdmitDiagnosisCode DeductibleAmtPaid DischargeDt DiagnosisGroupCode"
).split()
_DIAGNOSES = ["4019", "25000", "2724", "42731", "4280", "5853", "V5861", "41401"]
_FIRST_DAY = date(2008, 12, 1)

Row = Mapping[str, object]


def write_sample(folder: Path, seed: int = 1, providers: int = 240) -> None:
    """Write the contest's files: three quarters of the providers judged, one in five of them Yes.

    Providers that are Yes treat fewer members more often, longer and at a higher price, with enough
    overlap that a model has something to get wrong. Two judged providers have no claims, as in the
    contest's files. The same seed gives the same bytes.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    names = [f"PRV{51000 + n}" for n in range(providers)]
    members = [_member(rng, n) for n in range(providers * 12)]
    guilty = {name for name in names if rng.random() < 0.2}
    stays: list[Row] = []
    for name in names:
        stays += _stays(rng, name, members, len(stays), is_guilty=name in guilty)
    judged, others = names[: providers * 3 // 4], names[providers * 3 // 4 :]
    visits = [
        _visit(rng, n, rng.choice(others), rng.choice(members)) for n in range(providers * 10)
    ]
    verdicts = {name: "Yes" if name in guilty else "No" for name in judged}
    verdicts |= {"PRV90001": "No", "PRV90002": "Yes"}
    cases = [{"Provider": name, "PotentialFraud": verdict} for name, verdict in verdicts.items()]
    _write(folder / "closed_cases_providers.csv", ["Provider", "PotentialFraud"], cases)
    for part, of, seen_too in (("labelled", set(judged), []), ("unlabelled", set(others), visits)):
        inpatient = [row for row in stays if row["Provider"] in of]
        seen = {row["BeneID"] for row in [*inpatient, *seen_too]}
        present = [row for row in members if row["BeneID"] in seen]
        _write(folder / f"{part}_beneficiary.csv.gz", _BENEFICIARY, present)
        _write(folder / f"{part}_inpatient.csv.gz", _CLAIM + _STAY + _CODES, inpatient)
    outpatient = [*_CLAIM, *_CODES, "DeductibleAmtPaid", "ClmAdmitDiagnosisCode"]
    _write(folder / "unlabelled_outpatient.csv.gz", outpatient, visits)


def _member(rng: random.Random, number: int) -> Row:
    died = _FIRST_DAY + timedelta(days=rng.randrange(380)) if rng.random() < 0.02 else None
    fixed = dict.fromkeys(_BENEFICIARY, 0) | {
        name: 2 - (rng.random() < 0.3) for name in _CONDITIONS
    }
    return fixed | {
        "BeneID": f"BENE{11000 + number}",
        "DOB": date(1915, 1, 1) + timedelta(days=rng.randrange(18_000)),
        "DOD": died,
        "Gender": rng.choice("12"),
        "RenalDiseaseIndicator": "Y" if rng.random() < 0.1 else "0",
        "State": rng.randint(1, 4),
        "County": 10 * rng.randint(1, 9),
    }


def _stays(
    rng: random.Random, provider: str, members: list[Row], at: int, *, is_guilty: bool
) -> list[Row]:
    home = rng.randint(1, 4)
    near = [row for row in members if row["State"] == home]
    patients = rng.sample(near, k=rng.randint(6, 14) if is_guilty else rng.randint(4, 25))
    doctors = [f"PHY{provider[3:]}{n}" for n in range(rng.randint(2, 6))]
    rows: list[Row] = []
    for _ in range(round(len(patients) * rng.uniform(1.0, 2.2 if is_guilty else 1.5))):
        days = min(35, 1 + int(rng.expovariate(1 / (9 if is_guilty else 5))))
        start = _FIRST_DAY + timedelta(days=rng.randrange(350))
        end = start + timedelta(days=days)
        daily = rng.lognormvariate(7.4 if is_guilty else 7.1, 0.5)
        stay = {
            "InscClaimAmtReimbursed": 10 * round(days * daily / 10),
            "DeductibleAmtPaid": 1068 if rng.random() > 0.02 else None,
            "AttendingPhysician": rng.choice(doctors),
            "OperatingPhysician": rng.choice(doctors) if rng.random() < 0.4 else None,
            "AdmissionDt": start,
            "DischargeDt": end,
            "DiagnosisGroupCode": rng.choice(["201", "332", "470", "661", "750", "882"]),
            "ClmAdmitDiagnosisCode": rng.choice(["7866", "5789", "4280"]),
            "ClmProcedureCode_1": rng.choice(["4443", "9904"]) if rng.random() < 0.3 else None,
        }
        rows.append(_claim(rng, at + len(rows), provider, rng.choice(patients), start, end) | stay)
    return rows


def _visit(rng: random.Random, number: int, provider: str, member: Row) -> Row:
    start = _FIRST_DAY + timedelta(days=rng.randrange(390))
    return _claim(rng, 500_000 + number, provider, member, start, start) | {
        "InscClaimAmtReimbursed": rng.choice((0, 30, 60, 100, 500)),
        "DeductibleAmtPaid": 0,
        "AttendingPhysician": f"PHY{provider[3:]}0" if rng.random() > 0.05 else None,
    }


def _claim(
    rng: random.Random, number: int, provider: str, member: Row, start: date, end: date
) -> dict[str, object]:
    diagnoses = zip(_CODES, rng.sample(_DIAGNOSES, k=3), strict=False)
    values = (member["BeneID"], f"CLM{number:06d}", start, end, provider)
    return dict(zip(_CLAIM, values, strict=False)) | dict(diagnoses)


def _write(path: Path, columns: list[str], rows: Iterable[Row]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["NA" if row.get(name) is None else row[name] for name in columns])
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    write_sample(parser.parse_args().out)
