"""Rules of the code that no linter in use knows: private names stay private, joins say how. No Spark."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("benchmarks", "expectations", "features", "jobs", "models", "tests")
#: What tests import each other's helpers from: it is below tests/ on the path.
OURS = (*PACKAGES, "support")
TREES = {
    path: ast.parse(path.read_text(encoding="utf-8"))
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def private_uses(tree: ast.AST) -> list[str]:
    """Private names of other modules of ours that a module imports, or reaches by a module that it imported."""
    found, modules = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            parts = [*(node.module or "").split("."), *(each.name for each in node.names)]
            found += [f"line {node.lineno}: {part}" for part in parts if is_private(part)]
            modules |= {each.asname or each.name for each in node.names if each.name.islower()}
        elif isinstance(node, ast.Import):
            for each in node.names:
                if each.name.split(".")[0] in OURS:
                    modules.add(each.asname or each.name.split(".")[0])
                    found += [
                        f"line {node.lineno}: {part}"
                        for part in each.name.split(".")
                        if is_private(part)
                    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            root = node.value
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in modules:
                found.append(f"line {node.lineno}: {node.attr}")
    return found


def joins_without_how(tree: ast.AST) -> list[int]:
    """Lines of joins without `how=` in a module that uses Spark; joins of texts and threads are none."""
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
        )
    }
    if "pyspark" not in modules:
        return []
    return sorted(
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _lacks_how(node)
    )


def _lacks_how(node: ast.Call) -> bool:
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "join" or not node.args:
        return False
    joined = node.func.value
    is_of_texts = isinstance(joined, ast.Constant | ast.JoinedStr) or (
        isinstance(joined, ast.Name) and joined.id.isupper()
    )
    is_of_threads = isinstance(node.args[0], ast.Constant)
    return not (is_of_texts or is_of_threads) and "how" not in {each.arg for each in node.keywords}


def faults(rule):
    """Where the sources break a rule."""
    return {
        str(path.relative_to(ROOT)): found for path, tree in TREES.items() if (found := rule(tree))
    }


def test_private_names_are_used_in_their_own_module_alone():
    assert faults(private_uses) == {}


def test_joins_say_how():
    assert faults(joins_without_how) == {}


@pytest.mark.parametrize(
    "code",
    [
        "from jobs.lake.tables import _private",
        "from jobs.lake._tables import Lake",
        "import jobs.lake._tables",
        "from jobs.lake import tables\ntables._private()",
        "import jobs.lake.tables as t\nt.Lake._private",
    ],
)
def test_a_private_name_of_another_module_is_found(code):
    assert private_uses(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "from os import _exit",
        "from jobs.lake import __doc__",
        "from jobs.lake.tables import Lake\nself._own = Lake",
    ],
)
def test_other_names_are_not(code):
    assert private_uses(ast.parse(code)) == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('a.join(b, on="x")', [2]),
        ('a.join(b, a.x == b.x, "left")', [2]),
        ("a.select(*names).join(b)", [2]),
        ('a.join(b, on="x", how="inner")', []),
        ('", ".join(b)', []),
        ("_BETWEEN.join(b)", []),
        ("thread.join(0.3)", []),
    ],
)
def test_a_join_without_how_is_found(code, lines):
    assert joins_without_how(ast.parse(f"from pyspark.sql import functions as F\n{code}")) == lines
    assert joins_without_how(ast.parse(f"import polars as pl\n{code}")) == []
