"""The configuration: layers, and one sentence for every mistake."""

from pathlib import Path

import pytest

from expectations.contract.errors import ConfigError
from jobs.runtime.config import load_config

CONF = Path(__file__).parents[3] / "conf"


def write_conf(folder, environment, base=None):
    (folder / "base.yaml").write_text(base or (CONF / "base.yaml").read_text())
    (folder / "local.yaml").write_text(environment)
    return str(folder / "local.yaml")


def test_later_layers_win(tmp_path):
    path = write_conf(tmp_path, "lake: {root: /from/environment}\nreport: {language: zh}\n")
    config = load_config(path, ["lake.root=/from/set"])
    assert (config.lake.root, config.report.language) == ("/from/set", "zh")
    assert config.train.folds == 5


@pytest.mark.parametrize(
    ("environment", "override", "sentence"),
    [
        (
            "lake: {rooot: /x}\n",
            "report.top=1",
            "{path}: unknown key lake.rooot; the nearest valid name is lake.root",
        ),
        (
            "{}",
            "train.fold=3",
            "--set: unknown key train.fold; the nearest valid name is train.folds",
        ),
        ("{}", "train.folds=many", "--set: train.folds is 'many': Input should be a valid integer"),
        (
            "report: {language: fr}\n",
            "report.top=1",
            "{path}: report.language is 'fr': Input should be 'en' or 'zh'",
        ),
        (
            "{}",
            "quarantine.max_share=2",
            "--set: quarantine.max_share is 2: Input should be less than or equal to 1",
        ),
        (
            "landing: {aliases: {JYLSH: setl_id, jylsh: psn_no}}\n",
            "report.top=1",
            "{path}: landing.aliases: JYLSH and jylsh differ in capitals only",
        ),
        (
            "{}",
            "quarantine.clock_skew_hours=99999999999",
            "--set: quarantine.clock_skew_hours is 99999999999: Input should be less than or equal to 8784",
        ),
        (
            "{}",
            "lake.root",
            "--set lake.root: write a name and a value, for example lake.root=/data",
        ),
    ],
)
def test_a_mistake_is_named_with_its_key_and_file(tmp_path, environment, override, sentence):
    path = write_conf(tmp_path, environment)
    with pytest.raises(ConfigError) as raised:
        load_config(path, [override])
    assert str(raised.value) == sentence.format(path=path)


def test_every_mistake_is_told_at_once(tmp_path):
    path = write_conf(tmp_path, "lake: {rooot: /x}\ntrain: {folds: 1}\n")
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert len(str(raised.value).splitlines()) == 2


def test_broken_yaml_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"local\.yaml is not valid YAML"):
        load_config(write_conf(tmp_path, "lake: [\n"))
    with pytest.raises(ConfigError, match=r"cannot read the configuration file .*base\.yaml"):
        load_config(str(tmp_path / "nowhere" / "local.yaml"))


def test_passwords_in_addresses_are_masked():
    config = load_config(
        str(CONF / "local.yaml"), ["mlflow.tracking_uri=postgresql://reviewer:secret@db/mlflow"]
    )
    assert config.masked()["mlflow"]["tracking_uri"] == "postgresql://reviewer:***@db/mlflow"


@pytest.mark.parametrize("name", ["local", "cluster", "real"])
def test_every_environment_file_is_valid(name):
    assert load_config(str(CONF / f"{name}.yaml")).train.subject == "institution"
