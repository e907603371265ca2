"""Rendering: what is escaped, what becomes a button, what is marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.refusal_texts import REASONS, REFUSAL_TEXT, UNSURE_TEXT
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Document,
    Heading,
    Hit,
    Location,
    Mark,
    Page,
    Place,
    PossibleAnswer,
    Span,
)
from rag.web import render
from rag.web.render import Outcome, Running, Turn, View

TEXT = "Title\nLexus sold 851,200 cars [2] in 2024. Nothing else happened.\nThe end.\n"
DOCUMENT = Document(
    "sub/report.pdf",
    TEXT,
    pages=(Page(1, 0, 47), Page(2, 47, len(TEXT))),
    headings=(Heading(1, 0, 5),),
)
QUOTE = "Lexus sold 851,200 cars [2] in 2024."


class Reading(HTMLParser):
    """What a browser would see: tags, their attributes, the text, and the text in each tag."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.within: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(str(markup))
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        self.within.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag in set(self._open):
            self.within[tag][-1] += data


def hit(start: int, end: int, document: Document = DOCUMENT) -> Hit:
    return Hit(Chunk(document, start, end), 0.9, 0.5, 3.0)


def citation(number: int, quote: str, document: Document = DOCUMENT) -> Citation:
    start = document.text.index(quote)
    return Citation(number, hit(0, len(document.text), document), start, start + len(quote))


ANSWER = Answer(
    "How many?",
    f"{QUOTE} [1] The end. [2]",
    short="851,200",
    confidence=0.93,
    answerer="words",
    citations=(citation(1, QUOTE), citation(2, "The end.")),
    seconds={"total": 0.25},
)


def test_markers_are_buttons_but_a_documents_own_brackets_are_text() -> None:
    seen = Reading(render.answer_text(ANSWER, turn=3))
    assert seen.text == ANSWER.text
    assert seen.within["button"] == ["[1]", "[2]"]
    buttons = [attributes for tag, attributes in seen.tags if tag == "button"]
    assert [(b["data-turn"], b["data-number"]) for b in buttons] == [("3", "1"), ("3", "2")]
    assert buttons[0]["aria-label"] == "Citation 1: sub/report.pdf, page 1"
    assert seen.within["strong"] == ["851,200"]


def test_a_quote_whose_line_breaks_became_spaces_keeps_its_own_brackets() -> None:
    document = Document("a.txt", "Sold\n[1]  cars.")
    answer = Answer("?", "Sold [1] cars. [1]", citations=(citation(1, document.text, document),))
    markup = render.answer_text(answer, 0)
    assert Reading(markup).within["button"] == ["[1]"]
    assert markup.startswith("Sold [1] cars. <button")


def test_a_number_without_a_citation_is_text() -> None:
    assert render.answer_text(replace(ANSWER, text="So [7].", short=None), 0) == "So [7]."


def test_bold_may_span_a_marker() -> None:
    answer = replace(ANSWER, text="a b [2] c d", short="b [2] c")
    seen = Reading(render.answer_text(answer, 0))
    assert seen.text == "a b [2] c d"
    assert seen.within["strong"] == ["b ", " c"]


NASTY = st.text(alphabet=st.sampled_from(list("<>&\"'[]()12 \n`$*{}!/=x漢é\u202e")), max_size=60)


@given(text=NASTY, source=NASTY, short=NASTY)
def test_whatever_the_text_the_only_tags_are_ours(text: str, source: str, short: str) -> None:
    document = Document(source, text or "x")
    cited = Citation(1, hit(0, len(document.text), document), 0, len(document.text))
    answer = Answer(text, f"{text} [1]", short=short, confidence=0.5, citations=(cited,))
    refusal = Answer(
        text, f"{REFUSAL_TEXT} {text}", refused=True, reason="not_stated", hits=(cited.hit,)
    )
    view = View(document, 0, len(document.text), {"source": source}, source, source)
    ours = {"div", "article", "button", "p", "b", "strong", "ul", "ol", "li", "span", "br"}
    ours |= {"section", "header", "h2", "mark", "footer", "i", "code", "small", "progress"}
    for markup in (
        render.transcript([Turn(text, answer, error=text, done=True), Turn(text, refusal)]),
        render.source_panel(view, 1),
        render.missing_panel(source, 1),
        render.documents({source: text, source + "b": text}, asking=source),
        render.running(Running(text, 1, source, 1, 2, 3.0), 2),
        render.outcome(Outcome(1, [source], failed=[(source, text)], error=text)),
        render.status([text]),
        render.welcome(0, (), source) + render.welcome(1, [text], source) + render.alert(text),
    ):
        seen = Reading(markup)
        assert {tag for tag, _ in seen.tags} <= ours
        names = {name for _, attributes in seen.tags for name in attributes}
        assert not any(name.startswith("on") or name in ("href", "src") for name in names)


