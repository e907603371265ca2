"""Question x hits -> the exact words that answer it, with the probability that they do."""

from rag.read.calibration import CalibratedReader, Calibration
from rag.read.evidence import missing_words
from rag.read.reader import SpanReader

__all__ = ["CalibratedReader", "Calibration", "SpanReader", "missing_words"]
