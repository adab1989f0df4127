"""The pipeline's graph, and everything that is checked before its first job."""

from datetime import date

import pytest
from support.workspace import ROOT

from expectations.contract.errors import ConfigError, ContractError
from jobs import run_pipeline
from jobs.runtime.config import load_config
from jobs.runtime.job import Options
from jobs.runtime.pipeline import Step, in_order, needed_steps, steps_of

OPTIONS = Options(as_of=date(2025, 1, 1))


def names(*steps):
    return [step.name for step in in_order(steps)]


def test_each_step_comes_after_those_it_needs_else_as_declared():
    last, first, other = Step("last", after=("first", "absent")), Step("first"), Step("other")
    assert names(last, first, other) == ["first", "last", "other"]
    assert names(other, first, last) == ["other", "first", "last"]


def test_steps_that_need_each_other_or_are_there_twice_are_refused():
    with pytest.raises(ContractError, match=r"need each other: . after . after ."):
        in_order([Step("a", after=("b",)), Step("b", after=("a",))])
    with pytest.raises(ContractError, match="declared twice"):
        in_order([Step("a"), Step("a")])


def test_a_job_may_run_once_for_each_subject_and_is_told_which():
    train, members = Step("train"), Step("train", after=("label",), subject="member")
    listed = Step("list", after=("train:member",))

    ordered = in_order([train, listed, members, Step("label")])

    assert [step.key for step in ordered] == ["train", "label", "train:member", "list"]
    assert members.options(OPTIONS) == Options(as_of=OPTIONS.as_of, subject="member")
    assert train.options(OPTIONS) == OPTIONS


def test_earlier_days_are_built_before_the_day_itself_where_they_are_asked_for(configured):
    without = [step.key for step in steps_of(configured())]
    steps = [step.key for step in steps_of(configured("train.earlier_days=2"))]

    assert "build_earlier_days" not in without
    place = steps.index("build_earlier_days")
    assert place > max(steps.index("build_facts"), steps.index("build_labels"))
    assert place < min(
        steps.index(f"build_{what}") for what in ("member_features", "account_links")
    )
    assert [step for step in steps if step != "build_earlier_days"] == without


@pytest.fixture
def configured(tmp_path):
    (tmp_path / "landing").mkdir()

    def load(*settings):
        own = [
            f"landing.root={tmp_path}/landing",
            f"lake.root={tmp_path}/lake",
            f"report.root={tmp_path}/report",
            f"mlflow.tracking_uri=sqlite:///{tmp_path}/mlflow.db",
            f"log.file={tmp_path}/log.jsonl",
        ]
        return load_config(str(ROOT / "conf" / "local.yaml"), [*own, *settings])

    return load


def test_faults_of_every_job_are_told_before_the_first_starts(configured, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("member: [{code: X}]\n")
    (tmp_path / "file").write_text("")
    config = configured(
        f"detect.typologies={rules}",
        "triage.legal_basis=W-2020-001",
        f"report.root={tmp_path}/file",
        f"mlflow.tracking_uri=sqlite:///{tmp_path}/file/m.db",
    )
    with pytest.raises(ConfigError) as raised:
        run_pipeline.check(config, OPTIONS)
    told = str(raised.value)
    for part in (
        "rules.yaml: X: family is missing",
        "--legal-basis W-2020-001 is not in",
        "report.root is",
        "mlflow.tracking_uri: cannot write",
    ):
        assert told.count(part) == 1


def test_a_folder_that_the_first_job_makes_is_not_asked_for(configured, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("title: t\nviews: {a: {files: '*.csv'}}\ntables: {}\n")
    (source / "a.csv").write_text("x\n")
    config = configured(
        f"landing.root={tmp_path}/made-later",
        f"source.mapping={mapping}",
        f"source.folder={source}",
    )
    run_pipeline.check(config, OPTIONS)
    with pytest.raises(ConfigError, match=r"landing\.root is .*made-later"):
        run_pipeline.check(configured(f"landing.root={tmp_path}/made-later"), OPTIONS)


def test_a_step_needs_all_that_it_rests_on_and_a_slip_of_its_name_is_told():
    config = load_config(str(ROOT / "conf" / "local.yaml"), [])
    keys = [step.key for step in needed_steps(config, "score_resemblance", {"validate_tables"})]
    assert keys[-1] == "score_resemblance"
    assert {"ingest_batch", "conform_tables", "build_facts", "build_member_features"} < {*keys}
    assert not {"validate_tables", "find_rings"} & {*keys}
    with pytest.raises(ConfigError, match="find_ring is no step of the pipeline here"):
        needed_steps(config, "find_ring")
