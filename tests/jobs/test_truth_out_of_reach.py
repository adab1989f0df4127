"""The truth of a simulated province is for evaluation: no job can be configured to read it."""

import json
import re

import pytest
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from expectations.tables import LANDING_TABLES, all_contracts
from jobs.runtime.config import Config, load_config
from jobs.runtime.pipeline import STEPS

#: Who may know of the truth: the simulator, which writes it, and the evaluation, which is told its
#: folder on the command line and is no step of the pipeline.
_ALLOWED = (
    "jobs/simulate_province.py",
    "jobs/province/",
    "jobs/evaluate_detection.py",
    "jobs/inputs/truth.py",
    "jobs/evaluate_rings.py",
    # Trains on simulated provinces, whose folders are given; no step of the pipeline.
    "jobs/network/training_pairs.py",
    # Lists the simulator among the commands.
    "jobs/__main__.py",
)


def test_no_configured_key_or_value_speaks_of_the_truth():
    names = json.dumps(Config.model_json_schema())
    values = load_config(str(ROOT / "conf" / "local.yaml")).model_dump_json()
    assert "truth" not in names + values


def test_a_folder_of_truth_cannot_be_set():
    with pytest.raises(ConfigError, match="unknown key truth"):
        load_config(str(ROOT / "conf" / "local.yaml"), ["truth.root=/truth"])


def test_no_table_that_jobs_read_holds_the_truth():
    names = [table.name for table in LANDING_TABLES] + [each.name for each in all_contracts()]
    assert not [name for name in names if "truth" in name]


def test_only_the_simulator_and_the_evaluation_name_a_table_of_the_truth():
    named = re.compile(r"truth_|jobs\.province|simulate_province")
    found = {
        str(path.relative_to(ROOT))
        for package in ("expectations", "features", "models", "jobs")
        for path in (ROOT / package).rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
    }
    assert [path for path in found if not path.startswith(_ALLOWED)] == []
    steps = {step.name for step in STEPS}
    assert not steps & {
        "simulate_province",
        "evaluate_detection",
        "evaluate_rings",
        "train_link_model",
    }
