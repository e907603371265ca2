"""What a question says otherwise than a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering.read.contrast import contrast, opposites_of, others_of, stated_instead
from training.opposites import pairs


@pytest.mark.parametrize(
    ("question", "sentence", "pair"),
    [
        ("Who won the war?", "Napoleon lost the war.", ("won", "lost")),
        ("What is indirectly derived?", "It is directly derived.", ("indirectly", "directly")),
        (
            "Who is eligible to vote?",
            "Foreigners are ineligible to vote.",
            ("eligible", "ineligible"),
        ),
        ("Which strings have mass?", "Ideal strings are massless.", ("mass", "massless")),
        ("What is non-linear?", "The law is linear.", ("non-linear", "linear")),
    ],
)
def test_opposites(question: str, sentence: str, pair: tuple[str, str]) -> None:
    found = contrast(question, sentence)
    assert found.opposites == (pair,)
    assert (found.others, found.numbers, found.negated) == ((), (), False)
    assert found.pairs == (pair,)


def test_another_of_a_group_and_another_number() -> None:
    found = contrast(
        "Who came in May 1066?", "The duke came in April 1067 with 700 ships.", "The duke"
    )
    assert found.others == (("may", "april"),)
    assert found.numbers == (("1066", "1067"),)  # 700 is no year


def test_what_both_say_contradicts_nothing() -> None:
    sentence = "Sales rose in the north and fell in the south from 5 to 4 million."
    question = "Where did sales fall from 5 to 4 million, in the north or in the south?"
    assert contrast(question, sentence).pairs == ()


def test_numbers_of_the_answer_are_what_was_asked_for() -> None:
    sentence = "In 2023 the plant made 2,555 cars."
    assert contrast("How many of 9 plants made cars in 2023?", sentence, "2,555").numbers == ()
    assert contrast("How many cars were made in 2019?", sentence, "2,555").numbers == (
        ("2019", "2023"),
    )


@pytest.mark.parametrize(
    ("question", "sentence", "negated"),
    [
        ("Who did not vote?", "The peers voted.", True),
        ("Who did not vote?", "The peers never voted.", False),
        ("Who voted?", "The peers never voted.", False),
        ("What wasn't built?", "A castle was built.", True),
    ],
)
def test_negation(question: str, sentence: str, negated: bool) -> None:
    assert contrast(question, sentence).negated is negated


def test_tables() -> None:
    assert "cheap" in opposites_of("Expensive")
    assert opposites_of("brewery") == frozenset()
    assert others_of("April") >= {"may", "december"}
    assert others_of("brewery") == frozenset()


def test_pairs_are_made_in_every_form(tmp_path: Path) -> None:
    header = "  1 a licence\n"
    verbs = (
        "00000001 33 v 01 win 0 001 ! 00000002 v 0101 01 + 08 00 | be the best\n"
        "00000002 33 v 02 lose 0 fail 0 001 ! 00000001 v 0101 01 + 08 00 | be not\n"
    )
    adjectives = (
        "00000003 00 a 01 clean 0 001 ! 00000004 a 0101 | without dirt\n"
        "00000004 00 a 01 unclean 0 001 ! 00000003 a 0101 | with dirt\n"
    )
    texts = {"noun": "", "verb": verbs, "adj": adjectives, "adv": ""}
    for part, text in texts.items():
        (tmp_path / f"data.{part}").write_text(header + text, encoding="utf-8")
        (tmp_path / f"{part}.exc").write_text("", encoding="utf-8")
    (tmp_path / "verb.exc").write_text("won win\nwinning win\nlost lose\n", encoding="utf-8")
    found = pairs(tmp_path, {"win", "wins", "won", "winning", "clean", "cleaner", "cleanly"})
    assert found >= {
        ("lose", "win"),
        ("lost", "won"),
        ("losing", "winning"),
        ("clean", "unclean"),
        ("cleanly", "uncleanly"),
    }
    assert not any("fail" in pair and "win" in pair for pair in found)


@pytest.mark.parametrize(
    ("question", "sentence", "pair"),
    [
        ("What did early Medieval ideas say?", "It is a late Medieval idea.", ("early", "late")),
        ("Who knew Eastern Medicine?", "He practised Western Medicine.", ("eastern", "western")),
        ("What are the three forces?", "There are four forces.", ("three", "four")),
        # opposites, but of different things
        ("Who gave up East Lothian?", "The SNP took seats, but Gray kept East Lothian.", None),
        ("Which larger car came with air conditioning?", "A car without a roof sold well.", None),
        # other numbers, but of different things
        ("How many cars will 200,000 buyers get?", "Sales rose by 3.3 per cent.", None),
        ("What did Japan receive of 71% of oil?", "It received a 5% production cut.", None),
    ],
)  # fmt: skip
def test_what_is_stated_instead_stands_beside_the_same_word(
    question: str, sentence: str, pair: tuple[str, str] | None
) -> None:
    assert stated_instead(question, sentence) == pair
