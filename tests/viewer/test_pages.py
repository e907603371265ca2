"""The pages of documents, through the knowledge base and the API."""

from __future__ import annotations

import io
import shutil
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from load_pdf import make_pdf, text
from PIL import Image
from samples import MakeKb, write_folder

from rag import KnowledgeBase
from rag.errors import NotFoundError
from rag.types import Location
from rag.web.api import make_api

WHALE = make_pdf(text(100, 700, "The whale is blue."), text(100, 700, "It is large."))
AT_LARGE = (26, 31)
UNSEEN = Location(26, 31, "page 2", 2)
"""Where the text tells, without a look at the file."""


@pytest.fixture
def kb(make_kb: MakeKb) -> KnowledgeBase:
    return make_kb({"sea/whale.pdf": WHALE, "note.txt": "A note on whales."})


def folder_of(kb: KnowledgeBase) -> Path:
    folder = kb.folder
    assert folder is not None
    return folder


def test_a_quote_is_found_on_its_page(kb: KnowledgeBase) -> None:
    document = kb.document("sea/whale.pdf")
    assert document.text[slice(*AT_LARGE)] == "large"
    (found,) = kb.locate("sea/whale.pdf", *AT_LARGE)
    assert (found.name, found.page, len(found.marks or ())) == ("page 2", 2, 1)
    assert [at.page for at in kb.locate("sea/whale.pdf", 0, 31)] == [1, 2]
    image = kb.page_image("sea/whale.pdf", *AT_LARGE)
    assert image is not None
    assert (image.number, image.marks) == (2, found.marks)
    other = kb.page_image("sea/whale.pdf", *AT_LARGE, page=1)
    assert other is not None
    assert (other.number, other.marks) == (1, ())


def test_only_the_file_that_was_indexed_is_shown(kb: KnowledgeBase) -> None:
    file = folder_of(kb) / "sea/whale.pdf"
    file.write_bytes(WHALE.replace(b"/Title ()", b"/Title (x)"))
    assert kb.locate("sea/whale.pdf", *AT_LARGE) == [UNSEEN]
    assert kb.page_image("sea/whale.pdf", *AT_LARGE) is None
    file.write_bytes(WHALE)
    assert kb.locate("sea/whale.pdf", *AT_LARGE) != [UNSEEN]
    file.unlink()
    assert kb.locate("sea/whale.pdf", *AT_LARGE) == [UNSEEN]
    file.mkdir()
    assert kb.page_image("sea/whale.pdf", *AT_LARGE) is None


def test_no_link_leads_out_of_the_folder(kb: KnowledgeBase, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    file = folder_of(kb) / "sea/whale.pdf"
    (outside / "whale.pdf").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(outside / "whale.pdf")
    assert kb.locate("sea/whale.pdf", *AT_LARGE) == [UNSEEN]
    file.unlink()
    (folder_of(kb) / "sea").rmdir()
    (folder_of(kb) / "sea").symlink_to(outside)
    assert kb.page_image("sea/whale.pdf", *AT_LARGE) is None


def test_what_has_no_pages_and_what_is_not_there(kb: KnowledgeBase) -> None:
    assert kb.locate("note.txt", 0, 6) == []
    assert kb.page_image("note.txt", 0, 6) is None
    with pytest.raises(NotFoundError):
        kb.locate("../whale.pdf", 0, 1)
    for span in ((0, 33), (-1, 3), (5, 4)):
        with pytest.raises(ValueError, match="has no characters"):
            kb.locate("sea/whale.pdf", *span)


@pytest.fixture
def client(kb: KnowledgeBase) -> TestClient:
    app = FastAPI()
    app.include_router(make_api(kb))
    return TestClient(app)


def test_the_api_gives_places_and_pages(client: TestClient, kb: KnowledgeBase) -> None:
    places = client.get("/v1/locations/sea/whale.pdf", params={"start": 26, "end": 31}).json()
    ((left, top, right, bottom),) = places[0]["marks"]
    assert places[0]["page"] == 2
    assert (left, right) == pytest.approx((136 / 595, 166 / 595), abs=1e-4)
    assert (top, bottom) == pytest.approx((134 / 842, 144.5 / 842), abs=1e-3)
    response = client.get("/v1/pages/sea/whale.pdf", params={"start": 26, "end": 31})
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "no-store"
    image = kb.page_image("sea/whale.pdf", *AT_LARGE)
    assert image is not None
    assert response.content == image.png
    assert Image.open(io.BytesIO(response.content)).size == (1200, 1699)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("sea/whale.pdf?start=0&end=99", 400, "'sea/whale.pdf' has no characters 0:99, only 0:32"),
        ("sea/whale.pdf?start=0", 422, "end is '': give a number"),
        ("sea/whale.pdf?start=-1&end=3", 422, "start is '-1': give a number"),
        ("sea/whale.pdf?start=0&end=3&page=9", 404, "no page of 'sea/whale.pdf' can be shown"),
        ("note.txt?start=0&end=3", 404, "no page of 'note.txt' can be shown"),
        ("none.pdf?start=0&end=3", 404, "no document 'none.pdf'"),
        ("..%2Fwhale.pdf?start=0&end=3", 404, "no document '../whale.pdf'"),
    ],
)
def test_what_the_api_refuses(client: TestClient, path: str, status: int, detail: str) -> None:
    response = client.get(f"/v1/pages/{path}")
    assert (response.status_code, response.json()["detail"][: len(detail)]) == (status, detail)


def test_a_pdf_in_a_second_folder_is_shown(make_kb: MakeKb, tmp_path: Path) -> None:
    write_folder(tmp_path / "one", {"whale.pdf": make_pdf(text(100, 700, "Another whale."))})
    two = write_folder(tmp_path / "two", {"whale.pdf": WHALE})
    kb = make_kb()
    kb.sync([tmp_path / "one", two])
    (found,) = kb.locate("two/whale.pdf", *AT_LARGE)
    assert len(found.marks or ()) == 1
    assert kb.page_image("one/whale.pdf", 8, 13) is not None
    shutil.rmtree(tmp_path / "one")
    assert kb.page_image("one/whale.pdf", 8, 13) is None
    assert kb.locate("two/whale.pdf", *AT_LARGE) == [found]


@pytest.mark.parametrize("suffix", [".zip", ".eml"])
def test_a_pdf_in_an_archive_or_a_mail_is_shown(make_kb: MakeKb, suffix: str) -> None:
    mail = EmailMessage()
    mail.set_content("See the whale.")
    mail.add_attachment(WHALE, "application", "pdf", filename="whale.pdf")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("note.txt", "A note.")
        archive.writestr("whale.pdf", WHALE)
        archive.writestr("again/whale.eml", mail.as_bytes())
    kb = make_kb({f"box{suffix}": inner.getvalue() if suffix == ".zip" else mail.as_bytes()})
    inside = [source for source in kb.sources() if source.endswith(".pdf")]
    assert len(inside) == (2 if suffix == ".zip" else 1)
    for source in inside:
        (found,) = kb.locate(source, *AT_LARGE)
        assert (found.page, len(found.marks or ())) == (2, 1)
        assert kb.page_image(source, *AT_LARGE) is not None


def test_other_formats_are_located_by_their_names(make_kb: MakeKb) -> None:
    kb = make_kb({"fruit.csv": "Name,Price\nApples,7\nPears,8\n"})
    at = kb.document("fruit.csv").text.index("Pears")
    assert kb.locate("fruit.csv", at, at + 5) == [Location(at, at + 5, "row 3")]
    assert kb.locate("fruit.csv", at, at + 5)[0].to_dict()["marks"] is None
