"""What is indexed for a chunk beside its own words."""

from __future__ import annotations

from rag.text.index_text import CONTEXT_BYTES, contexts_under, index_context, index_text
from rag.types import Chunk, Document, Heading

TEXT = "Guide\n\nUse\n\nOpen a file.\n![](http://a.example/secret.png)\nSave it."
GUIDE = Document("a.md", TEXT, "Guide", headings=(Heading(1, 0, 5), Heading(2, 7, 10)))
BODY = TEXT.index("Open")


def test_it_carries_the_headings_above_and_no_noise() -> None:
    chunk = Chunk(GUIDE, BODY, len(TEXT))
    assert index_text(chunk) == "Guide > Use\nOpen a file.\nSave it."


def test_a_heading_in_the_chunk_is_not_put_before_it() -> None:
    assert index_context(Chunk(GUIDE, 7, len(TEXT))) == "Guide"
    assert index_context(Chunk(GUIDE, 0, len(TEXT))) == ""


def test_what_a_chunk_carries_is_one_of_the_contexts_of_its_section() -> None:
    contexts = contexts_under(GUIDE, BODY)
    assert contexts == ["\n", "Guide\n", "Guide > Use\n"]


def test_long_headings_keep_their_end_within_the_limit() -> None:
    text = f"{'é' * 400} end\n\nBody."
    document = Document("a.md", text, headings=(Heading(1, 0, 404),))
    context = index_context(Chunk(document, 406, len(text)))
    assert context.endswith("é end")
    assert CONTEXT_BYTES - 1 <= len(context.encode()) <= CONTEXT_BYTES
