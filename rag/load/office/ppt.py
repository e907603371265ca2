"""Legacy PPT (PowerPoint 97 to 2003) -> text, slide by slide, with the speaker's notes.

An own reader over olefile of the records that [MS-PPT] describes: catppt, measured on the 12 real
files, gave the words of one. Text of masters is left out, as are comments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.errors import LoadError
from rag.load.builder import TextBuilder
from rag.load.office.slides import Deck, write_notes
from rag.load.ole import open_ole, read_stream, title_of
from rag.types import Document

_WHAT = "a PowerPoint presentation"
_DAMAGED = "is damaged or not a PowerPoint presentation; open it in PowerPoint and save it again"
_ENCRYPTED_USER = 0xF3D1C4DF
_CONTAINER = 0xF  # version of records that hold others

_DOCUMENT, _NOTES_ATOM, _SLIDE_PERSIST = 0x03E8, 0x03F1, 0x03F3
_USER_EDIT, _PERSIST_DIRECTORY = 0x0FF5, 0x1772
_LIST_WITH_TEXT, _TEXT_HEADER, _CHARS, _BYTES = 0x0FF0, 0x0F9F, 0x0FA0, 0x0FA8
_OUTLINE_REFERENCE, _TEXT_BOX = 0x0F9E, 0xF00D
_TITLES = (0, 6)  # kinds of text: of a title, of a title in the middle
_BODIES = (1, 5, 7, 8)
_NOTES_KIND = 2
_MAX_RECORDS = 5_000_000
_MAX_EDITS = 10_000
_REPLACED = str.maketrans({"\r": "\n", "\x0b": "\n"})


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    version: int
    start: int  # of the content
    end: int


@dataclass(slots=True)
class _Listed:
    """A slide as the document lists it, with the texts of its outline: kind and words."""

    reference: int
    identity: int = 0
    texts: list[tuple[int, str]] = field(default_factory=list)


def load(data: bytes, source: str) -> Document:
    """Raises :class:`LoadError` for a presentation that is damaged or encrypted."""
    container = open_ole(data, _WHAT)
    try:
        stream = read_stream(container, "PowerPoint Document")
        user = read_stream(container, "Current User")
        title = title_of(container)
    finally:
        container.close()
    presentation = _Presentation(stream, user)
    deck = Deck()
    for listed in {slide.reference: slide for slide in presentation.slides}.values():
        deck.begin()
        notes = _write_slide(presentation, listed, deck.builder)
        write_notes(deck.builder, "\n".join(notes))
    return deck.document(source, title)


class _Presentation:
    """Finds the current version of each part: saving fast leaves old ones in the file."""

    def __init__(self, stream: bytes, user: bytes) -> None:
        if len(user) < 20 or len(stream) < 8:
            raise LoadError(_DAMAGED)
        token, edit = struct.unpack_from("<II", user, 12)
        if token == _ENCRYPTED_USER:
            raise LoadError("is encrypted; remove its password and save it again")
        self._stream = stream
        self._read = 0
        self._places, document = self._directory(edit)
        root = self.record(self._places.get(document, -1))
        if root is None or root.kind != _DOCUMENT:
            raise LoadError(_DAMAGED)
        self.slides: list[_Listed] = []
        self._notes: dict[int, _Record] = {}
        for child in self.children(root):
            if child.kind == _LIST_WITH_TEXT and child.instance == 0:
                self.slides += self._listed(child)
            elif child.kind == _LIST_WITH_TEXT and child.instance == 2:
                for listed in self._listed(child):
                    if (notes := self.part(listed.reference)) is not None:
                        self._notes[self._owner(notes)] = notes

    def part(self, reference: int) -> _Record | None:
        """The record that a reference leads to."""
        return self.record(self._places.get(reference, -1))

    def notes_of(self, listed: _Listed) -> _Record | None:
        """The notes of a slide."""
        return self._notes.get(listed.identity) if listed.identity else None

    def record(self, place: int) -> _Record | None:
        """The record at ``place``; None where there is none."""
        if not 0 <= place <= len(self._stream) - 8:
            return None
        first, kind, length = struct.unpack_from("<HHI", self._stream, place)
        end = place + 8 + length
        if end > len(self._stream):
            return None
        return _Record(kind, first >> 4, first & 0xF, place + 8, end)

    def children(self, parent: _Record) -> Iterator[_Record]:
        """The records directly in another."""
        place = parent.start
        while place < parent.end:
            child = self.record(place)
            if child is None or child.end > parent.end:
                return
            self._read += 1
            if self._read > _MAX_RECORDS:
                raise LoadError(_DAMAGED)
            yield child
            place = child.end

    def within(self, parent: _Record, *kinds: int) -> Iterator[_Record]:
        """The records of some kinds at any depth, in order; not those in such records."""
        todo = [self.children(parent)]
        while todo:
            child = next(todo[-1], None)
            if child is None:
                todo.pop()
            elif child.kind in kinds:
                yield child
            elif child.version == _CONTAINER and len(todo) < 100:
                todo.append(self.children(child))

    def content(self, record: _Record) -> bytes:
        """The bytes of a record."""
        return self._stream[record.start : record.end]

    def words(self, record: _Record) -> str:
        """The words of a text record."""
        data = self.content(record)
        text = data.decode("latin-1") if record.kind == _BYTES else _utf16(data)
        return text.translate(_REPLACED)

    def _directory(self, edit: int) -> tuple[dict[int, int], int]:
        """Where each part is, by reference, and the reference of the document."""
        places: dict[int, int] = {}
        document = 0
        seen: set[int] = set()
        while edit and edit not in seen and len(seen) < _MAX_EDITS:
            seen.add(edit)
            record = self.record(edit)
            if record is None or record.kind != _USER_EDIT or record.end - record.start < 20:
                break
            edit, directory, latest = struct.unpack_from("<III", self._stream, record.start + 8)
            document = document or latest
            if record.end - record.start >= 32:
                raise LoadError("is encrypted; remove its password and save it again")
            found = self.record(directory)
            if found is not None and found.kind == _PERSIST_DIRECTORY:
                for reference, place in _entries(self.content(found)):
                    places.setdefault(reference, place)
        return places, document

    def _listed(self, record: _Record) -> list[_Listed]:
        found: list[_Listed] = []
        kind = -1
        for child in self.children(record):
            if child.kind == _SLIDE_PERSIST:
                if child.end - child.start >= 16:
                    found.append(_Listed(*struct.unpack_from("<I8xI", self._stream, child.start)))
            elif child.kind == _TEXT_HEADER:
                kind = int.from_bytes(self.content(child)[:4], "little")
                if found:
                    found[-1].texts.append((kind, ""))
            elif child.kind in (_CHARS, _BYTES) and found and found[-1].texts:
                found[-1].texts[-1] = (kind, self.words(child))
        return found

    def _owner(self, notes: _Record) -> int:
        for child in self.children(notes):
            if child.kind == _NOTES_ATOM:
                return int.from_bytes(self.content(child)[:4], "little")
        return -1


def _write_slide(presentation: _Presentation, listed: _Listed, builder: TextBuilder) -> list[str]:
    """Write what a slide shows. Returns its notes."""
    slide = presentation.part(listed.reference)
    texts = list(_texts(presentation, slide, listed)) if slide else listed.texts
    titles = [i for i, (kind, words) in enumerate(texts) if kind in _TITLES and words.strip()]
    for index in titles[:1]:
        builder.gap(2)
        builder.add(" ".join(texts[index][1].split()), 1)
    for index, (kind, words) in enumerate(texts):
        if index in titles[:1]:
            continue
        lines = [line.strip() for line in words.split("\n") if line.strip()]
        listed_lines = kind in _BODIES and len(lines) > 1
        builder.gap(2)
        builder.add("\n".join(f"- {line}" if listed_lines else line for line in lines))
    return _notes(presentation, listed)


def _texts(
    presentation: _Presentation, slide: _Record, listed: _Listed
) -> Iterator[tuple[int, str]]:
    """Kind and words of each text box, in the order of the shapes."""
    used: set[int] = set()
    for box in presentation.within(slide, _TEXT_BOX):
        kind = -1
        for record in presentation.children(box):
            if record.kind == _TEXT_HEADER:
                kind = int.from_bytes(presentation.content(record)[:4], "little")
            elif record.kind == _OUTLINE_REFERENCE:
                index = int.from_bytes(presentation.content(record)[:4], "little")
                if index < len(listed.texts) and index not in used:
                    used.add(index)
                    yield listed.texts[index]
            elif record.kind in (_CHARS, _BYTES):
                words = presentation.words(record)
                if words.strip() != "*":  # stands for the slide's number, date or footer
                    yield kind, words
    for index, text in enumerate(listed.texts):
        if index not in used:
            yield text


def _notes(presentation: _Presentation, listed: _Listed) -> list[str]:
    """The texts of the page of notes but for the slide's picture and the page's number."""
    notes = presentation.notes_of(listed)
    if notes is None:
        return []
    texts = _texts(presentation, notes, _Listed(0))
    return [words for kind, words in texts if kind == _NOTES_KIND and words.strip()]


def _entries(directory: bytes) -> Iterator[tuple[int, int]]:
    """Reference and place of each part in a directory."""
    place = 0
    while place + 4 <= len(directory):
        head = struct.unpack_from("<I", directory, place)[0]
        first, count = head & 0xFFFFF, head >> 20
        place += 4
        for index in range(min(count, (len(directory) - place) // 4)):
            yield first + index, struct.unpack_from("<I", directory, place + 4 * index)[0]
        place += 4 * count


def _utf16(data: bytes) -> str:
    return data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