@given(text=NASTY.filter(bool), data=st.data())
def test_the_mark_is_exactly_the_quote(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    radius = data.draw(st.integers(0, 30))
    markup = render.source_panel(View(Document("a", text), start, end, {}, radius=radius), 1)
    marked = re.search(r"<mark[^>]*>(.*?)</mark>", markup, re.DOTALL)
    assert marked is not None
    assert unescape(marked[1]) == text[start:end]


def test_the_source_panel_shows_page_headings_and_where_pages_begin() -> None:
    start = TEXT.index(QUOTE)
    markup = render.source_panel(
        View(DOCUMENT, start, start + len(QUOTE), {"turn": 0, "number": 1}, "Citation 1"), 7
    )
    seen = Reading(markup)
    assert "Citation 1 · page 1 · Title" in seen.text
    assert TEXT in seen.text, "a short document is shown whole"
    assert "Show more" not in seen.text
    assert ("span", {"class": "page", "data-page": "Page 2"}) in seen.tags
    assert "Characters 6–42 of 75" in seen.text


def test_the_source_panel_names_rows_and_slides() -> None:
    where = (Place("S", 0, 1), Place("S", 3, 10, 7))
    rows = Document("a.xlsx", "S\n\none\ntwo", headings=(Heading(1, 0, 1),), places=where)
    shown = Reading(render.source_panel(View(rows, 7, 10, {}, "Citation 1"), 1))
    assert shown.within["p"][0] == "Citation 1 · S, row 8"
    pages, places = (Page(1, 0, 2), Page(2, 2, 3)), (Place("slide 1", 0, 2), Place("slide 2", 2, 3))
    deck = Document("a.pptx", "x\ny", pages=pages, places=places)
    seen = Reading(render.source_panel(View(deck, 0, 1, {}), 1))
    assert "slide 1" in seen.text
    assert ("span", {"class": "page", "data-page": "Slide 2"}) in seen.tags


def test_an_excerpt_cuts_no_word_and_can_grow() -> None:
    text = "word " * 1000
    start, end = render.excerpt(text, 2500, 2504, radius=102)
    assert text[start:end].split() == ["word"] * ((end - start) // 5 + 1)
    assert (start, end) == (2395, 2609)
    markup = render.source_panel(View(Document("a", text), 2500, 2504, {"turn": 2}, radius=102), 1)
    buttons = [a for tag, a in Reading(markup).tags if tag == "button" and "data-radius" in a]
    assert [(b["data-turn"], b["data-radius"]) for b in buttons] == [
        ("2", "408"),
        ("2", str(render.MAX_SHOWN_CHARS)),
    ]


def test_an_answer_has_chips_confidence_and_time_only_when_done() -> None:
    growing = Reading(render.transcript([Turn("How many?", ANSWER)]))
    done = Reading(render.transcript([Turn("How many?", ANSWER, done=True)]))
    assert "sub/report.pdf" not in growing.text
    assert "1 sub/report.pdf, page 1" in done.text
    assert "High confidence, 93%" in done.text
    assert "Quoted from the documents" in done.text
    assert "0.2 s" in done.text


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "High confidence, 100%"), (0.5, "Fair confidence, 50%"), (0.2, "Low confidence, 20%")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert render.confidence_words(confidence) == words


def test_a_refusal_says_why_once_and_shows_three_passages() -> None:
    refusal = Answer(
        "?",
        f"{REFUSAL_TEXT} {REASONS['not_stated']}",
        refused=True,
        reason="not_stated",
        confidence=0.04,
        hits=tuple(hit(i, i + 20) for i in range(5)),
    )
    seen = Reading(render.transcript([Turn("?", refusal, done=True)]))
    assert seen.text.count(REASONS["not_stated"]) == 1
    assert [b for tag, b in seen.tags if b.get("class") == "passage"] == [
        {
            "type": "button",
            "class": "passage",
            "data-event": "show",
            "data-turn": "0",
            "data-index": str(i),
        }
        for i in range(3)
    ]
    assert "likely" not in seen.text, "what is likely is said of a candidate alone"


def test_the_best_candidate_of_a_refusal_is_a_button_with_its_words_marked() -> None:
    cited = citation(1, "Lexus sold 851,200 cars")
    words = Span(cited.hit, cited.start + 11, cited.start + 18, 0.31)
    refusal = Answer(
        "?", UNSURE_TEXT, refused=True, reason="not_stated", perhaps=PossibleAnswer(cited, words)
    )
    seen = Reading(render.transcript([Turn("?", refusal, done=True)]))
    assert UNSURE_TEXT in seen.text
    assert seen.within["mark"] == ["851,200"]
    assert "31% likely to be right" in seen.text
    assert {"data-event": "show", "data-turn": "0", "data-perhaps": "1"}.items() <= next(
        b for tag, b in seen.tags if b.get("class") == "passage perhaps"
    ).items()


def test_an_unrelated_refusal_shows_no_passages() -> None:
    refusal = Answer("?", REFUSAL_TEXT, refused=True, reason="nothing_relevant", hits=(hit(0, 20),))
    seen = Reading(render.transcript([Turn("?", refusal, done=True)]))
    assert REASONS["nothing_relevant"] in seen.text
    assert seen.within["button"] == ["Not right?"]


def test_an_ungrounded_answer_is_marked_and_claims_no_confidence() -> None:
    answer = Answer("?", "The moon.", reason="not_grounded", confidence=0.9, answerer="gpt <x>")
    turn = Turn("?", answer, "llm", done=True)
    seen = Reading(render.transcript([turn]))
    assert "Not grounded in the documents." in seen.text
    assert "Written by gpt <x>" in seen.text
    assert "confidence" not in seen.text


def test_documents_are_filtered_and_only_the_one_in_question_asks() -> None:
    listed = dict.fromkeys(["a.txt", "B.txt", "ab.pdf"], "")
    seen = Reading(render.documents(listed, "B", asking="ab.pdf"))
    assert "a.txt" not in seen.text
    assert "B.txt" in seen.text
    assert [a["data-source"] for _, a in seen.tags if a.get("data-event") == "remove"] == ["ab.pdf"]
    many = Reading(render.documents({f"{i}.txt": "" for i in range(render.MAX_LISTED + 7)}))
    assert "and 7 more" in many.text


def test_a_document_is_called_by_its_title_with_the_file_beside_it() -> None:
    titles = {"a_4d99.txt": "Lexus Confirms <b>Local</b> Production!", "b.txt": ""}
    seen = Reading(render.documents(titles))
    assert "Lexus Confirms <b>Local</b> Production! a_4d99.txt" in seen.text
    assert [a["aria-label"] for _, a in seen.tags if a.get("class") == "name"] == [
        "Open Lexus Confirms <b>Local</b> Production! (a_4d99.txt)",
        "Open b.txt",
    ]
    for query in ("lexus confirms", "4D99"):
        found = Reading(render.documents(titles, f" {query} ")).text
        assert "a_4d99.txt" in found
        assert "b.txt" not in found
    document = replace(DOCUMENT, title="A Walk")
    cited = Citation(1, hit(0, 5, document), 0, 5)
    answer = Answer("?", "words [1]", confidence=0.9, citations=(cited,))
    refusal = Answer("?", REFUSAL_TEXT, refused=True, reason="not_stated", hits=(cited.hit,))
    for turn in (Turn("?", answer, done=True), Turn("?", refusal, done=True)):
        assert f"A Walk {DOCUMENT.source}" in Reading(render.transcript([turn])).text
    panel = Reading(render.source_panel(View(document, 0, 5, {}, "Citation 1"), 1)).text.split("\n")
    assert list(filter(None, panel))[:2] == [
        "A Walk",
        f"{DOCUMENT.source} · Citation 1 · page 1 · Title",
    ]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Lexus Confirms Local Production in China!", "Lexus Confirms Local Production in China!"),
        ("Dune: Part Two", "Dune: Part Two"),
        ("Où va-t-on\xa0?", "Où va-t-on ?"),
        ("日本の電気自動車", "日本の電気自動車"),
        ("A " + "long " * 40 + "title", "A " + "long " * 17 + "…"),
        ("", ""),
        ("the first line of a text that is wrapped", ""),
        ("We went to the shop, which was closed, and then to the", ""),
        ("2024-01-01 12:00:03,111 [17] INFO up", ""),
        ("Name\tAge\tTown", ""),
        ("STATUS: FNL", ""),
        ("From: John Smith <john@example.org>", ""),
        ("=====", ""),
        ("{", ""),
    ],
)
def test_a_title_is_shown_where_it_reads_like_one(title: str, shown: str) -> None:
    assert render.shown_title(title) == shown


