"""Which values stand for nothing in which column."""

import hashlib
import hmac
from datetime import date, datetime
from pathlib import Path

import pytest
import yaml

from expectations.contract.errors import ConfigError
from expectations.landing.placeholders import column_placeholders, load_placeholders
from expectations.tables import LANDING_BY_NAME, LANDING_TABLES

PATH = "conf/placeholders.yaml"
KEY = "a secret of sixteen letters"
KEYS = {"DRUGTRAIL_HASH_KEY": KEY}


def entry(name, value, keys=KEYS):
    table, column = name.split(".")
    contract = LANDING_BY_NAME[table]
    [field] = [each for each in contract.fields if each.name == column]
    found = column_placeholders(load_placeholders(PATH, LANDING_TABLES), contract, field, keys)
    return found.entry_of(value) if found else None


def keyed(text, function="sha256", key=KEY):
    return hmac.new(key.encode(), text.encode(), function).hexdigest()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fee_detail.bilg_dr_codg", "NULL"),
        ("fee_detail.bilg_dr_codg", " null "),
        ("fee_detail.bilg_dr_codg", "\\N"),
        ("fee_detail.bilg_dr_codg", "无"),
        ("fee_detail.bilg_dr_codg", "0000"),
        ("settlement.orig_setl_id", "0"),
        ("person.insuplc_admdvs", "000000"),
        ("settlement.dise_codg", "---"),
        ("settlement_doctor.dr_codg", "NA"),
        ("settlement.device_hash", hashlib.md5(b"").hexdigest()),
        ("settlement.device_hash", hashlib.sha1(b"").hexdigest().upper()),
        ("settlement.device_hash", hashlib.sha256(b"NULL").hexdigest()),
        ("settlement.device_hash", hashlib.sha256("无".encode()).hexdigest()),
        (
            "settlement.device_hash",
            "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
        ),
        ("settlement.device_hash", keyed("")),
        # Cut, in base64, under the empty key, in another spelling.
        ("settlement.device_hash", hashlib.sha256(b"").hexdigest()[:16]),
        ("settlement.device_hash", keyed("", key="")[:16]),
        ("settlement.device_hash", keyed("", key="")),
        ("settlement.device_hash", hashlib.md5(b"").hexdigest()[8:24].upper()),
        ("settlement.device_hash", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ("settlement.device_hash", hashlib.sha384(b"").hexdigest()),
        ("settlement.device_hash", hashlib.sha512(b"NaN").hexdigest()),
        ("person.cert_hash", hashlib.md5(b"None").hexdigest()[:20]),
        ("person.cert_hash", hashlib.sha1(b" ").hexdigest()),
        ("person.cert_hash", hashlib.sha256("未知".encode()).hexdigest()),
        ("person.tel_hash", keyed("12345678901")[:32]),
        ("fee_detail.bilg_dr_codg", "#REF!"),
        ("fee_detail.bilg_dr_codg", "99999999"),
        ("settlement.opter_no", "****"),
        ("person.tel_hash", keyed("null")),
        # As a database's window, a colleague or a phone writes nothing.
        ("fee_detail.bilg_dr_codg", "[NULL]"),
        ("fee_detail.bilg_dr_codg", "null."),
        ("fee_detail.bilg_dr_codg", "\uff08空\uff09"),
        ("fee_detail.bilg_dr_codg", "不明"),
        ("fee_detail.bilg_dr_codg", "其他"),
        ("fee_detail.bilg_dr_codg", "---"),
        ("fee_detail.bilg_dr_codg", "\uff0d"),
        ("fee_detail.bilg_dr_codg", "x"),
        ("settlement.device_hash", "00000000-0000-0000-0000-000000000000"),
        ("settlement.device_hash", "02:00:00:00:00:00"),
        ("settlement.device_hash", "020000000000"),
        ("settlement.device_hash", hashlib.md5(b"02:00:00:00:00:00").hexdigest()),
        ("settlement.device_hash", hashlib.sha256(b"0" * 15).hexdigest()),
        ("person.tel_hash", hashlib.sha256("未登记".encode()).hexdigest()),
        ("person.tel_hash", "0" * 64),
        ("person.tel_hash", "F" * 64),
        ("proxy_pickup.agnter_cert_hash", keyed("")),
        ("person.paused_from", date(1900, 1, 1)),
        ("person.death_date", date(1970, 1, 1)),
        ("person.death_date", date(2000, 1, 1)),
        ("person.paused_from", date(1980, 1, 6)),
        ("person.insured_from", date(9999, 12, 31)),
        ("settlement.setl_time", datetime(1970, 1, 1, 8)),
        # Australia's and Kathmandu's midnight, and a zone's of before there were time zones.
        ("settlement.setl_time", datetime(1970, 1, 1, 9, 30)),
        ("settlement.begntime", datetime(1970, 1, 1, 5, 45)),
        ("settlement.endtime", datetime(1899, 12, 31, 8, 5, 43)),
        ("settlement.begntime", datetime(2099, 12, 31)),
        ("settlement.endtime", datetime(2099, 12, 31, 23, 59, 59)),
        ("settlement.begntime", datetime(1900, 1, 1, 0, 5, 43)),
        ("person.brdy", date(2050, 12, 31)),
        ("person.home_lat", 0.0),
        ("institution.visit_cap", 0),
        ("drug.monthly_max_boxes", 9999),
        ("fee_detail.prd_days", 99),
        ("fee_detail.prd_days", 9999.99),
        ("fee_detail.prd_days", 999),
        ("fee_detail.prd_days", 0),
    ],
)
def test_a_placeholder_is_known(column, value):
    assert entry(column, value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("fee_detail.bilg_dr_codg", "D001"),
        # A line may be counted from 0.
        ("fee_detail.feedetl_sn", "0"),
        ("fee_detail.feedetl_sn", "00000000"),
        ("fee_detail.orig_feedetl_sn", "0"),
        ("settlement.refd_setl_flag", "0"),
        ("settlement.device_hash", keyed("13912345678")),
        ("settlement.device_hash", keyed("13912345678")[:16]),
        ("settlement.device_hash", hashlib.sha256(b"").hexdigest()[:15]),
        # In force for good, or not yet ended.
        ("special_cert.enddate", date(9999, 12, 31)),
        ("special_cert.begndate", date(1900, 1, 1)),
        ("person.brdy", date(1901, 1, 1)),
        ("person.brdy", date(2000, 1, 1)),
        ("person.death_date", date(2025, 1, 1)),
        # Another relation than those that are named is one.
        ("proxy_pickup.agnter_rlts", "其他"),
        ("fee_detail.bilg_dr_codg", "X1"),
        ("settlement.device_hash", "02:00:00:00:00:01"),
        ("settlement.setl_time", datetime(2024, 1, 1, 8)),
        ("fee_detail.prd_days", 30),
        ("fee_detail.cnt", 0),
    ],
)
def test_a_value_that_says_something_is_left(column, value):
    assert entry(column, value) is None


def test_the_hash_of_nothing_under_another_key_is_not_known():
    assert entry("settlement.device_hash", keyed(""), {}) is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"numbers": {"fee_detail.days": [0]}}, "fee_detail.days"),
        ({"numbers": {"fee_detail.bilg_dr_codg": [0]}}, "string"),
        ({"id_patterns": ["(0"]}, "regular expression"),
        ({"dates_of": {"person.died": ["2000-01-01"]}}, "person.died"),
        ({"dates_of": {"person.tel_hash": ["2000-01-01"]}}, "string"),
        ({"hash_functions": ["md6"]}, "md6"),
        ({"dates": ["1900-02-30"]}, "dates"),
        ({"words": []}, "unknown key words"),
    ],
)
def test_a_faulty_list_is_refused(tmp_path, change, told):
    content = yaml.safe_load(Path(PATH).read_text(encoding="utf-8"))
    path = tmp_path / "list.yaml"
    path.write_text(yaml.safe_dump(content | change, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError, match=told) as error:
        load_placeholders(str(path), LANDING_TABLES)
    assert str(path) in str(error.value)
