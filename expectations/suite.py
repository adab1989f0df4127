"""The Great Expectations suite of a table, derived from its contract: nothing is typed twice."""

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.contract import TableContract


def suite(contract: TableContract, key: tuple[str, ...]) -> gx.ExpectationSuite:
    """Not-null and allowed values of the columns, uniqueness of the key, and the declared checks.

    Args:
        contract: the table.
        key: what is unique among the rows that are looked at; for silver the landing key, because
            only standing versions are.
    """
    expectations: list[Expectation] = [
        gxe.ExpectColumnValuesToNotBeNull(column=column.name, severity="critical")
        for column in contract.fields
        if not column.nullable
    ]
    expectations += [
        gxe.ExpectColumnValuesToBeInSet(
            column=column.name, value_set=list(column.values), severity="critical"
        )
        for column in contract.fields
        if column.values
    ]
    if len(key) == 1:
        expectations.append(gxe.ExpectColumnValuesToBeUnique(column=key[0], severity="critical"))
    else:
        expectations.append(
            gxe.ExpectCompoundColumnsToBeUnique(column_list=list(key), severity="critical")
        )
    expectations += [
        getattr(gxe, check.expectation)(
            **check.arguments, severity=check.severity, notes=check.note or None
        )
        for check in contract.checks
    ]
    return gx.ExpectationSuite(name=contract.name, expectations=expectations)
