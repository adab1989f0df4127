"""One Spark session for the whole run, and frames with valid base rows."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs._session import start_session

PROPERTIES = Path(__file__).parent.parent / "conf" / "spark-local.conf"
OVERRIDES = {
    "spark.master": "local[2]",
    "spark.driver.memory": "3g",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that every test shares."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    properties = tmp_path_factory.mktemp("spark") / "spark.conf"
    overrides = "".join(f"{key} {value}\n" for key, value in OVERRIDES.items())
    properties.write_text(PROPERTIES.read_text() + overrides)
    session = start_session("drugtrail-tests", str(properties))
    yield session
    session.stop()
