"""Data Docs without a network: the pages of Great Expectations without references to other hosts.

Its templates load scripts, styles and pictures from seven hosts. The content of the pages is in their HTML.
Scripts, foreign styles and foreign pictures are therefore removed, a small style is added, and a policy
forbids the browser to load or run anything.
"""

import base64
import hashlib
import re
import shutil
from html import escape
from importlib import resources
from pathlib import Path
from urllib.parse import quote

#: Elements that fetch or run something, with all that is in them.
_ELEMENTS = re.compile(
    r"<script\b[^>]*>.*?</script\s*>|<script\b[^>]*/>|<(?:link|base|iframe|object|embed|form)\b[^>]*>"
    r"|</(?:iframe|object|form)\s*>|<img\b[^>]*>|<style\b[^>]*>.*?</style\s*>",
    re.IGNORECASE | re.DOTALL,
)
_HANDLERS = re.compile(r"\son[a-z]+\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_STYLES = re.compile(r"\sstyle\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_FOREIGN = re.compile(
    r"(<a\b[^>]*?)\s(?:href|target)\s*=\s*[\"'](?:https?:|//|javascript:)[^\"']*[\"']",
    re.IGNORECASE,
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


def content_policy(style: str, *, has_style_attributes: bool = False) -> str:
    """A Content-Security-Policy under which a page may use one inline style, and nothing else.

    Args:
        style: the content of the page's `<style>`, to the letter.
        has_style_attributes: whether elements of the page have styles of their own, as pictures do.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    attributes = " style-src-attr 'unsafe-inline';" if has_style_attributes else ""
    return (
        f"default-src 'none'; style-src 'sha256-{digest}';{attributes} img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def offline_page(page: str, style: str) -> str:
    """A page of Data Docs that fetches nothing and runs nothing."""
    for pattern in (_ELEMENTS, _HANDLERS, _STYLES):
        page = pattern.sub("", page)
    page = _FOREIGN.sub(r"\1", page)
    policy = content_policy(style)
    inserted = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<style>{style}</style>"
    )
    return _HEAD.sub(lambda head: head[0] + inserted, page, count=1)


def take_offline(folder: Path) -> None:
    """Rewrite every page of a folder, and replace the index that scripts draw by a plain list of pages."""
    style = (resources.files("jobs.report") / "data_docs.css").read_text(encoding="utf-8")
    for path in sorted(folder.rglob("*.html")):
        path.write_text(offline_page(path.read_text(encoding="utf-8"), style), encoding="utf-8")
    listed = offline_page(_index(folder), style)
    (folder / "index.html").write_text(listed, encoding="utf-8")
    # Styles, fonts and pictures that no page uses any more.
    shutil.rmtree(folder / "static", ignore_errors=True)


def _index(folder: Path) -> str:
    """A page with links to every validation and every suite."""
    parts = []
    for title, room in (("Validations", "validations"), ("Expectation suites", "expectations")):
        pages = sorted(path.relative_to(folder) for path in (folder / room).rglob("*.html"))
        items = "".join(
            f'<li><a href="{quote(path.as_posix())}">{escape(_page_name(path))}</a></li>'
            for path in pages
        )
        parts.append(f"<h2>{title}</h2><ul>{items}</ul>")
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Data Docs</title></head>'
        f"<body><h1>Data Docs</h1>{''.join(parts)}</body></html>"
    )


def _page_name(path: Path) -> str:
    """`silver.person` of `validations/silver/person/...` and of `expectations/silver/person.html`."""
    layer, table = path.parts[1:3]
    return f"{layer}.{table.removesuffix('.html')}"