def test_work_tells_how_far_it_is_and_can_be_cancelled() -> None:
    work = Running("Adding 3 files", 7, "Reading a.pdf (1 of 3)", 250, 1000, 200.0)
    seen = Reading(render.running(work, waiting=1))
    assert "Reading a.pdf (1 of 3)…" in seen.text
    assert "25% · about 3 minutes left · 1 more change waits" in seen.text
    bar = next(attributes for tag, attributes in seen.tags if tag == "progress")
    assert (bar["value"], bar["max"]) == ("250", "1000")
    cancel = next(a for _, a in seen.tags if a.get("data-event") == "cancel_work")
    assert cancel["data-number"] == "7"
    for other in (replace(work, stopping=True), replace(work, number=None)):
        assert "cancel_work" not in render.running(other)
    unknown = Reading(render.running(Running("Adding", 1, "Starting")))
    assert "value" not in next(a for tag, a in unknown.tags if tag == "progress")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "less than a minute left"),
        (62, "about a minute left"),
        (200, "about 3 minutes left"),
        (7300, "about 2 hours left"),
    ],
)
def test_the_time_left_is_told_as_coarsely_as_it_is_known(seconds: float, words: str) -> None:
    assert render.time_left(seconds) == words


def test_a_report_is_said_in_sentences_until_it_is_dismissed() -> None:
    report = Outcome(4, ("a", "b", "c", "d"), ("e",), ("f",), [("<g>", "is empty")])
    seen = Reading(render.outcome(report))
    for said in ("Added a, b and 2 more.", "Updated e.", "Removed f.", "1 file could not be read:"):
        assert said in seen.text
    assert "<g>: is empty" in seen.text
    dismiss = next(a for _, a in seen.tags if a.get("data-event") == "dismiss")
    assert dismiss["data-number"] == "4"
    assert "Nothing has changed." in Reading(render.outcome(Outcome(1))).text
    stopped = Reading(render.outcome(Outcome(1, ("a",), stopped=True, left=2))).text
    assert "Stopped.\nAdded a.\n2 files are not indexed yet" in stopped
    many = [(f"{i}.txt", "is empty") for i in range(render.MAX_FAILURES + 3)]
    assert "and 3 more" in Reading(render.outcome(Outcome(1, failed=many))).text


