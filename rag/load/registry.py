"""Bytes of one file -> :class:`Loaded`: its document, or those of an archive or a mail.

The type is decided by the content first and the suffix second. A new format is one module with a
``load(data, source)`` function and one row in :data:`_LOADERS`, or, if it holds files of its own,
with ``unpack(data, source, budget)`` and a row in :data:`_CONTAINERS`. Parsers are imported when
first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePosixPath

from rag.errors import LoadError
from rag.load import ocr
from rag.load.archives.members import Budget, Collector, Part
from rag.load.detect.encoding import decode
from rag.load.detect.sniff import REFUSED, sniff
from rag.types import Document

__all__ = [
    "SUFFIXES",
    "Load",
    "Loaded",
    "file_in",
    "fingerprint",
    "kind_of",
    "load_bytes",
    "load_file",
]

VERSION = 3
"""Raised whenever the loaders make another document of the same bytes, or read what they did not
before: every file is then loaded anew by the next sync."""

_TOOLS: dict[str, Callable[[], bool]] = {"tesseract": ocr.is_there}
"""Optional tools that change what can be read -> whether the tool is there."""

CODE_SUFFIXES = tuple(
    ".py .pyi .pyx .js .mjs .cjs .jsx .ts .tsx .java .kt .kts .scala .groovy .clj .c .h .cc .cpp "
    ".cxx .hh .hpp .m .mm .cs .fs .vb .go .rs .swift .dart .rb .php .pl .pm .lua .r .jl .ex .exs "
    ".erl .hs .ml .pas .f90 .asm .sh .bash .zsh .fish .bat .cmd .ps1 .sql .graphql .proto .css "
    ".scss .less .vue .svelte .yaml .yml .toml .ini .cfg .conf .properties .tf .cmake .mk .gradle "
    ".diff .patch".split()
)
"""The suffixes of source code and settings."""

_LOADERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "text": ("rag.load.data.plain", (".txt", ".text", ".log", ".rst")),
    "markdown": ("rag.load.markup.markdown", (".md", ".markdown")),
    "html": ("rag.load.markup.html", (".html", ".htm", ".xhtml")),
    "pdf": ("rag.load.pdf", (".pdf",)),
    "docx": ("rag.load.office.word", (".docx", ".docm", ".dotx", ".dotm")),
    # pictures of words; without suffixes, for only OCR can read them
    "png": ("rag.load.image", ()),
    "jpeg": ("rag.load.image", ()),
    "tiff": ("rag.load.image", ()),
    # office, tables and books
    "csv": ("rag.load.sheets.delimited", (".csv", ".tsv", ".tab")),
    "xlsx": ("rag.load.sheets.xlsx", (".xlsx", ".xlsm", ".xltx", ".xltm")),
    "xls": ("rag.load.sheets.xls", (".xls", ".xlt")),
    "pptx": ("rag.load.office.slides", (".pptx", ".pptm", ".ppsx", ".ppsm", ".potx", ".potm")),
    "doc": ("rag.load.office.doc", (".doc", ".dot")),
    "ppt": ("rag.load.office.ppt", (".ppt", ".pps", ".pot")),
    "rtf": ("rag.load.office.rtf", (".rtf",)),
    "epub": ("rag.load.markup.epub", (".epub",)),
    "odf": (
        "rag.load.office.odf",
        tuple(".odt .ods .odp .odg .ott .ots .otp .fodt .fods .fodp".split()),
    ),
    "json": ("rag.load.data.json_records", (".json", ".jsonl", ".ndjson", ".geojson")),
    "notebook": ("rag.load.data.notebook", (".ipynb",)),
    "xml": (
        "rag.load.markup.xml",
        (".xml", ".rss", ".atom", ".svg", ".opml", ".kml", ".xsd", ".xsl"),
    ),
    "code": ("rag.load.data.code", CODE_SUFFIXES),
}
"""Kind of content -> the module that loads it, and the suffixes that promise it."""

_CONTAINERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "zip": ("rag.load.archives.zipped", (".zip",)),
    "tar": ("rag.load.archives.tarred", (".tar",)),
    "gzip": ("rag.load.archives.compressed", (".gz", ".tgz")),
    "bzip2": ("rag.load.archives.compressed", (".bz2", ".tbz2")),
    "xz": ("rag.load.archives.compressed", (".xz", ".txz")),
    "mail": ("rag.load.mail.mail", (".eml", ".mht", ".mhtml")),
    "mbox": ("rag.load.mail.mbox", (".mbox",)),
    "msg": ("rag.load.mail.outlook", (".msg",)),
}
"""The same for what holds files: a file in it is a document of its own."""

_FORMATS = _LOADERS | _CONTAINERS
_KIND_OF_SUFFIX = {suffix: kind for kind, (_, suffixes) in _FORMATS.items() for suffix in suffixes}
_BINARY = frozenset("pdf docx pptx xlsx xls doc ppt odf epub zip tar gzip bzip2 xz msg".split())
"""Kinds that are never text: a text with such a name is a text."""

SUFFIXES: tuple[str, ...] = tuple(sorted(_KIND_OF_SUFFIX))
"""The suffixes that load, in lower case and with their dot; for file pickers."""


def fingerprint() -> str:
    """What files are loaded by: one that was loaded by another fingerprint is loaded anew."""
    return "+".join([str(VERSION), *sorted(name for name, found in _TOOLS.items() if found())])


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one file holds.

    ``documents`` has one of the file's own source, or several, each with a source that begins
    with the file's and ``/``: members of an archive, attachments of a mail. ``failed`` has the
    source of each member that cannot be read, and the reason; ``(the rest)`` stands for what
    follows where a file ends early.
    """

    documents: tuple[Document, ...]
    failed: tuple[tuple[str, str], ...] = ()


