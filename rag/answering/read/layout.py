"""A body's word pieces, and how it wants those of a question and a passage laid out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.unigram import Encoding

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Layout:
    """``first question middle passage last``; BERT's middle is ``[SEP]``, RoBERTa's ``</s></s>``.

    ``segments`` tells whether the body was trained with another token type for the passage.
    """

    first: int
    middle: tuple[int, ...]
    last: int
    segments: bool

    @property
    def special(self) -> int:
        """The number of special tokens of a window."""
        return 2 + len(self.middle)

    def passage_at(self, asked: int) -> int:
        """The place of the passage's first token after a question of ``asked`` tokens."""
        return 1 + asked + len(self.middle)

    def join(self, asked: Sequence[int], read: Sequence[int]) -> list[int]:
        """The token ids of a window."""
        return [self.first, *asked, *self.middle, *read, self.last]


@dataclass(frozen=True, slots=True)
class WordPieces:
    """``encode`` makes the word pieces of a text by itself, and ``layout`` joins those of two.

    Offsets are characters of the text, without the blanks before a word.
    """

    encode: Callable[[str], Encoding]
    layout: Layout


def word_pieces(tokenizer: Tokenizer | WordPieces) -> WordPieces:
    """The word pieces that a tokenizer of the library of that name makes; others as they are."""
    if isinstance(tokenizer, WordPieces):
        return tokenizer

    def encode(text: str) -> Encoding:
        made = tokenizer.encode(text, add_special_tokens=False)
        return Encoding(made.ids, trimmed(text, made.offsets))

    return WordPieces(encode, layout_of(tokenizer))


def layout_of(tokenizer: Tokenizer) -> Layout:
    """The layout of a pair that a tokenizer makes."""
    pair = tokenizer.encode("a", "a")
    word = tokenizer.encode("a", add_special_tokens=False).ids[-1]
    one, two = (i for i, token in enumerate(pair.ids) if token == word)
    middle = [i for i in range(one + 1, two) if pair.special_tokens_mask[i]]
    return Layout(
        pair.ids[0], tuple(pair.ids[i] for i in middle), pair.ids[-1], max(pair.type_ids) > 0
    )


def trimmed(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Tokens' offsets without leading blanks, which some tokenizers count to a word."""
    return [
        (start + len(text[start:end]) - len(text[start:end].lstrip()), end)
        for start, end in offsets
    ]
