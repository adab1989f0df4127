"""SQL conditions on the columns of a table."""

from collections.abc import Mapping
from datetime import date

from expectations.contract.errors import ContractError
from expectations.contract.table import TableContract

#: The value of a column, or several of which it has one.
Wanted = date | str | list[date] | list[str]


def condition(contract: TableContract, where: Mapping[str, Wanted]) -> str:
    """Columns and their allowed values as SQL; without a value no row fulfils it.

    Raises:
        ContractError: when the table has no such column.
    """
    parts = []
    for column, value in where.items():
        if column not in contract.columns:
            raise ContractError(f"{contract.name} has no column {column}")
        values = value if isinstance(value, list) else [value]
        literals = ", ".join(_literal(each) for each in values)
        parts.append(f"{column} IN ({literals})" if values else "false")
    return " AND ".join(parts)


def text_literal(text: str) -> str:
    """A text as an SQL literal; quotes and backslashes are escaped."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _literal(value: date | str) -> str:
    return f"DATE'{value.isoformat()}'" if isinstance(value, date) else text_literal(value)
