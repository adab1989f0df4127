"""What the documentation says can be done can be done: snippets, commands, options and links. No Spark."""

import ast
import importlib
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from jobs.runtime.command_line import option_parser
from jobs.runtime.job import Job

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "benchmarks" / "README.md",
]
OURS = ("benchmarks", "expectations", "features", "jobs", "models")
#: A command as far as it goes on: backticks and ends of lines end it, a backslash continues it.
COMMAND = re.compile(r"-m ((?:jobs|benchmarks)\.\w+)((?:\\\n|[^`\n])*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
#: A file of ours between backticks; what has a placeholder or a wildcard in it is none.
FILE = re.compile(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|conf))`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def snippets(page: Path) -> list[str]:
    """The Python blocks of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def import_faults(snippet: str) -> list[str]:
    """Modules and names of the project that a snippet imports and that do not exist."""
    found = []
    for node in ast.walk(ast.parse(snippet)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            wanted = [(node.module or "", each.name) for each in node.names]
        elif isinstance(node, ast.Import):
            wanted = [(each.name, "") for each in node.names if each.name.split(".")[0] in OURS]
        else:
            continue
        for module, name in wanted:
            try:
                there = importlib.import_module(module)
            except ModuleNotFoundError:
                found.append(module)
                continue
            if name and not hasattr(there, name):
                found.append(f"{module}.{name}")
    return found


def command_faults(text: str) -> list[str]:
    """Commands that name no module, or an option that the module does not take."""
    found = []
    for module, rest in COMMAND.findall(text):
        if module in COMMANDS_TO_WRITE:
            continue
        if importlib.util.find_spec(module) is None:
            found.append(module)
            continue
        taken = options_of(module)
        found += [f"{module} {option}" for option in OPTION.findall(rest) if option not in taken]
    return found


#: What a page tells the reader to write.
COMMANDS_TO_WRITE = frozenset({"jobs.count_visits"})


@cache
def options_of(module: str) -> frozenset[str]:
    """The options that a command takes: a job's by its parser, a benchmark's by its source."""
    job = getattr(importlib.import_module(module), "JOB", None) if is_job(module) else None
    if isinstance(job, Job):
        return frozenset(OPTION.findall(option_parser(job).format_help()))
    path = ROOT / f"{module.replace('.', '/')}.py"
    texts = [path.read_text(encoding="utf-8")]
    if module == "jobs.simulate_province":
        texts += [
            each.read_text(encoding="utf-8") for each in (ROOT / "jobs/province").glob("*.py")
        ]
    return frozenset(OPTION.findall("\n".join(texts)))


def is_job(module: str) -> bool:
    return module.startswith("jobs.")


def link_faults(page: Path) -> list[str]:
    """Relative links that lead to no file, or to no heading of it."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, anchor = target.partition("#")
        file = (page.parent / place).resolve() if place else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            found.append(target)
    return found


def file_faults(text: str) -> list[str]:
    """Files between backticks that are neither a path from the root nor the name of a file somewhere."""
    names = all_names()
    return [
        each
        for each in FILE.findall(text)
        if not ((ROOT / each).exists() or ("/" not in each and each in names))
    ]


@cache
def all_names() -> frozenset[str]:
    """The names of all files of code and configuration."""
    folders = (*OURS, "conf", "tests")
    return frozenset(path.name for each in folders for path in (ROOT / each).rglob("*.*"))


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings have on the usual sites."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def all_job_options() -> set[str]:
    modules = sorted(path.stem for path in (ROOT / "jobs").glob("[a-z]*.py"))
    jobs = [getattr(importlib.import_module(f"jobs.{name}"), "JOB", None) for name in modules]
    parsers = [option_parser(job) for job in jobs if isinstance(job, Job)]
    return {option for parser in parsers for option in OPTION.findall(parser.format_help())}


def options_in_table(text: str) -> list[str]:
    """The options in the first column of the table of options."""
    table = re.search(r"^\| option \|.*?(?=\n\n)", text, re.M | re.S)
    assert table, "docs/operating.md has no table of options"
    first_cells = [line.split("|")[1] for line in table.group().splitlines()[2:]]
    return [option for cell in first_cells for option in OPTION.findall(cell)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_snippets_compile_and_import_what_exists(page):
    for snippet in snippets(page):
        compile(snippet, name_of(page), "exec")
        assert not import_faults(snippet)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_their_options_exist(page):
    assert not command_faults(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_files_and_headings(page):
    assert not link_faults(page)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_are_named_exist(page):
    assert not file_faults(page.read_text(encoding="utf-8"))


def test_options_in_the_table_of_operating_are_taken_by_a_job():
    options = options_in_table((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))

    assert options
    assert set(options) <= all_job_options()


def test_checks_find_what_does_not_exist(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](gone.md) [b](#two) [c](#one) [d](https://example.org/x)\n")

    assert import_faults("from jobs.lake.tables import nothing\nimport jobs.nowhere\n") == [
        "jobs.lake.tables.nothing",
        "jobs.nowhere",
    ]
    assert command_faults("`python -m jobs.nowhere` and -m jobs.build_facts --configs x") == [
        "jobs.nowhere",
        "jobs.build_facts --configs",
    ]
    assert link_faults(page) == ["gone.md", "#two"]
    assert file_faults("`jobs/tables.py`, `gone.py`, `tables.py`, `jobs/<verb_noun>.py`") == [
        "jobs/tables.py",
        "gone.py",
    ]
