"""Member features again, slowly: plain Python from the definitions, one member and one row at a time."""

from datetime import date

from support.member_histories import Row, Rows
from support.member_reference_drugs import (
    certificate_reference,
    credential_reference,
    product_reference,
    trace_reference,
)
from support.member_reference_rows import seen_of
from support.member_reference_supply import supply_reference
from support.member_reference_visits import (
    care_reference,
    shopping_reference,
    travel_reference,
    use_reference,
)

_FAMILIES = (
    use_reference,
    care_reference,
    shopping_reference,
    travel_reference,
    product_reference,
    certificate_reference,
    credential_reference,
    trace_reference,
)


def reference_features(rows: Rows, references: Rows, member: str, as_of: date) -> Row | None:
    """Every own feature of a member; None for one without a settlement in the year."""
    own = {kind: [row for row in each if row["member_id"] == member] for kind, each in rows.items()}
    seen = seen_of(own, references, as_of)
    if not seen.visits:
        return None
    found: Row = {}
    for family in _FAMILIES:
        found |= family(seen)
    return found | supply_reference(seen.visits, seen.outside_drugs, seen.certificates, as_of)
