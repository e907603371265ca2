"""Showing a page means to parse a hostile file again: it happens in a worker, as loading does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fakes_hostile
import httpx
import pytest
from fakes_page import WordReader
from load_pdf import make_pdf, text

from rag import KnowledgeBase, Settings
from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.sandbox.isolated import Isolated, Limits
from rag.viewer import pages
from rag.viewer.pages import IsolatedPages, PageView, locate, page_image

pytest.importorskip("gradio")
from serving import ONE_REQUEST, Served, served

pytestmark = [
    # Gradio's queue uses what the newest pandas is about to drop.
    pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated"),
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated"),
]

WHALE = make_pdf(text(100, 700, "The whale is blue."), text(100, 700, "It is large."))
DOCUMENT = load_bytes(WHALE, "a.pdf")


@pytest.fixture(scope="module")
def isolated() -> Iterator[IsolatedPages]:
    with IsolatedPages(Limits()) as show:
        yield show


def test_a_page_is_shown_as_it_is_without_a_worker(isolated: IsolatedPages) -> None:
    at = (WHALE, "a.pdf", DOCUMENT)
    assert locate(*at, 4, 30, isolated) == locate(*at, 4, 30)
    assert [len(found.marks or ()) for found in locate(*at, 4, 30)] == [1, 1]
    shown = page_image(*at, 2, 4, 30, isolated)
    assert shown == page_image(*at, 2, 4, 30)
    assert shown is not None
    assert (shown.number, len(shown.marks)) == (2, 1)


def test_the_worker_that_shows_pages_starts_no_program() -> None:
    with IsolatedPages(Limits(programs=True)) as show:
        assert show.limits.programs is False
        assert show.limits.seconds == pages.MAX_SECONDS


@pytest.fixture(scope="module")
def lying() -> Iterator[Isolated[PageView]]:
    with Isolated(Limits(200, 60), fakes_hostile.show, pages._checked) as show:
        yield show


@pytest.mark.parametrize("lie", [lie for lie in fakes_hostile._LIES if lie != "fine"])
def test_a_worker_that_was_taken_over_cannot_lie_about_a_page(
    lie: str, lying: Isolated[PageView]
) -> None:
    asked = pages._as_json(
        pages.PageRequest("a.pdf", "a.pdf", (pages.Piece(1, "x", 0, 1),), draw=True)
    )
    with pytest.raises(LoadError, match="it sent what is no document"):
        lying(lie.encode(), asked)
    assert lying(b"fine", asked) == fakes_hostile._LIES["fine"]


def test_showing_a_page_has_the_limits_of_loading(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "whale.pdf").write_bytes(WHALE)
    with KnowledgeBase(tmp_path / "index", Settings(embedder="hashing")) as kb:
        kb.sync(folder)
        assert kb.page_image("whale.pdf", 4, 9) is not None
    tight = Settings(embedder="hashing", load_memory_mb=100)
    with KnowledgeBase(tmp_path / "index", tight, reader=WordReader()) as kb:
        with pytest.raises(LoadError, match="needs more than 100 MB"):
            kb.page_image("whale.pdf", 4, 9)
        assert kb.search("blue whale")[0].text.startswith("The whale is blue.")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("locked"), password="correct horse") as site:
        (site.folder / "whale.pdf").write_bytes(WHALE)
        (site.folder.parent / "secret.pdf").write_bytes(WHALE)
        site.kb.sync()
        yield site


PAGE = "/v1/pages/whale.pdf?start=4&end=9"


@pytest.mark.parametrize("path", [PAGE, "/v1/locations/whale.pdf?start=4&end=9"])
def test_a_page_needs_the_password_and_its_own_origin(locked: Served, path: str) -> None:
    with httpx.Client(base_url=locked.http.base_url, limits=ONE_REQUEST) as stranger:
        assert stranger.get(path).status_code == 401
        wrong = {"authorization": "Bearer wrong horse"}
        assert stranger.get(path, headers=wrong).status_code == 401
        right = {"authorization": "Bearer correct horse"}
        assert stranger.get(path, headers=right).status_code == 200
        foreign = right | {"origin": "http://evil.example"}
        assert stranger.get(path, headers=foreign).status_code == 403
        embedded = right | {"sec-fetch-site": "cross-site", "sec-fetch-dest": "image"}
        assert stranger.get(path, headers=embedded).status_code == 403
        assert stranger.get(path, headers=right | {"host": "evil.example"}).status_code == 400
        assert stranger.post(path, headers=right, json={}).status_code == 405


def test_a_page_is_an_image_and_nothing_else_and_is_not_kept(locked: Served) -> None:
    answer = locked.http.get(PAGE, headers={"authorization": "Bearer correct horse"})
    assert answer.content.startswith(b"\x89PNG\r\n\x1a\n")
    headers = answer.headers
    assert (headers["content-type"], headers["cache-control"]) == ("image/png", "no-store")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "source",
    [
        "../secret.pdf",
        "..%2fsecret.pdf",
        "%2e%2e/secret.pdf",
        "%2fetc%2fpasswd",
        "x/../../secret.pdf",
    ],
)
def test_no_page_of_another_file_is_shown(locked: Served, source: str) -> None:
    url = str(locked.http.base_url) + f"/v1/pages/{source}?start=4&end=9"
    answer = locked.http.get(url, headers={"authorization": "Bearer correct horse"})
    assert answer.status_code in (403, 404)
    assert str(locked.folder.parent) not in answer.text
