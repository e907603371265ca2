"""Overviews of documents, as a knowledge base gives them."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import SEEDS
from samples import SEED, MakeKb, on_disk, open_kb, write_folder

from rag import KnowledgeBase
from rag.answering.overview.overviews import MAX_DOCUMENTS
from rag.answering.overview.subject import names
from rag.embed import BundledEmbedder, HashingEmbedder
from rag.errors import CancelledError, NotFoundError
from rag.load.registry import load_file
from rag.types import Overview, Vectors

GUIDE = """# Harbours

## Bergen

The harbour of Bergen moves fish and oil to ports in the north.
It has been open for ships since the year one thousand.

## Tromso

From Tromso, boats of every size sail to the ice in summer.
Few ships go there while the nights of winter are long.
"""


class QueryCounter(HashingEmbedder):
    """Remembers what was embedded one at a time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed_query(self, text: str) -> Vectors:
        self.asked.append(text)
        return super().embed_query(text)


def require_valid(kb: KnowledgeBase, overview: Overview) -> None:
    """Every citation is numbered, and quotes its document exactly."""
    citations = overview.citations
    assert [citation.number for citation in citations] == list(range(1, len(citations) + 1))
    for citation in citations:
        document = kb.document(citation.source)
        assert document.text[citation.start : citation.end] == citation.quote
        assert document.sha256 == citation.sha256
        assert citation.hit.start <= citation.start < citation.end <= citation.hit.end


def test_one_document_by_its_headings(make_kb: MakeKb) -> None:
    kb = make_kb({"guide.md": GUIDE})
    overview = kb.overview("guide.md")
    require_valid(kb, overview)
    assert [group.title for group in overview.groups] == ["Bergen", "Tromso"]
    assert (overview.documents, overview.left_out) == (1, 0)
    assert kb.overview() == overview == kb.overview(["guide.md"])


def test_the_seed_is_about_its_most_frequent_name(tmp_path: Path, model: BundledEmbedder) -> None:
    with KnowledgeBase(tmp_path / "index", embedder=model, load=load_file) as kb:
        kb.sync(SEEDS)
        overview = kb.overview(SEED)
        require_valid(kb, overview)
        [(name, _)] = names(kb.document(SEED).text).most_common(1)
        assert name in " ".join(citation.quote for citation in overview.citations)
        assert name == "Lexus"


def test_several_documents_have_a_line_or_two_each(make_kb: MakeKb) -> None:
    kb = make_kb({"a.md": GUIDE, "b.txt": "A bicycle was left there at night by some painter."})
    overview = kb.overview()
    require_valid(kb, overview)
    assert {group.title: len(group.citations) for group in overview.groups} == {
        "Harbours": 2,
        "b.txt": 1,
    }
    assert kb.overview(["b.txt"]).groups[0].source == "b.txt"


def test_of_many_documents_the_most_central_are_quoted_and_the_others_counted(
    make_kb: MakeKb,
) -> None:
    files = {
        f"{i:02}.txt": f"The harbour of town number {i} moves fish by boat." for i in range(20)
    }
    kb = make_kb(files | {"odd.txt": "Quantum gravity remains an unsolved riddle today."})
    overview = kb.overview()
    require_valid(kb, overview)
    assert len(overview.groups) == MAX_DOCUMENTS
    assert (overview.documents, overview.left_out) == (21, 21 - MAX_DOCUMENTS)
    assert overview.groups[0].source != "odd.txt"


def test_copies_are_one_document_of_all(make_kb: MakeKb) -> None:
    kb = make_kb({"a.md": GUIDE, "copies/b.md": GUIDE})
    assert kb.overview().documents == 1
    assert {citation.source for citation in kb.overview("copies/b.md").citations} == {"copies/b.md"}


def test_sheets_and_unknown_documents(make_kb: MakeKb) -> None:
    kb = make_kb({"a.csv": "town,boats\nBergen,12\nTromso,14\n"})
    assert kb.overview().to_dict() == {"documents": 1, "left_out": 1, "topic": "", "groups": []}
    with pytest.raises(NotFoundError):
        kb.overview("b.csv")


