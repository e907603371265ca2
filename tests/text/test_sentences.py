"""Sentence borders."""

import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.sentences import is_noise, sentence_spans, without_noise


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One ends. Two ends! Three?", ["One ends.", "Two ends!", "Three?"]),
        ("Dr. Smith met J. K. Rowling at 5 p.m. on Monday.", 1),
        ("It cost 3.5 million. Nobody paid.", ["It cost 3.5 million.", "Nobody paid."]),
        ("See No. 5 and Fig. 2 for more.", 1),
        ("He said no. Then he left.", ["He said no.", "Then he left."]),
        ("“Stop!” he cried. She did.", ["“Stop!” he cried.", "She did."]),
        ("They have won.Now, it is time.", ["They have won.", "Now, it is time."]),
        ("他去了北京。然后回来！好吗？", ["他去了北京。", "然后回来！", "好吗？"]),
        ("「行く。」と言った。次の日。", ["「行く。」", "と言った。", "次の日。"]),
        ("Am 1. Januar 2020 kam z. B. Herr Müller. Er ging.", 2),
        ("Es kostet 5 Euro. Das ist viel.", 2),
        ("¿Quién vino? Nadie.", ["¿Quién vino?", "Nadie."]),
        ("A line without an end\n\nAnother paragraph", 2),
        ("好！！太好了。", ["好！！", "太好了。"]),
        ("他说“好！”然后走了。", ["他说“好！”", "然后走了。"]),
        ("Wait...? No. . . Yes.", ["Wait...?", "No.", ".", ".", "Yes."]),
        ("1. First item\n2. Second item\n- third", 3),
        ("Year: 2023 | Sales: 5\nYear: 2024 | Sales: 6", 2),
        ("", []),
        (" \n\t\n ", []),
    ],
)
def test_borders(text: str, sentences: list[str] | int) -> None:
    found = split(text)
    assert found == sentences if isinstance(sentences, list) else len(found) == sentences


def test_wrapped_lines_are_one_sentence() -> None:
    text = (
        "This sentence was written by an editor that breaks its lines near the\n"
        "seventieth column, so its end is two lines down from where it began,\n"
        "as anyone can see. A second one follows."
    )
    assert split(text) == [text[: text.index(" A second")], "A second one follows."]


def test_short_lines_are_sentences_of_their_own() -> None:
    assert split("Opening hours\nMonday 9 to 5\nTuesday closed") == [
        "Opening hours",
        "Monday 9 to 5",
        "Tuesday closed",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "From: Ann <ann@x.example>\nTo: bob@x.example\nSubject: Plans for the summer of this year",
        "name: Acme\naddress.city: Bern\naddress.zip: 3000\ntags: a, b",
        "version = 1\nname = rag\nrequires-python = 3.11",
        "    total = a + b\n    self.rest = total - a\n    it.rest /= 2\n    done = total",
        '"key": "value",\n"other key": "value",\n"third": 5',
        "> reply: quoted\n> other: quoted",
    ],
)
def test_lines_with_keys_are_sentences_of_their_own(text: str) -> None:
    assert split(text) == [line.strip() for line in text.split("\n")]


def test_a_colon_within_wrapped_text_ends_nothing() -> None:
    text = (
        "He made a list of all that he\nneeded: bread, butter and\nmilk for the rest of the week."
    )
    assert split(text) == [text]


@pytest.mark.parametrize(
    "line",
    [
        "![](http://a.example/x.png)",
        "[home](/index)",
        "<http://a.example>",
        "---",
        "* * *",
        "|---|",
        "1. [home](/index) | [about](/about)",
        '<img alt="a<b" src="x.png">',
        "https://a " * 40,
    ],
)
def test_lines_without_words_are_in_no_sentence(line: str) -> None:
    assert is_noise(line)
    text = f"Before it.\n{line}\nAfter it."
    assert split(text) == ["Before it.", "After it."]
    assert without_noise(text) == "Before it.\nAfter it."


def test_a_link_within_words_stays() -> None:
    assert not is_noise("See [the report](http://a.example) for more.")


_LINE = "the words of this line are followed by those of one that comes right after …\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        _LINE,
        "A sentence of a text without any line break. ",
        "word ",
        ".",
        "....x",
        "!。x",
        " ",
        "a. ",
        "1. ",
        "https://a ",
        "https://a",
        "[a](b) ",
        "[",
        "![](",
        "(",
        "<img ",
        ".)",
        "- ",
    ],
)
def test_time_grows_with_the_size_alone(unit: str) -> None:
    def seconds(size: int) -> float:
        many = unit * (size // len(unit))
        text = f"{many}x\n\n{many} x"  # what follows decides whether the last match fails
        times = []
        for _ in range(3):
            begin = time.process_time()
            sentence_spans(text)
            times.append(time.process_time() - begin)
        return statistics.median(times)

    assert seconds(240_000) < 10 * seconds(60_000)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from(" .\n!?。Aa1")))
def test_spans_are_ordered_trimmed_and_cover_all_words(text: str) -> None:
    spans = sentence_spans(text)
    position = 0
    outside = ""
    for start, end in spans:
        assert position <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        outside += text[position:start]
        position = end
    outside += text[position:]
    assert all(is_noise(line) for line in outside.split("\n"))
