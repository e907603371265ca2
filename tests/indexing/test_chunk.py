"""Chunks: exact offsets, whole sentences, limits and headings, on plain and on nasty text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rag.embed import BundledEmbedder, HashingEmbedder
from rag.indexing.chunk import Limit, chunk, count_tiktoken
from rag.text.index_text import index_context, index_text
from rag.text.sentences import sentence_spans
from rag.types import Chunk, Document, Heading

WORDS = Limit(HashingEmbedder().count_tokens, 200)


def cut(document: Document, max_tokens: int = 40, overlap: int = 1) -> list[Chunk]:
    return chunk(document, max_tokens=max_tokens, overlap=overlap, embedder_limit=WORDS)


def numbered(count: int) -> str:
    return " ".join(f"This is sentence number {i} of the text." for i in range(count))


def test_whole_sentences_with_one_shared() -> None:
    document = Document("a.txt", numbered(12))
    chunks = cut(document)
    borders = sentence_spans(document.text)
    starts, ends = zip(*borders, strict=True)
    assert len(chunks) > 2
    for before, after in itertools.pairwise(chunks):
        assert after.start in starts
        assert before.end in ends
        shared = document.text[after.start : before.end]
        assert sentence_spans(shared) == [(0, len(shared))]
        assert count_tiktoken([before.text])[0] <= 45


def test_without_overlap_no_sentence_comes_twice() -> None:
    document = Document("a.txt", numbered(12))
    chunks = cut(document, overlap=0)
    assert " ".join(c.text for c in chunks) == document.text


def with_headings() -> Document:
    text = "Guide\n\nInstall\n\nRun the installer. Wait.\n\nUse\n\nOpen a file. Save it."
    at = text.index
    headings = (
        Heading(1, 0, 5),
        Heading(2, at("Install"), at("Install") + 7),
        Heading(2, at("Use"), at("Use") + 3),
    )
    return Document("a.md", text, "Guide", headings=headings)


def test_a_chunk_stays_under_one_heading() -> None:
    chunks = cut(with_headings(), max_tokens=100)
    assert [c.text for c in chunks] == [
        "Guide\n\nInstall\n\nRun the installer. Wait.",
        "Use\n\nOpen a file. Save it.",
    ]


def test_image_lines_are_not_indexed_but_counted() -> None:
    text = "Before the image.\n![](http://a.example/secret.png)\nAfter the image."
    (only,) = cut(Document("a.txt", text))
    assert only.text == text
    assert index_text(only) == "Before the image.\nAfter the image."


NASTY = [
    "漢字かな交じり文。" * 80,
    "👩‍👩‍👧‍👦👍🏽é🇩🇪 " * 60,
    "First line.\nSecond line, no final newline",
    "x" * 10_000,
    "",
    " \n ",
    "ไทยไม่มีช่องว่าง" * 60,
    "a\u0301" * 500,
    "![](http://a.example/b.png)\n" * 30,
    "e" + "\u0301" * 1200,
    "a\u200d" * 600,
]


TEXTS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("ab .\n。!"),
    max_size=600,
) | st.lists(st.sampled_from([*NASTY, "a b c. " * 200]), max_size=3).map(" ".join)
NAMES = st.sampled_from(["", "Short", "漢字 " * 50, "a b " * 60, "Words of a long name " * 9])


def with_sections(title: str, sections: list[tuple[str, int, str]]) -> Document:
    """A document of sections ``(heading, its level, text)``."""
    text = ""
    headings = []
    for name, level, body in sections:
        if name.strip():
            headings.append(Heading(level, len(text), len(text) + len(name.strip())))
            text += name.strip() + "\n\n"
        text += body + "\n\n"
    return Document("nasty.txt", text, title, headings=tuple(headings))


@settings(max_examples=60)
@given(
    st.builds(
        with_sections,
        NAMES,
        st.lists(st.tuples(NAMES, st.integers(1, 3), TEXTS), max_size=4),
    ),
    st.integers(0, 2),
    st.sampled_from([40, 400]),
)
@example(Document("nasty.txt", "x" * 10_000), 1, 40)
@example(with_sections("", [("a b " * 60, 1, "a b c. " * 200)]), 1, 400)
def test_offsets_limits_and_coverage(document: Document, overlap: int, max_tokens: int) -> None:
    text = document.text
    limit = Limit(HashingEmbedder().count_tokens, 100)
    chunks = chunk(document, max_tokens=max_tokens, overlap=overlap, embedder_limit=limit)
    borders = sorted({0, len(text)} | {p for h in document.headings for p in (h.start, h.end)})
    sentences = [s for a, b in itertools.pairwise(borders) for s in sentence_spans(text, a, b)]
    covered = {i for c in chunks for i in range(c.start, c.end)}
    for c in chunks:
        assert 0 <= c.start < c.end <= len(text)
        assert c.text == text[c.start : c.end] == c.text.strip()
        assert limit.count([index_text(c)])[0] <= limit.maximum
    for start, end in sentences:  # each sentence is covered, in one chunk or in pieces
        assert all(text[i].isspace() for i in set(range(start, end)) - covered)
    assert sorted(chunks, key=lambda c: (c.start, c.end)) == chunks


@pytest.mark.parametrize(
    "text", ["e" + "\u0301" * 20_000, "a\u200d" * 10_000, "a" + "\U0001f3fd" * 9_000]
)
def test_a_letter_with_endless_marks_is_cut_in_few_rounds(text: str) -> None:
    rounds = 0

    def counted(texts: list[str]) -> list[int]:
        nonlocal rounds
        rounds += 1
        return [len(text) for text in texts]

    limit = Limit(counted, 100)  # type: ignore[arg-type]
    chunks = chunk(Document("a.txt", text), max_tokens=40, overlap=1, embedder_limit=limit)
    assert (chunks[0].start, chunks[-1].end) == (0, len(text))
    assert rounds < 60 + len(chunks) * 3


@settings(max_examples=40)
@given(
    st.text(
        alphabet=st.sampled_from("e\u0301\u0489\u200d\ufe0f\U0001f3fb\u0e33\u1100 .\n"),
        max_size=3000,
    )
)
def test_marks_and_joiners_in_any_order_are_covered(text: str) -> None:
    chunks = cut(Document("a.txt", text))
    covered = {i for c in chunks for i in range(c.start, c.end)}
    for start, end in sentence_spans(text):
        assert all(text[i].isspace() for i in set(range(start, end)) - covered)


def test_room_is_kept_for_the_headings_that_later_chunks_carry() -> None:
    document = with_sections("", [("a b " * 25, 1, "One two three. " * 100)])
    limit = Limit(HashingEmbedder().count_tokens, 100)
    chunks = chunk(document, max_tokens=400, overlap=0, embedder_limit=limit)
    counts = limit.count([index_text(c) for c in chunks])
    assert max(counts) <= 100
    assert min(counts[1:-1]) > 90  # the room is used


@pytest.mark.parametrize("text", NASTY)
def test_the_bundled_model_reads_every_chunk_whole(model: BundledEmbedder, text: str) -> None:
    limit = Limit(model.count_tokens, model.max_tokens)
    document = Document("nasty.txt", text, title="Überschrift " * 30)
    chunks = chunk(document, max_tokens=160, overlap=1, embedder_limit=limit)
    assert bool(chunks) == bool(sentence_spans(text))
    assert all(n <= model.max_tokens for n in model.count_tokens([index_text(c) for c in chunks]))


UNUSUAL = " ".join(
    f"{w}{'.' * (i % 9 == 8)}"
    for i, w in enumerate(
        "".join("bcdfghjklmnpqrstvwxz"[(i * 7 + k * k * 3) % 20] for k in range(9))
        for i in range(300)
    )
)


@pytest.mark.parametrize(
    ("heading", "body", "max_tokens"),
    [
        ("عنوان الفصل الأول من الكتاب الطويل " * 3, "هذا نص عربي عن المدينة. " * 300, 160),
        ("عنوان الفصل الأول من الكتاب الطويل " * 3, "هذا نص عربي عن المدينة. " * 300, 400),
        ("漢字の見出しはとても長いものです" * 7, UNUSUAL, 160),
        ("漢字の見出しはとても長いものです" * 7, UNUSUAL, 400),
        ("한국어 제목은 아주 깁니다 " * 10, "한국어 문장은 이렇게 쓰여 있습니다. " * 200, 160),
        ("?! " * 100, "1, 2; 3: 4. " * 300, 400),
    ],
)
def test_the_bundled_model_reads_chunks_under_long_headings_whole(
    model: BundledEmbedder, heading: str, body: str, max_tokens: int
) -> None:
    document = with_sections("", [(heading, 1, body)])
    limit = Limit(model.count_tokens, model.max_tokens)
    chunks = chunk(document, max_tokens=max_tokens, overlap=1, embedder_limit=limit)
    counts = model.count_tokens([index_text(c) for c in chunks])
    assert len(chunks) > 2
    assert max(counts) <= model.max_tokens
    assert all(index_context(c) for c in chunks[2:])


def test_a_cut_word_keeps_its_combining_marks() -> None:
    chunks = cut(Document("a.txt", "a\u0301" * 900), overlap=0)
    assert len(chunks) > 1
    assert all(c.text[0] == "a" for c in chunks)
