"""The chat page in Chromium."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from fakes_page import ScriptedGenerator
from places import SEEDS
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from chromium import Serve, Visit


pytestmark = [
    pytest.mark.browser,
    # Gradio's queue uses what the newest pandas is about to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

LEXUS = "How many vehicles did Lexus sell worldwide in 2024?"
ANIMALS = {
    "zebras.txt": "Zebras graze in Kenya.\nOkapis graze in Congo.\n",
    "whales.txt": "Whales swim near Iceland.\n",
}
EVIL = (
    "Zebras <script>window.pwned = 1</script> graze <img src=x onerror='window.pwned = 2'> "
    "in [2] and [here](javascript:alert(1)) for $$x^2$$ or ${window.pwned = 3} or {{value}} "
    '&lt;b&gt; " **bold** `code` <b>always</b>.'
)
DARK, LIGHT = "rgb(13, 18, 27)", "rgb(246, 248, 250)"


def ask(page: Page, question: str) -> None:
    """Ask, and wait for the whole answer."""
    turns = page.locator(".turn")
    before = turns.count()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_function(
        "n => document.querySelectorAll('.turn[aria-busy=false]').length === n", arg=before + 1
    )


def ground(page: Page) -> object:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def is_in_view(page: Page, selector: str) -> object:
    return page.evaluate(
        """s => { const box = document.querySelector(s).getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0
            && box.right <= innerWidth }""",
        selector,
    )


def sideways(page: Page) -> object:
    """How many pixels the page scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def test_an_answer_on_the_seeds_opens_its_exact_quote(
    serve: Serve, visit: Visit, screenshots: Path
) -> None:
    served = serve({path.name: path.read_text() for path in SEEDS.glob("*.txt")}, model=True)
    page = visit(served.url)
    page.screenshot(path=screenshots / "wide_welcome.png")
    page.get_by_role("button", name=LEXUS).click()
    citation = served.kb.ask(LEXUS).citations[0]
    page.locator(".turn[aria-busy=false] button.cite", has_text="[1]").first.click()
    mark = page.locator("mark")
    expect(mark).to_have_count(1)
    assert mark.text_content() == citation.quote
    assert "851,200" in citation.quote
    text = served.kb.document(citation.source).text
    assert text[citation.start : citation.end] == mark.text_content()
    shown = page.locator(".words").text_content() or ""
    assert text[citation.end : citation.end + 100] in shown
    assert is_in_view(page, "mark")
    expect(page.locator(".source h2")).to_have_text("Lexus Confirms Local Production in China!")
    expect(page.locator(".source .facts")).to_contain_text(citation.source)
    page.screenshot(path=screenshots / "wide.png")

    page.get_by_role("button", name="Whole document").click()
    expect(page.locator(".words")).to_have_text(text, use_inner_text=False)
    assert mark.text_content() == citation.quote
    assert is_in_view(page, "mark")

    phone = visit(served.url, width=390, height=844)
    ask(phone, LEXUS)
    phone.screenshot(path=screenshots / "phone_answer.png")
    phone.locator("button.cite").first.click()
    expect(phone.locator("mark")).to_have_text(citation.quote)
    phone.screenshot(path=screenshots / "phone.png")

    dark = visit(served.url, color_scheme="dark")
    ask(dark, LEXUS)
    dark.locator("button.cite").first.click()
    expect(dark.locator("mark")).to_have_text(citation.quote)
    ask(dark, "How many cars did BMW sell in China in 2024?")
    dark.screenshot(path=screenshots / "dark.png")


def test_a_citation_belongs_to_its_own_turn(serve: Serve, visit: Visit) -> None:
    page = visit(serve(ANIMALS).url)
    ask(page, "Where do zebras graze?")
    ask(page, "Where do whales swim?")
    first, second = page.locator(".turn").nth(0), page.locator(".turn").nth(1)
    second.locator("button.cite").first.click()
    expect(page.locator("mark")).to_have_text("Whales swim near Iceland.")
    first.locator("button.cite", has_text="[1]").click()
    expect(page.locator("mark")).to_have_text("Zebras graze in Kenya.")
    expect(page.locator(".source h2")).to_have_text("zebras.txt")


