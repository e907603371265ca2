"""Vectors of length 1, made so here and nowhere else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rag.types import Vectors


def normalize(rows: npt.NDArray[np.floating]) -> Vectors:
    """Scale rows of shape ``(n, d)`` to Euclidean length 1, as float32; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12), dtype=np.float32)
