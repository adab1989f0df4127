"""What gold is summed up from, drawn at random, through the features that add doubles, at any partitioning.

`python -m support.gold_aggregations MASTER PARTITIONS`, with the project and tests/ on the path, prints the rows as
another session gives them, so that one of several threads can be compared with that of the tests.
"""

import json
import random
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from support.frames import frame_of

from expectations.gold.account import INDICATOR, MEMBER_FEATURE
from expectations.landing.event import SETTLEMENT_CODE, SPECIAL_CERT
from expectations.landing.inquiry import CLUE, TRACE_SCAN
from expectations.landing.reference import INSTITUTION
from features.dispensing.features import doctor_features
from features.indicator.accounts import ranked_accounts
from features.indicator.peers import fund_percentiles
from features.inquiry.triage import Holders, triage_features
from features.network.links import institution_links, memberships

AS_OF = date(2025, 7, 1)
_SOLD = (
    "settlement_id string, member_id string, drug_id string, doctor_id string, service_date date,"
    " quantity decimal(18,4), line_amount decimal(18,2), institution_id string, visit_type string,"
    " credential_type string, is_cold_chain boolean, is_tonic boolean, is_resalable boolean,"
    " is_over boolean, ago int"
)
_SENT = (
    "waybill_id string, send_time timestamp, ago int, weight_kg double, is_to_dispenser boolean,"
    " is_cold boolean, is_other boolean, kind string, hash string"
)


def aggregated(spark: SparkSession, partitions: int) -> dict[str, list[str]]:
    """Each aggregation's rows as text, in order; doubles with all their digits."""
    draws = random.Random(7)
    spark.conf.set("spark.sql.shuffle.partitions", partitions)

    def dealt(frame: DataFrame) -> DataFrame:
        """The rows in another order and as many partitions."""
        order = F.xxhash64(*frame.columns, F.lit(partitions))
        return frame.repartitionByRange(partitions, order).sortWithinPartitions(order)

    found = {
        "doctors": _doctors(spark, draws, dealt),
        "triage": _triage(spark, draws, dealt),
        "accounts": _accounts(spark, draws, dealt).drop("reasons"),
        "percentiles": _percentiles(spark, draws, dealt),
        "links": _links(spark, draws, dealt),
    }
    return {
        name: sorted(json.dumps([repr(value) for value in row]) for row in frame.collect())
        for name, frame in found.items()
    }


def _at(ago, hour=12):
    return datetime.combine(AS_OF - timedelta(days=ago), datetime.min.time()).replace(hour=hour)


def _doctors(spark, draws, dealt):
    rows = []
    for n in range(300):
        ago = draws.randrange(1, 365)
        rows.append(
            (
                f"s{n}",
                f"m{draws.randrange(40)}",
                f"d{draws.randrange(5)}",
                f"dr{draws.randrange(9)}",
                AS_OF - timedelta(days=ago),
                Decimal(draws.randrange(1, 90)) / 10,
                Decimal(draws.randrange(1, 9999)) / 100,
                f"h{draws.randrange(6)}",
                "14",
                "01",
                n % 2 == 0,
                n % 3 == 0,
                n % 5 == 0,
                n % 7 == 0,
                ago,
            )
        )
    sold = dealt(spark.createDataFrame(rows, _SOLD))
    # Doctors with very different numbers of certificates: the logarithms' sum has no exact value.
    certificates = [
        {"doctor_id": f"dr{doctor}", "start_date": AS_OF - timedelta(days=draws.randrange(1, 300))}
        for doctor in range(60)
        for _ in range(1 + draws.randrange(1 + doctor))
    ]
    issued = dealt(frame_of(spark, SPECIAL_CERT.silver, *certificates))
    return doctor_features(sold, issued, AS_OF)


def _scans(draws):
    return [
        {
            "scan_id": f"scan {n}",
            "scan_type": "sale",
            "scan_time": _at(draws.randrange(1, 300)),
            "trace_code": f"c{draws.randrange(60)}",
            "drug_id": f"d{draws.randrange(5)}",
            "institution_id": f"h{draws.randrange(6)}",
            "member_id": f"m{draws.randrange(10)}",
            "settlement_id": f"s{n}",
        }
        for n in range(120)
    ]


