"""EPUB: chapters in reading order, without navigation and cover."""

import io
import zipfile

import pytest

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
OPF = """<package xmlns="http://www.idpf.org/2007/opf">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title> A
 book </dc:title><dc:title>Another</dc:title></metadata>
<manifest>{items}</manifest><spine toc="ncx">{spine}</spine><guide>{guide}</guide></package>"""


def page(body: str) -> str:
    return f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'


def book(files: dict[str, str], guide: str = "", **extra: str) -> bytes:
    kinds = {"xhtml": "application/xhtml+xml", "ncx": "application/x-dtbncx+xml"}
    items = "".join(
        f'<item id="{name.partition(".")[0]}" href="{name.replace(" ", "%20")}" '
        f'media-type="{kinds.get(name.rpartition(".")[2], "image/png")}" '
        f'properties="{"nav" if name.startswith("nav") else ""}"/>'
        for name in files
    )
    spine = "".join(f'<itemref idref="{name.partition(".")[0]}"/>' for name in files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", OPF.format(items=items, spine=spine, guide=guide))
        for name, content in files.items():
            archive.writestr(f"OEBPS/{name}", content)
        for name, content in extra.items():
            archive.writestr(f"META-INF/{name}.xml", content)
    return buffer.getvalue()


def load(files: dict[str, str], guide: str = "", **extra: str) -> Document:
    return load_bytes(book(files, guide, **extra), "a.epub")


NAV = page('<nav><ol><li><a href="b%20one.xhtml">The second</a></li></ol></nav>')


def test_chapters_in_order_with_their_headings() -> None:
    document = load(
        {
            "cover.xhtml": page("<p>Buy this</p>"),
            "nav.xhtml": NAV,
            "a.xhtml": page("<h1>First</h1><p>One.</p><h2>Part</h2><p>Two.</p>"),
            "b one.xhtml": page("<p>Three.</p>"),
            "empty.xhtml": page("<img src='x.png'/>"),
            "picture.png": "x",
        },
        '<reference type="cover" href="cover.xhtml"/>',
    )
    assert document.text == "First\n\nOne.\n\nPart\n\nTwo.\n\nThe second\n\nThree."
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "First"),
        (2, "Part"),
        (1, "The second"),
    ]
    assert document.title == "A book"


def test_names_of_an_old_table_of_contents() -> None:
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel><text>One'
        '</text></navLabel><content src="a.xhtml"/></navPoint></navMap></ncx>'
    )
    assert load({"ncx.ncx": ncx, "a.xhtml": page("<p>x</p>")}).text == "One\n\nx"


def locked(algorithm: str) -> str:
    return (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
        f'<EncryptionMethod Algorithm="{algorithm}"/></EncryptedData></encryption>'
    )


def test_locked_books_are_refused_and_obfuscated_fonts_are_no_lock() -> None:
    files = {"a.xhtml": page("<p>x</p>")}
    assert load(files, encryption=locked("http://www.idpf.org/2008/embedding")).text == "x"
    with pytest.raises(LoadError, match=r"^is encrypted \(DRM\)"):
        load(files, encryption=locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc"))


def test_damaged_books() -> None:
    files = {"a.xhtml": page("<p>x</p>"), "b.xhtml": "\0\1\2 no text"}
    assert load(files).text == "x"
    for broken in (book(files)[:300], book({}).replace(b"OEBPS/book.opf", b"OEBPS/gone.opf")):
        with pytest.raises(LoadError, match=r"^is damaged or not an EPUB book"):
            load_bytes(broken, "a.epub")
    with pytest.raises(LoadError, match=r"^holds no text"):
        load({})


def test_links_do_not_leave_the_book() -> None:
    outside = OPF.format(
        items='<item id="a" href="../../../etc/passwd" media-type="application/xhtml+xml"/>',
        spine='<itemref idref="a"/>',
        guide="",
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OEBPS/book.opf", outside)
    with pytest.raises(LoadError, match=r"^holds no text"):
        load_bytes(buffer.getvalue(), "a.epub")
