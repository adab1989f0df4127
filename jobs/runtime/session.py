"""The Spark session, from a properties file unless spark-submit started it."""

import logging
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from expectations.contract.errors import ConfigError, JobError
from jobs.runtime.scratch import Scratch, new_scratch
from jobs.runtime.secrets import with_environment
from jobs.runtime.spark_errors import in_short

#: The property of Hadoop's file systems that takes rights from all but the owner.
_OWNER_ONLY = ("fs.permissions.umask-mode", "077")
#: The temporary folder of this process, once there is one.
_scratches: list[Scratch] = []


@dataclass(frozen=True)
class SessionFiles:
    """Files and settings of a session beside its properties.

    Attributes:
        log: the file for the output of Ivy and Spark; the terminal if None.
        scratch_root: the parent of the run's temporary folder; the system's temporary folder if None.
        owner_only: whether only the owner can read Spark's files.
        lock: a lock file's descriptor that the JVM inherits.
    """

    log: Path | None = None
    scratch_root: str | None = None
    owner_only: bool = False
    lock: int | None = None


def start_session(
    app_name: str, properties_file: str, files: SessionFiles | None = None
) -> SparkSession:
    """Start or join the session. Spark downloads the jars that `spark.jars.packages` names.

    Raises:
        ConfigError: when Java is absent or not 17 or 21, or the properties cannot be read.
        JobError: when Spark does not start; names the file with the reason. Also when its JVM is gone again before the
            session is set up, as after a signal that a scheduler sends to the whole group of processes.
    """
    files = files or SessionFiles()
    # Py4J prints a page for each call that finds no JVM; what is to be said of that the job says.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    is_ours = (
        "PYSPARK_GATEWAY_PORT" not in os.environ and SparkContext._active_spark_context is None
    )
    if is_ours:
        require_java()
        _launch(app_name, read_properties(properties_file), files)
    try:
        return _set_up(app_name, files, is_ours=is_ours)
    except (Py4JError, ConnectionError) as error:
        raise JobError(in_short(error)) from error


def _set_up(app_name: str, files: SessionFiles, *, is_ours: bool) -> SparkSession:
    """The session in the JVM that runs, with what all jobs rely on."""
    spark = SparkSession.builder.appName(app_name).getOrCreate()
    # Rules and mappings are data: what looks like ${a property} in them stays as it is written.
    spark.conf.set("spark.sql.variable.substitute", "false")
    spark.sparkContext.setLogLevel("ERROR")
    # PySpark prints every analysis error a second time, as a page of JSON.
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if files.owner_only and not is_ours:
        spark.sparkContext._jsc.hadoopConfiguration().set(*_OWNER_ONLY)
    is_local = str(spark.sparkContext.master).startswith("local")
    if is_local and spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(str(_scratch(files.scratch_root).checkpoints))
    return spark


def removed_scratch() -> dict[str, int]:
    """Temporary folders of killed runs that this process removed, with their bytes."""
    return dict(_scratches[0].removed) if _scratches else {}


def _scratch(root: str | None) -> Scratch:
    """The temporary folder of this process, created on the first call."""
    if not _scratches:
        _scratches.append(new_scratch(root))
    return _scratches[0]


def _launch(app_name: str, properties: Mapping[str, str], files: SessionFiles) -> None:
    """Start the JVM and its context.

    Properties are passed in a file that only its owner can read, because everyone can see a command line.
    """
    wanted = dict(properties)
    inherited = [] if files.lock is None else [files.lock]
    scratch = None
    environment = {}
    if wanted.get("spark.master", "local").startswith("local"):
        # Spark's Python workers are `python3` of PATH otherwise, which has none of our packages.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        places = os.environ.get("SPARK_LOCAL_DIRS") or wanted.get("spark.local.dir")
        # Several disks are left as they are given.
        if not places or "," not in places:
            scratch = _scratch(files.scratch_root or places)
            inherited += [] if scratch.descriptor is None else [scratch.descriptor]
            wanted["spark.local.dir"] = environment["SPARK_LOCAL_DIRS"] = str(scratch.blocks)
    if files.owner_only:
        wanted.setdefault(f"spark.hadoop.{_OWNER_ONLY[0]}", _OWNER_ONLY[1])
    handle, name = tempfile.mkstemp(
        prefix="properties-", dir=scratch.folder if scratch else None, text=True
    )
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(_property_line(key, value) for key, value in wanted.items())
    submit = os.environ.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    environment["PYSPARK_SUBMIT_ARGS"] = (
        f"--load-spark-defaults --properties-file {shlex.quote(name)} {submit}"
    )
    before = {key: os.environ.get(key) for key in environment}
    os.environ.update(environment)
    # filelock closes its own descriptors in every child; a copy shares the lock and is left alone.
    copies = [os.dup(each) for each in inherited]
    try:
        with _said_to(files.log) as said:
            gateway = launch_gateway(popen_kwargs={"pass_fds": copies, **said})  # type: ignore[no-untyped-call]
            conf = SparkConf(_jvm=gateway.jvm).setAppName(app_name)
            SparkContext(conf=conf, gateway=gateway)
    except (PySparkRuntimeError, Py4JError, OSError) as error:
        # A signal may have ended it: that is told elsewhere.
        where = (
            f": {_last_words(files.log)}; its whole output is in {files.log}" if files.log else ""
        )
        raise JobError(f"Spark did not start{where}") from error
    finally:
        for copy in copies:
            os.close(copy)
        Path(name).unlink(missing_ok=True)
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def _property_line(key: str, value: str) -> str:
    """A line of a Java properties file, with escaped backslashes."""
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{key} {escaped}\n"


@contextmanager
def _said_to(log: Path | None) -> Iterator[dict[str, IO[str]]]:
    """The arguments of a JVM that send its output to a file."""
    if log is None:
        yield {}
        return
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("a", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"log.file: cannot write {log}: {error.strerror}") from None
    with file:
        yield {"stdout": file, "stderr": file}


def _last_words(log: Path) -> str:
    """The last line of a log that names an error, or its last line."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
    errors = [line.strip() for line in lines if re.search(r"error|exception", line, re.IGNORECASE)]
    errors = [line for line in errors if not line.startswith("at ")]
    return (errors or [line for line in lines if line.strip()] or ["it said nothing"])[-1][:300]


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
            raise ConfigError(f"{path}, line {number}: {parts[0]} has no value")
        properties[parts[0]] = with_environment(parts[1].strip(), f"{path}, line {number}")
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
def session_conf(spark: SparkSession, settings: Mapping[str, str]) -> Iterator[None]:
    """Set session properties for a block, and restore the old ones afterwards."""
    before = {name: spark.conf.get(name, None) for name in settings}
    for name, value in settings.items():
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
    """The peak resident memory of the driver's JVM, in MiB; None without /proc."""
    jvm = spark._jvm
    if jvm is None:
        return None
    status = Path(f"/proc/{jvm.java.lang.ProcessHandle.current().pid()}/status")
    if not status.exists():
        return None
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024
