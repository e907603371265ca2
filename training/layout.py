"""The tokenizer of a body's folder, with the layout of a pair that it makes."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from rag.answering.read.layout import Layout, layout_of
from rag.embed.onnx import open_tokenizer


def open_layout(backbone: Path) -> tuple[Tokenizer, Layout]:
    """Return the tokenizer of a backbone's folder and its layout."""
    tokenizer = open_tokenizer(backbone / "tokenizer.json")
    return tokenizer, layout_of(tokenizer)
