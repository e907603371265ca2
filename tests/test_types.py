"""What documents tell of a position."""

from rag.types import Document, Heading, Page

TEXT = "Guide\nIntro\nUse\nMenus\nKeys\nEnd"


def test_the_headings_above_a_position_outermost_first() -> None:
    levels = {"Guide": 1, "Use": 2, "Menus": 3, "Keys": 3, "End": 2}
    headings = tuple(
        Heading(level, TEXT.index(word), TEXT.index(word) + len(word))
        for word, level in levels.items()
    )
    document = Document("a.md", TEXT, headings=headings)

    def above(word: str) -> list[str]:
        found = document.headings_above(TEXT.index(word))
        return [TEXT[h.start : h.end] for h in found]

    assert above("Intro") == ["Guide"]
    assert above("Keys") == ["Guide", "Use", "Keys"]
    assert above("End") == ["Guide", "End"]
    assert Document("a.md", TEXT).headings_above(9) == ()


def test_the_page_of_a_position() -> None:
    document = Document("a.pdf", "x" * 30, pages=(Page(1, 0, 10), Page(2, 10, 20), Page(4, 25, 30)))
    pages = [document.page_at(position) for position in (0, 9, 10, 19, 20, 25, 29, 30)]
    assert pages == [1, 1, 2, 2, None, 4, 4, None]
    assert Document("a.txt", "x").page_at(0) is None