def test_without_an_index_there_is_nothing_to_quote(tmp_path: Path) -> None:
    with open_kb(tmp_path / "index") as kb:
        assert kb.overview() == Overview((), 0)
        with pytest.raises(NotFoundError, match="empty"):
            kb.overview("a.txt")


def test_it_is_made_once_for_a_content(tmp_path: Path) -> None:
    embedder = QueryCounter()
    folder = write_folder(tmp_path / "docs", {"a.md": GUIDE})
    with open_kb(tmp_path / "index", embedder) as kb:
        kb.sync(folder)
        first = kb.overview("a.md")
        made = len(embedder.asked)
        assert made == 4
        (folder / "a.md").rename(folder / "b.md")
        write_folder(folder, {"c.txt": "A bicycle was left there at night by some painter."})
        kb.sync()
        assert [c.quote for c in kb.overview("b.md").citations] == [
            c.quote for c in first.citations
        ]
        assert len(embedder.asked) == made
        write_folder(folder, {"b.md": GUIDE.replace("fish", "salt")})
        kb.sync()
        assert "salt" in kb.overview("b.md").citations[0].quote
        assert len(embedder.asked) > made


def test_a_deleted_document_is_in_no_overview(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "docs", {"a.md": GUIDE, "b.txt": "Zebrafinches sing at night in every town."}
    )
    with open_kb(tmp_path / "index") as kb:
        kb.sync(folder)
        assert "Zebrafinches" in str(kb.overview().to_dict())
        (folder / "b.txt").unlink()
        kb.sync()
        assert "Zebrafinches" not in str(kb.overview().to_dict())
        assert on_disk(tmp_path / "index", b"zebrafinches") == []


def test_nobody_waits_for_it_any_more(make_kb: MakeKb) -> None:
    kb = make_kb({"a.md": GUIDE, "b.txt": "A bicycle was left there at night by some painter."})
    with pytest.raises(CancelledError):
        kb.overview(is_wanted=lambda: False)


@pytest.mark.parametrize(
    ("question", "lead"),
    [
        ("What is this about?", "The main points of 2 documents:"),
        ("Fasse die Dokumente zusammen", "The main points of 2 documents:"),
        ("Summarise the harbours guide", "The main points of harbours-guide.md:"),
        ("Give me an overview of Tromso", "What 1 document says about Tromso:"),
    ],
)
def test_asking_for_an_overview(make_kb: MakeKb, question: str, lead: str) -> None:
    kb = make_kb(
        {"harbours-guide.md": GUIDE, "b.txt": "A bicycle was left there at night by a man."}
    )
    answer = kb.ask(question)
    assert (answer.kind, answer.refused, answer.confidence) == ("overview", False, 1.0)
    assert answer.to_dict()["kind"] == "overview"
    first, *sentences = answer.text.splitlines()
    assert first == lead
    assert sentences == [f"- {c.quote} [{c.number}]" for c in answer.citations]
    assert len(sentences) > 0
    for citation in answer.citations:
        assert kb.document(citation.source).text[citation.start : citation.end] == citation.quote
    assert {citation.hit for citation in answer.citations} == set(answer.hits)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("Summarise the war of Troy", "not_mentioned"),
        ("What is the war of Troy about?", "not_mentioned"),
    ],
)
def test_what_no_document_tells_of_is_refused(make_kb: MakeKb, question: str, reason: str) -> None:
    answer = make_kb({"guide.md": GUIDE}).ask(question)
    assert (answer.refused, answer.kind, answer.reason) == (True, "answer", reason)


def test_an_overview_of_nothing_but_sheets_is_refused(make_kb: MakeKb) -> None:
    answer = make_kb({"a.csv": "town,boats\nBergen,12\n"}).ask("What is this about?")
    assert (answer.refused, answer.kind) == (True, "answer")


def test_copies_are_cited_under_each_of_their_names(make_kb: MakeKb) -> None:
    answer = make_kb({"a.md": GUIDE, "b.md": GUIDE}).ask("tl;dr")
    assert [citation.source for citation in answer.citations[:2]] == ["a.md", "b.md"]
    assert "[1][2]" in answer.text
