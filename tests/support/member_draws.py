"""Random histories of members, the same for the same seed, with whatever real claims may hold."""

import random
from datetime import datetime, time, timedelta
from typing import Any

from support.member_histories import AS_OF, MEMBER_KINDS, Row, Rows, day, reference

_CODES = ("I10", "i10.x00", "E11.9", "C34", "N18", "Z49.1", "Z94", "J06", "J06.9", "K29", "", None)
_ICD = ("E11;E10.9", "C;D02", "i10; I11", "N18;", "", None)
_DISEASES = (("M1", "e11"), ("M2", "C;D05"), ("M3", None))


def drawn_references(seed: int) -> dict[str, list[Row]]:
    """Drugs of one ingredient and of one class, some of which little is known; institutions."""
    rng = random.Random(seed)
    drugs = []
    for number in range(10):
        # Codes of fewer than five characters name no class.
        atc = ("C08CA01", "c08ca02", "A10.BA02", "A10BA03", "L01XX", "", None, "C08", "c08.")[
            number % 9
        ]
        known = {
            "ingredient": rng.choice(["one", "two", "three", "four", None]),
            "atc": atc,
            "category": rng.choice(["chemical", "tcm_injection", "herb_tonic", None]),
            "days_per_box": rng.choice([7.0, 10.0, 14.0, 5.0, 0.0, None]),
            "ddd_per_box": rng.choice([7.0, 20.0, None]),
            "monthly_max_boxes": rng.choice([2.0, 6.0, None]),
            "resale_ratio": rng.choice([0.3, 0.7, None]),
            "chronic": rng.choice([True, False, None]),
            "cold_chain": rng.choice([True, False, None]),
            "indications": rng.choice(_ICD),
            "watch_from": rng.choice([day(45), day(400), None]),
            "trace_from": rng.choice([day(45), day(400), None]),
        }
        drugs.append(reference("drugs", f"d{number}", **known))
    institutions = [
        reference(
            "institutions",
            f"h{number}",
            institution_type=rng.choice(["hospital", "village", None]),
            visit_cap=rng.choice([25.0, 40.0, 33.33, None]),
            district=rng.choice(["d1", "d2", "d3", None]),
            latitude=None if number == 3 else round(28 + 5 * rng.random(), 2),
            longitude=None if number == 3 else round(108 + 5 * rng.random(), 2),
        )
        for number in range(6)
    ]
    diseases = [reference("diseases", code, indications=text) for code, text in _DISEASES]
    return {"drugs": drugs, "institutions": institutions, "diseases": diseases}


def drawn_histories(seed: int, members: int) -> dict[str, list[Row]]:
    """Rows of some members over 430 days before the as-of date and a few days after it."""
    rng = random.Random(seed)
    rows: dict[str, list[Row]] = {kind: [] for kind in MEMBER_KINDS}
    for number in range(members):
        _Member(rng, rows, f"m{number}", rng.choice([3, 40, 90])).draw()
    return rows


def shuffled(rows: Rows, seed: int) -> dict[str, list[Row]]:
    """The same rows in another order."""
    rng = random.Random(seed)
    return {kind: rng.sample(list(each), len(each)) for kind, each in rows.items()}


