"""Hostile markup in everything that the page shows: no script runs, no request leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from fakes_page import ScriptedGenerator
from payloads import NAMES, PAYLOADS
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from chromium import Serve, Visit

pytestmark = [
    pytest.mark.browser,
    # Gradio's queue uses what the newest pandas is about to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]
TEXT = "Whales swim near Iceland.\n" + "".join(
    f"Whales {' '.join(payload.split())} swim.\n" for payload in PAYLOADS if "\0" not in payload
)


def ask(page: Page, question: str) -> None:
    done = page.locator(".turn[aria-busy=false]").count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('.turn[aria-busy=false]').length === n", arg=done + 1
    )


def nothing_ran(page: Page) -> None:
    page.wait_for_timeout(300)
    assert page.evaluate("window.pwned") is None
    selector = "script, iframe, object, embed, link, meta, base, form, video, audio, style"
    for part in (".log", ".source", ".document-list", "#status", "#feedback"):
        found = page.locator(part).locator(f":is({selector}, [onerror], [onload], img[src])")
        assert found.count() == 0, part
    assert page.locator("a[href^='javascript']").count() == 0


def test_markup_never_runs(serve: Serve, visit: Visit) -> None:
    files = {f"{name}.txt": f"Okapis {n} graze.\n" for n, name in enumerate(NAMES[:12])}
    reply = " ".join(f"{' '.join(p.split())} Whales swim near Iceland [1]." for p in PAYLOADS)
    served = serve({**files, "whales.txt": TEXT}, ScriptedGenerator([reply] * 2))
    (served.kb.path / "drafts.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "id": f"{n}",
                    "question": payload,
                    "answers": [payload],
                    "evidence": [{"source": "whales.txt", "start": 0, "end": 25}],
                    "draft": True,
                    "kind": payload,
                }
            )
            + "\n"
            for n, payload in enumerate(PAYLOADS[:5])
        )
    )
    page = visit(served.url)
    nothing_ran(page)

    ask(page, "Where do whales swim?")
    ask(page, f"Where do whales swim? {PAYLOADS[3]} {PAYLOADS[10]} {PAYLOADS[32]}")
    page.locator("button.cite").first.click()
    expect(page.locator(".source mark")).to_be_visible()
    page.get_by_role("button", name="Whole document").click()
    expect(page.locator(".words")).to_contain_text("window.pwned=1")
    nothing_ran(page)

    page.get_by_label("Written by a language model").check()
    ask(page, "Where do whales swim, says the model?")
    nothing_ran(page)

    page.get_by_role("button", name="Not right?").last.click()
    expect(page.locator("#feedback").first).to_be_visible()
    page.get_by_label("Its exact words there").fill(PAYLOADS[3])
    page.get_by_label("Elsewhere").check()
    page.get_by_role("button", name="Save as a test question").click()
    expect(page.locator("#feedback-status")).not_to_be_empty()
    nothing_ran(page)

    ask(page, "Which okapis graze?")
    name = f"{NAMES[0]}.txt"
    page.get_by_role("button", name=f"Remove {name}", exact=True).click()
    expect(page.locator(".asking")).to_contain_text(name)
    nothing_ran(page)


def test_the_page_works_with_its_policy_and_asks_nobody_else(serve: Serve, visit: Visit) -> None:
    page = visit(serve({"whales.txt": "Whales swim near Iceland.\n"}).url)
    violations: list[str] = []
    page.on(
        "console", lambda m: violations.append(m.text) if "Content Security" in m.text else None
    )
    page.reload()
    page.wait_for_selector("text=/Documents \\(\\d+\\)/")
    ask(page, "Where do whales swim?")
    page.locator("button.cite").first.click()
    expect(page.locator("mark")).to_have_text("Whales swim near Iceland.")
    assert [text for text in violations if "Content Security" in text] == []
    page.evaluate(
        "document.querySelector('.log').insertAdjacentHTML('beforeend', "
        "`<img src=x onerror='window.pwned=1'>`)"
    )
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned") is None, "the policy stops what escaping would let pass"


def test_the_login_page_lets_in_and_out(serve: Serve, visit: Visit) -> None:
    served = serve({"whales.txt": "Whales swim near Iceland.\n"}, password="correct horse")
    page = visit(served.url, ready="#password")
    page.get_by_label("Password").fill("wrong password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    page.get_by_label("Password").fill("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/Documents \\(\\d+\\)/")
    ask(page, "Where do whales swim?")
    expect(page.locator(".turn .text")).to_contain_text("Whales swim near Iceland.")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_selector("#password")
    page.goto(served.url)
    page.wait_for_selector("#password")
