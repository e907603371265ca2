"""What a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import io
import re
import zipfile

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
    "zip": f"is a ZIP archive, {_ARCHIVE}",
    "gzip": f"is a gzip archive, {_ARCHIVE}",
    "bzip2": f"is a bzip2 archive, {_ARCHIVE}",
    "xz": f"is an xz archive, {_ARCHIVE}",
    "7z": f"is a 7-Zip archive, {_ARCHIVE}",
    "rar": f"is a RAR archive, {_ARCHIVE}",
    "xlsx": f"is an Excel workbook, {_save_as('.html')}",
    "pptx": f"is a PowerPoint presentation, {_save_as('.docx')}",
    "odt": f"is an OpenDocument text, {_save_as('.docx')}",
    "opendocument": f"is an OpenDocument file, {_save_as('.docx')}",
    "epub": f"is an EPUB book, {_save_as('.html')}",
    "doc": f"is a legacy Word document (.doc), {_save_as('.docx')}",
    "xls": f"is a legacy Excel workbook (.xls), {_save_as('.html')}",
    "ppt": f"is a legacy PowerPoint presentation (.ppt), {_save_as('.docx')}",
    "msg": f"is an Outlook message (.msg), {_save_as('.txt')}",
    "ole": "is a legacy Office file, which is not supported; save it as .docx or PDF",
    "encrypted": "is an encrypted Office document; remove its password and save it again",
    "rtf": f"is an RTF document, {_save_as('.docx')}",
    "wordxml": f"is a Word document as one XML file, {_save_as('.docx')}",
    "postscript": "is a PostScript file, which is not supported; convert it to PDF",
    "program": "is a program, which holds no text; remove it",
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
_HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*>\s*+)?+(?:<!--(?>.*?-->)\s*+)*+<(?:!doctype\s+html|html)[\s>]",
    re.IGNORECASE | re.DOTALL,
)


def sniff(data: bytes, promised: str | None = None) -> str | None:
    """The kind of ``data`` by its content, or None where the content does not tell.

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
    if promised in ("docx", None, "text") and b'progid="Word.Document"' in head:
        return "wordxml"
    if promised != "markdown" and _HTML_START.match(head):
        return "html"
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
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            mimetype = _start_of(archive, "mimetype") if "mimetype" in names else b""
    except Exception:  # zipfile raises many kinds; a damaged container is what its name says
        return promised if promised == "docx" else "zip"
    for part, kind in (
        ("word/document.xml", "docx"),
        ("xl/workbook.xml", "xlsx"),
        ("xl/workbook.bin", "xlsx"),
        ("ppt/presentation.xml", "pptx"),
    ):
        if part in names:
            return kind
    if mimetype.startswith(b"application/epub"):
        return "epub"
    if mimetype.startswith(b"application/vnd.oasis.opendocument.text"):
        return "odt"
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        return "opendocument"
    return "docx" if promised == "docx" and "[Content_Types].xml" in names else "zip"
