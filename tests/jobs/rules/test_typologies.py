"""A file of rules with a fault in it: one sentence that says where and what is right."""

import copy
import string

import pytest
import yaml
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from jobs.rules.rulebook import rulebook
from jobs.runtime.config import load_config

RULES = yaml.safe_load((ROOT / "conf" / "typologies.yaml").read_text(encoding="utf-8"))
TEXT = "may show {value} only, as one of {value:.0f}, {value:,.0f}, {value:.1f}, {value:.0%}"


@pytest.fixture
def faults_of(tmp_path):
    """Read the rules of the project with one change; what is said of them, a line each."""
    path = tmp_path / "rules.yaml"
    config = load_config(str(ROOT / "conf" / "local.yaml"), [f"detect.typologies={path}"])

    def read(content):
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        with pytest.raises(ConfigError) as caught:
            rulebook(config)
        assert caught.value.exit_code == 2
        return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]

    return read


def with_rule(**changes):
    rules = copy.deepcopy(RULES)
    rules["member"][0] |= changes
    return rules


def without(key):
    rules = copy.deepcopy(RULES)
    del rules["member"][0][key]
    return rules


def with_allowance(**changes):
    rules = copy.deepcopy(RULES)
    rules["allowed"][0] |= changes
    return rules


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            with_rule(feature="supply_ratio_max_365"),
            "OVER_SUPPLY: there is no feature supply_ratio_max_365; the nearest valid name is supply_ratio_max_365d",
        ),
        (
            with_rule(also=[{"feature": "visits_30d", "at_least": 1}]),
            "OVER_SUPPLY: there is no feature visits_30d; the nearest valid name is visit_count_30d",
        ),
        (with_rule(code="STOCK_ON_HAND"), "STOCK_ON_HAND occurs twice"),
        (
            with_rule(evidence="drug"),
            "OVER_SUPPLY: evidence is 'drug', not one of drugs, certificate, cold_chain, e_voucher,"
            " proxy, tonic",
        ),
        (
            with_rule(text={"en": "{days:.0f} days", "zh": "-"}),
            f"OVER_SUPPLY: text '{{days:.0f}} days' {TEXT}",
        ),
        (with_rule(text={"en": "-", "zh": "{value}"}), f"OVER_SUPPLY: text '{{value}}' {TEXT}"),
        (
            with_rule(text={"en": "{value:.3f}", "zh": "-"}),
            f"OVER_SUPPLY: text '{{value:.3f}}' {TEXT}",
        ),
        (with_rule(text={"en": "{value", "zh": "-"}), f"OVER_SUPPLY: text '{{value' {TEXT}"),
        (
            with_rule(at_leest=2),
            "OVER_SUPPLY: unknown key at_leest; the nearest valid name is at_least",
        ),
        (without("points"), "OVER_SUPPLY: points is missing"),
        (without("code"), "member, entry 1: code is missing"),
        (
            with_rule(grows_to=float("inf")),
            "OVER_SUPPLY: grows_to: Input should be a finite number",
        ),
        (
            with_rule(grows_to=3),
            "OVER_SUPPLY: grows_to is for rules that do not look at peers: leave it out, or give"
            " among_peers: false",
        ),
        (with_rule(at_least=0), "OVER_SUPPLY: at_least: Input should be greater than 0"),
        (
            with_rule(also=[{"feature": "visit_count_30d"}]),
            "OVER_SUPPLY: also.0: Value error, give at_least or at_most",
        ),
        (
            RULES | {"member": []},
            "member: Tuple should have at least 1 item after validation, not 0",
        ),
        (
            RULES | {"members": []},
            "members: unknown key members; the nearest valid name is member",
        ),
        ({"doctor": []}, "member is missing"),
        (
            with_allowance(when=[{"feature": "dialysis_count_90d", "at_least": 6}]),
            "DIALYSIS: there is no feature dialysis_count_90d;",
        ),
        (with_allowance(holds_back=["volumes"]), "DIALYSIS: no rule is of the family volumes"),
        (with_allowance(code="CANCER"), "CANCER occurs twice"),
        ("member: [", "rules.yaml is not valid YAML"),
        ("", "rules.yaml must hold sections, such as member: and below it a list of rules"),
    ],
)
def test_a_fault_is_one_sentence_that_names_the_rule(faults_of, rules, told):
    (line,) = faults_of(rules)
    assert told in line


def test_every_fault_is_told_at_once(faults_of):
    rules = with_rule(feature="nothing", evidence="nothing")
    assert len(faults_of(rules)) == 2


def test_a_file_that_is_not_there_is_one_sentence():
    config = load_config(str(ROOT / "conf" / "local.yaml"), ["detect.typologies=nowhere.yaml"])
    with pytest.raises(ConfigError, match=r"cannot read the rules in nowhere\.yaml"):
        rulebook(config)


def test_the_rules_of_the_project_have_words_that_show_the_same_in_both_languages():
    rules = rulebook(load_config(str(ROOT / "conf" / "local.yaml")))
    codes = {rule.code for part in rules.rules.values() for rule in part}
    assert set(rules.checks) == codes
    assert set(rules.texts) == codes | {each.code for each in rules.allowances}
    for words in rules.texts.values():
        shown = [
            [each[1:3] for each in string.Formatter().parse(words[key])] for key in ("en", "zh")
        ]
        assert [each for each in shown[0] if each[0]] == [each for each in shown[1] if each[0]]
