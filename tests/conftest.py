"""One Spark session for each process of the run, and workspaces to run jobs in."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from filelock import FileLock
from pyspark.sql import SparkSession
from support.workspace import ROOT, LandingFolder, Workspace

from jobs.runtime.session import start_session

# What `example_test` asserts there is then shown like the assertion of a test.
pytest.register_assert_rewrite("support.member_histories")

#: On top of conf/spark-local.conf: few partitions and threads, because a thousand tiny queries spend their time
#: in planning, which keeps one core busy; so `make test` runs a process on each core. The JVM's full compiler
#: pays: with its light one alone the suite takes half as long again. On one core Spark would take pages of 64 MB for
#: every small table that it broadcasts or groups, and with them most of the heap; a larger page is taken for
#: what needs one.
OVERRIDES = {
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xms2g -Xmn1g",
    "spark.master": "local[1]",
    "spark.driver.memory": "4g",
    "spark.sql.shuffle.partitions": "2",
    "spark.buffer.pageSize": "1m",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "1",
}


# PySpark takes a main module without a file, which a worker of pytest-xdist has, for its own doctests and exits.
if not hasattr(sys.modules["__main__"], "__file__"):
    sys.modules["__main__"].__file__ = __file__


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--quick` runs what needs no Spark."""
    parser.addoption("--quick", action="store_true", help="only tests that need no Spark session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first, so that two processes end at about the same time."""
    if config.getoption("--quick"):
        slow = [item for item in items if _is_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not _is_slow(item)]
    items.sort(key=lambda item: "pipeline" not in item.path.parts)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a case of bytes by their number: packed bytes carry the second, and both processes need the same names."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def _is_slow(item: pytest.Item) -> bool:
    """Whether a test asks for a Spark session, itself or by a fixture, or is marked as slow."""
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return "spark" in names or item.get_closest_marker("slow") is not None


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that all tests of a process share, set up as a job's."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    properties = tmp_path_factory.mktemp("spark") / "spark.conf"
    overrides = "".join(f"{key} {value}\n" for key, value in OVERRIDES.items())
    properties.write_text((ROOT / "conf" / "spark-local.conf").read_text() + overrides)
    # One process at a time may fetch the jars.
    with FileLock(Path(tempfile.gettempdir()) / "drugtrail-tests.lock"):
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