def _triage(spark, draws, dealt):
    sent = [
        (
            f"w{n}",
            _at(1 + n % 80, 13),
            1 + n % 80,
            draws.random() * 3,
            n % 3 == 0,
            False,
            False,
            "phone",
            f"p{n % 3}",
        )
        for n in range(120)
    ]
    owned = [(f"m{n}", "phone", f"p{n}") for n in range(3)]
    holders = Holders(
        dealt(spark.createDataFrame(owned, "member_id string, kind string, hash string")),
        spark.createDataFrame([], "kind string, hash string"),
    )
    visits = [(f"v{n}", f"m{n % 3}", _at(1 + n % 80), draws.random() * 4) for n in range(120)]
    collected = spark.createDataFrame(
        visits, "settlement_id string, member_id string, settlement_time timestamp, boxes double"
    )
    clues = [
        {
            "clue_id": f"c{n}",
            "channel": f"channel {n % 7}",
            "receive_time": _at(draws.randrange(1, 300)),
            "subject_type": "person",
            "subject_id": f"m{n % 3}",
            "is_verified": draws.choice([True, False, None]),
        }
        for n in range(60)
    ]
    return triage_features(
        dealt(spark.createDataFrame(sent, _SENT)),
        holders,
        dealt(collected),
        dealt(frame_of(spark, CLUE.silver, *clues)),
        dealt(frame_of(spark, TRACE_SCAN.silver, *_scans(draws))),
        frame_of(
            spark,
            INSTITUTION.silver,
            *({"institution_id": f"h{n}", "district": f"{n % 2 + 1}10101"} for n in range(6)),
        ),
        AS_OF,
    )


def _accounts(spark, draws, dealt):
    indicators = [
        {
            "subject_id": f"m{n % 10}",
            "family": f"f{n}",
            "points": draws.random(),
            "reason_code": f"R{n}",
            "typology": "t",
            "value": 1.0,
            "threshold": 1.0,
        }
        for n in range(120)
    ]
    features = [{"member_id": f"m{n}", "excess_fund_sum_365d": 10.0 * n} for n in range(10)]
    return ranked_accounts(
        dealt(frame_of(spark, INDICATOR, *indicators)),
        dealt(frame_of(spark, MEMBER_FEATURE, *features)),
    )


def _percentiles(spark, draws, dealt):
    rows = [(f"g, {n % 3}", draws.random() * 1000, draws.random()) for n in range(300)]
    features = dealt(
        spark.createDataFrame(rows, "peer_group string, drug_fund_sum_365d double, b double")
    )
    return fund_percentiles(features)


def _links(spark, draws, dealt):
    visits = [
        (
            f"s{n}",
            f"m{draws.randrange(30)}",
            f"h{draws.randrange(8)}",
            f"district {n % 3}",
            date(2025, 1, 1 + draws.randrange(3)),
            date(2025, 1, 5),
        )
        for n in range(200)
    ]
    schema = (
        "settlement_id string, member_id string, institution_id string, district string,"
        " start_date date, end_date date"
    )
    codes = [{"settlement_id": f"s{n}", "code": f"I1{n % 2}"} for n in range(200)]
    doctors = [(f"s{n}", f"dr{draws.randrange(20)}", f"h{draws.randrange(8)}") for n in range(200)]
    things = memberships(
        dealt(spark.createDataFrame(visits, schema)),
        dealt(
            spark.createDataFrame(
                doctors, "settlement_id string, doctor_id string, institution_id string"
            )
        ),
        dealt(frame_of(spark, SETTLEMENT_CODE.silver, *codes)),
    )
    return institution_links(things)


if __name__ == "__main__":
    from jobs.runtime.session import start_session

    session = start_session("gold-aggregations", sys.argv[1])
    json.dump(aggregated(session, int(sys.argv[2])), sys.stdout)
    session.stop()
