"""The tokenizers library's own Unigram tokenizer, which the program's is held against."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from rag.answering.read.layout import trimmed
from rag.embed.unigram import Encoding, Unigram


def library_unigram(pieces: Sequence[tuple[str, float]], unknown: int) -> Tokenizer:
    """The tokenizer that multilingual-e5-small is published with, of other pieces."""
    made = Tokenizer(models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
    made.normalizer = normalizers.Sequence(
        [
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"[\n\r\t]"), " "),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return made


def library_encoding(tokenizer: Tokenizer, text: str) -> Encoding:
    """Its pieces of a text, with offsets less leading blanks."""
    made = tokenizer.encode(text, add_special_tokens=False)
    return Encoding(made.ids, trimmed(text, made.offsets))


def own_unigram(pieces: Sequence[tuple[str, float]], unknown: int) -> Unigram:
    """The program's tokenizer of the same pieces."""
    texts = [piece.encode() for piece, _ in pieces]
    borders = [0]
    for text in texts:
        borders.append(borders[-1] + len(text))
    return Unigram(b"".join(texts), borders, [score for _, score in pieces], unknown)
