"""The Spark session: from a properties file, unless spark-submit has already said everything."""

import atexit
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from expectations.contract.errors import ConfigError


def start_session(app_name: str, properties_file: str) -> SparkSession:
    """Start or join the session. Jars come by `spark.jars.packages` of the properties file.

    Raises:
        ConfigError: when Java is absent or not 17 or 21, or the properties cannot be read.
    """
    builder = SparkSession.builder.appName(app_name)
    if "PYSPARK_GATEWAY_PORT" not in os.environ and SparkSession.getActiveSession() is None:
        require_java()
        properties = read_properties(properties_file)
        if properties.get("spark.master", "local").startswith("local"):
            # Spark's Python workers are `python3` of PATH otherwise, which has none of our packages.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        for key, value in properties.items():
            builder = builder.config(key, value)
    spark = builder.getOrCreate()
    # Rules and mappings are data: what looks like ${a property} in them stays as it is written.
    spark.conf.set("spark.sql.variable.substitute", "false")
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark prints every analysis error a second time, as a page of JSON.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    is_local = str(spark.sparkContext.master).startswith("local")
    if is_local and spark.sparkContext.getCheckpointDir() is None:
        checkpoints = tempfile.mkdtemp(prefix="drugtrail-checkpoint-")
        atexit.register(shutil.rmtree, checkpoints, ignore_errors=True)
        spark.sparkContext.setCheckpointDir(checkpoints)
    return spark


def read_properties(path: str) -> dict[str, str]:
    """Read a spark-submit properties file: a name, white space, a value; # begins a comment.

    Raises:
        ConfigError: when it cannot be read or a line has no value.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"spark.properties_file: cannot read {path}: {error.strerror}") from None
    properties = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = line.split(maxsplit=1)
        if len(parts) != 2:
            raise ConfigError(f"{path}, line {number}: {line.strip()!r} has no value")
        properties[parts[0]] = parts[1].strip()
    return properties


def require_java() -> None:
    """Refuse to start without a Java that Spark 4 runs on.

    Raises:
        ConfigError: saying what to install.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    wanted = "install a Java 17 runtime (for example the package openjdk-17-jre-headless)"
    if not java or not Path(java).exists():
        raise ConfigError(f"Java was not found: {wanted}, and put it on PATH or set JAVA_HOME")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = said.split('"')[1].split(".")[0] if '"' in said else "unknown"
    if version not in ("17", "21"):
        raise ConfigError(f"{java} is Java {version}, Spark needs 17 or 21: {wanted}")


@contextmanager
def session_conf(spark: SparkSession, **settings: str) -> Iterator[None]:
    """Set session properties (with `__` for dots) for a block, and put the old ones back after."""
    wanted = {name.replace("__", "."): value for name, value in settings.items()}
    before = {name: spark.conf.get(name, None) for name in wanted}
    for name, value in wanted.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)


def jvm_peak_memory_mb(spark: SparkSession) -> int | None:
    """The most resident memory that the driver's JVM has had, in MiB; None where /proc is absent."""
    jvm = spark._jvm
    if jvm is None:
        return None
    status = Path(f"/proc/{jvm.java.lang.ProcessHandle.current().pid()}/status")
    if not status.exists():
        return None
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024