def test_a_citation_opens_by_keyboard_and_gives_the_focus_back(serve: Serve, visit: Visit) -> None:
    page = visit(serve(ANIMALS).url)
    ask(page, "Where do whales swim?")
    page.locator("button.cite").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("mark")).to_have_count(0)
    expect(page.locator("button.cite").first).to_be_focused()


def test_a_refusal_looks_like_one_and_opens_the_nearest_passages(
    serve: Serve, visit: Visit, screenshots: Path
) -> None:
    page = visit(serve(ANIMALS).url)
    ask(page, "Which whales were counted yesterday morning?")
    refusal = page.locator(".refusal")
    expect(refusal.locator(".refusal-title")).to_have_text("No sure answer found.")
    expect(refusal).to_contain_text("No passage found states it clearly.")
    perhaps = refusal.locator("button.perhaps")
    expect(perhaps.locator("mark")).to_have_text("Whales swim near Iceland.")
    perhaps.click()
    expect(page.locator("#source-panel mark")).to_have_text("Whales swim near Iceland.")
    assert refusal.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(255, 247, 230)"
    expect(page.locator("button.cite")).to_have_count(0)
    page.screenshot(path=screenshots / "wide_refusal.png")
    refusal.locator(".near button.passage", has_text="whales.txt").click()
    expect(page.locator("#source-panel mark")).to_contain_text("Whales swim near Iceland.")


def test_markup_in_a_document_never_runs(serve: Serve, visit: Visit, screenshots: Path) -> None:
    name = "<img src=x onerror=window.pwned=4>.txt"
    page = visit(serve({name: EVIL + "\n", "other.txt": "Zebras always graze.\n"}).url)
    ask(page, "Do zebras always graze?")
    ask(page, "What is <img src=x onerror=window.pwned=5>?")
    answer = page.locator(".turn").first.locator(".text")
    expect(answer).to_contain_text(EVIL)
    linked = answer.locator("button").all_text_contents()
    assert linked == ["[1]", "[2]"], "the document's own [2] is text; two citations are links"
    answer.locator("button", has_text="[1]").click()
    mark = page.locator("mark")
    expect(mark).to_be_visible()
    page.locator(".turn .chip", has_text=name).first.click()
    expect(mark).to_have_text(EVIL)
    page.get_by_role("button", name=f"Remove {name}").click()
    expect(page.locator(".asking")).to_contain_text(name)
    page.screenshot(path=screenshots / "wide_markup.png")
    assert page.evaluate("window.pwned") is None
    assert page.locator(".gradio-container :is(script, a[href^='javascript'])").count() == 0
    assert page.locator(".log img, .source img, .document-list img").count() == 0


def test_documents_are_uploaded_and_removed(
    serve: Serve, visit: Visit, tmp_path: Path, screenshots: Path
) -> None:
    served = serve(ANIMALS)
    page = visit(served.url)
    good, bad = tmp_path / "lynxes.txt", tmp_path / "picture.png"
    good.write_text("Lynxes sleep in Norway.\n", encoding="utf-8")
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    page.locator("#upload input[type=file]").set_input_files([good, bad])
    status = page.locator("#status")
    expect(status).to_contain_text("Added lynxes.txt.")
    expect(status).to_contain_text("1 file could not be read:")
    expect(status.locator("li")).to_contain_text("picture.png: ")
    expect(page.get_by_text("Documents (3)")).to_be_visible()
    page.screenshot(path=screenshots / "wide_upload.png")
    ask(page, "Where do lynxes sleep?")
    expect(page.locator(".turn .text")).to_contain_text("Lynxes sleep in Norway.")

    page.get_by_role("button", name="Remove lynxes.txt").click()
    expect(page.locator(".asking")).to_contain_text("moved to .removed/ in the folder")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".asking")).to_have_count(0)
    assert (served.folder / "lynxes.txt").exists()

    page.get_by_role("button", name="Remove lynxes.txt").click()
    page.locator(".asking").get_by_role("button", name="Remove", exact=True).click()
    expect(status).to_contain_text("Removed lynxes.txt.")
    assert (served.folder / ".removed" / "lynxes.txt").read_text() == "Lynxes sleep in Norway.\n"
    assert served.kb.sources() == sorted(ANIMALS)
    page.locator("button.cite").first.click()
    expect(page.locator(".source")).to_contain_text("no longer in the knowledge base")


