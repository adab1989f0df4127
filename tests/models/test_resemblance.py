"""The model of likeness to simulated fraud: training, its file, and accounts that it weighs."""

import hashlib
import json

import numpy as np
import pytest
import xgboost
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from expectations.feature.member import MEMBER_FEATURES
from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES
from models.resemblance import read_resemblance_model, resembling
from models.resemblance_training import KnownAccounts, judged, left_out, model_document, trained
from models.surprise import LEVELS

WIDTH = len(RESEMBLANCE_INPUT_NAMES)
TOLD, MISLEADING = 3, 7


def province(name, seed, telling=TOLD):
    """Of 2,000 accounts 40 in fraud, who stand out by one input only."""
    rng = np.random.default_rng(seed)
    surprise = rng.exponential(0.4, (2000, WIDTH))
    in_fraud = np.arange(2000) < 40
    surprise[in_fraud, telling] += 2
    return KnownAccounts(name, name.split("-")[0], surprise, in_fraud)


@pytest.fixture(scope="module")
def document():
    provinces = [province("city-1", 1), province("village-1", 2)]
    return model_document(trained(provinces), {"trained_on": ["city-1", "village-1"]})


@pytest.fixture
def model_path(tmp_path, document):
    path = tmp_path / "resemblance.json"
    path.write_text(document, encoding="utf-8")
    return path


def test_every_input_is_a_feature_of_members():
    assert set(RESEMBLANCE_INPUT_NAMES) <= {each.name for each in MEMBER_FEATURES}
    assert len(set(RESEMBLANCE_INPUT_NAMES)) == WIDTH


def test_places_are_judged_by_hand():
    in_fraud = np.array([False, True, True, False])
    # Found second and third: (1/2 + 2/3) / 2.
    assert judged(np.array([9.0, 8.0, 7.0, 6.0]), in_fraud) == {
        "average_precision": pytest.approx(7 / 12),
        "right_of_first_100": 2,
        "accounts": 4,
        "accounts_in_fraud": 2,
    }


def test_a_province_is_judged_by_other_generators_only():
    same = left_out([province("city-1", 1), province("city-2", 2), province("village-1", 3)])
    assert min(each["average_precision"] for each in same.values()) > 0.7
    # What tells fraud in the city tells nothing in a village where another thing does.
    other = left_out([province("city-1", 1), province("village-1", 3, telling=MISLEADING)])
    assert max(each["average_precision"] for each in other.values()) < 0.2


def test_a_generator_with_many_provinces_counts_no_more_than_one_with_few():
    many = [province(f"city-{n}", n) for n in range(5)]
    one = province("village-1", 9, telling=MISLEADING)
    booster = trained([*many, one])
    gains = booster.get_score(importance_type="total_gain")
    city, village = (gains[RESEMBLANCE_INPUT_NAMES[place]] for place in (TOLD, MISLEADING))
    assert 0.4 < city / village < 2.5


def test_the_same_provinces_give_the_same_file(document):
    again = model_document(
        trained([province("city-1", 1), province("village-1", 2)]),
        {"trained_on": ["city-1", "village-1"]},
    )
    assert again == document


def test_a_model_knows_its_file(model_path, document):
    model = read_resemblance_model(model_path)
    assert model.names == RESEMBLANCE_INPUT_NAMES
    assert model.digest == hashlib.sha256(document.encode()).hexdigest()
    assert read_resemblance_model(model_path.with_name("absent.json")) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda held: held.pop("trees"), "is not a model of resemblance: 'trees'"),
        (lambda held: held.update(trees={"a": 1}), "is not a model of resemblance"),
        (
            lambda held: held["inputs"].__setitem__(0, "visits"),
            "asks for features that are not looked at: visits; run train_model",
        ),
    ],
)
def test_another_file_is_refused_by_name(model_path, change, told):
    held = json.loads(model_path.read_text())
    change(held)
    model_path.write_text(json.dumps(held))
    with pytest.raises(ConfigError) as refused:
        read_resemblance_model(model_path)
    assert str(refused.value).startswith(str(model_path))
    assert told in str(refused.value)


def test_the_shipped_model_is_whole_and_its_card_names_it():
    path = ROOT / "models" / "shipped" / "resemblance.json"
    model = read_resemblance_model(path)
    assert model.names == RESEMBLANCE_INPUT_NAMES
    assert model.digest in path.with_suffix(".md").read_text(encoding="utf-8")


def test_accounts_are_weighed_among_their_peers_with_reasons(spark, model_path):
    model = read_resemblance_model(model_path)
    told = RESEMBLANCE_INPUT_NAMES[TOLD]
    zeros = dict.fromkeys(RESEMBLANCE_INPUT_NAMES, 0.0)
    rows = [
        {"member_id": "usual", "peer_group": "busy", **zeros, told: 0.4},
        {"member_id": "rare", "peer_group": "busy", **zeros, told: 0.9},
        # The same habit among people of whom a tenth have it, and nothing known of anything else.
        {"member_id": "common", "peer_group": "idle", **dict.fromkeys(zeros), told: 0.9},
    ]
    schema = "member_id string, peer_group string, " + ", ".join(
        f"{name} double" for name in RESEMBLANCE_INPUT_NAMES
    )
    frame = spark.createDataFrame(
        [[row[name] for name in ("member_id", "peer_group", *zeros)] for row in rows], schema
    )
    usual = {group: np.zeros((len(LEVELS), WIDTH)) for group in ("busy", "idle")}
    usual["busy"][:, TOLD] = (0.3, 0.4, 0.8, 0.9)
    usual["idle"][:, TOLD] = (0.3, 0.9, 1.8, 2.0)

    found = {row["member_id"]: row for row in resembling(frame, model, usual, "en").collect()}

    booster = xgboost.Booster()
    booster.load_model(bytearray(model.trees, "utf-8"))
    surprise = np.zeros((3, WIDTH))
    surprise[:, TOLD] = (1, 3, 1)
    matrix = xgboost.DMatrix(surprise, feature_names=list(model.names))
    expected = booster.predict(matrix, output_margin=True).round(3)
    weighed = [found[name]["resemblance_365d"] for name in ("usual", "rare", "common")]
    assert weighed == pytest.approx(list(expected), abs=1e-3)
    assert found["rare"]["resemblance_365d"] > found["common"]["resemblance_365d"]
    first = found["rare"]["reasons"][0]
    assert (first["input"], first["value"]) == (told, 0.9)
    assert first["text"] == "visits for drugs alone: 90 %"