def test_the_source_panel_shows_pages_with_their_pictures() -> None:
    pages = (
        Location(0, 5, "page 1", 1, (Mark(0.25, 0.5, 0.75, 0.625),) * 2),
        Location(5, 9, "page 2", 2, ()),
    )
    document = replace(DOCUMENT, source='a&b/<c>"?.pdf')
    start = TEXT.index(QUOTE)
    view = View(document, start, start + len(QUOTE), {"turn": 0, "number": 1}, pages=pages)
    seen = Reading(render.source_panel(view, 1))
    pictures = [attributes for tag, attributes in seen.tags if tag == "img"]
    path = "v1/pages/a%26b/%3Cc%3E%22%3F.pdf?start=6&end=42"
    assert [picture["src"] for picture in pictures] == [f"{path}&page=1", f"{path}&page=2"]
    assert pictures[1]["alt"] == 'Page 2 of a&b/<c>"?.pdf'
    spots = [
        attributes["style"] for tag, attributes in seen.tags if attributes.get("class") == "spot"
    ]
    assert spots == ["left:25.00%;top:50.00%;width:50.00%;height:12.50%"]
    assert "is not known" not in seen.text
    unmarked = Reading(render.source_panel(replace(view, pages=pages[1:]), 1))
    assert "Where the words stand on the page is not known." in unmarked.text
    plain = Reading(render.source_panel(replace(view, pages=()), 1))
    assert not [tag for tag, attributes in plain.tags if "tab" in str(attributes.get("class"))]
