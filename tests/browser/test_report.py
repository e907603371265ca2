"""The page that ``rag eval --html`` writes, in Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes_evaluate import EVIL, ScriptedReader, make_set
from playwright.sync_api import Browser, BrowserContext, Page, expect
from samples import write_folder

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.evaluate.report.page import write_page
from rag.evaluate.run import run_evaluation
from rag.question_sets import Evidence

pytestmark = pytest.mark.browser

LIGHT, DARK = "rgb(246, 248, 250)", "rgb(13, 18, 27)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report")
    folder, questions, script = make_set(60)
    folder = {source: f"{EVIL}\n\n{text}" for source, text in folder.items()}
    moved = [
        replace(q, evidence=tuple(_later(e, len(EVIL) + 2) for e in q.evidence)) for q in questions
    ]
    write_folder(path / "docs", folder)
    reader = ScriptedReader(script)
    with KnowledgeBase(path / "index", embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(path / "docs")
        with run_evaluation(kb, moved) as evaluation:
            write_page(path / "r.html", evaluation, lambda source: kb.document(source).text)
    return path / "r.html"


def _later(evidence: Evidence, by: int) -> Evidence:
    return replace(evidence, start=evidence.start + by, end=evidence.end + by)


Open = Callable[..., Page]


@pytest.fixture
def open_report(browser: Browser, report: Path) -> Iterator[Open]:
    """Open the page from disk; at the end nothing may have been requested or have failed."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def start(width: int = 1280, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.on("request", lambda r: None if r.url == report.as_uri() else faults.append(r.url))
        page.goto(report.as_uri())
        return page

    yield start
    for context in contexts:
        context.close()
    assert faults == []


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_the_page_opens_from_disk_in_both_schemes(
    open_report: Open, screenshots: Path, scheme: str, ground: str
) -> None:
    page = open_report(scheme=scheme)
    expect(page.locator("#shown")).to_have_text("60 of 60")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    assert page.locator("svg .series").count() == 4
    page.locator(".q summary").first.click()
    page.screenshot(path=screenshots / f"report_{scheme}.png", full_page=True)
    assert page.evaluate("window.pwned") is None


def test_questions_are_filtered_and_sorted(open_report: Open) -> None:
    page = open_report()
    shown = page.locator(".q:not([hidden])")
    right = page.locator(".q[data-verdict=right]").count()
    page.select_option("[name=verdict]", "right")
    expect(shown).to_have_count(right)
    assert 0 < right < 60
    page.select_option("[name=verdict]", "")
    page.select_option("[name=type]", "who")
    expect(page.locator("#shown")).to_have_text("20 of 60")
    page.select_option("[name=type]", "")
    page.select_option("[name=source]", "part2/11.txt")
    page.fill("[name=text]", "town11 FOUNDED")
    expect(shown).to_have_count(1)
    page.fill("[name=text]", "")
    page.select_option("[name=source]", "")
    page.select_option("[name=sort]", "-confidence")
    told = page.eval_on_selector_all(".q", "all => all.map((q) => Number(q.dataset.confidence))")
    assert told == sorted(told)
    page.select_option("[name=sort]", "")
    first = page.locator(".q code").first
    assert first.text_content() == "q0"


def test_a_narrow_screen_does_not_scroll_sideways(open_report: Open, screenshots: Path) -> None:
    page = open_report(width=360)
    page.locator(".q summary").nth(11).click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    page.screenshot(path=screenshots / "report_narrow.png")
