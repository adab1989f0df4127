"""No secret leaves a run in any form; what is none stays readable."""

import pytest

from expectations.contract.errors import ConfigError
from jobs.runtime.config import load_config
from jobs.runtime.secrets import masked, masked_tree, with_environment

CONF = "conf/local.yaml"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://reviewer:hunter2@db/mlflow", "postgresql://reviewer:***@db/mlflow"),
        ("http://u:p@hunter2@h/x", "http://u:***@h/x"),
        ("http://u:hun/ter2@h/x", "http://u:***@h/x"),
        ("http://u:hun?ter2@h/x", "http://u:***@h/x"),
        ("http://u:hun#ter2@h/x", "http://u:***@h/x"),
        ("http://u:hunter%402@h/x?a=1", "http://u:***@h/x?a=1"),
        ("https://hunter2@h", "https://***@h"),
        ("https://h/db?password=hunter2&a=b", "https://h/db?password=***&a=b"),
        ("https://h/?token=hunter2#part", "https://h/?token=***#part"),
        ("https://h/?pass%77ord=hunter2", "https://h/?pass%77ord=***"),
        ("https://p/?to=https%3A%2F%2Fu%3Ahunter2%40h", "https://p/?to=***"),
        ("s3a://AKIA:hun/ter2@bucket/lake", "s3a://AKIA:***@bucket/lake"),
        ("http://u:hunter2@[bad", "http://u:***@[bad"),
        ("u:p@hunter2@host", "u:***@host"),
        (
            "jdbc:postgresql://h/db?user=u&password=hunter2",
            "jdbc:postgresql://h/db?user=u&password=***",
        ),
        (
            "jdbc:sqlserver://h:1;user=u;password={hun;ter2};x=1",
            "jdbc:sqlserver://h:1;user=u;password=***;x=1",
        ),
        ("jdbc:oracle:thin:scott/hunter2@//h:1/s", "jdbc:oracle:thin:scott/***@//h:1/s"),
        ("spark.hadoop.fs.s3a.secret.key hunter2", "spark.hadoop.fs.s3a.secret.key ***"),
        ("--conf fs.azure.account.key.x.net=hunter2", "--conf fs.azure.account.key.x.net=***"),
        ("Bearer hunter2hunter2", "Bearer ***"),
        ("MLFLOW_TRACKING_TOKEN=hunter2", "MLFLOW_TRACKING_TOKEN=***"),
        ('{"password": "hunter2 and more", "user": "u"}', '{"password": "***", "user": "u"}'),
        (
            "mlflow ui --backend-store-uri mysql://u:hunter2@h/d",
            "mlflow ui --backend-store-uri mysql://u:***@h/d",
        ),
    ],
)
def test_every_form_of_a_secret_is_masked(text, shown):
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize("header", ["Basic hunter2==", "hunter2", "Digest hunter2"])
def test_headers_are_masked(header):
    assert "hunter2" not in masked(f"sent {{'Authorization': '{header}', 'Accept': 'x'}}")
    assert "hunter2" not in masked(f"Authorization: {header}")


@pytest.mark.parametrize(
    "text",
    [
        "sqlite:////tmp/x/mlflow.db",
        "s3a://bucket/lake/silver/person",
        "http://h:5000/a@b",
        "file:///data/a@b.csv",
        "unknown key lake.rooot; the nearest valid name is lake.root",
        "primary_key=psn_no",
        "ingest_batch: 3 batches are new  seconds=1.2  at=2026-01-31 10:22:33",
        "landing.root is /data/in, which is not a folder: create it or correct landing.root",
        "http://[bad",
    ],
)
def test_what_is_no_secret_stays_readable(text):
    assert masked(text) == text


def test_what_is_called_like_a_secret_is_masked_at_any_depth():
    tree = {
        "a": [{"token": 5, "rows": 3}],
        "b": {"API_KEY": "x", "password": {"c": "x"}},
        "key": "x",
    }
    assert masked_tree(tree) == {
        "a": [{"token": "***", "rows": 3}],
        "b": {"API_KEY": "***", "password": "***"},
        "key": "***",
    }


def test_secrets_of_the_environment_are_masked_by_value(monkeypatch):
    monkeypatch.setenv("SOME_DATABASE_PASSWORD", "p@ss word/1")
    assert masked("it said: p@ss word/1, p%40ss%20word%2F1") == "it said: ***, ***"


def test_a_secret_comes_from_the_environment_and_is_encoded_in_an_address(monkeypatch):
    monkeypatch.setenv("SOME_VALUE", "p@ss/wörd")
    config = load_config(CONF, ["mlflow.tracking_uri=postgresql://u:${SOME_VALUE}@db/mlflow"])
    assert config.mlflow.tracking_uri == "postgresql://u:p%40ss%2Fw%C3%B6rd@db/mlflow"
    assert config.masked()["mlflow"]["tracking_uri"] == "postgresql://u:***@db/mlflow"
    assert masked("what the driver says of p@ss/wörd") == "what the driver says of ***"
    assert with_environment("${SOME_VALUE}", "x") == "p@ss/wörd"
    with pytest.raises(
        ConfigError, match=r"lake.root refers to \$\{NOT_SET_AT_ALL\}, which is not set"
    ):
        load_config(CONF, ["lake.root=/data/${NOT_SET_AT_ALL}"])


@pytest.mark.parametrize(
    "uri",
    [
        "http://[bad",
        "http://u:hunter2@[bad",
        "postgresql://u:hunter2@h:port/db",
        "http://u:hun ter2@h",
        "u:p@hunter2@host",
        "hunter2",
        "ftp://u:hunter2@h",
        "sqlite://hunter2",
        "file:///hunter2",
    ],
)
def test_a_malformed_address_is_a_sentence_without_the_secret(uri):
    with pytest.raises(ConfigError) as raised:
        load_config(CONF, [f"mlflow.tracking_uri='{uri}'"])
    assert str(raised.value).startswith("--set: mlflow.tracking_uri: ")
    assert "hun" not in str(raised.value)


@pytest.mark.parametrize("root", ["''", "s3a://[bad/lake", '"a\\0b"'])
def test_a_root_that_cannot_be_is_a_sentence(root):
    with pytest.raises(ConfigError, match=r"--set: lake\.root: "):
        load_config(CONF, [f"lake.root={root}"])


@pytest.mark.parametrize("value", [".inf", ".nan", "1.0e+999"])
def test_a_number_that_is_none_is_a_sentence(value):
    with pytest.raises(ConfigError, match=r"landing.max_file_gib is .*finite number"):
        load_config(CONF, [f"landing.max_file_gib={value}"])


def test_a_value_that_is_not_yaml_is_not_repeated():
    with pytest.raises(ConfigError) as raised:
        load_config(CONF, ["mlflow.tracking_uri=[http://u:hunter2@h"])
    assert "--set mlflow.tracking_uri: its value is not valid YAML" in str(raised.value)
    assert "hunter2" not in str(raised.value)
