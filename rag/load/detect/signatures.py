"""What a binary file that is not supported seems to be, by its first bytes, for the reason."""

from __future__ import annotations

_UNKNOWN = "is binary data of an unknown type; remove it or convert it to a supported type"
_MEDIA = "is {}, which holds no text; add a transcript instead"
_IMAGE = "is {}, which holds no text; describe it in a text file or run OCR on it"
_DATA = "is {}, which is not supported; export its text"
_CODE = "is {}, which holds no text; remove it"
_ARCHIVE = "is {}, which is not opened; unpack it into the folder"
_BOOK = "is {}, which is not supported; convert it to EPUB or PDF"

_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x28\xb5\x2f\xfd", _ARCHIVE, "a Zstandard archive"),
    (0, b"\x04\x22\x4d\x18", _ARCHIVE, "an LZ4 archive"),
    (0, b"MSCF\0", _ARCHIVE, "a Cabinet archive"),
    (0, b"\x1f\x9d", _ARCHIVE, "an archive of compress"),
    (0, b"\x1f\xa0", _ARCHIVE, "an archive of compress"),
    (0, b"xar!\0", _ARCHIVE, "a XAR archive"),
    (0, b"\x60\xea", _ARCHIVE, "an ARJ archive"),
    (0x8001, b"CD001", _ARCHIVE, "a disc image"),
    (0, b"\0\x01\0\0\0", _CODE, "a TrueType font"),
    (0, b"OTTO\0", _CODE, "an OpenType font"),
    (0, b"wOFF", _CODE, "a web font"),
    (0, b"wOF2", _CODE, "a web font"),
    (0, b"\xca\xfe\xba\xbe", _CODE, "a compiled Java class or a program"),
    (0, b"\xcf\xfa\xed\xfe", _CODE, "a program"),
    (0, b"\xce\xfa\xed\xfe", _CODE, "a program"),
    (0, b"\0asm", _CODE, "a WebAssembly program"),
    (1, b"\r\r\n", _CODE, "a compiled Python module"),
    (0, b"\x80\x04\x95", _CODE, "a Python pickle"),
    (0, b"\x80\x05\x95", _CODE, "a Python pickle"),
    (0, b"PAR1", _DATA, "a Parquet table"),
    (0, b"ARROW1", _DATA, "an Arrow table"),
    (0, b"\x89HDF\r\n", _DATA, "an HDF5 file"),
    (0, b"\x93NUMPY", _DATA, "a NumPy array"),
    (0, b"\0\x01\0\0Standard", _DATA, "an Access database"),
    (0, b"!BDN", _DATA, "an Outlook mailbox (.pst)"),
    (0, b"\x78\x9f\x3e\x22", _DATA, "an attachment of Outlook's own (winmail.dat)"),
    (0, b"bplist", _DATA, "a binary property list"),
    (0, b"\x30\x82", _CODE, "a certificate or a signature"),
    (0, b"ITSF", _BOOK, "a compiled help file (.chm)"),
    (60, b"BOOKMOBI", _BOOK, "a Kindle book"),
    (60, b"TEXtREAd", _BOOK, "a Palm book"),
    (0, b"AT&TFORM", _BOOK, "a DjVu document"),
    (0, b"\xffWPC", _BOOK, "a WordPerfect document"),
    (0, b"\xf7\x02", _BOOK, "a DVI document"),
    (0, b"8BPS", _IMAGE, "a Photoshop image"),
    (0, b"\0\0\x01\0", _IMAGE, "an icon"),
    (0, b"\xd7\xcd\xc6\x9a", _IMAGE, "a Windows metafile"),
    (40, b" EMF", _IMAGE, "a Windows metafile"),
    (0, b"\0\0\0\x0cjP  ", _IMAGE, "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", _IMAGE, "a JPEG 2000 image"),
    (0, b"AC10", _IMAGE, "an AutoCAD drawing"),
    (0, b"\x30\x26\xb2\x75", _MEDIA, "a Windows Media recording"),
    (0, b"FORM", _MEDIA, "an AIFF recording"),
    (0, b"MThd", _MEDIA, "a MIDI file"),
    (0, b"#!AMR", _MEDIA, "an AMR recording"),
    (0, b"\xff\xf1", _MEDIA, "an AAC recording"),
    (0, b"\xff\xf9", _MEDIA, "an AAC recording"),
    (0, b"FLV\x01", _MEDIA, "a Flash video"),
    (0, b"\0\0\x01\xba", _MEDIA, "an MPEG video"),
    (0, b"\0\0\x01\xb3", _MEDIA, "an MPEG video"),
)  # fmt: skip


def describe(data: bytes) -> str:
    """Return the reason for binary ``data``: what it seems to be, and what to do."""
    for position, magic, reason, name in _SIGNATURES:
        if data.startswith(magic, position):
            return reason.format(name)
    if data[:1] == data[188:189] == data[376:377] == b"\x47":
        return _MEDIA.format("an MPEG video")
    return _UNKNOWN
