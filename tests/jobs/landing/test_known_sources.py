"""The mappings that come with the project, from small sources to bronze without a row lost."""

from decimal import Decimal

import pytest
from support.sources import Source
from support.workspace import ROOT

from expectations.landing.event import FEE_DETAIL, SETTLEMENT
from expectations.landing.reference import PERSON, PERSON_CONDITION
from expectations.ops import LANDING_BATCH
from jobs.convert_source import JOB as CONVERT
from jobs.ingest_batch import JOB as INGEST

OMOP = {
    "person": """person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime
1,8507,1950,3,7,
2,8532,1961,,,1961-05-06 00:00:00
""",
    "visit_occurrence": """visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_start_datetime,visit_end_date,visit_end_datetime,provider_id,care_site_id
10,1,9202,2020-01-05,2020-01-05 09:30:00,2020-01-05,2020-01-05 10:00:00,7,5
11,2,9201,2020-01-30,,2020-02-02,,,
""",
    "drug_exposure": """drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_start_datetime,quantity,days_supply,provider_id,visit_occurrence_id,drug_source_value
100,1,1127433,2020-01-05,2020-01-05 09:45:00,60,30,7,10,"Aspirin, 81 mg"
101,2,1127433,2020-03-01,,30,,7,,Aspirin
""",
    "condition_occurrence": """condition_occurrence_id,person_id,condition_concept_id,condition_start_date,visit_occurrence_id,condition_source_value
3,1,320128,2020-01-05,10,I10
4,1,320128,2020-02-05,,I10
5,1,201826,2020-01-05,10,
""",
    "care_site": "care_site_id,care_site_name\n5,Clinic\n",
    "provider": """provider_id,care_site_id,specialty_concept_id,specialty_source_value
7,5,38004446,General
""",
}
SYNTHEA = {
    "patients": """Id,BIRTHDATE,DEATHDATE,SSN,FIRST,LAST,GENDER,LAT,LON
p1,1950-03-07,,999-11-2222,Ann,Lee,F,42.123456,-71.1
p2,1940-01-01,2021-05-05,999-11-3333,Bob,Ray,M,42.2,-71.2
""",
    "encounters": """Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,DESCRIPTION,BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,REASONDESCRIPTION
e1,2020-01-05T14:30:00Z,2020-01-05T15:00:00Z,p1,o1,d1,x,ambulatory,1,"Visit, short",77.49,129.16,100.00,38341003,Hypertension
e2,2020-02-01T03:00:00Z,2020-02-04T15:00:00Z,p2,o1,d1,x,inpatient,2,Stay,77.49,1000.00,0.00,,
""",
    "medications": """START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,PAYER_COVERAGE,DISPENSES,TOTALCOST,REASONCODE,REASONDESCRIPTION
2020-01-05T14:30:00Z,2020-04-04T14:30:00Z,p1,x,e1,314076,lisinopril,10.00,24.00,3,30.00,38341003,Hypertension
2020-02-04T15:00:00Z,,p2,x,e2,197361,amlodipine,5.00,0.00,1,5.00,,
""",
    "conditions": "START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION\n2020-01-05,,p1,e1,38341003,Hypertension\n",
    "organizations": "Id,NAME,ADDRESS,CITY,STATE,ZIP,LAT,LON\no1,HOSPITAL,,,,,42.1,-71.0\n",
    "providers": "Id,ORGANIZATION,NAME,GENDER,SPECIALITY\nd1,o1,Doc,F,GENERAL PRACTICE\n",
}


def bronze(workspace, table, *columns):
    return sorted(map(tuple, workspace.lake.read(table.bronze).select(*columns).collect()))


@pytest.fixture(scope="module")
def brought_in(new_workspace, tmp_path_factory):
    def bring(name, files):
        folder = tmp_path_factory.mktemp(name)
        for table, content in files.items():
            (folder / f"{table}.csv").write_text(content)
        mapping = ROOT / "conf" / "sources" / f"{name}.yaml"
        this = new_workspace(f"source.mapping={mapping}", f"source.folder={folder}")
        assert this.run(CONVERT).exit_code == 0
        assert this.run(INGEST).exit_code == 0
        ledger = this.lake.read(LANDING_BATCH).collect()
        assert {(row["outcome"], row["rows_quarantined"]) for row in ledger} == {("kept", 0)}
        return this

    return {"omop": bring("omop_cdm", OMOP), "synthea": bring("synthea", SYNTHEA)}


