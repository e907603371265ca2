"""Word pieces and their layout: those of the tokenizers library and the program's own."""

from __future__ import annotations

from library_unigram import library_unigram, own_unigram
from tokenizers import processors

from rag.answering.read.layout import Layout, WordPieces, word_pieces
from rag.answering.read.windows import Passage, cut

PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
PIECES += [("▁", -2.0), ("▁a", -3.0), ("a", -4.0), ("b", -4.0), (".", -4.0), ("?", -4.0)]
TEXT = "xx ab  aa ½. \u00a0a b\nba.   Aa b. "


def test_windows_of_both_tokenizers_are_the_same() -> None:
    library = library_unigram(PIECES, unknown=3)
    library.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    own = WordPieces(own_unigram(PIECES, unknown=3).encode, Layout(0, (2, 2), 2, segments=False))
    adapted = word_pieces(library)
    assert adapted.layout == own.layout
    assert word_pieces(own) is own
    passages = [Passage(TEXT, 3, len(TEXT)), Passage(TEXT, 0, 9)]
    windows = cut(own, "a b?", passages, 16, 6)
    assert windows == cut(adapted, "a b?", passages, 16, 6)
    assert len(windows) > 2
    words = [TEXT[start:end] for start, end in windows[0].offsets]
    assert words[:5] == ["a", "b", "a", "a", ""]
