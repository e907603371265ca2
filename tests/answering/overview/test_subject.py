"""The name that a document is about."""

from rag.answering.overview.subject import names, naming_the_subject

TEXT = (
    "Today Lexus said that it will come to Shanghai. In Shanghai, Lexus builds. "
    "Nobody but Lexus knows what The Plan is. Perhaps Shanghai does. Sales of Lexus's cars rose."
)


def test_words_with_a_capital_that_begins_no_sentence() -> None:
    assert names(TEXT) == {"Lexus": 4, "Shanghai": 3, "Plan": 1}
    assert not names("no capital here, nor there. Not here. 这里没有大写字母。")


def test_the_sentences_that_have_the_most_frequent_one() -> None:
    sentences = ["Production begins soon.", "Lexusland is a park.", "Lexus builds a plant."]
    assert naming_the_subject(TEXT, sentences) == [2]
    assert naming_the_subject(TEXT, ["Shanghai is large.", "It is old."]) == [0]
    assert naming_the_subject(TEXT, ["It is old."]) == []
