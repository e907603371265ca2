"""Whatever stands in the fields of a template, and in whichever branch, none of it is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import Environment, meta
from jinja2.ext import Extension

from rag.evaluate.report.page import CARDS, COLUMNS, GROUPS
from rag.evaluate.report.report_templates import TEMPLATES as REPORT
from rag.web.render.page_templates import TEMPLATES as PAGE

FIELDLESS = ("macros.html", "answers.html", "empty_panel.html", "heading.html", "colors.css")
"""Templates that have no field of their own."""

HOSTILE = "<x-tag x-attribute=\"'&>"


class Hostile:
    """Text that ends an element, an attribute or a string; so is all that can be had from it."""

    def __str__(self) -> str:
        return HOSTILE

    def __format__(self, spec: str) -> str:
        return HOSTILE

    def __getattr__(self, name: str) -> Hostile:
        if name.startswith("__"):  # such as __html__, which says that it is HTML already
            raise AttributeError(name)
        return self

    def __getitem__(self, key: object) -> Hostile:
        return self

    def __call__(self) -> Hostile:
        return self

    def __iter__(self) -> Iterator[Hostile]:
        yield from (self, self)

    def __len__(self) -> int:
        return 2

    def __add__(self, other: object) -> Hostile:
        return self

    __sub__ = __truediv__ = __add__

    def __float__(self) -> float:
        return 1.0


class EveryBranch(Extension):
    """Templates without their conditions: what any of them hides is shown."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r"\{%-?\s*(if|elif|else|endif)\b.*?%\}", "", source)


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names |= {tag, *(name for name, _ in attrs)}


def filled(environment: Environment, name: str, **values: Any) -> str:
    """The template, its every variable :class:`Hostile` but for ``values``; every branch taken."""
    open_to_all = environment.overlay(extensions=[EveryBranch])
    assert open_to_all.loader is not None
    variables: set[str] = set()
    pending = {name}
    while pending:
        source = open_to_all.loader.get_source(open_to_all, pending.pop())[0]
        tree = open_to_all.parse(source)
        variables |= meta.find_undeclared_variables(tree)
        pending |= {other for other in meta.find_referenced_templates(tree) if other}
    fields = {variable: Hostile() for variable in variables} | values
    return open_to_all.get_template(name).render(fields)


def is_safe(page: str) -> bool:
    return HOSTILE not in page and not Seen(page).names & {"x-tag", "x-attribute"}


@pytest.mark.parametrize("name", PAGE.environment.list_templates())
def test_no_template_of_the_page_lets_markup_through(name: str) -> None:
    page = filled(PAGE.environment, name, request={"turn": Hostile()})
    assert is_safe(page)
    if name not in FIELDLESS:
        assert escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page


@pytest.mark.parametrize(("name", "fields"), [("report.html", 50), ("plot.svg", 20)])
def test_no_template_of_the_report_lets_markup_through(name: str, fields: int) -> None:
    page = filled(REPORT.environment, name, groups=GROUPS, cards=CARDS, columns=COLUMNS)
    assert is_safe(page)
    assert page.count("&lt;x-tag") >= fields


@pytest.mark.parametrize("template", ["<p>{{ x|safe }}</p>", "<p title={{ x }}></p>"])
def test_the_check_finds_what_is_let_through(template: str) -> None:
    assert not is_safe(PAGE.environment.from_string(template).render(x=Hostile()))
