"""Question x hits -> the exact words that answer it, with the probability that they do."""

from rag.answering.read.calibration import CalibratedReader, Calibration
from rag.answering.read.evidence import missing_words
from rag.answering.read.reader import SpanReader

__all__ = ["CalibratedReader", "Calibration", "SpanReader", "missing_words"]
