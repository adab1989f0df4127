"""The register of warrants and requests under which parcels may be looked at, and who is refused."""

import re
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from expectations.contract.errors import ConfigError
from expectations.contract.yaml_files import checked, read_yaml
from jobs.runtime.config import Config
from jobs.runtime.job import Options

_SOURCE = "the register of legal bases in"


class Basis(BaseModel):
    """A warrant or request. Its days are whole days, the last one included."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["warrant", "request"]
    issued_by: str = Field(min_length=1)
    valid_from: date
    valid_until: date
    revoked_on: date | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Basis":
        if self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self


class _Register(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bases: dict[str, Basis]


def check_legal_basis(config: Config, options: Options, today: date | None = None) -> None:
    """Refuse a legal basis that is missing, not in the register, or not in force today.

    It is today that somebody looks, whatever day the work is as of. The number itself is in the
    sentences: it names a paper, not a person.

    Args:
        config: the form of a number, the register, and the basis where the command line gives none.
        options: what the command line gives.
        today: the day on which it has to be in force; today's date by default.

    Raises:
        ConfigError: saying what is wrong with it and what to do.
    """
    given = (options.legal_basis or config.triage.legal_basis or "").strip()
    if not given:
        raise ConfigError(
            "--legal-basis ID is missing: parcels may be looked at under a warrant or request only,"
            " and only those that were got under it"
        )
    form = config.triage.legal_basis_form
    if not re.fullmatch(form, given):
        raise ConfigError(
            f"--legal-basis {given!r:.80} is no number of a warrant or request: triage.legal_basis_form"
            f" asks for {form}"
        )
    path = config.triage.legal_bases
    register = checked(_Register, read_yaml(path, _SOURCE), path).bases
    basis = register.get(given)
    if basis is None:
        raise ConfigError(
            f"--legal-basis {given} is not in {path}: whoever keeps the register has to enter it first"
        )
    day = today or date.today()
    fault = _not_in_force(basis, day)
    if fault:
        raise ConfigError(
            f"--legal-basis {given} {fault} ({path}): parcels may not be looked at under it"
        )


def _not_in_force(basis: Basis, day: date) -> str | None:
    if basis.revoked_on is not None and day >= basis.revoked_on:
        return f"was revoked on {basis.revoked_on}"
    if day > basis.valid_until:
        return f"expired on {basis.valid_until}"
    if day < basis.valid_from:
        return f"is in force from {basis.valid_from} only"
    return None
