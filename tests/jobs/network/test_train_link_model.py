"""The job that trains the weight of links, on two tiny provinces of two generators."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.contract.errors import ConfigError
from expectations.feature.account_link import TRAIT_NAMES
from features.network.meetings import Bounds
from jobs import train_link_model
from jobs.network.training_pairs import read_province
from models.link_model import read_link_model

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def provinces(tmp_path_factory):
    root = tmp_path_factory.mktemp("provinces")
    for generator in ("city", "countryside"):
        folder = root / f"{generator}-2"
        size = ["--members", "1500", "--months", "5", "--seed", "2", "--fraud-share", "0.05"]
        where = ["--out", str(folder / "landing"), "--truth", str(folder / "truth")]
        command = [sys.executable, "-m", f"benchmarks.provinces.{generator}", *size, *where]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return [str(root / "city-2"), str(root / "countryside-2")]


def test_a_province_gives_pairs_with_every_trait(provinces):
    for folder in provinces:
        read = read_province(Path(folder), Bounds())
        assert {*TRAIT_NAMES, "src", "dst", "is_true"} <= {*read.pairs.columns}
        assert 0 < read.pairs["is_true"].sum() < read.pairs.height
        carried = read.pairs.filter(read.pairs["proxy_rarity"] > 0)
        low, high = carried["proxy_share_low"], carried["proxy_share_high"]
        assert ((low > 0) & (low <= high) & (high <= 1)).all()
        others = read.pairs.filter(read.pairs["proxy_rarity"] == 0)
        assert (others["proxy_share_high"] == 0).all()


def test_the_job_writes_a_model_that_is_read_and_the_same_again(provinces, new_workspace, tmp_path):
    path = tmp_path / "models" / "link.json"
    workspace = new_workspace(
        f"account_links.train_on=[{', '.join(provinces)}]", f"account_links.model={path}"
    )

    result = workspace.run(train_link_model.JOB)

    assert result.exit_code == 0, result.message
    assert result.message.startswith(f"trained on 2 provinces, written to {path}")
    document = path.read_bytes()
    model = read_link_model(path)
    assert model is not None
    assert model.names == TRAIT_NAMES
    facts = json.loads(document)["facts"]
    assert facts["trained_on"] == ["city-2", "countryside-2"]
    assert {*facts["left_out"]} == {"city-2", "countryside-2"}
    assert workspace.run(train_link_model.JOB).exit_code == 0
    assert path.read_bytes() == document
    assert [each.name for each in path.parent.iterdir()] == ["link.json"]


def test_one_generator_or_a_folder_without_truth_is_refused(provinces, new_workspace, tmp_path):
    one = new_workspace(f"account_links.train_on=[{provinces[0]}]")
    with pytest.raises(ConfigError, match="fewer than two generators"):
        one.run(train_link_model.JOB)
    (tmp_path / "other-1" / "landing").mkdir(parents=True)
    bare = new_workspace(f"account_links.train_on=[{provinces[0]}, {tmp_path / 'other-1'}]")
    with pytest.raises(ConfigError, match="has no folder truth"):
        bare.run(train_link_model.JOB)
