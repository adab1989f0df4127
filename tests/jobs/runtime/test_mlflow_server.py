"""MLflow out of reach is a sentence within seconds; the password is in none of them."""

import socket
import sqlite3
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from expectations.contract.errors import ConfigError, JobError
from jobs.runtime.mlflow_server import require_mlflow


@pytest.fixture
def server():
    """Start a server that answers with a status and a text; its address with a login in it."""
    running = []

    def start(status, text="{}"):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.headers.get("Authorization"))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        asked = []
        made = HTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        running.append(made)
        return f"http://u:hunter2@127.0.0.1:{made.server_port}", asked

    yield start
    for each in running:
        each.shutdown()


def test_a_server_that_answers_is_asked_with_the_login_of_the_address(server):
    address, asked = server(200, '{"experiments": []}')
    require_mlflow(address)
    assert asked == ["Basic dTpodW50ZXIy"]


@pytest.mark.parametrize(
    ("status", "text", "kind", "told"),
    [
        (401, "{}", ConfigError, "it refuses the login (401): set MLFLOW_TRACKING_USERNAME"),
        (403, "{}", ConfigError, "it refuses the login (403)"),
        (404, "{}", ConfigError, "it answers 404, so it is not an MLflow server"),
        (500, "{}", JobError, "it answers 500; look at the server's log"),
        (200, "<html>", ConfigError, "the server there is not MLflow"),
    ],
)
def test_what_a_server_answers_is_told(server, status, text, kind, told):
    address, _ = server(status, text)
    with pytest.raises(JobError) as raised:
        require_mlflow(address)
    assert type(raised.value) is kind
    assert told in str(raised.value)
    assert "mlflow.tracking_uri is http://u:***@127.0.0.1" in str(raised.value)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_accepts_and_never_answers_is_left_in_under_10_seconds(scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        clock = time.monotonic()
        with pytest.raises(JobError, match="no answer within") as raised:
            require_mlflow(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")
        assert time.monotonic() - clock < 10
    assert raised.value.exit_code == 1


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://u:hunter2@no-such-host.invalid", "there is no host of that name"),
        ("http://127.0.0.1:1", "Connection refused"),
        ("postgresql://u:hunter2@127.0.0.1:1/mlflow", "Connection refused"),
    ],
)
def test_nobody_there_is_told(address, told):
    with pytest.raises(JobError, match=told) as raised:
        require_mlflow(address)
    assert raised.value.exit_code == 1
    assert "hunter2" not in str(raised.value)


def test_a_database_without_its_driver_is_told():
    with pytest.raises(ConfigError, match="needs the Python package MySQLdb"):
        require_mlflow("mysql://u:hunter2@h/mlflow")
    with pytest.raises(ConfigError, match="which SQLAlchemy does not understand") as raised:
        require_mlflow("postgresql+no_such_driver://u:hunter2@h/mlflow")
    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_no_database_or_cannot_be_written_is_told(tmp_path):
    (tmp_path / "text.db").write_text("no database, but long enough to be looked at " * 5)
    with pytest.raises(ConfigError, match=r"text\.db cannot be used: file is not a database"):
        require_mlflow(f"sqlite:///{tmp_path}/text.db")
    with pytest.raises(ConfigError, match="is not a writable folder"):
        require_mlflow(f"sqlite:///{tmp_path}/text.db/deeper/mlflow.db")
    with sqlite3.connect(tmp_path / "sound.db") as base:
        base.execute("CREATE TABLE x (y)")
    require_mlflow(f"sqlite:///{tmp_path}/sound.db")
    require_mlflow(f"sqlite:///{tmp_path}/not/there/yet.db")
