"""Every view at four sizes: nothing lies where nobody can get it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from chromium import Serve, Visit

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

SIZES = [(1280, 720), (1440, 900), (768, 1024), (360, 740)]

OUT_OF_REACH = """() => {
    const lost = [];
    const controls = `button, label:has(input, textarea), input, textarea, select, a[href],
        [role=button], [tabindex]`;
    for (const control of document.querySelectorAll(controls)) {
        if (!control.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        if (control.matches('input[type=file], [tabindex="-1"]')) continue;
        control.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'});
        const box = control.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        let name = `${control.tagName} ${control.ariaLabel || control.innerText || control.value}`;
        name = `${name.slice(0, 60)} ${Math.round(box.left)},${Math.round(box.top)}`;
        if (box.left < -1 || box.right > innerWidth + 1) lost.push(`${name}: beside the window`);
        const seen = {left: box.left, right: box.right, top: box.top, bottom: box.bottom};
        for (let around = control.parentElement; around; around = around.parentElement) {
            const {overflowX, overflowY} = getComputedStyle(around);
            if (overflowX === 'visible' && overflowY === 'visible') continue;
            // Nobody looks for controls beside others, and only a script can scroll what is hidden.
            if (around.scrollLeft || around.scrollTop && overflowY === 'hidden') {
                lost.push(`${name}: hidden`);
                around.scrollTo(0, 0);
            }
            const edge = around.getBoundingClientRect();
            seen.left = Math.max(seen.left, edge.left);
            seen.right = Math.min(seen.right, edge.right);
            seen.top = Math.max(seen.top, edge.top);
            seen.bottom = Math.min(seen.bottom, edge.bottom);
        }
        if (seen.right - seen.left < Math.min(box.width, 40) - 1
            || seen.bottom - seen.top < Math.min(box.height, 20) - 1) lost.push(`${name}: cut off`);
        if (control.scrollWidth > control.clientWidth + 1
            && getComputedStyle(control).overflow === 'visible' && control.matches('label'))
            lost.push(`${name}: its words run out of it`);
        const y = Math.min(box.bottom, innerHeight) / 2 + Math.max(box.top, 0) / 2;
        const x = (Math.max(box.left, 0) + Math.min(box.right, innerWidth)) / 2;
        if (box.bottom < 1 || box.top > innerHeight - 1) { lost.push(`${name}: off`); continue; }
        const top = document.elementFromPoint(x, y);
        const whole = control.closest('label') || control;
        if (top && !whole.contains(top) && !top.contains(control))
            lost.push(`${name}: under ${top.tagName}.${top.className}`);
    }
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) lost.push(`the page is ${wide} px too wide`);
    scrollTo(0, 0);
    return lost;
}"""

TEXT = "A Book of Whales\nWhales swim near Iceland.\n" + "".join(
    f"Whales of kind {number} swim and sing in the sea for {number} days.\n" for number in range(80)
)
LONG = "a_very_long_name_without_any_place_to_break_it_" * 3 + ".txt"


def check(page: Page, view: str, screenshots: Path) -> None:
    size = page.viewport_size
    assert size
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / f"{view}_{size['width']}.png")
    assert page.evaluate(OUT_OF_REACH) == [], (view, size)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_control_can_be_reached(
    serve: Serve, visit: Visit, screenshots: Path, tmp_path: Path, width: int, height: int
) -> None:
    files = {f"{number}.txt": f"Book {number}\nNothing.\n" for number in range(12)}
    served = serve({"whales.txt": TEXT, LONG: "Whales of no kind\n" + "x" * 900, **files})
    near = {"source": "whales.txt", "start": 0, "end": 16}
    draft = {
        "id": "a", "question": "Where do whales swim?", "answers": ["Iceland"],
        "evidence": [near], "draft": True, "kind": "place", "near": near,
    }  # fmt: skip
    path = Path(served.kb.path, "drafts.jsonl")
    path.write_text(json.dumps(draft) + "\n", encoding="utf-8")
    page = visit(served.url, width, height)
    check(page, "welcome", screenshots)

    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4 nothing")
    page.locator("#upload input[type=file]").set_input_files([broken])
    expect(page.locator(".outcome")).to_contain_text("broken.pdf")
    check(page, "failures", screenshots)
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".outcome")).to_have_count(0)
    # Gradio's client can lose an event that is sent in the moment in which the one before ends.
    page.wait_for_timeout(300)

    page.get_by_label("Your question").fill("Which whales of no kind swim near Iceland? " * 3)
    page.keyboard.press("Enter")
    wrong = page.get_by_role("button", name="Not right?")
    expect(wrong).to_be_visible()
    check(page, "answer", screenshots)
    page.get_by_role("button", name="Remove whales.txt").click()
    expect(page.locator(".asking")).to_be_visible()
    check(page, "remove", screenshots)
    page.get_by_role("button", name="Keep").click()

    wrong.click()
    expect(page.get_by_label("Its exact words there")).to_be_visible()
    check(page, "feedback", screenshots)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_label("Its exact words there")).to_be_hidden()

    page.get_by_text("Review drafted questions").click()
    page.get_by_label("File", exact=True).click()
    page.get_by_role("option", name="drafts.jsonl").click()
    expect(page.locator(".review-context mark")).to_be_visible()
    check(page, "review", screenshots)

    page.locator("button.passage, button.chip").first.click()
    expect(page.locator(".source .close")).to_be_visible()
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / f"source_{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    if width > 860:  # on a phone it lies over the page
        check(page, "source", screenshots)