def drawn(seed: int, members: int = 5) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Histories and references."""
    return drawn_histories(seed, members), drawn_references(seed)


class _Member:
    def __init__(
        self, rng: random.Random, rows: dict[str, list[Row]], name: str, visits: int
    ) -> None:
        self.rng, self.rows, self.name, self.visits = rng, rows, name, visits
        self.settled = 0
        # Members differ: few places or many, few illnesses or many, cheap things or dear ones.
        self.places = [f"h{rng.randint(0, 6)}" for _ in range(rng.choice([1, 2, 4, 12]))]
        self.codes = rng.sample(_CODES, rng.randint(1, 4))
        self.kinds = rng.sample(["exam", "treatment", "material"], rng.randint(1, 3))
        self.dearest = rng.choice([2000, 40000])

    def draw(self) -> None:
        rng = self.rng
        agos = [rng.randint(-4, 430) for _ in range(self.visits)]
        agos += [ago - rng.choice([0, 0, 1]) for ago in rng.sample(agos, self.visits // 2)]
        for ago in agos:
            self._visit(ago, rng.choice(["11", "11", "14", "41", None]))
        for ago in (rng.randint(0, 380) for _ in range(rng.randint(0, 3))):
            self._visit(ago, "21", start=day(ago + rng.randint(0, 15)), end=day(ago))
            if rng.random() < 0.4:
                self._visit(ago - 5, "21", start=day(ago + 3), end=rng.choice([day(ago - 5), None]))
        self._records()

    def _visit(self, ago: int, visit_type: str | None, **changes: Any) -> None:
        rng = self.rng
        fees = [self._fee(ago) for _ in range(rng.randint(1, 4))]
        cents = sum(fee["cents"] for fee in fees)
        visit = self._settlement(ago, cents) | {
            "visit_type": visit_type,
            "diagnosis": rng.choice(self.codes),
            "diagnoses": rng.choice([None, [], [rng.choice(self.codes), None]]),
            "credential": rng.choice(["01", "02", None]),
            "proxy": rng.choice(["p1", "p2", None, None]),
            **changes,
        }
        self._add(visit, fees)
        chance = rng.random()
        if chance < 0.3:
            self._refund(visit, fees, whole=chance < 0.15)

    def _refund(self, visit: Row, fees: list[Row], whole: bool) -> None:
        rng = self.rng
        taken = fees if whole else fees[:1]
        part = 1 if whole else 0.5
        back = [
            fee
            | {name: -fee[name] * part for name in ("quantity", "stated_days", "unstated_quantity")}
            | {
                "cents": -int(fee["cents"] * part),
                "doctor_id": rng.choice([fee["doctor_id"], None]),
            }
            for fee in taken
        ]
        ago = (AS_OF - visit["time"].date()).days - rng.randint(0, 20)
        refund = self._settlement(ago, sum(fee["cents"] for fee in back)) | {
            "is_refund": True,
            "original_settlement_id": rng.choice([visit["settlement_id"]] * 9 + [None]),
        }
        self._add(refund, back)

    def _settlement(self, ago: int, cents: int) -> Row:
        rng = self.rng
        self.settled += 1
        clock = time(rng.randint(0, 23), rng.choice([0, 20, 40]), self.settled % 60)
        return {
            "member_id": self.name,
            "settlement_id": f"{self.name}-{self.settled}",
            "is_refund": False,
            "time": datetime.combine(day(ago), clock),
            "institution_id": rng.choice(self.places),
            "cents": cents,
            "fund_cents": int(cents * rng.choice([0, 0.5, 0.8])),
        }

    def _fee(self, ago: int) -> Row:
        rng = self.rng
        item_type = rng.choice(["drug", rng.choice(self.kinds)])
        is_drug = item_type == "drug"
        boxes = float(rng.choice([1, 1, 2, 3, 0.5, 6]))
        stated = is_drug and rng.random() < 0.4
        return {
            "day": day(ago) - timedelta(days=rng.choice([0, 0, 1])),
            "item_type": item_type,
            "drug_id": f"d{rng.randint(0, 10)}" if is_drug else None,
            "doctor_id": rng.choice(["x", "y", "z", "u", "v", "w", None]) if is_drug else None,
            "quantity": boxes,
            "cents": rng.randint(0, self.dearest),
            "stated_days": float(rng.choice([3, 7.5, 30])) if stated else 0.0,
            "unstated_quantity": 0.0 if stated or not is_drug else boxes,
        }

    def _add(self, visit: Row, fees: list[Row]) -> None:
        self.rows["visits"].append(visit)
        keys = {name: visit[name] for name in ("member_id", "settlement_id")}
        seen = set()
        for fee in fees:
            key = (fee["item_type"], fee["drug_id"], fee["doctor_id"], fee["day"])
            if key not in seen:
                self.rows["fees"].append(fee | keys)
            seen.add(key)

    def _records(self) -> None:
        rng, name = self.rng, {"member_id": self.name}
        if rng.random() < 0.8:
            person = {
                "paused_from": rng.choice([day(rng.randint(0, 300)), None]),
                "death_date": rng.choice([day(rng.randint(0, 300)), None, None]),
                "latitude": rng.choice([30.5, 30.5, None]),
                "longitude": 110.5,
            }
            self.rows["persons"].append(name | person)
        for _ in range(rng.randint(0, 3)):
            start = day(rng.randint(-5, 500))
            certificate = {
                "special_disease_code": rng.choice(["M1", "M2", "M3", "M9"]),
                "start_date": start,
                "end_date": rng.choice([start + timedelta(days=rng.randint(10, 400)), None]),
                "annual_cap": rng.choice([3000.0, 80.5, None]),
            }
            self.rows["certificates"].append(name | certificate)
        for _ in range(rng.randint(0, 12)):
            again = rng.random() < 0.3
            sale = {
                "drug_id": rng.choice([f"d{rng.randint(0, 10)}"] * 5 + [None]),
                "day": day(rng.randint(-3, 370)),
                "sold_again": again,
                "gap_days": float(rng.randint(0, 40)) if again else None,
                "chance_ppb": rng.choice([1, 1_000_000, 20_000_000]),
            }
            self.rows["sales"].append(name | sale)
        for kind in rng.sample(["device", "proxy"] * 2, rng.randint(0, 3)):
            accounts = rng.randint(2, 9)
            shared = {"kind": kind, "accounts": accounts, "relatives": rng.randint(1, accounts)}
            self.rows["shared"].append(name | shared)