Load = Callable[[bytes, str], Loaded]
"""Called as :func:`load_file` is."""


def load_file(data: bytes, source: str) -> Loaded:
    """Read the bytes of one file, with the files that it holds.

    ``source`` becomes :attr:`Document.source`, or the beginning of it; of it only the suffix is
    looked at. Raises :class:`LoadError`, and nothing else for any ``data``, with a short reason
    for a person, if nothing of it can be read.
    """
    collector = Collector(len(data), _read)
    collector.collect(data, source)
    return Loaded(tuple(collector.documents), tuple(collector.failed))


def load_bytes(data: bytes, source: str) -> Document:
    """The document of the file itself: as :func:`load_file`, without the files that it holds.

    Raises :class:`LoadError` also for an archive, which has no text of its own.
    """
    for document in load_file(data, source).documents:
        if document.source == source:
            return document
    raise LoadError("is an archive, which has no text of its own; name a file in it")


def _read(data: bytes, source: str, budget: Budget) -> Document | Iterable[Part]:
    """A document, or the parts of a container. Raises :class:`LoadError`."""
    kind = kind_of(data, source)
    module = import_module(_FORMATS[kind][0])
    if kind in _CONTAINERS:
        parts: Iterable[Part] = module.unpack(data, source, budget)
        return parts
    try:
        document: Document = module.load(data, source)
    except LoadError:
        raise
    except Exception as error:  # the one edge where whatever a parser throws becomes a reason
        raise LoadError(
            f"cannot be read as {kind.upper() if kind != 'text' else 'text'}: it is damaged or "
            f"malformed ({type(error).__name__}); open it in its own program and save it again"
        ) from error
    if not document.text.strip():
        raise LoadError("holds no text; remove it or add text to it")
    return document


class _FoundError(Exception):
    """Carries the bytes of the file that was looked for out of those around it."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def file_in(data: bytes, source: str, wanted: str) -> bytes | None:
    """Return the bytes of the file ``wanted``: ``data`` of ``source`` itself, or of a file in it.

    None if there is none of that source. Raises :class:`LoadError` as :func:`load_file`.
    """

    def look(data: bytes, source: str, budget: Budget) -> Document | Iterable[Part]:
        if source == wanted:
            raise _FoundError(data)
        kind = kind_of(data, source)
        if kind not in _CONTAINERS:
            return Document(source, "-")
        parts: Iterable[Part] = import_module(_FORMATS[kind][0]).unpack(data, source, budget)
        return parts

    try:
        Collector(len(data), look).collect(data, source)
    except _FoundError as found:
        return found.data
    return None


def kind_of(data: bytes, source: str) -> str:
    """Return what a file is, for a name without its dot: ``pdf``.

    Raises :class:`LoadError` if unknown.
    """
    if not data:
        raise LoadError("is empty; remove it or fill it")
    promised = _KIND_OF_SUFFIX.get(PurePosixPath(source).suffix.lower())
    found = sniff(data, promised)
    if found is None and promised in _BINARY and _is_text(data):
        promised = None
        found = sniff(data)
    if found in REFUSED:
        raise LoadError(REFUSED[found])
    if found in _FORMATS:
        return found
    return promised or "text"  # which says what it seems to be, if it is not


def _is_text(data: bytes) -> bool:
    try:
        return bool(decode(data).strip())
    except LoadError:
        return False
