"""Scanned pages and pictures, with an engine that sees what a test tells it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from load_pdf import Sheet, make_pdf, text
from PIL import Image

from rag.errors import LoadError
from rag.load import ocr
from rag.load.ocr import SeenWord
from rag.load.registry import load_bytes
from rag.types import Location, Page
from rag.viewer.pages import locate, page_image

GREY = (2, 2, bytes([120] * 4))


@dataclass
class ScriptedEngine:
    """Sees the lines of ``pages``, one after the other; a paragraph ends at an empty line."""

    pages: list[Sequence[str]]
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def words(self, image: Image.Image) -> list[SeenWord]:
        self.sizes.append(image.size)
        lines = self.pages.pop(0)
        return [
            SeenWord(
                word,
                20 * sum(len(w) + 1 for w in line.split()[:at]),
                40 * number,
                20 * sum(len(w) + 1 for w in line.split()[:at]) + 20 * len(word),
                40 * number + 30,
                (list(lines[:number]).count(""),),
                number,
            )
            for number, line in enumerate(lines)
            for at, word in enumerate(line.split())
        ]


LINES = [
    "This is the first line of a scanned para-",
    "graph, which ends in its second line.",
    "",
    "End.",
]
TEXT = "This is the first line of a scanned paragraph, which ends in its second line.\n\nEnd."


def picture(kind: str, *colours: int) -> bytes:
    images = [Image.new("L", (40, 30), colour) for colour in colours]
    file = io.BytesIO()
    images[0].save(
        file, kind, **({"save_all": True, "append_images": images[1:]} if images[1:] else {})
    )
    return file.getvalue()


def test_a_scanned_page_is_read() -> None:
    engine = ScriptedEngine([LINES])
    with ocr.using(engine):
        document = load_bytes(make_pdf(Sheet(picture=GREY, size=(300, 400))), "a.pdf")
    assert document.text == TEXT
    assert document.pages == (Page(1, 0, len(TEXT)),)
    assert engine.sizes == [(1250, 1667)], "300 dots an inch"


def test_only_the_pages_without_text_are_read() -> None:
    engine = ScriptedEngine([LINES])
    sheets: list[Sheet | str] = [
        text(60, 700, "Page one."),
        Sheet(picture=GREY),
        text(60, 700, "Page three."),
    ]
    with ocr.using(engine):
        document = load_bytes(make_pdf(*sheets, ""), "a.pdf")
    assert document.text == f"Page one.\n\n{TEXT}\n\nPage three."
    assert document.page_at(document.text.index("End")) == 2


def test_a_stamp_on_a_scan_does_not_hide_the_words_of_the_page() -> None:
    stamped = make_pdf(Sheet(text(60, 30, "Copy 7"), picture=GREY))
    with ocr.using(ScriptedEngine([LINES])):
        assert load_bytes(stamped, "a.pdf").text == TEXT
    with ocr.using(ScriptedEngine([["Copy"]])):
        assert load_bytes(stamped, "a.pdf").text == "Copy 7"
    assert load_bytes(stamped, "a.pdf").text == "Copy 7"


def test_without_ocr_the_reason_tells_how_to_get_it(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LoadError) as refused:
        load_bytes(make_pdf(Sheet(picture=GREY)), "a.pdf")
    assert str(refused.value) == f"has no text layer (scanned pages?); {ocr.HOW}"
    assert "pip install '.[ocr]'" in ocr.HOW
    mixed = make_pdf(text(60, 700, "Page one."), Sheet(picture=GREY))
    assert load_bytes(mixed, "mixed.pdf").text == "Page one."
    assert "mixed.pdf: pages [2] are pictures and were left out" in caplog.text


def test_a_scan_without_words_is_refused() -> None:
    with ocr.using(ScriptedEngine([[], [" "]])), pytest.raises(LoadError) as refused:
        load_bytes(make_pdf(Sheet(picture=GREY), Sheet(picture=GREY)), "a.pdf")
    assert str(refused.value).startswith("has no text layer, and OCR found no words")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_pictures_are_read(kind: str) -> None:
    with ocr.using(ScriptedEngine([LINES])):
        document = load_bytes(picture(kind, 200), f"scan.{kind.lower()}")
    assert (document.text, document.pages) == (TEXT, (Page(1, 0, len(TEXT)),))


def test_each_picture_of_a_tiff_is_a_page() -> None:
    data = picture("TIFF", 10, 100, 200)
    with ocr.using(ScriptedEngine([["One."], [], ["Three."]])):
        document = load_bytes(data, "scan.tif")
    assert document.text == "One.\n\nThree."
    assert [document.text[p.start : p.end].strip() for p in document.pages] == [
        "One.",
        "",
        "Three.",
    ]
    assert locate(data, "scan.tif", document, 6, 11) == [Location(6, 11, "page 3", 3, ())]
    image = page_image(data, "scan.tif", document, 3, 6, 11)
    assert image is not None
    assert Image.open(io.BytesIO(image.png)).getpixel((1, 1)) == (200, 200, 200)


def test_pictures_that_cannot_be_read() -> None:
    with pytest.raises(LoadError, match="is a PNG image, whose words only OCR can read"):
        load_bytes(picture("PNG", 1), "a.png")
    for data, reason in (
        (picture("PNG", 1)[:60], "is a damaged image"),
        (b"\xff\xd8\xff\xe0 not a picture", "is a damaged image"),
        (picture("PNG", 1), "is an image in which OCR found no words"),
        (header_of_a_png(100_000, 100_000), "is an image of too many pixels"),
    ):
        with ocr.using(ScriptedEngine([[]])), pytest.raises(LoadError, match=reason):
            load_bytes(data, "a.png")


def header_of_a_png(width: int, height: int) -> bytes:
    """As if the picture were that large."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_great_picture_is_made_smaller_before_it_is_read() -> None:
    engine = ScriptedEngine([["One."]])
    file = io.BytesIO()
    Image.new("1", (8000, 6000)).save(file, "PNG")
    with ocr.using(engine):
        load_bytes(file.getvalue(), "a.png")
    (size,) = engine.sizes
    assert size == (5773, 4330)


def test_a_scanned_page_is_shown_without_marks() -> None:
    data = make_pdf(Sheet(picture=GREY))
    with ocr.using(ScriptedEngine([LINES])):
        document = load_bytes(data, "a.pdf")
    assert locate(data, "a.pdf", document, 0, 4) == [Location(0, 4, "page 1", 1, ())]
    image = page_image(data, "a.pdf", document, 1, 0, 4)
    assert image is not None
    assert image.marks == ()
