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
    "Alzheimer",
    "Heartfailure",
    "KidneyDisease",
    "Cancer",
    "ObstrPulmonary",
    "Depression",
    "Diabetes",
    "IschemicHeart",
    "Osteoporasis",
    "rheumatoidarthritis",
    "stroke",
]
_BENEFICIARY = [
    "BeneID",
    "DOB",
    "DOD",
    "Gender",
    "Race",
    "RenalDiseaseIndicator",
    "State",
    "County",
    "NoOfMonths_PartACov",
    "NoOfMonths_PartBCov",
] + [f"ChronicCond_{name}" for name in _CONDITIONS]
_ANNUAL = [
    f"{kind}Annual{what}Amt" for kind in ("IP", "OP") for what in ("Reimbursement", "Deductible")
]
_CODES = [f"ClmDiagnosisCode_{n}" for n in range(1, 11)] + [
    f"ClmProcedureCode_{n}" for n in range(1, 7)
]
_CLAIM = [
    "BeneID",
    "ClaimID",
    "ClaimStartDt",
    "ClaimEndDt",
    "Provider",
    "InscClaimAmtReimbursed",
    "AttendingPhysician",
    "OperatingPhysician",
    "OtherPhysician",
]
_STAY = [
    "AdmissionDt",
    "ClmAdmitDiagnosisCode",
    "DeductibleAmtPaid",
    "DischargeDt",
    "DiagnosisGroupCode",
]
_INPATIENT = _CLAIM + _STAY + _CODES
_OUTPATIENT = _CLAIM + _CODES + ["DeductibleAmtPaid", "ClmAdmitDiagnosisCode"]
_FIRST_DAY = date(2008, 12, 1)

Rows = list[dict[str, object]]


