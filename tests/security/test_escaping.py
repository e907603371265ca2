"""What a document, a file's name, a question or a model says never becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from payloads import NAMES, PAYLOADS

from rag.evaluate.report.page import write_page
from rag.evaluate.run import run_evaluation
from rag.question_sets import Evidence, GoldQuestion
from rag.types import Answer, Chunk, Citation, Document, Heading, Hit, Page
from rag.web import render
from rag.web.guard.login import login_page
from rag.web.render import Outcome, Running, Turn, View

TAGS = set(
    "div article p span b i ul ol li button h2 header section footer mark strong small br code "
    "progress svg path circle".split()
)
ATTRIBUTES = set(
    "class role aria-label aria-busy type title tabindex dir value max data-event data-turn "
    "data-number data-index data-source data-radius data-nonce data-page data-question".split()
)


class Allowed(HTMLParser):
    """Fails on any element or attribute that the page does not make itself; keeps the text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert {name for name, _ in attrs} <= ATTRIBUTES, attrs
        assert dict(attrs).get("data-event") in (None, *EVENTS), attrs

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.text += data


EVENTS = (
    "show example close_source ask_remove remove keep wrong cancel_work dismiss"
).split()  # fmt: skip


def shown(html: str) -> str:
    parser = Allowed()
    parser.feed(str(html))
    parser.close()
    return parser.text


def values(payload: str) -> tuple[Document, Hit, Answer]:
    """A document, a hit and an answer whose every text is the payload."""
    text = f"{payload}\n{payload}"
    document = Document(
        payload,
        text,
        payload,
        (Page(1, 0, len(payload)), Page(2, len(payload), len(text))),
        (Heading(1, 0, len(payload)),),
    )
    hit = Hit(Chunk(document, 0, len(text)), 1.0, 1.0, 1.0)
    citation = Citation(1, hit, 0, len(payload))
    answer = Answer(
        payload,
        f"{payload} [1] {payload}",
        short=payload,
        citations=(citation,),
        hits=(hit,),
        answerer=payload,
        confidence=0.9,
        reason="not_grounded",
    )
    return document, hit, answer


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_the_page_shows_becomes_markup(payload: str) -> None:
    document, hit, answer = values(payload)
    refusal = Answer(payload, payload, refused=True, reason="not_stated", hits=(hit,))
    view = View(document, 0, len(payload), {"source": payload}, payload, payload)
    pieces = {
        "answer": render.transcript([Turn(payload, answer, "llm", done=True)]),
        "refusal": render.transcript([Turn(payload, refusal, done=True)]),
        "error": render.transcript([Turn(payload, error=payload, done=True)]),
        "welcome": render.welcome(1, [payload], payload),
        "no documents": render.welcome(0, [], payload),
        "panel": render.source_panel(view, 1),
        "missing": render.missing_panel(payload, 1),
        "documents": render.documents({payload: payload}),
        "removal": render.documents({payload: payload}, asking=payload),
        "running": render.running(Running(payload, 1, payload, 1, 2)),
        "outcome": render.outcome(Outcome(1, [payload], failed=[(payload, payload)])),
        "work error": render.outcome(Outcome(1, error=payload)),
        "status": render.status([payload]),
        "alert": render.alert(payload),
        "login": login_page(payload).decode(),
    }
    visible = payload.replace("\0", "\ufffd")
    for name, html in pieces.items():
        if name == "login":
            live = Live()
            live.feed(html)
            assert (live.scripts, live.found) == (0, ["form"])
            continue
        assert visible in shown(html) or " ".join(visible.split()) in shown(html), name


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of an evaluation whose questions, answers and documents are payloads."""
    from fakes_page import WordReader
    from samples import write_folder

    from rag import KnowledgeBase
    from rag.embed import HashingEmbedder

    path = tmp_path_factory.mktemp("report")
    text = "".join(f"Whales {payload} swim\n" for payload in PAYLOADS if "\0" not in payload)
    sources = sorted((f"{NAMES[0]}.txt", f"{NAMES[1]}.txt"))
    write_folder(path / "docs", dict.fromkeys(sources, text))
    questions = [
        GoldQuestion(f"{n}{payload}", f"Where do whales swim? {payload}", (payload,), ())
        for n, payload in enumerate(PAYLOADS)
    ]
    questions.append(GoldQuestion("x", "Whales?", (text[:20],), (Evidence(sources[0], 0, 20),)))
    with KnowledgeBase(path / "index", embedder=HashingEmbedder(), reader=WordReader()) as kb:
        kb.sync(path / "docs")
        with run_evaluation(kb, questions) as evaluation:
            write_page(path / "r.html", evaluation, lambda source: kb.document(source).text)
    return (path / "r.html").read_text(encoding="utf-8")


class Live(HTMLParser):
    """Counts what could run or load."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts = 0
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        if tag in ("img", "iframe", "object", "embed", "link", "base", "form", "video", "audio"):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (
                "javascript:" in (value or "") and name in ("href", "src")
            ):
                self.found.append(name)


def test_the_page_of_an_evaluation_holds_only_its_own_script(report: str) -> None:
    parser = Live()
    parser.feed(report)
    assert parser.found == ["form"], "that which filters the questions"
    assert parser.scripts == 1
    assert "default-src 'none'" in report
    for payload in PAYLOADS:
        if payload.startswith("<"):
            assert payload not in report


# Loading never runs or fetches anything


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
def test_markup_in_a_document_is_read_as_text_and_nothing_is_fetched(
    suffix: str, reached_hosts: list[str]
) -> None:
    from rag.load.registry import load_bytes

    for payload in PAYLOADS:
        if "\0" in payload:  # is no text
            continue
        document = load_bytes(f"Whales swim.\n\n{payload}\n\nThe end.\n".encode(), f"a{suffix}")
        assert "Whales swim." in document.text
    assert reached_hosts == []


# The terminal

STEERING = "\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b31m\x08\x7f\r"


def test_a_document_cannot_steer_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from rag.cli import main

    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    folder = tmp_path / "documents"
    folder.mkdir()
    text = f"Whales swim near Iceland {STEERING} all year.\n"
    (folder / f"whales{STEERING}.txt").write_text(text, newline="")
    (folder / f"broken{STEERING}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    for command in (
        ["index", str(folder)],
        ["status"],
        ["search", "Where do whales swim?"],
        ["ask", "Where do whales swim?"],
        ["ask", "Where do whales swim?", "--json"],
        ["show", f"nothing{STEERING}"],
    ):
        result = CliRunner().invoke(main, [*command, "--index", str(tmp_path / "index")])
        assert not set(result.output) & set("\x1b\x07\x9b\x08\x7f\r"), command
    assert "Where do whales swim?" in result.output or result.exit_code == 1
