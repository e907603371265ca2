"""Reading with the real Tesseract: make test-ocr."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from rag.load import load_bytes, ocr

pytestmark = pytest.mark.ocr

DATA = Path(__file__).parent / "data"


def test_a_scanned_pdf() -> None:
    with ocr.using(ocr.installed()):
        assert (
            load_bytes((DATA / "testOCR.pdf").read_bytes(), "a.pdf").text == "Happy New Year 2003!"
        )


def test_a_picture() -> None:
    image = Image.new("L", (1400, 300), 255)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(("Blue whales were counted", "near Iceland in 2024.")):
        pen.text((60, 60 + 90 * number), line, font=ImageFont.load_default(60), fill=0)
    file = io.BytesIO()
    image.save(file, "PNG")
    with ocr.using(ocr.installed()):
        found = load_bytes(file.getvalue(), "a.png").text
    assert found.split() == "Blue whales were counted near Iceland in 2024.".split()