def test_changes_in_the_folder_are_found(serve: Serve, visit: Visit) -> None:
    served = serve(ANIMALS)
    page = visit(served.url)
    ask(page, "Where do whales swim?")
    (served.folder / "whales.txt").write_text("Orcas hunt.\nWhales swim near Iceland.\n")
    page.get_by_role("button", name="Look for changes").click()
    expect(page.locator("#status")).to_contain_text("Updated whales.txt.")
    page.locator("button.cite").first.click()
    expect(page.locator("mark")).to_have_text("Whales swim near Iceland.")
    expect(page.locator(".source .warning")).to_contain_text("has changed since")


def test_the_switch_takes_up_changes_by_itself(serve: Serve, visit: Visit) -> None:
    served = serve(ANIMALS)
    page = visit(served.url)
    switch = page.get_by_label("Keep in step with the folder")
    expect(switch).not_to_be_checked()
    switch.check()
    expect(page.locator("#status")).to_contain_text("The folder is followed")
    try:
        (served.folder / "lynxes.txt").write_text("Lynxes sleep in Norway.\n")
        expect(page.get_by_text(f"Documents ({len(ANIMALS) + 1})")).to_be_visible()
        other = visit(served.url)  # it is on for all who have the page open
        expect(other.get_by_label("Keep in step with the folder")).to_be_checked()
        (served.folder / "lynxes.txt").unlink()
        expect(other.get_by_text(f"Documents ({len(ANIMALS)})")).to_be_visible()
        expect(page.get_by_text(f"Documents ({len(ANIMALS)})")).to_be_visible()
    finally:
        switch.uncheck()
        expect(page.locator("#status")).not_to_contain_text("The folder is followed")


def test_an_empty_knowledge_base_tells_how_to_add_documents(serve: Serve, visit: Visit) -> None:
    served = serve({})
    page = visit(served.url)
    expect(page.locator(".welcome")).to_contain_text("No documents yet")
    expect(page.locator(".welcome")).to_contain_text(str(served.folder))
    expect(page.locator(".example")).to_have_count(0)
    ask(page, "Where do whales swim?")
    expect(page.locator(".refusal")).to_contain_text("holds no documents yet")


def test_what_cannot_be_asked(serve: Serve, visit: Visit) -> None:
    page = visit(serve(ANIMALS).url)
    box = page.get_by_label("Your question")
    box.fill("   ")
    page.get_by_role("button", name="Ask", exact=True).click()
    box.fill("whales " * 200)
    page.keyboard.press("Enter")
    expect(page.locator("#notice [role=alert]")).to_contain_text("at most 1,000")
    expect(page.locator(".turn")).to_have_count(0)
    page.wait_for_timeout(1000)  # Gradio takes the next question when it is through with this one
    ask(page, "Where do whales swim?")
    expect(page.locator("#notice [role=alert]")).to_have_count(0)
    page.get_by_role("button", name="Clear conversation").click()
    expect(page.locator(".turn")).to_have_count(0)


