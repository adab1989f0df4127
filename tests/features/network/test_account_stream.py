"""Links of accounts in Spark."""

from features.network.account_stream import both_with_visits


def test_a_link_to_somebody_without_visits_is_no_link(spark):
    links = spark.createDataFrame(
        [(1, 2, 0.9), (1, 3, 0.8), (4, 2, 0.7)], "src long, dst long, probability double"
    )
    profiles = spark.createDataFrame([(1, 5), (2, 7)], "member long, visits int")
    found = both_with_visits(links, profiles).select("src", "dst", "probability").collect()
    assert [tuple(row) for row in found] == [(1, 2, 0.9)]