def test_omop_visits_and_exposures_without_one_become_settlements(brought_in):
    found = bronze(
        brought_in["omop"],
        SETTLEMENT,
        "setl_id",
        "psn_no",
        "fixmedins_code",
        "med_type",
        "dise_codg",
    )
    assert found == [
        ("10", "1", "5", "11", "I10"),
        ("11", "2", "none", "21", None),
        ("D101", "2", "5", "41", None),
    ]


def test_omop_exposures_become_lines_with_their_days(brought_in):
    found = bronze(brought_in["omop"], FEE_DETAIL, "setl_id", "feedetl_sn", "cnt", "prd_days")
    assert found == [("10", "100", Decimal(1), Decimal(30)), ("D101", "101", Decimal(1), None)]


def test_omop_people_and_their_conditions(brought_in):
    people = bronze(brought_in["omop"], PERSON, "psn_no", "gend", "brdy")
    assert [(number, sex, str(born)) for number, sex, born in people] == [
        ("1", "1", "1950-03-07"),
        ("2", "2", "1961-05-06"),
    ]
    known = bronze(brought_in["omop"], PERSON_CONDITION, "condition", "since")
    assert [(name, str(day)) for name, day in known] == [
        ("201826", "2020-01-05"),
        ("320128", "2020-01-05"),
    ]


def test_synthea_encounters_and_dispenses_are_settlements_of_their_own_money(brought_in):
    names = ("setl_id", "med_type", "setl_time", "medfee_sumamt", "fund_pay_sumamt")
    found = [
        (setl_id, kind, str(at), str(total), str(fund))
        for setl_id, kind, at, total, fund in bronze(brought_in["synthea"], SETTLEMENT, *names)
    ]
    assert found == [
        ("M-e1-314076-1-0", "41", "2020-01-05 09:30:00", "10.00", "8.00"),
        ("M-e1-314076-1-1", "41", "2020-02-04 09:30:00", "10.00", "8.00"),
        ("M-e1-314076-1-2", "41", "2020-03-05 09:30:00", "10.00", "8.00"),
        ("M-e2-197361-1-0", "41", "2020-02-04 10:00:00", "5.00", "0.00"),
        ("e1", "11", "2020-01-05 10:00:00", "129.16", "100.00"),
        ("e2", "21", "2020-02-04 10:00:00", "1000.00", "0.00"),
    ]


def test_synthea_lines_add_up_to_their_settlement_and_say_how_long_a_box_lasts(brought_in):
    lines = bronze(brought_in["synthea"], FEE_DETAIL, "setl_id", "det_item_fee_sumamt", "prd_days")
    totals = bronze(brought_in["synthea"], SETTLEMENT, "setl_id", "medfee_sumamt")
    assert [line[:2] for line in lines] == totals
    assert [line[2] for line in lines] == [*[Decimal(30)] * 4, None, None]


def test_synthea_deaths_arrive_as_a_second_version(brought_in):
    people = bronze(brought_in["synthea"], PERSON, "psn_no", "arrive_time", "death_date")
    assert [(number, str(day or "")) for number, _, day in people] == [
        ("p1", ""),
        ("p2", ""),
        ("p2", "2021-05-05"),
    ]


def test_the_mapping_of_the_page_on_sources_works(new_workspace, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "adding_a_source.md").read_text()
    source = Source(new_workspace, tmp_path)
    source.mapping.write_text(page.split("```yaml\n")[1].split("```")[0])
    source.file(
        "renyuan.csv", "人员编号,性别,出生日期\n001,男,1970/1/2\n002,无,\n".encode("gb18030")
    )
    visit = "结算号|人员编号|机构|结算时间|总费用|统筹支付\ns1|001|h1|2025-01-03 10:00:00|1,234.50|NULL\n"
    source.file("setl.csv", visit.encode("gb18030"))
    monkeypatch.setenv("DRUGTRAIL_HASH_KEY", "0123456789abcdef")
    assert source.convert().exit_code == 0
    people = sorted(source.landed("person"), key=lambda row: row["gend"])
    assert [(row["gend"], row["brdy"]) for row in people] == [("1", "1970-01-02"), ("9", None)]
    (visit,) = source.landed("settlement")
    assert visit["psn_no"] == people[0]["psn_no"]
    assert len(visit["psn_no"]) == 64
    assert (visit["medfee_sumamt"], visit["fund_pay_sumamt"]) == ("1234.50", None)
    assert visit["arrive_time"] == "2025-01-04 00:00:00"
