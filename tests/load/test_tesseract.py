"""Reading with the real Tesseract: make test-ocr."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from places import FILES

from rag import KnowledgeBase, Settings
from rag.errors import LoadError
from rag.load import ocr
from rag.load.registry import load_bytes
from rag.sandbox.isolated import IsolatedLoader, Limits
from rag.types import Location

pytestmark = pytest.mark.ocr


def test_a_scanned_pdf() -> None:
    with ocr.using(ocr.installed()):
        assert (
            load_bytes((FILES / "testOCR.pdf").read_bytes(), "a.pdf").text == "Happy New Year 2003!"
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


def test_a_confined_worker_may_start_tesseract_if_it_may_start_programs() -> None:
    data = (FILES / "testOCR.pdf").read_bytes()
    with ocr.using(ocr.installed()), IsolatedLoader(Limits(programs=True)) as load:
        assert load(data, "a.pdf").documents[0].text == "Happy New Year 2003!"
        if sys.platform == "linux":
            assert "calls" in load.measures
    with IsolatedLoader(Limits()) as load, pytest.raises(LoadError, match="has no text layer"):
        load(data, "a.pdf")


def test_a_knowledge_base_reads_scans_and_shows_their_pages(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    shutil.copyfile(FILES / "testOCR.pdf", folder / "scan.pdf")
    with (
        ocr.using(ocr.installed()),
        KnowledgeBase(tmp_path / "index", Settings(embedder="hashing")) as kb,
    ):
        assert kb.sync(folder).failed == ()
        assert kb.document("scan.pdf").text == "Happy New Year 2003!"
        assert kb.locate("scan.pdf", 0, 5) == [Location(0, 5, "page 1", 1, ())]
        assert kb.page_image("scan.pdf", 0, 5) is not None
    with KnowledgeBase(tmp_path / "index", Settings(embedder="hashing")) as kb:
        (failure,) = kb.sync(folder).failed  # what it was read with is gone: it is read anew
        assert failure.reason == f"has no text layer (scanned pages?); {ocr.HOW}"
