"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import io
import re
import zipfile

from rag.load.detect.containers import has_too_many_entries, is_tar
from rag.load.detect.sniff_text import text_kind

_IMAGE = "which holds no text; describe it in a text file or run OCR on it"
_MEDIA = "which holds no text; add a transcript instead"
_ARCHIVE = "which is not opened; unpack it into the folder"
_SAVE_AS = "which is not supported; save it as {} or PDF"


def _save_as(suffix: str) -> str:
    return _SAVE_AS.format(suffix)


REFUSED: dict[str, str] = {
    "gif": f"is a GIF image, {_IMAGE}",
    "bmp": f"is a BMP image, {_IMAGE}",
    "webp": f"is a WebP image, {_IMAGE}",
    "heic": f"is a HEIC image, {_IMAGE}",
    "mp3": f"is an MP3 recording, {_MEDIA}",
    "wav": f"is a WAV recording, {_MEDIA}",
    "ogg": f"is an Ogg recording, {_MEDIA}",
    "flac": f"is a FLAC recording, {_MEDIA}",
    "avi": f"is an AVI video, {_MEDIA}",
    "mp4": f"is an MP4 or QuickTime recording, {_MEDIA}",
    "matroska": f"is a Matroska or WebM video, {_MEDIA}",
    "7z": f"is a 7-Zip archive, {_ARCHIVE}",
    "rar": f"is a RAR archive, {_ARCHIVE}",
    "xlsb": f"is a binary Excel workbook (.xlsb), {_save_as('.xlsx')}",
    "excelxml": f"is an Excel 2003 XML workbook, {_save_as('.xlsx')}",
    "wordxml": f"is a Word document as one file of XML, {_save_as('.docx')}",
    "opendocument": f"is an OpenDocument formula, chart or database, {_save_as('.odt')}",
    "ole": "is a legacy Office file, which is not supported; save it as .docx or PDF",
    "encrypted": "is an encrypted Office document; remove its password and save it again",
    "postscript": "is a PostScript file, which is not supported; convert it to PDF",
    "program": "is a program, which holds no text; remove it",
    "package": f"is a file of a program that packs its files as ZIP, {_save_as('.docx')}",
    "java": "is a Java archive, which holds programs; add its sources instead",
    "iwork": f"is a Pages, Numbers or Keynote document, {_save_as('.docx')}",
    "sqlite": "is an SQLite database, which is not supported; export its text",
}
"""Kind that :func:`sniff` recognises and nothing loads -> what to tell the user."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"ID3\x02", "mp3"),
    (b"ID3\x03", "mp3"),
    (b"ID3\x04", "mp3"),
    (b"OggS\0", "ogg"),
    (b"fLaC\0", "flac"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"{\\rtf", "rtf"),
    (b"%!PS-Adobe", "postscript"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3\0", "sqlite"),
)
_RIFF = {b"WAVE": "wav", b"AVI ": "avi", b"WEBP": "webp"}
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS: tuple[tuple[str, str], ...] = (
    ("EncryptedPackage", "encrypted"),
    ("__properties_version1.0", "msg"),
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)
# Excel 2 to 5 without a container: the first record and its length.
_EXCEL_STREAMS = (b"\x09\0\x04\0", b"\x09\x02\x06\0", b"\x09\x04\x06\0", b"\x09\x08\x08\0")
_PACKAGES = frozenset(("docx", "xlsx", "pptx", "odf", "epub"))
_OFFICE_XML = (
    (b'progid="Word.Document"', "wordxml"),
    (b"http://schemas.microsoft.com/office/word/2003/wordml", "wordxml"),
    (b'progid="Excel.Sheet"', "excelxml"),
    (b"urn:schemas-microsoft-com:office:spreadsheet", "excelxml"),
    (b"<office:document ", "odf"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_HTML_PIECE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+<(?:table|meta|head|title|style|body|div|font|p|h[1-6])\b", re.I
)
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*>\s*+)?+(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s+html|html)[\s>]",
    re.IGNORECASE | re.DOTALL,
)


def sniff(data: bytes, promised: str | None = None) -> str | None:
    """Return the kind of ``data`` by its content, or None where the content does not tell.

    ``promised`` is the kind that the file's name stands for. It is believed where the content
    leaves room: HTML inside Markdown stays Markdown, and a PDF may start with some junk.
    """
    head = data[:1024]
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"%PDF-") or (promised == "pdf" and b"%PDF-" in head):
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_kind(data, promised)
    if head.startswith(_OLE_MAGIC):
        return _ole_kind(data)
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "heic" if head[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "mp4"
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0" and len(data) > 26:
        return "bmp"
    if head.startswith(b"MZ") and b"\0\0" in head:
        return "program"
    if head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xf3", b"\xf2") and b"\0" in head:
        return "mp3"
    if office := _office_kind(data, head, promised):
        return office
    if promised not in ("markdown", "code") and _HTML_START.match(head):
        return "html"
    if is_tar(head):
        return "tar"
    return text_kind(data, promised)


def _office_kind(data: bytes, head: bytes, promised: str | None) -> str | None:
    """Office documents that are no container, and what only goes by the name of one."""
    if head.startswith(_EXCEL_STREAMS):
        return "xls"
    if promised in ("doc", "rtf") and b"{\\rtf" in head:
        return "rtf"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and promised != "markdown":
        for sign, kind in _OFFICE_XML:
            if sign in data[:4096]:
                return kind
    if promised in ("doc", "xls") and _HTML_PIECE.match(head):
        return "html"
    if promised in ("doc", "rtf", "xls") and head and not _CONTROL.search(head):
        return "csv" if promised == "xls" else "text"
    return None


def _ole_kind(data: bytes) -> str:
    """What an OLE2 container holds: the known stream that its directory names first.

    Documents embedded in it have streams of their own, which come later.
    """
    directory = (int.from_bytes(data[48:52], "little") + 1) * 512
    places = [
        (data.find(stream.encode("utf-16-le"), start), kind)
        for start in (directory, 0)
        for stream, kind in _OLE_STREAMS
    ]
    for half in (places[: len(_OLE_STREAMS)], places[len(_OLE_STREAMS) :]):
        if found := [place for place in half if place[0] >= 0]:
            return min(found)[1]
    lower = data.lower()  # some programs write the names otherwise
    for stream, kind in _OLE_STREAMS:
        if lower.find(stream.lower().encode("utf-16-le"), directory) >= 0:
            return kind
    return "ole"


def _start_of(archive: zipfile.ZipFile, name: str) -> bytes:
    """The first bytes of a member, without unpacking the rest of it.

    Only deflate is unpacked piece by piece: a few bytes of bzip2 can become gigabytes. Where a
    member ``mimetype`` tells the kind, its format asks for it to be stored as it is.
    """
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return b""
    with archive.open(name) as member:
        return member.read(100)


def _zip_kind(data: bytes, promised: str | None) -> str:
    """What a ZIP container holds."""
    if has_too_many_entries(data):
        return "zip"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = _start_of(archive, "mimetype") if "mimetype" in names else b""
    except Exception:  # zipfile raises many kinds; a damaged container is what its name says
        return promised if promised in _PACKAGES else "zip"
    for part, kind in (
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("xl/workbook.bin", "xlsb"),
        ("ppt/presentation.xml", "pptx"),
    ):
        if part in names:
            return kind
    if mimetype.startswith(b"application/epub"):
        return "epub"
    if mimetype.startswith(b"application/vnd.oasis.opendocument."):
        holds = mimetype.removeprefix(b"application/vnd.oasis.opendocument.")
        texts = (b"text", b"spreadsheet", b"presentation", b"graphics")
        return "odf" if holds.startswith(texts) else "opendocument"
    if "[Content_Types].xml" in names:
        return promised if promised in ("docx", "xlsx", "pptx") else "package"
    if promised == "odf" and "content.xml" in names:
        return "odf"
    if "META-INF/MANIFEST.MF" in names:
        return "java"
    return "iwork" if names & {"Index/Document.iwa", "index.xml", "index.apxl"} else "zip"
