"""Members' rows reach their features whole, however the stream of them is cut."""

import random
from datetime import date, datetime, timedelta

import polars as pl
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from expectations.contract.table import ContractError
from expectations.feature.member import OWN_FEATURES
from features.member import stream as module
from features.member.features import member_features
from features.member.frames import MemberRows, References
from features.member.packing import KINDS
from features.member.stream import computed_features, member_stream

AS_OF = date(2025, 7, 1)
TYPES = {
    "visits": "member_id string, settlement_id string, original_settlement_id string, is_refund boolean,"
    " time timestamp_ntz, institution_id string, visit_type string, diagnosis string,"
    " diagnoses array<string>, credential string, proxy string, start date, end date,"
    " cents long, fund_cents long",
    "fees": "member_id string, settlement_id string, day date, item_type string, drug_id string,"
    " doctor_id string, quantity double, cents long, stated_days double, unstated_quantity double",
    "persons": "member_id string, paused_from date, death_date date, latitude double, longitude double",
    "certificates": "member_id string, special_disease_code string, start_date date, end_date date,"
    " annual_cap double",
    "sales": "member_id string, drug_id string, day date, sold_again boolean, gap_days double,"
    " chance_ppb bigint",
    "shared": "member_id string, kind string, accounts int, relatives int",
}


@pytest.fixture(scope="module")
def references():
    drugs = {
        "drug_id": ["d1", "d2"],
        "ingredient": ["i1", "i2"],
        "atc": ["C09AA02", "C09AA05"],
        "category": ["chemical", "herb_tonic"],
        "days_per_box": [7.0, 10.0],
        "ddd_per_box": [7.0, 10.0],
        "monthly_max_boxes": [6.0, 6.0],
        "list_price": [25.0, None],
        "resale_ratio": [0.3, 0.0],
        "chronic": [True, False],
        "cold_chain": [False, True],
        "indications": ["I10", None],
        "watch_from": [None, date(2025, 1, 1)],
        "trace_from": [date(2025, 1, 1), None],
    }
    places = {
        "institution_id": ["h1", "h2", "h3"],
        "institution_type": ["hospital", "pharmacy", "village"],
        "visit_cap": [200.0, None, 50.0],
        "district": ["330101", "330101", "330102"],
        "latitude": [30.0, 30.1, 31.0],
        "longitude": [120.0, 120.1, 121.0],
    }
    diseases = {"special_disease_code": ["c1"], "indications": ["I10"]}
    return References(pl.DataFrame(drugs), pl.DataFrame(places), pl.DataFrame(diseases))


@pytest.fixture(scope="module")
def rows():
    """Visits, fees and all else of 30 members, some of whom were never seen."""
    rng = random.Random(8)
    found = {kind: [] for kind in KINDS}
    for n in range(30):
        member = f"m{n:02d}"
        found["persons"].append((member, None, None, 30.0, 120.0))
        if n % 7 == 0:
            continue
        if n % 3 == 0:
            found["certificates"].append((member, "c1", date(2025, 1, 1), None, 3000.0))
            found["shared"].append((member, "proxy", rng.randint(2, 9), 1))
        for k in range(rng.randint(1, 12)):
            visit, day = f"{member}-{k}", AS_OF - timedelta(days=rng.randint(1, 365))
            time = datetime.combine(day, datetime.min.time()) + timedelta(hours=rng.randint(6, 22))
            place, diagnosis = rng.choice(["h1", "h2", "h3"]), rng.choice(["I10", "J40", None])
            cents = rng.randint(500, 50_000)
            found["visits"].append(
                (
                    *(member, visit, None, False, time, place, rng.choice(["11", "14", "41"])),
                    *(diagnosis, [diagnosis] if diagnosis else None, rng.choice(["01", "03"])),
                    *(rng.choice(["p1", None]), None, None, cents, cents // 2),
                )
            )
            for drug in rng.sample(["d1", "d2"], rng.randint(0, 2)):
                line = (drug, rng.choice(["dr1", "dr2"]), float(rng.randint(1, 4)), cents // 3, 0.0)
                found["fees"].append((member, visit, day, "drug", *line, line[2]))
                found["sales"].append((member, drug, day, rng.random() < 0.1, None, 1_000))
    return found


@pytest.fixture(scope="module")
def frames(spark, rows):
    return {kind: spark.createDataFrame(rows[kind], TYPES[kind]) for kind in KINDS}


@pytest.fixture(scope="module")
def streamed(frames, references):
    """The features of all members by way of two partitions."""
    rows = computed_features(member_stream(frames, 0), references, AS_OF).collect()
    return sorted(tuple(row) for row in rows)


def test_streamed_features_are_those_of_all_rows_at_once(frames, references, streamed):
    whole = MemberRows(**{kind: pl.from_arrow(frame.toArrow()) for kind, frame in frames.items()})
    found = member_features(whole, references, AS_OF).sort("member_id")
    names = [each.name for each in OWN_FEATURES]
    expected = found.select("member_id", pl.col(names).cast(pl.Float64).fill_nan(None)).rows()
    assert [row[0] for row in streamed] == [row[0] for row in expected]
    assert len(expected) == 25
    for row, plain in zip(streamed, expected, strict=True):
        assert [each is None for each in row] == [each is None for each in plain]
        found_numbers, numbers = ([each or 0.0 for each in one[1:]] for one in (row, plain))
        assert found_numbers == pytest.approx(numbers, rel=1e-11, abs=0)


@pytest.mark.parametrize(("size", "chunk"), [(1, 5), (7, 20), (1000, 50)])
def test_a_member_is_never_cut_in_two(
    spark, frames, references, streamed, monkeypatch, size, chunk
):
    references = module.with_numbers(references, spark)
    whole = member_stream(frames, 0).toArrow()
    monkeypatch.setattr(module, "_CHUNK", chunk)
    batches = module.in_chunks(references, AS_OF)(iter(whole.to_batches(max_chunksize=size)))
    found = pa.Table.from_batches(list(batches)).to_pylist()
    assert sorted(tuple(row.values()) for row in found) == streamed


def test_there_are_as_many_tasks_as_the_rows_ask_for(frames, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", 10)
    assert member_stream(frames, 95).rdd.getNumPartitions() == 10
    assert member_stream(frames, 5).rdd.getNumPartitions() == 2


def test_a_column_that_would_not_be_carried_is_refused(frames):
    wider = frames | {"fees": frames["fees"].withColumn("price", F.lit(1.0))}
    with pytest.raises(ContractError, match=r"rows of fees have price, which KINDS"):
        member_stream(wider, 0)
