"""A legal basis is one of the register, in force today; everything else is refused with 2."""

from datetime import date

import pytest
from support.workspace import ROOT

from expectations.contract.errors import ConfigError
from jobs.rules.legal_basis import check_legal_basis
from jobs.runtime.config import load_config
from jobs.runtime.job import Options

TODAY = date(2026, 3, 10)
ENTRY = {
    "kind": "warrant",
    "issued_by": "Court",
    "valid_from": "2026-01-10",
    "valid_until": "2026-07-09",
}


@pytest.fixture
def checked(tmp_path):
    """Check a basis against a register of one entry, some of its values changed."""

    def check(given, today=TODAY, configured="null", **changes):
        entry = ENTRY | changes
        path = tmp_path / "bases.yaml"
        path.write_text(
            "bases:\n  W-2026-014:\n"
            + "".join(f"    {key}: {value}\n" for key, value in entry.items())
        )
        config = load_config(
            str(ROOT / "conf" / "local.yaml"),
            [f"triage.legal_bases={path}", f"triage.legal_basis={configured}"],
        )
        check_legal_basis(config, Options(legal_basis=given), today)

    return check


def test_one_in_force_is_allowed_on_its_first_and_its_last_day(checked):
    for today in (date(2026, 1, 10), TODAY, date(2026, 7, 9)):
        checked(" W-2026-014 ", today)
    checked(None, configured="W-2026-014")


@pytest.mark.parametrize(
    ("given", "changes", "told"),
    [
        (None, {}, "--legal-basis ID is missing"),
        ("  ", {}, "--legal-basis ID is missing"),
        ("because", {}, "'because' is no number of a warrant or request"),
        ("W-2026-014; x", {}, "is no number of a warrant or request"),
        ("W-2026-015", {}, "W-2026-015 is not in"),
        ("W-2026-014", {"valid_until": "2026-03-09"}, "expired on 2026-03-09"),
        ("W-2026-014", {"valid_from": "2026-03-11"}, "is in force from 2026-03-11 only"),
        ("W-2026-014", {"revoked_on": "2026-03-10"}, "was revoked on 2026-03-10"),
        ("W-2026-014", {"valid_until": "2025-01-01"}, "valid_until is before valid_from"),
        ("W-2026-014", {"valid_until": "soon"}, "bases.W-2026-014.valid_until is 'soon'"),
        ("W-2026-014", {"kind": "wish"}, "Input should be 'warrant' or 'request'"),
        ("W-2026-014", {"issued": "x"}, "unknown key bases.W-2026-014.issued"),
    ],
)
def test_any_other_is_refused(checked, given, changes, told):
    with pytest.raises(ConfigError) as raised:
        checked(given, **changes)
    assert told in str(raised.value)
    assert raised.value.exit_code == 2


def test_the_register_of_the_project_is_empty_and_a_missing_one_is_told():
    base = str(ROOT / "conf" / "local.yaml")
    options = Options(legal_basis="W-2026-014")
    with pytest.raises(ConfigError, match=r"is not in conf/legal_bases\.yaml"):
        check_legal_basis(load_config(base), options)
    with pytest.raises(ConfigError, match="cannot read the register of legal bases in nowhere"):
        check_legal_basis(load_config(base, ["triage.legal_bases=nowhere"]), options)
