"""Likeness to simulated fraud: trained on two small lakes of known truth, weighed, flagged and told on the list."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from support.frames import frame_of
from support.registered import write_rows

from expectations.contract.errors import ConfigError
from expectations.feature.resemblance import RESEMBLANCE_INPUT_NAMES
from expectations.gold.account import HIGH_RISK_ACCOUNT, INDICATOR, MEMBER_FEATURE, PEER_STATISTIC
from expectations.gold.fact import FEE_FACT, VISIT_FACT
from expectations.gold.resemblance import MEMBER_RESEMBLANCE
from jobs import flag_indicators, propose_accounts, score_resemblance, train_model
from models.resemblance import read_resemblance_model
from models.surprise import LEVELS

DAY = date(2025, 6, 1)
AS_OF = DAY.isoformat()
#: Accounts in fraud of the province that is weighed.
IN_FRAUD = 6
#: Too few visits for any rule about them, and more than nearly all peers have.
TELLING = "e_voucher_share_90d"


def write_province(workspace, accounts=300, in_fraud=12, seed=1):
    """Members of one group of peers; those in fraud show e-vouchers at nearly every visit."""
    rng = np.random.default_rng(seed)
    shares = rng.choice([0.1, 0.2, 0.3], accounts)
    shares[:in_fraud] = rng.uniform(0.8, 1, in_fraud)
    members = [
        {"member_id": f"m{at:03d}", "peer_group": "all", TELLING: float(share)}
        for at, share in enumerate(shares)
    ]
    write_rows(workspace, MEMBER_FEATURE, members, DAY)
    quantiles = np.quantile(shares, [0.5, 0.9, 0.99, 0.999]).tolist()
    statistics = [
        {
            "peer_group": "all",
            "peers": accounts,
            "feature": name,
            **dict(zip(LEVELS, quantiles if name == TELLING else [0.0] * 4, strict=True)),
        }
        for name in RESEMBLANCE_INPUT_NAMES
    ]
    write_rows(workspace, PEER_STATISTIC, statistics, DAY)


def write_truth(folder, in_fraud=12):
    folder.mkdir(parents=True)
    names = [f"m{at:03d}" for at in range(in_fraud)]
    lines = pl.DataFrame({"psn_no": names, "fund_loss": [1.0] * in_fraud})
    lines.write_parquet(folder / "truth_line.parquet")
    people = {"psn_no": names, "gang_id": ["g"] * in_fraud, "typology": ["rented"] * in_fraud}
    pl.DataFrame(people | {"active_from": [DAY] * in_fraud}).write_parquet(
        folder / "truth_person.parquet"
    )
    pl.DataFrame({"psn_no": ["m299"], "benign_type": ["carer"]}).write_parquet(
        folder / "truth_benign.parquet"
    )


@pytest.fixture(scope="module")
def model_path(new_workspace, tmp_path_factory):
    """A model of two provinces, as the job writes it."""
    root = tmp_path_factory.mktemp("provinces")
    folders = [root / "city-1", root / "village-1"]
    for seed, folder in enumerate(folders):
        made = new_workspace(f"lake.root={folder / 'lake'}")
        write_province(made, accounts=2000, in_fraud=100, seed=seed)
        write_truth(folder / "truth", in_fraud=100)
    path = root / "resemblance.json"
    trains = new_workspace(
        "train.source=simulated",
        f"resemblance.model={path}",
        f"resemblance.train_on=[{', '.join(map(str, folders))}]",
    )
    result = trains.run(train_model.JOB, AS_OF, subject="member")
    assert result.exit_code == 0, result.message
    assert result.message == (
        f"trained on 2 provinces, written to {path}; average precision of at least 1.00 on a generator left out"
    )
    return path


@pytest.fixture(scope="module")
def workspace(new_workspace, model_path):
    made = new_workspace(f"resemblance.model={model_path}")
    # Six are as alike as can be: more, and they would not be two in a hundred any more.
    write_province(made, in_fraud=IN_FRAUD, seed=7)
    for contract in (VISIT_FACT, FEE_FACT):
        made.lake.replace(frame_of(made.spark, contract), contract)
    result = made.run(score_resemblance.JOB, AS_OF)
    assert (result.exit_code, result.outcome) == (0, "succeeded"), result.message
    return made


def test_accounts_are_weighed_and_know_their_place(workspace, model_path):
    rows = workspace.lake.of_day(MEMBER_RESEMBLANCE, DAY).orderBy("member_id").collect()
    assert len(rows) == 300
    weights = np.array([row["resemblance_365d"] for row in rows])
    assert weights[:IN_FRAUD].min() > np.quantile(weights[IN_FRAUD:], 0.95)
    shares = [(weights < weight).mean() for weight in weights]
    assert [row["resemblance_share_365d"] for row in rows] == pytest.approx(shares)
    digest = read_resemblance_model(model_path).digest
    assert {row["model_digest"] for row in rows} == {digest}


def test_the_most_alike_are_on_the_list_and_it_says_what_that_rests_on(workspace):
    for job in (flag_indicators.JOB, propose_accounts.JOB):
        result = workspace.run(job, AS_OF)
        assert result.exit_code == 0, result.message
    flagged = workspace.lake.of_day(INDICATOR, DAY).filter("family = 'resemblance'").collect()
    listed = workspace.lake.of_day(HIGH_RISK_ACCOUNT, DAY).orderBy("rank").collect()
    assert {row["subject_id"] for row in flagged} == {f"m{at:03d}" for at in range(IN_FRAUD)}
    assert min(row["value"] for row in flagged) >= 0.98
    assert {row["member_id"] for row in listed} == {row["subject_id"] for row in flagged}
    [reason] = listed[0]["reasons"]
    assert reason["reason_code"] == "RESEMBLES_FRAUD"
    assert "simulated provinces: visits with an e-voucher: " in reason["text"]


def test_again_gives_the_same(workspace):
    before = workspace.lake.of_day(MEMBER_RESEMBLANCE, DAY).collect()
    assert workspace.run(score_resemblance.JOB, AS_OF).exit_code == 0
    again = workspace.lake.of_day(MEMBER_RESEMBLANCE, DAY).collect()
    assert sorted(map(str, before)) == sorted(map(str, again))


def test_without_a_model_nobody_is_compared(new_workspace, tmp_path):
    for setting, told in (
        ("resemblance.model=null", "resemblance.model is null"),
        (f"resemblance.model={tmp_path}/absent.json", f"there is no {tmp_path}/absent.json"),
    ):
        result = new_workspace(setting).run(score_resemblance.JOB, AS_OF)
        assert (result.exit_code, result.outcome) == (0, "skipped")
        assert told in result.message


def test_statistics_of_an_older_version_are_refused_by_name(new_workspace, model_path):
    made = new_workspace(f"resemblance.model={model_path}")
    write_province(made)
    older = [
        {"peer_group": "all", "peers": 300, "feature": TELLING, "median": 0.1, "high": 0.9},
    ]
    write_rows(made, PEER_STATISTIC, older, DAY)
    result = made.run(score_resemblance.JOB, AS_OF)
    assert result.exit_code == 3
    assert f"run build_member_features --as-of {AS_OF} again" in result.message


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["resemblance.model=null"], "resemblance.model is null"),
        (["resemblance.train_on=[a/city-1, b/city-2]"], "of fewer than two generators"),
        (["resemblance.train_on=[a/city-1, b/ours-2]"], "a/city-1 has no folder lake"),
    ],
)
def test_wrong_settings_of_a_training_end_before_it_starts(new_workspace, settings, told):
    made = new_workspace("train.source=simulated", *settings)
    with pytest.raises(ConfigError, match=told):
        made.run(train_model.JOB, AS_OF, subject="member")
