"""Markdown: the source is the text, headings are spans of it."""

import pytest

from rag.load.registry import load_bytes
from rag.types import Document


def headings(document: Document) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start : h.end]) for h in document.headings]


def test_headings_of_both_kinds_but_not_in_code() -> None:
    source = (
        "Intro\r\n# One #\r\ntext\n\n```sh\n# no heading\n```\n\n    # no heading\n\n"
        "Two\n===\n\n  ### **Three** `x` ###\n\nFour\n  lines\n---\n\n#hashtag\n> # quoted\n"
    )
    document = load_bytes(source.encode(), "a.md")
    assert document.text == source.replace("\r\n", "\n")
    assert headings(document) == [
        (1, "One"),
        (1, "Two"),
        (3, "**Three** `x`"),
        (2, "Four\n  lines"),
    ]
    assert document.title == "One"


def test_heading_words_that_also_stand_before() -> None:
    document = load_bytes(b"# a\n\nb\n\n## a\n\n## # #\n", "a.md")
    assert [(h.level, h.start, h.end) for h in document.headings][:2] == [(1, 2, 3), (2, 11, 12)]


@pytest.mark.parametrize(
    ("front", "title"),
    [
        ('---\ntitle: "The title"\ndate: 2024\n---\n', "The title"),
        ("---\ndate: 2024\ntitle: It's here\n...\n", "It's here"),
        ('+++\ntitle = "TOML"\n+++\n', "TOML"),
        ("---\ndate: 2024\n---\n", ""),
    ],
)
def test_front_matter_is_no_heading(front: str, title: str) -> None:
    document = load_bytes(f"{front}\n## Section\n\nText".encode(), "a.md")
    assert document.text.startswith(front)
    assert headings(document) == [(2, "Section")]
    assert document.title == title


def test_a_first_heading_beats_front_matter_and_loses_its_marks() -> None:
    source = b"---\ntitle: front\n---\n# The *real* [title](x.md) `code`\n"
    assert load_bytes(source, "a.md").title == "The real title code"
