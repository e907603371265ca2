"""The source panel of a PDF: the real page with the quote marked, and the text beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from load_pdf import column, make_pdf, text
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from chromium import Serve, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

LEFT = [
    "The survey of the northern seas began in",
    "the spring, when the ice had broken up",
    "and ships could leave the harbours again;",
    "it went on until the first storms came.",
]
RIGHT = [
    "Blue whales were counted from the air and",
    "from two ships near Iceland in the summer",
    "of that year, and again in the autumn.",
]


def survey() -> bytes:
    """Two pages; the quote stands in the right column of the second one."""
    first = text(60, 760, "Annual report", 18, "H") + "".join(column(60, 700, LEFT * 8))
    second = "".join(column(60, 500, LEFT) + column(330, 500, RIGHT))
    return make_pdf(first, second)


def ask_and_open(page: Page) -> None:
    page.get_by_label("Your question").fill("Where were whales counted from the air?")
    page.keyboard.press("Enter")
    page.locator(".turn[aria-busy=false] button.cite").first.click()


def wait_for_picture(page: Page) -> None:
    page.wait_for_function("(document.querySelector('.source-page img') || {}).naturalWidth > 0")


def yellow(page: Page) -> object:
    """Where the picture is marked, in shares of its size: left, top, right, bottom."""
    return page.evaluate(
        """() => {
        const img = document.querySelector('.source-page img');
        const canvas = document.createElement('canvas');
        const [w, h] = [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
        const pen = canvas.getContext('2d');
        pen.drawImage(img, 0, 0);
        const d = pen.getImageData(0, 0, w, h).data;
        let box = [1, 1, 0, 0];
        for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
            const i = 4 * (y * w + x);
            if (d[i] > 200 && d[i + 1] > 200 && d[i + 2] < 150) box = [
                Math.min(box[0], x / w), Math.min(box[1], y / h),
                Math.max(box[2], x / w), Math.max(box[3], y / h)];
        }
        return box.map((side) => Math.round(100 * side)); }"""
    )


def test_the_quote_is_marked_on_the_real_page(
    serve: Serve, visit: Visit, screenshots: Path
) -> None:
    page = visit(serve({"annual report.pdf": survey()}).url)
    ask_and_open(page)
    wait_for_picture(page)
    picture = page.locator(".source-page img")
    expect(picture).to_be_visible()
    expect(picture).to_have_attribute("alt", "Page 2 of annual report.pdf")
    assert yellow(page) == [55, 40, 97, 44], "three lines of the right column, and nothing else"
    expect(page.locator(".source-text")).to_be_hidden()
    page.screenshot(path=screenshots / "wide_pdf.png")

    page.get_by_role("button", name="Text", exact=True).click()
    expect(picture).to_be_hidden()
    expect(page.locator("mark")).to_have_text(" ".join(RIGHT))
    page.screenshot(path=screenshots / "wide_pdf_text.png")
    page.get_by_role("button", name="Whole document").click()
    expect(page.locator(".words")).to_contain_text("Annual report")
    expect(picture).to_be_hidden()
    page.get_by_role("button", name="Page", exact=True).click()
    expect(picture).to_be_visible()
    before = picture.bounding_box()
    page.get_by_role("button", name="Larger").click()
    after = picture.bounding_box()
    assert before
    assert after
    assert after["width"] > 1.5 * before["width"]
    page.screenshot(path=screenshots / "wide_pdf_larger.png")


def test_a_phone_shows_the_page_too(serve: Serve, visit: Visit, screenshots: Path) -> None:
    page = visit(serve({"survey.pdf": survey()}).url, 390, 844)
    ask_and_open(page)
    wait_for_picture(page)
    page.screenshot(path=screenshots / "phone_pdf.png")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    page.locator(".source-page figure").click()
    spot = page.locator(".spot").bounding_box()
    shown = page.locator(".source-page").bounding_box()
    assert spot
    assert shown
    assert shown["x"] <= spot["x"] < shown["x"] + shown["width"]
    page.screenshot(path=screenshots / "phone_pdf_larger.png")
    page.get_by_role("button", name="Close source").click()
    expect(page.locator(".source-page")).to_have_count(0)


def test_a_file_that_changed_is_shown_as_text(serve: Serve, visit: Visit) -> None:
    served = serve({"survey.pdf": survey(), "notes.txt": "Seals were counted from the shore.\n"})
    page = visit(served.url)
    (served.folder / "survey.pdf").write_bytes(make_pdf(text(60, 700, "Something else")))
    ask_and_open(page)
    expect(page.locator("mark")).to_have_text(" ".join(RIGHT))
    expect(page.locator(".source-page")).to_have_count(0)
    page.get_by_role("button", name="Open notes.txt").click()
    expect(page.locator(".words")).to_have_text("Seals were counted from the shore.\n")
    expect(page.locator(".source-page")).to_have_count(0)


def test_a_picture_that_fails_gives_way_to_the_text(serve: Serve, visit: Visit) -> None:
    page = visit(serve({"survey.pdf": survey()}).url)
    page.route("**/v1/pages/**", lambda route: route.fulfill(status=404, body="gone"))
    ask_and_open(page)
    expect(page.locator("mark")).to_be_visible()
    expect(page.locator(".source-page")).to_have_count(0)