def test_a_phone_shows_the_source_over_the_page(serve: Serve, visit: Visit) -> None:
    long_name = "a_very_long_name_without_any_place_to_break_it_" * 3 + ".txt"
    page = visit(serve({long_name: "Whales swim near Iceland.\n" + "x" * 900}).url, 390, 844)
    assert sideways(page) == 0
    ask(page, "Where do whales swim? " + "w" * 300)
    ask(page, "Where do whales swim?")
    assert sideways(page) == 0
    page.locator(".turn").nth(1).locator("button.cite").first.click()
    expect(page.locator("#source-panel mark")).to_have_text("Whales swim near Iceland.")
    assert is_in_view(page, "#source-panel mark")
    assert is_in_view(page, ".source .close")
    assert sideways(page) == 0
    page.get_by_role("button", name="Close source").click()
    expect(page.locator("#source-panel mark")).to_have_count(0)


def test_dark_and_light(serve: Serve, visit: Visit) -> None:
    url = serve(ANIMALS).url
    assert ground(visit(url, color_scheme="dark")) == DARK
    assert ground(visit(url, color_scheme="light")) == LIGHT
    assert ground(visit(url + "?__theme=dark", color_scheme="light")) == DARK


def test_a_model_that_is_down_gives_way_to_the_documents(serve: Serve, visit: Visit) -> None:
    down = ScriptedGenerator(["Whales"], failure="The model at <b>x</b> does not answer.")
    page = visit(serve(ANIMALS, down).url)
    page.get_by_label("Written by a language model").check()
    ask(page, "Where do whales swim?")
    error = page.locator(".turn .error")
    expect(error).to_contain_text("The model at <b>x</b> does not answer.")
    expect(error).to_contain_text("what the documents say instead")
    expect(page.locator(".turn .text")).to_contain_text("Whales swim near Iceland. [1]")
    expect(page.locator(".turn .meta")).to_contain_text("Quoted from the documents")


def test_a_models_answer_without_support_carries_a_warning(
    serve: Serve, visit: Visit, screenshots: Path
) -> None:
    page = visit(serve(ANIMALS, ScriptedGenerator(["The moon is cheese [1]."])).url)
    page.get_by_label("Written by a language model").check()
    ask(page, "Where do whales swim?")
    expect(page.locator(".turn .warning")).to_contain_text("Not grounded in the documents.")
    expect(page.locator("button.cite")).to_have_count(0)
    expect(page.locator(".turn .meta")).to_contain_text("Written by scripted-model")
    page.screenshot(path=screenshots / "wide_not_grounded.png")


def test_an_answer_streams_and_stops(serve: Serve, visit: Visit) -> None:
    slow = ScriptedGenerator(["Whales swim near Iceland [1]. "] * 200, pause=0.1)
    page = visit(serve(ANIMALS, slow).url)
    page.get_by_label("Written by a language model").check()
    page.get_by_label("Your question").fill("Where do whales swim?")
    page.keyboard.press("Enter")
    busy = page.locator(".turn[aria-busy=true] .text")
    expect(busy).to_contain_text("Iceland")
    first = len(busy.text_content() or "")
    page.wait_for_function(
        "n => document.querySelector('.turn .text').textContent.length > n", arg=first
    )
    page.get_by_label("Your question").fill("Too early?")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your question")).to_have_value("Too early?")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.wait_for_timeout(1000)
    assert slow.closed == [True], "the model's stream is closed"
    page.get_by_label("Quoted from the documents").check()
    ask_after = "Where do zebras graze?"
    page.get_by_label("Your question").fill(ask_after)
    page.keyboard.press("Enter")
    expect(page.locator(".turn").nth(1).locator("button.cite").first).to_be_visible()


def test_another_site_cannot_reach_the_page_under_its_own_name(serve: Serve) -> None:
    where = urlsplit(serve(ANIMALS).url)
    statuses = {}
    for host in (where.netloc, "evil.example"):
        connection = http.client.HTTPConnection(where.netloc, timeout=30)
        connection.request("GET", "/", headers={"Host": host})
        response = connection.getresponse()
        statuses[host] = response.status
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        response.read()
        connection.close()
    assert statuses == {where.netloc: 200, "evil.example": 400}
