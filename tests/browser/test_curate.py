"""Feedback on an answer, and the review of drafts, in Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from rag.question_sets import read_questions
from rag.question_sets.feedback import FILE

if TYPE_CHECKING:
    from chromium import Serve, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

WHALES = "Whales swim near Iceland.\nWhales sing in winter.\n"


def test_a_wrong_answer_becomes_a_test_question(serve: Serve, visit: Visit) -> None:
    served = serve({"whales.txt": WHALES})
    page = visit(served.url)
    page.get_by_label("Your question").fill("When do whales sing?")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Not right?").click()
    page.get_by_label("whales.txt: Whales swim near").check()
    words = page.get_by_label("Its exact words there, if you like")
    chosen = page.locator("#feedback input:checked")
    expect(chosen).to_have_css("background-color", "rgb(37, 99, 235)")
    words.fill("summer")
    page.get_by_role("button", name="Save as a test question").click()
    expect(page.get_by_text("does not stand in the marked passage")).to_be_visible()
    words.fill("in winter")
    page.get_by_role("button", name="Save as a test question").click()
    expect(page.get_by_text("Saved as a test question.")).to_be_visible()
    expect(words).to_be_hidden()
    (question,) = read_questions(served.kb.path / FILE)
    (place,) = question.evidence
    assert question.question == "When do whales sing?"
    assert WHALES[place.start : place.end] == "in winter"


def test_drafts_are_reviewed(serve: Serve, visit: Visit) -> None:
    served = serve({"whales.txt": WHALES})
    start = WHALES.index("Iceland")
    near = {"source": "whales.txt", "start": start, "end": start + 7}
    drafts = [
        {"id": "a", "question": "Where do whales swim?", "answers": ["Iceland"],
         "evidence": [near], "draft": True, "kind": "place", "near": near},
        {"id": "b", "question": "Where do <b>crabs</b> swim?", "answers": [], "evidence": [],
         "draft": True, "kind": "near miss", "near": near},
    ]  # fmt: skip
    path = Path(served.kb.path, "drafts.jsonl")
    path.write_text("".join(json.dumps(line) + "\n" for line in drafts), encoding="utf-8")
    page = visit(served.url)
    page.get_by_text("Review drafted questions").click()
    page.get_by_label("File", exact=True).click()
    page.get_by_role("option", name="drafts.jsonl").click()
    expect(page.get_by_text("1 of 2 · place · whales.txt")).to_be_visible()
    expect(page.locator(".review-context mark")).to_have_text("Iceland")
    page.get_by_label("Question", exact=True).fill("Near what do whales swim?")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("1 of 1 · near miss")).to_be_visible()
    page.get_by_role("button", name="Drop", exact=True).click()
    expect(page.get_by_text("No drafts are left in this file.")).to_be_visible()
    (question,) = read_questions(path)
    assert (question.question, question.answers) == ("Near what do whales swim?", ("Iceland",))
    assert "draft" not in path.read_text(encoding="utf-8")
