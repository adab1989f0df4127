"""The page for readers: what it says, what it must not do, in both languages. No Spark."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract
from support.pages import EMPTY, HOSTILE, Seen

from expectations.feature.institution import INSTITUTION_FEATURES
from expectations.landing.reasons import SENTENCES, RowReason
from expectations.tables import LANDING_TABLES
from jobs.report import content as facts
from jobs.report.arrival import (
    AmountBalance,
    Arrival,
    Constant,
    EmptiedValue,
    Expectation,
    QuarantineReason,
    RefusedBatch,
)
from jobs.report.page import SECTIONS, report_page
from jobs.report.sheet import harmless, ranked_list_csv

REPORT = Path(__file__).parents[3] / "jobs" / "report"
CATALOGUE = REPORT / "locale" / "zh" / "LC_MESSAGES" / "drugtrail.po"


def arrival(table: str = "settlement", **changes: object) -> Arrival:
    row = Arrival(table, 2, 0, landed=100, kept=97, conformed=90, superseded=7, quarantined=3)
    return replace(row, **changes)


def waiting(reason: RowReason) -> QuarantineReason:
    return QuarantineReason("settlement", reason.text, reason, 3, date(2009, 7, 31), "a.csv", 7)


def institution(name: str = "P1", **changes: object) -> facts.Ranked:
    reason = facts.Reason("inpatient_stay_days_max", 36.0, 8.0, 0.9, "longest stay: 36 days")
    return replace(facts.Ranked(1, name, 0.912, (reason,), outcome=1), **changes)


def full(institution_id: str = "P1") -> facts.Report:
    """A report in which every part is there."""
    nodes = (facts.Node(institution_id, 0.9, 1, 1), facts.Node("P2", None, None, 0))
    component = facts.Component(
        "P1", 3, 2, nodes, (facts.Edge(institution_id, "P2", "shared_member", 4),)
    )
    figures = (facts.Figure("average_precision", 0.712, 0.031),)
    model = facts.Model(
        "drugtrail-institution",
        "3",
        "run1",
        {"labelled": 40, "positives": 9, "with_basis": 30, "positives_with_basis": 8},
        (facts.Contender("trees", figures, is_chosen=True), facts.Contender("amount", figures)),
        paired=(
            facts.Paired("with_basis", "trees", "amount", "average_precision", 0.1, 0.05, 0.15),
        ),
        importances=(("inpatient_stay_days_max", 0.4),),
        inputs=(("gold.institution_feature", "2"),),
        curves=(facts.Curve("trees", (0.0, 1.0), (1.0, 0.2), is_chosen=True),),
        prevalence=0.2,
        calibration=(facts.CalibrationPoint(0.1, 0.1, 10), facts.CalibrationPoint(0.8, 0.7, 10)),
    )
    return replace(
        EMPTY,
        source_title="Claims",
        constants=(Constant("case_time", "2010-01-02", "the source gives none"),),
        arrivals=(
            arrival(amounts=(AmountBalance("medfee_sumamt", *map(Decimal, ("9", "7", "2", "0"))),)),
        ),
        refused=(RefusedBatch("settlement", date(2009, 7, 31), ("the manifest lies",)),),
        quarantine=(waiting(RowReason("missing_parent", "psn_no", {"table": "person"})),),
        emptied=(
            EmptiedValue("settlement", "device_hash", "md5 of the empty text", 1234, 0.25),
            EmptiedValue("person", "tel_hash", "carried by too many people", 217, 0.5),
        ),
        expectations=(
            Expectation(
                "silver.settlement",
                "expect_column_values_to_not_be_null",
                "c",
                "critical",
                True,
                90,
                0,
            ),
        ),
        data_docs="data_docs/index.html",
        scored=1,
        ranked=(institution(institution_id, component="P1", component_size=3),),
        unscored=(
            facts.Unscored(
                "no inpatient claims before 2010-01-03",
                "no_inpatient_claims",
                date(2010, 1, 3),
                5,
                ("P7",),
            ),
        ),
        distribution=(facts.ScoreBin(0.0, 1, 2, 3), facts.ScoreBin(0.5, 1, 0, 0)),
        groups=facts.Groups(
            1, 3, (facts.LinkFilter("shared_member", 9, 2, 4.0, 1, 0, 0, 3),), (component,)
        ),
        model=model,
        jobs=(facts.JobFact("ingest_batch", "succeeded", "", 3.2, 100, 97, 3, 900),),
    )


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("report", [EMPTY, full()], ids=["empty", "full"])
def test_every_section_is_there_in_order(report: facts.Report, language: str) -> None:
    seen = Seen(report_page(replace(report, language=language)))

    assert seen.sections == [name for name, _ in SECTIONS]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_fetched_from_outside(language: str) -> None:
    page = report_page(replace(full(), language=language))
    seen = Seen(page)

    assert not [where for where in seen.references if re.match(r"(?i)[a-z]+:|//", where)]
    assert not re.search(r"(?i)@import|url\(\s*['\"]?(?!#)|https?://", page)
    assert not {"script", "link", "iframe", "object", "embed", "img"} & {*seen.tags}


def test_every_link_within_the_page_leads_somewhere() -> None:
    page = report_page(full())
    ids = re.findall(r'\sid="([^"]+)"', page)

    assert len(ids) == len({*ids})
    assert {where[1:] for where in Seen(page).references if where.startswith("#")} <= {*ids}


def test_hostile_text_is_shown_and_does_nothing() -> None:
    report = replace(
        full(HOSTILE),
        source_title=HOSTILE,
        refused=(RefusedBatch("settlement", date(2009, 7, 31), (HOSTILE,)),),
        unscored=(facts.Unscored(HOSTILE, None, date(2010, 1, 3), 1, (HOSTILE,)),),
        quarantine=(
            QuarantineReason("settlement", HOSTILE, None, 1, date(2009, 7, 31), HOSTILE, 7),
        ),
        ranked=(institution(HOSTILE, reasons=(facts.Reason("new", 1.0, 1.0, 0.1, HOSTILE),)),),
        jobs=(facts.JobFact("train_model", "skipped", HOSTILE, 1.0, 0, 0, 0, None),),
    )
    for language in ("en", "zh"):
        seen = Seen(report_page(replace(report, language=language)))

        assert "script" not in seen.tags
        assert seen.text.count(HOSTILE) >= 7


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\u061c"])
def test_direction_marks_are_shown_instead_of_obeyed(mark: str) -> None:
    report = replace(full(), source_title=f"name{mark}gpj.exe")

    page = report_page(report)

    assert mark not in page
    assert f"name\u27e8U+{ord(mark):04X}\u27e9gpj.exe" in page
    assert mark not in harmless(f"a{mark}b")


def test_the_policy_allows_the_pages_own_style_and_nothing_else() -> None:
    page = report_page(full())

    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert unescape(policy).split("; ")[:2] == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
    ]
    assert "script-src" not in policy


def test_the_same_facts_give_the_same_bytes() -> None:
    assert report_page(full()) == report_page(full())


def test_the_main_facts_stand_at_the_top() -> None:
    top = Seen(report_page(full()).partition("<nav")[0]).text

    for said in (
        "Institutions scored",
        "100",
        "2 batches kept, 0 refused",
        "✓ Yes",
        "✓ Held",
        "0.712",
    ):
        assert said in top


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"conformed": 89}, "1 rows missing"),
        ({"conformed": None, "superseded": 0, "quarantined": 0}, "not conformed yet"),
        ({"conformed": 80, "is_stale": True}, "batches came since conform_tables ran"),
        (
            {"amounts": (AmountBalance("a", Decimal("1.01"), Decimal(1), Decimal(0), Decimal(0)),)},
            "0.01 missing",
        ),
    ],
)
def test_what_does_not_reconcile_is_said(changes: dict[str, object], said: str) -> None:
    report = replace(full(), arrivals=(arrival(**changes),))

    text = Seen(report_page(report)).text

    assert said in text
    assert "! No" in text


def test_a_skipped_training_is_said_in_the_jobs_own_words() -> None:
    run = facts.JobFact(
        "train_model", "skipped", "12 confirmed institutions, too few", 1.0, 0, 0, 0, None
    )
    report = replace(full(), scored=0, ranked=(), model=None, distribution=(), jobs=(run,))

    text = Seen(report_page(report)).text

    assert "there is no model: training ended as “skipped”. 12 confirmed institutions" in text
    assert text.count("12 confirmed institutions, too few") == 3


def test_a_part_that_no_job_has_written_names_the_job() -> None:
    text = Seen(report_page(EMPTY)).text

    for job in ("ingest_batch", "validate_tables", "score_subjects", "build_links", "train_model"):
        assert f"the job {job} has not been run for this date" in text


def test_what_mlflow_did_not_give_is_said() -> None:
    report = replace(full(), model=facts.Model("m", "1", problem="the database is not there"))

    assert (
        "could not be read from MLflow. the database is not there" in Seen(report_page(report)).text
    )


def test_a_reason_is_a_sentence_in_the_readers_language() -> None:
    assert "Longest stay: 36 days (median of all scored: 8 days)" in Seen(report_page(full())).text
    chinese = Seen(report_page(replace(full(), language="zh"))).text
    assert "最长住院天数：36 天（已评分机构的中位数：8 天）" in chinese
    assert "psn_no 在“参保人”中找不到对应记录" in chinese
    assert "2010年1月3日 之前没有住院结算" in chinese


@pytest.mark.parametrize("code", SENTENCES)
def test_every_reason_of_quarantine_is_said_in_the_readers_language(code: str) -> None:
    parameters = {"type": "date", "values": "a, b", "table": "person", "other": "cnt"}
    reason = RowReason(code, "setl_time", parameters | {"first": "1880", "last": "2100"})
    report = replace(full(), quarantine=(waiting(reason),))

    english, chinese = (
        Seen(report_page(replace(report, language=language))).text for language in ("en", "zh")
    )

    assert reason.text not in english + chinese
    fault = reason.text.removeprefix("setl_time: ")
    assert fault not in chinese
    if code == "implausible_year":
        assert "setl_time lies outside the years 1880 to 2100" in english
        assert "setl_time 不在 1880 年至 2100 年之间" in chinese


def test_a_reason_without_a_code_is_said_as_the_job_said_it() -> None:
    old = replace(waiting(RowReason("required", "psn_no")), reason=None)
    text = Seen(report_page(replace(full(), quarantine=(old,), language="zh"))).text

    assert "psn_no: is empty, and it is required" in text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\uff1d"])
def test_no_cell_of_the_sheet_is_a_formula(start: str) -> None:
    assert harmless(f"{start}1+1") == f"'{start}1+1"
    row = ranked_list_csv(replace(full(), ranked=(institution(f"{start}HYPERLINK()"),)))
    assert f"'{start}HYPERLINK()" in row


def test_the_sheet_is_for_spreadsheets_of_people() -> None:
    sheet = ranked_list_csv(replace(full(), language="zh"))

    assert sheet.encode().startswith(b"\xef\xbb\xbf")
    head, row, _ = sheet.removeprefix("\ufeff").split("\r\n")
    assert head.startswith("名次,定点医疗机构,评分,已知结论,团组规模,理由 1")
    assert row == "1,P1,0.9120,已查实,3,最长住院天数：36 天（已评分机构的中位数：8 天）,,,,"


def used_messages() -> set[str]:
    """Every text of the templates and modules, every feature's label and every check's note."""
    found = set()
    for path in REPORT.rglob("*.j2"):
        with path.open("rb") as file:
            texts = extract(babel_extract, file, options={"trimmed": "true"})
            found |= {message for _, message, _, _ in texts}
    for path in REPORT.glob("*.py"):
        with path.open("rb") as file:
            words = extract("python", file, keywords={"N_": None, "text": None})
            found |= {message for _, message, _, _ in words}
    found |= {feature.label for feature in INSTITUTION_FEATURES}
    return found | {check.note for table in LANDING_TABLES for check in table.checks if check.note}


def test_every_text_has_a_chinese_translation_and_none_is_stale() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    translated = {str(message.id) for message in catalogue if message.id and message.string}

    assert sorted(used_messages() - translated) == []
    assert sorted(translated - used_messages()) == []


def test_a_translation_fills_in_the_same_values() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    names = re.compile(r"%\((\w+)\)s")
    for message in catalogue:
        if message.id:
            source, target = str(message.id), str(message.string)
            assert {*names.findall(source)} == {*names.findall(target)}
            assert "%" not in names.sub("", target)


def test_templates_are_escaped_throughout() -> None:
    for path in REPORT.rglob("*.j2"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape", text)


def test_values_that_stand_for_nothing_are_told_by_their_entry_of_the_list() -> None:
    english = Seen(report_page(full())).text
    assert "md5 of the empty text" in english
    assert "1,234" in english
    chinese = Seen(report_page(replace(full(), language="zh"))).text
    assert "共用人数过多" in chinese
    assert "carried by too many people" not in chinese
