"""One Spark session for the whole run, and workspaces to run jobs in."""

import os
from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession
from workspace import ROOT, LandingFolder, Workspace

from jobs._session import start_session

#: On top of conf/spark-local.conf: two cores, few partitions, and a JVM that starts fast and compiles
#: lightly, because a thousand tiny queries spend their time there.
OVERRIDES = {
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.master": "local[2]",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that every test shares, set up as a job's."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    properties = tmp_path_factory.mktemp("spark") / "spark.conf"
    overrides = "".join(f"{key} {value}\n" for key, value in OVERRIDES.items())
    properties.write_text((ROOT / "conf" / "spark-local.conf").read_text() + overrides)
    session = start_session("drugtrail-tests", str(properties))
    yield session
    session.stop()


@pytest.fixture(scope="module")
def new_workspace(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Workspace]:
    """Make as many separate workspaces as a module needs."""

    def make(*settings: str) -> Workspace:
        folder = tmp_path_factory.mktemp("workspace")
        return Workspace(spark, folder, LandingFolder(folder / "landing"), settings)

    return make
