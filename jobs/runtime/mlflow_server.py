"""Checks within seconds, before any work, whether MLflow can be reached.

MLflow's own client retries for minutes. This module sends the first request of that client, with the same
environment variables for name, password, token and certificate.
"""

import base64
import json
import os
import socket
import sqlite3
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from expectations.contract.errors import ConfigError, JobError
from jobs.runtime.config import Config
from jobs.runtime.job import Options
from jobs.runtime.secrets import masked

#: Seconds for one answer of the network, and for all of it: names are looked up without a limit.
_ANSWER_SECONDS = 4.0
_ALL_SECONDS = 6.0
_ASKED = "/api/2.0/mlflow/experiments/search?max_results=1"
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}


def check_mlflow(config: Config, options: Options) -> None:
    """The check of a job that reads or writes models.

    Raises:
        ConfigError: when the address, the password or the file is wrong.
        JobError: when nobody answers there.
    """
    require_mlflow(config.mlflow.tracking_uri)


def require_mlflow(tracking_uri: str) -> None:
    """Check that a tracking store answers.

    Raises:
        ConfigError: when the address, the password or the file is wrong.
        JobError: when nobody answers there.
    """
    parts = urlsplit(tracking_uri)
    # A driver may have letters that urlsplit takes for the end of a scheme.
    scheme = tracking_uri.partition("://")[0].lower().partition("+")[0]
    if scheme == "sqlite":
        _require_file(Path(tracking_uri.partition(":///")[2].partition("?")[0]))
    elif scheme in _PORTS:
        _require_driver(tracking_uri, scheme)
        host, port = parts.hostname or "localhost", parts.port or _PORTS[scheme]
        _within_seconds(lambda: _connect(host, port), tracking_uri)
    elif scheme in ("http", "https"):
        _within_seconds(lambda: _ask(tracking_uri), tracking_uri)


def _require_driver(tracking_uri: str, scheme: str) -> None:
    """Check that the package is there which SQLAlchemy, and so MLflow, takes for the database."""
    # Here, since it takes a third of a second and is for databases only.
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        make_url(tracking_uri).get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise ConfigError(
            f"mlflow.tracking_uri is {masked(tracking_uri)}, which SQLAlchemy does not understand: write"
            f" {scheme}://name:password@host:port/database"
        ) from None
    except ImportError as error:
        raise ConfigError(
            f"mlflow.tracking_uri is a {scheme} database, which needs the Python package {error.name}:"
            " install it where the jobs run"
        ) from None


def _require_file(file: Path) -> None:
    """Check that the database can be opened and written, or created."""
    folder = next(each for each in file.absolute().parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(
            f"mlflow.tracking_uri: cannot write {file}: {folder} is not a writable folder"
        )
    if not file.exists():
        return
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as base:
            base.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as error:
        raise ConfigError(f"mlflow.tracking_uri: {file} cannot be used: {error}") from None


def _within_seconds(ask: Callable[[], None], tracking_uri: str) -> None:
    """Run a check in a thread, and leave the thread if it takes too long."""
    errors: list[Exception] = []

    def asked() -> None:
        try:
            ask()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=asked, daemon=True)
    thread.start()
    thread.join(_ALL_SECONDS)
    where = f"mlflow.tracking_uri is {masked(tracking_uri)}"
    if thread.is_alive():
        raise JobError(
            f"{where}: no answer within {_ALL_SECONDS:.0f} s; start it, or correct the address"
        )
    if errors:
        error = errors[0]
        if isinstance(error, JobError):
            raise type(error)(f"{where}: {error}")
        raise JobError(f"{where}: {_why(error)}; start it, or correct the address")


def _connect(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=_ANSWER_SECONDS).close()


def _ask(tracking_uri: str) -> None:
    parts = urlsplit(tracking_uri)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit(
        (
            parts.scheme,
            host,
            parts.path.rstrip("/") + _ASKED.partition("?")[0],
            _ASKED.partition("?")[2],
            "",
        )
    )
    # The scheme is http or https.
    request = urllib.request.Request(address, headers=_login(parts.username, parts.password))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS, context=_tls()) as answer:  # noqa: S310
            json.loads(answer.read(1_000_000))
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise ConfigError(
                f"it refuses the login ({error.code}): set MLFLOW_TRACKING_USERNAME and"
                " MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            ) from None
        if error.code < 500:
            raise ConfigError(
                f"it answers {error.code}, so it is not an MLflow server; correct the address"
            ) from None
        raise JobError(f"it answers {error.code}; look at the server's log and run again") from None
    except ValueError:
        raise ConfigError("the server there is not MLflow; correct the address") from None


def _login(user: str | None, password: str | None) -> dict[str, str]:
    """The authorization header that MLflow's client would send."""
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    name = os.environ.get("MLFLOW_TRACKING_USERNAME", unquote(user or ""))
    secret = os.environ.get("MLFLOW_TRACKING_PASSWORD", unquote(password or ""))
    if name:
        pair = base64.b64encode(f"{name}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {token}"} if token else {}


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH"))
    if os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() == "true":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {_ANSWER_SECONDS:.0f} s"
    if isinstance(reason, socket.gaierror):
        return "there is no host of that name"
    return getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
