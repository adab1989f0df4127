"""Templates of this package in, HTML documents out."""

from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobs.report.data_docs import content_policy
from jobs.report.strings import Words, visible_text
from jobs.report.svg import cut


def rendered(
    template: str, words: Words, *, has_style_attributes: bool = False, **content: Any
) -> str:
    """A template as a document that loads nothing from outside, in the language of the words.

    Args:
        template: the name of the template, which shows `style` and `policy`.
        words: the language.
        has_style_attributes: whether its elements have styles of their own, which the policy then allows.
        **content: what the template shows.
    """
    # As the browser sees it, so that its hash is that of the policy.
    style = f"\n{_resource('style.css')}\n"
    page = (
        _environment(words.language)
        .get_template(template)
        .render(
            words=words,
            style=Markup(style),  # noqa: S704 - a file of this package
            policy=content_policy(style, has_style_attributes=has_style_attributes),
            **content,
        )
    )
    return visible_text(page)


def drawn(template: str, words: Words, **content: Any) -> Markup:
    """A template as a picture for the inside of a page, in the language of the words."""
    picture = _environment(words.language).get_template(template).render(words=words, **content)
    return Markup(picture)  # noqa: S704 - a template of this package, which escapes


@cache
def _environment(language: str) -> Environment:
    templates = Environment(
        loader=FunctionLoader(lambda name: _resource(f"templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"shortest": "{:g}".format, "cut": cut}
    templates.policies["ext.i18n.trimmed"] = True
    install: Callable[..., Any] = templates.install_gettext_translations  # type: ignore[attr-defined]
    install(Words(language).catalogue, newstyle=True)
    return templates


def _resource(path: str) -> str:
    """The text of a file of this package."""
    return (resources.files("jobs.report") / path).read_text(encoding="utf-8")
