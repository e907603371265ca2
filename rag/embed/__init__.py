"""Text -> vectors of length 1. Models are loaded at first use, by the adapter that needs them."""

from rag.embed.bundled import BUNDLED_MODEL, BundledEmbedder, bundled_encoder
from rag.embed.hashing import HashingEmbedder
from rag.embed.sentence_transformer import SentenceTransformerEmbedder
from rag.embed.vectors import normalize
from rag.types import Embedder

__all__ = [
    "BUNDLED_MODEL",
    "BundledEmbedder",
    "HashingEmbedder",
    "SentenceTransformerEmbedder",
    "bundled_encoder",
    "make_embedder",
    "normalize",
]


def make_embedder(model: str) -> Embedder:
    """Return the embedder that a setting names: ``hashing``, the bundled one, or another model."""
    if model == "hashing":
        return HashingEmbedder()
    return BundledEmbedder() if model == BUNDLED_MODEL else SentenceTransformerEmbedder(model)
