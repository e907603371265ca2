"""Work on the documents as pages show it, in Chromium."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from rag.load.registry import Loaded, load_file

if TYPE_CHECKING:
    from chromium import Serve, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

WHALES = {"whales.txt": "A Book of Whales\nWhales swim near Iceland.\n"}
IDLE_MS = 8000


def slow(data: bytes, source: str) -> Loaded:
    """Loads as usual; a file named so takes its time."""
    if source.startswith("slow"):
        time.sleep(0.3)
    return load_file(data, source)


def slow_files(folder: Path, count: int = 60) -> None:
    for number in range(count):
        text = f"Lynx {number}\nLynxes sleep in Norway. " + "Filler about nothing. " * 1000
        (folder / f"slow{number:02}.txt").write_text(text, encoding="utf-8")


def look_for_changes(page: Page) -> None:
    page.get_by_role("button", name="Look for changes").click()


def test_closing_a_page_cancels_nothing_and_another_shows_the_same(
    serve: Serve, visit: Visit, screenshots: Path
) -> None:
    served = serve(WHALES, load=slow)
    page = visit(served.url)
    slow_files(served.folder)
    look_for_changes(page)
    expect(page.locator(".working .stage")).to_contain_text("slow")
    page.close()
    other = visit(served.url)
    working = other.locator(".working")
    expect(working.locator(".title")).to_have_text("Looking for changes")
    expect(working.locator(".stage")).to_contain_text(" of 6")
    other.screenshot(path=screenshots / "wide_working.png")
    begun = float(working.locator("progress").get_attribute("value") or 0)
    other.reload()
    other.wait_for_function(
        "v => Number(document.querySelector('.working progress')?.value) > v", arg=begun
    )
    expect(working).to_contain_text("left")
    expect(other.locator(".outcome")).to_contain_text("Added slow00.txt, slow01.txt and 58 more.")
    expect(other.get_by_text("Documents (61)")).to_be_visible()
    expect(working).to_have_count(0)
    other.get_by_role("button", name="Dismiss").click()
    expect(other.locator(".outcome")).to_have_count(0)


def test_looking_for_changes_is_cancelled_and_what_was_added_meanwhile_is_done(
    serve: Serve, visit: Visit, tmp_path: Path
) -> None:
    served = serve(WHALES, load=slow)
    page, other = visit(served.url), visit(served.url)
    slow_files(served.folder, 200)
    look_for_changes(page)
    expect(page.locator(".working .stage")).to_contain_text("slow")
    zebras, broken = tmp_path / "slow_zebras.txt", tmp_path / "broken.pdf"
    zebras.write_text("Zebras graze in Kenya.\n")
    broken.write_bytes(b"%PDF-1.4 nothing")
    other.locator("#upload input[type=file]").set_input_files([zebras, broken])
    page.get_by_role("button", name="Cancel: Looking for changes").click()
    stopped = page.locator(".outcome").filter(has_text="Stopped.").first
    expect(stopped).to_contain_text("not indexed yet")
    while "slow_zebras.txt" not in served.kb.sources():
        other.wait_for_timeout(100)
    other.get_by_role("button", name="Cancel: Adding 2 files").click()
    expect(other.locator(".outcome").filter(has_text="broken.pdf")).to_have_count(1)


def requests_of(page: Page, milliseconds: int) -> list[str]:
    """What the page asks the server for in this time."""
    seen: list[str] = []
    listen: Any = lambda request: seen.append(request.url)  # noqa: E731
    page.on("request", listen)
    page.wait_for_timeout(milliseconds)
    page.remove_listener("request", listen)
    return seen


def test_a_page_asks_for_nothing_while_nothing_goes_on(serve: Serve, visit: Visit) -> None:
    served = serve(WHALES, load=slow)
    page = visit(served.url)
    page.wait_for_timeout(2000)
    assert requests_of(page, IDLE_MS) == []
    slow_files(served.folder, 5)
    look_for_changes(page)
    expect(page.locator(".outcome")).to_contain_text("Added")
    page.wait_for_timeout(1500)
    assert requests_of(page, IDLE_MS) == []


def test_a_page_that_is_not_seen_asks_for_nothing_until_it_is(serve: Serve, visit: Visit) -> None:
    served = serve(WHALES, load=slow)
    page = visit(served.url)
    page.get_by_label("Keep in step with the folder").check()
    expect(page.locator("#status")).to_contain_text("The folder is followed")
    assert requests_of(page, IDLE_MS) != [], "changes are looked for while it is followed"
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(1500)
    assert requests_of(page, IDLE_MS) == []
    (served.folder / "zebras.txt").write_text("Zebras graze in Kenya.\n")
    while "zebras.txt" not in served.kb.sources():
        page.wait_for_timeout(100)
    page.evaluate(hide, False)
    expect(page.get_by_text("Documents (2)")).to_be_visible()
    page.get_by_label("Keep in step with the folder").uncheck()
    expect(page.locator("#status")).not_to_contain_text("The folder is followed")


def test_a_document_is_called_by_its_title(serve: Serve, visit: Visit) -> None:
    files = {f"{number}.txt": f"Book {number}\nNothing.\n" for number in range(10)}
    page = visit(serve({**WHALES, **files}).url)
    page.get_by_label("Your question").fill("Where do whales swim?")
    page.keyboard.press("Enter")
    chip = page.locator(".turn[aria-busy=false] .chip").first
    expect(chip.locator(".title")).to_have_text("A Book of Whales")
    expect(chip.locator("small")).to_have_text("whales.txt")
    chip.click()
    expect(page.locator(".source h2")).to_have_text("A Book of Whales")
    expect(page.locator(".source .facts")).to_contain_text("whales.txt")
    page.get_by_placeholder("Filter by title or name").fill("of whales")
    expect(page.locator(".documents li")).to_have_count(1)
    page.get_by_placeholder("Filter by title or name").fill("whales.t")
    expect(page.locator(".documents li")).to_have_count(1)


def test_the_question_whether_to_remove_takes_the_focus_to_keep(serve: Serve, visit: Visit) -> None:
    page = visit(serve({**WHALES, "a.txt": "Ants dig.\n", "z.txt": "Zebras graze.\n"}).url)
    for name in ("whales.txt", "z.txt"):
        page.get_by_role("button", name=f"Remove {name}").press("Enter")
        expect(page.get_by_role("alertdialog", name=f"Remove {name}?")).to_be_visible()
        expect(page.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".asking")).to_have_count(0)
    expect(page.get_by_text("Documents (3)")).to_be_visible()
