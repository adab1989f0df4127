"""Whether a text of a mapping is a SELECT over the mapping's own views and nothing else.

A mapping comes with a source and is data. What Spark's own parser makes of a text is looked at, part by
part: only parts that read are known here, and all others are refused.
"""

from collections.abc import Collection, Iterator
from typing import Any

from py4j.java_gateway import JavaObject, is_instance_of
from pyspark import SparkContext
from pyspark.sql import SparkSession

_PLAN = "org.apache.spark.sql.catalyst.plans.logical.LogicalPlan"
_ITERABLE = "scala.collection.Iterable"
_PRODUCT = "scala.Product"

#: Parts of a plan that compute rows from rows.
_READS = frozenset(
    [
        "Aggregate",
        "Distinct",
        "Except",
        "Filter",
        "Generate",
        "GlobalLimit",
        "Intersect",
        "Join",
        "LateralJoin",
        "LocalLimit",
        "LocalRelation",
        "Offset",
        "OneRowRelation",
        "PipeOperator",
        "Pivot",
        "Project",
        "ResolvedInlineTable",
        "Sort",
        "SubqueryAlias",
        "Union",
        "UnresolvedHaving",
        "UnresolvedHint",
        "UnresolvedInlineTable",
        "UnresolvedRelation",
        "UnresolvedSubqueryColumnAliases",
        "UnresolvedTVFAliases",
        "UnresolvedTableValuedFunction",
        "UnresolvedWith",
        "Unpivot",
        "WithWindowDefinition",
    ]
)
#: Functions that run code by its name, and a name that is worked out only later.
_RUNS_CODE = frozenset({"reflect", "java_method", "try_reflect"})
_NAMED_LATER = frozenset({"ExpressionWithUnresolvedIdentifier", "PlanWithUnresolvedIdentifier"})
_TABLE_FUNCTIONS = frozenset(
    [
        "explode",
        "explode_outer",
        "inline",
        "inline_outer",
        "json_tuple",
        "posexplode",
        "posexplode_outer",
        "range",
        "sequence",
        "stack",
    ]
)


def fault_of_select(spark: SparkSession, text: str, views: Collection[str]) -> str:
    """Why a text must not be run as the SELECT of a mapping; empty if it may.

    Args:
        spark: the session, whose parser is used.
        text: the SQL.
        views: what it may read from.

    Raises:
        ParseException: when it is no SQL.
    """
    plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(text)
    parts = list(_parts(plan))
    known = {name.lower() for name in views}
    for name, part in parts:
        if name == "UnresolvedWith":
            known |= {str(each._1()).lower() for each in _elements(part.cteRelations())}
    for name, part in parts:
        fault = _fault(name, part, known)
        if fault:
            return fault
    return ""


def _fault(name: str, part: JavaObject, known: set[str]) -> str:
    if name == "UnresolvedRelation":
        said = ".".join(map(str, _elements(part.multipartIdentifier())))
        if said.lower() not in known:
            return f"reads {said}, which is no view that the mapping declares before"
        if not part.options().isEmpty():
            return f"reads {said} with options, which belong to the view"
    elif name == "UnresolvedFunction":
        said = ".".join(map(str, _elements(part.nameParts()))).lower()
        if said in _RUNS_CODE or "." in said:
            return f"calls {said}, which a mapping may not"
    elif name == "UnresolvedTableValuedFunction":
        said = ".".join(map(str, _elements(part.name()))).lower()
        if said not in _TABLE_FUNCTIONS:
            return f"calls {said}, which a mapping may not"
    elif name in _NAMED_LATER:
        return "names something by IDENTIFIER, which a mapping may not"
    elif name not in _READS and _is(part, _PLAN):
        return f"is no plain SELECT (Spark reads {name} in it)"
    return ""


def _parts(root: JavaObject) -> Iterator[tuple[str, JavaObject]]:
    """Every plan and expression within a plan, with the name of its class; subqueries too."""
    kinds: dict[str, str] = {}
    waiting: list[Any] = [root]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, JavaObject):
            continue
        full_name = str(part.getClass().getName())
        if full_name not in kinds:
            kinds[full_name] = next((kind for kind in (_ITERABLE, _PRODUCT) if _is(part, kind)), "")
        if kinds[full_name] == _ITERABLE:
            waiting += _elements(part)
        elif kinds[full_name] == _PRODUCT:
            yield full_name.rpartition(".")[2].rstrip("$"), part
            waiting += [part.productElement(place) for place in range(part.productArity())]


def _elements(found: JavaObject) -> list[Any]:
    elements = []
    iterator = found.iterator()
    while iterator.hasNext():
        elements.append(iterator.next())
    return elements


def _is(part: JavaObject, kind: str) -> bool:
    return bool(is_instance_of(SparkContext._gateway, part, kind))
