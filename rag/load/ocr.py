"""Reads the words of a picture, where an OCR program is installed.

Tesseract is used if its program and the Python package ``pytesseract`` (the extra ``ocr``) are
there. Another engine takes its place by :func:`using`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import LoadError

if TYPE_CHECKING:
    from PIL.Image import Image

HOW = (
    "to have it read, install Tesseract (Debian: apt install tesseract-ocr) and the extra 'ocr' "
    "(pip install '.[ocr]'), and index again"
)
"""What to do where a picture cannot be read."""

SECONDS = 180
"""For one picture; what takes longer is given up."""

MAX_PIXELS = 25_000_000
"""A larger picture is made smaller before it is read: a page of A3 at 300 dots an inch fits."""

_MAX_LANGUAGES = 6


@dataclass(frozen=True, slots=True)
class SeenWord:
    """A word, its box in pixels from the upper left, and numbers of its paragraph and line."""

    text: str
    left: int
    top: int
    right: int
    bottom: int
    paragraph: tuple[int, ...]
    line: int


class Engine(Protocol):
    """Finds the words of a picture."""

    def words(self, image: Image) -> Sequence[SeenWord]:
        """In reading order. Raises :class:`LoadError` if it takes too long or fails."""


class Tesseract:
    """Every language that is installed with the program, English first, is looked for."""

    def __init__(self) -> None:
        import pytesseract

        os.environ.setdefault("OMP_THREAD_LIMIT", "1")  # its threads wait for each other
        installed = sorted(set(pytesseract.get_languages()) - {"osd", "snum", "equ"})
        if not installed:
            raise LoadError("cannot be read by OCR: Tesseract has no language; install one")
        installed.sort(key=lambda language: language != "eng")
        self.languages = "+".join(installed[:_MAX_LANGUAGES])

    def words(self, image: Image) -> list[SeenWord]:
        """See :meth:`Engine.words`."""
        import pytesseract

        try:
            seen: dict[str, list[Any]] = pytesseract.image_to_data(
                image,
                lang=self.languages,
                output_type=pytesseract.Output.DICT,
                timeout=SECONDS,
            )
        except (RuntimeError, pytesseract.TesseractError) as error:
            reason = "took too long" if "timeout" in str(error) else "failed"
            raise LoadError(
                f"cannot be read by OCR: Tesseract {reason}; make the pictures smaller or clearer"
            ) from error
        return [
            SeenWord(text, left, top, left + width, top + height, (block, paragraph), line)
            for text, left, top, width, height, block, paragraph, line in zip(
                *(seen[k] for k in "text left top width height block_num par_num line_num".split()),
                strict=True,
            )
            if text.strip()
        ]


_chosen: list[Engine | None] = []


def engine() -> Engine | None:
    """Return the engine to read with; None if there is none."""
    return _chosen[-1] if _chosen else installed()


def is_there() -> bool:
    """Tell whether there is an engine to read with; starts none."""
    return _chosen[-1] is not None if _chosen else _is_installed()


@lru_cache(maxsize=1)
def installed() -> Engine | None:
    """Tesseract, if it and the package to use it are there."""
    return Tesseract() if _is_installed() else None


def _is_installed() -> bool:
    return find_spec("pytesseract") is not None and shutil.which("tesseract") is not None


def programs() -> list[str]:
    """Return what is started to read a picture."""
    program = shutil.which("tesseract")
    return [str(Path(program).resolve())] if program else []


def folders() -> list[str]:
    """Tell where Tesseract and its languages stand, beside the places of all programs."""
    data = os.environ.get("TESSDATA_PREFIX")
    found = [str(Path(program).parent) for program in programs()]
    return found + ([data] if data and Path(data).is_dir() else [])


@contextmanager
def using(chosen: Engine | None) -> Iterator[None]:
    """Read with ``chosen`` in all threads; with None as if no OCR program were installed."""
    _chosen.append(chosen)
    try:
        yield
    finally:
        _chosen.pop()
