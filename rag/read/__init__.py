"""Question x hits -> the exact words that answer it, with the probability that they do."""

from rag.read.evidence import missing_words
from rag.read.reader import SpanReader

__all__ = ["SpanReader", "missing_words"]