def write_sample(folder: Path, seed: int = 1, providers: int = 240) -> None:
    """Write the contest's files: three quarters of the providers judged, one in five of them Yes.

    Providers that are Yes treat fewer members more often and keep them longer at a higher price, with
    enough overlap that a model has something to get wrong. The same seed gives the same bytes.
    """
    rng = random.Random(seed)  # noqa: S311 - a sample, not a secret
    names = [f"PRV{51000 + n}" for n in range(providers)]
    members = [_member(rng, n) for n in range(providers * 12)]
    judged = names[: providers * 3 // 4]
    guilty = {name for name in judged if rng.random() < 0.2}
    hidden = {name for name in names[len(judged) :] if rng.random() < 0.2}
    stays: Rows = []
    for name in names:
        stays += _stays(rng, name, members, len(stays), is_guilty=name in guilty | hidden)
    unjudged = names[len(judged) :]
    visits = [
        _visit(rng, n, rng.choice(unjudged), rng.choice(members)) for n in range(providers * 10)
    ]
    # Two judged providers without claims, as in the contest's files.
    idle = {f"PRV{90001}": "No", f"PRV{90002}": "Yes"}
    verdicts = {name: "Yes" if name in guilty else "No" for name in judged} | idle
    of_judged = [row for row in stays if row["Provider"] in set(judged)]
    of_others = [row for row in stays if row["Provider"] not in set(judged)]
    _write(
        folder / "closed_cases_providers.csv",
        ["Provider", "PotentialFraud"],
        [{"Provider": name, "PotentialFraud": verdict} for name, verdict in verdicts.items()],
    )
    for part, inpatient, outpatient in (
        ("labelled", of_judged, []),
        ("unlabelled", of_others, visits),
    ):
        seen = {row["BeneID"] for row in inpatient + outpatient}
        present = [row for row in members if row["BeneID"] in seen]
        _write(folder / f"{part}_beneficiary.csv.gz", _BENEFICIARY + _ANNUAL, present)
        _write(folder / f"{part}_inpatient.csv.gz", _INPATIENT, inpatient)
        if outpatient:
            _write(folder / f"{part}_outpatient.csv.gz", _OUTPATIENT, outpatient)


def _member(rng: random.Random, number: int) -> dict[str, object]:
    born = date(1915, 1, 1) + timedelta(days=rng.randrange(18_000))
    died = _FIRST_DAY + timedelta(days=rng.randrange(380)) if rng.random() < 0.02 else None
    row: dict[str, object] = {
        "BeneID": f"BENE{11000 + number}",
        "DOB": born,
        "DOD": died,
        "Gender": rng.choice("12"),
        "Race": 1,
        "RenalDiseaseIndicator": "Y" if rng.random() < 0.1 else "0",
        "State": rng.randint(1, 4),
        "County": 10 * rng.randint(1, 9),
        "NoOfMonths_PartACov": 12,
        "NoOfMonths_PartBCov": 12,
    }
    row |= {f"ChronicCond_{name}": 1 if rng.random() < 0.3 else 2 for name in _CONDITIONS}
    return row | dict.fromkeys(_ANNUAL, 0)


def _stays(rng: random.Random, provider: str, members: Rows, at: int, *, is_guilty: bool) -> Rows:
    home = rng.randint(1, 4)
    near = [row for row in members if row["State"] == home]
    patients = rng.sample(
        near, k=min(len(near), rng.randint(6, 14) if is_guilty else rng.randint(4, 25))
    )
    count = round(len(patients) * (rng.uniform(1.3, 2.2) if is_guilty else rng.uniform(1.0, 1.5)))
    doctors = [f"PHY{provider[3:]}{n}" for n in range(rng.randint(2, 6))]
    rows = []
    for number in range(count):
        days = min(35, 1 + int(rng.expovariate(1 / (9 if is_guilty else 5))))
        start = _FIRST_DAY + timedelta(days=rng.randrange(350))
        daily = rng.lognormvariate(7.4 if is_guilty else 7.1, 0.5)
        row = _claim(
            rng, at + number, provider, rng.choice(patients), start, start + timedelta(days=days)
        )
        row |= {
            "InscClaimAmtReimbursed": 10 * round(days * daily / 10),
            "DeductibleAmtPaid": 1068 if rng.random() > 0.02 else None,
            "AttendingPhysician": rng.choice(doctors),
            "OperatingPhysician": rng.choice(doctors) if rng.random() < 0.4 else None,
            "AdmissionDt": start,
            "DischargeDt": start + timedelta(days=days),
            "DiagnosisGroupCode": str(rng.choice((201, 332, 470, 661, 750, 882))),
            "ClmAdmitDiagnosisCode": rng.choice(("7866", "5789", "4280")),
            "ClmProcedureCode_1": rng.choice(("4443", "9904")) if rng.random() < 0.3 else None,
        }
        rows.append(row)
    return rows


def _visit(
    rng: random.Random, number: int, provider: str, member: Mapping[str, object]
) -> dict[str, object]:
    start = _FIRST_DAY + timedelta(days=rng.randrange(390))
    row = _claim(rng, 500_000 + number, provider, member, start, start)
    paid = rng.choice((0, 30, 60, 100, 500))
    doctor = f"PHY{provider[3:]}0" if rng.random() > 0.05 else None
    return row | {
        "InscClaimAmtReimbursed": paid,
        "DeductibleAmtPaid": 0,
        "AttendingPhysician": doctor,
    }


def _claim(
    rng: random.Random,
    number: int,
    provider: str,
    member: Mapping[str, object],
    start: date,
    end: date,
) -> dict[str, object]:
    diagnoses = rng.sample(
        ("4019", "25000", "2724", "42731", "4280", "5853", "V5861", "41401"), k=3
    )
    return {
        "BeneID": member["BeneID"],
        "ClaimID": f"CLM{number:06d}",
        "ClaimStartDt": start,
        "ClaimEndDt": end,
        "Provider": provider,
        **{f"ClmDiagnosisCode_{n}": code for n, code in enumerate(diagnoses, start=1)},
    }


def _write(path: Path, columns: list[str], rows: Iterable[Mapping[str, object]]) -> None:
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
    parser.add_argument("--seed", type=int, default=1)
    write_sample(parser.parse_args().out, parser.parse_args().seed)
