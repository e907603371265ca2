"""Documents that attack their parser: entities, formulas, macros, fields, paths.

A table of builders: one file of each format for each attack. A format that does not load yet must
be refused with a reason, so that a new loader meets these tests on its first day.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from fuzzing import finding

from rag.errors import LoadError
from rag.load import SUFFIXES, load_file
from rag.load.isolated import IsolatedLoader, Limits

SECRET = "canary-of-another-file-58d2"
XML = '<?xml version="1.0" encoding="UTF-8"?>'


def archive(**parts: str) -> bytes:
    """A ZIP archive; ``__`` in a part's name stands for ``/`` and ``_DOT_`` for a dot."""
    return packed({k.replace("__", "/").replace("_DOT_", "."): v for k, v in parts.items()})


def packed(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            file.writestr(zipfile.ZipInfo(name), text, kind)
    return buffer.getvalue()


_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN = "application/vnd.openxmlformats-officedocument"


def office(main: str, kind: str, body: str, **more: str) -> bytes:
    """An Office file whose main part is ``body``."""
    parts = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{_MAIN}.{kind}+xml"/></Types>',
        "_rels/.rels": f'{XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>',
        main: body,
        **more,
    }
    return packed(parts)


def docx(dtd: str, text: str) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>Whales swim. {text}</w:t></w:r></w:p></w:body>"
    xml = f'{XML}{dtd}<w:document xmlns:w="{_WORD}">{body}</w:document>'
    return office("word/document.xml", "wordprocessingml.document.main", xml)


def xlsx(dtd: str, text: str) -> bytes:
    return workbook(dtd, f'<c r="A1" t="inlineStr"><is><t>Whales swim. {text}</t></is></c>')


def workbook(dtd: str, cells: str) -> bytes:
    sheet = (
        f'{XML}{dtd}<worksheet xmlns="{_SHEET}"><sheetData><row r="1">{cells}</row></sheetData>'
        "</worksheet>"
    )
    book = (
        f'{XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Whales" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    relations = (
        f'{XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    )
    more = {"xl/worksheets/sheet1.xml": sheet, "xl/_rels/workbook.xml.rels": relations}
    return office("xl/workbook.xml", "spreadsheetml.sheet.main", book, **more)


def odt(dtd: str, text: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'{XML}{dtd}<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:text="{names}:text:1.0"><office:body><office:text><text:p>Whales swim. {text}'
        "</text:p></office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": content})


def epub(dtd: str, text: str) -> bytes:
    container = (
        f'{XML}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
        '<rootfiles><rootfile full-path="book.opf" '
        'media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    package = (
        f'{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
        '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    return packed(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "book.opf": package,
            "a.xhtml": xhtml(dtd, text).decode(),
        }
    )


def xhtml(dtd: str, text: str) -> bytes:
    return (
        f'{XML}{dtd}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title></head>'
        f"<body><p>Whales swim. {text}</p></body></html>"
    ).encode()


def svg(dtd: str, text: str) -> bytes:
    return (
        f'{XML}{dtd}<svg xmlns="http://www.w3.org/2000/svg"><text>Whales swim. {text}</text></svg>'
    ).encode()


def xml(dtd: str, text: str) -> bytes:
    return f"{XML}{dtd}<a><b>Whales swim. {text}</b></a>".encode()


WITH_XML: dict[str, Callable[[str, str], bytes]] = {
    ".docx": docx,
    ".docm": docx,
    ".xlsx": xlsx,
    ".odt": odt,
    ".epub": epub,
    ".xhtml": xhtml,
    ".html": xhtml,
    ".svg": svg,
    ".xml": xml,
}


def text_of(data: bytes, name: str) -> str | None:
    """The text of a file, or None where it is refused with a reason, as it may be."""
    try:
        loaded = load_file(data, name)
    except LoadError:
        return None
    return "\n".join(document.text for document in loaded.documents)


@pytest.mark.parametrize("suffix", WITH_XML)
def test_the_builders_make_files_that_load(suffix: str) -> None:
    text = text_of(WITH_XML[suffix]("", "They sing."), f"a{suffix}")
    if suffix in SUFFIXES:
        assert text is not None
        assert "Whales swim. They sing." in text
    elif text is not None:
        assert suffix in (".xml", ".svg"), "it loads although no suffix says so"


@pytest.mark.parametrize("suffix", WITH_XML)
@pytest.mark.parametrize("where", ["file", "relative", "http", "parameter"])
def test_an_entity_reads_no_file_and_no_address(
    suffix: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    monkeypatch.chdir(tmp_path)
    target = {
        "file": (tmp_path / "secret.txt").as_uri(),
        "relative": "secret.txt",
        "http": "http://evil.example/x",  # the tests' network guard fails the test
        "parameter": (tmp_path / "secret.txt").as_uri(),
    }[where]
    dtd = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{target}">]>'
    if where == "parameter":
        (tmp_path / "x.dtd").write_text(f'<!ENTITY e "{SECRET}">')
        address = (tmp_path / "x.dtd").as_uri()
        dtd = f'<!DOCTYPE a [<!ENTITY % p SYSTEM "{address}"> %p;]>'
    text = text_of(WITH_XML[suffix](dtd, "&e;"), f"a{suffix}")
    assert SECRET not in (text or "")


@pytest.mark.parametrize("suffix", WITH_XML)
def test_an_external_dtd_is_not_read(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "x.dtd").write_text(f'<!ENTITY e "{SECRET}">')
    dtd = f'<!DOCTYPE a SYSTEM "{(tmp_path / "x.dtd").as_uri()}">'
    assert SECRET not in (text_of(WITH_XML[suffix](dtd, "&e;"), f"a{suffix}") or "")


def laughs(levels: int = 30) -> str:
    """Entities that grow to 2 ** levels copies of a word."""
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, levels))
    return f'<!DOCTYPE a [<!ENTITY e0 "laugh">{entities}]>'


@pytest.fixture(scope="module")
def worker() -> Iterator[IsolatedLoader]:
    with IsolatedLoader(Limits(memory_mb=512, seconds=60)) as load:
        yield load


@pytest.mark.parametrize("suffix", WITH_XML)
def test_an_entity_does_not_grow(suffix: str, worker: IsolatedLoader) -> None:
    data = WITH_XML[suffix](laughs(), "&e29;")
    assert finding(worker, data, f"a{suffix}") == ""
    text = text_of(data, f"a{suffix}") or ""
    assert len(text) < 100_000
    assert text.count("laugh") < 100


# Nothing is computed or run


def formula(text: str) -> bytes:
    return workbook(
        "", f'<c r="A1" t="inlineStr"><is><t>Whales</t></is></c><c r="B1"><f>{text}</f></c>'
    )


FORMULAS: dict[str, bytes] = {
    "sum.xlsx": formula("40+2"),
    "link.xlsx": formula(
        'HYPERLINK("http://evil.example/","x")&amp;WEBSERVICE("http://evil.example")'
    ),
    "sum.csv": b'name,count\nWhales,=40+2\nOrcas,"=HYPERLINK(""http://evil.example"")"\n',
    "dde.csv": b"name,count\nWhales,=cmd|' /C calc'!A0\n",
    "sum.html": b"<html><body><table><tr><td>Whales</td><td>=40+2</td></tr></table></body></html>",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_not_computed(name: str, reached_hosts: list[str]) -> None:
    text = text_of(FORMULAS[name], name)
    assert text is None or ("Whales" in text and "42" not in text)
    assert reached_hosts == []


def field(instruction: str) -> bytes:
    run = "<w:r>{}</w:r>".format
    runs = (
        run('<w:fldChar w:fldCharType="begin"/>')
        + run(f"<w:instrText>{instruction}</w:instrText>")
        + run('<w:fldChar w:fldCharType="end"/>')
    )
    body = f"<w:body><w:p><w:r><w:t>Whales swim.</w:t></w:r>{runs}</w:p></w:body>"
    xml = f'{XML}<w:document xmlns:w="{_WORD}">{body}</w:document>'
    return office("word/document.xml", "wordprocessingml.document.main", xml)


@pytest.mark.parametrize(
    "instruction",
    [
        "INCLUDETEXT {path}",
        "INCLUDEPICTURE http://evil.example/x.png",
        "DDEAUTO c:\\\\windows\\\\cmd.exe calc",
        "= 40 + 2",
        "DOCVARIABLE x",
    ],
)
def test_a_field_of_word_is_not_followed(
    instruction: str, tmp_path: Path, reached_hosts: list[str]
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    data = field(instruction.format(path=tmp_path / "secret.txt"))
    text = text_of(data, "a.docx") or ""
    assert "Whales swim." in text
    assert SECRET not in text
    assert "42" not in text
    assert reached_hosts == []


def test_macros_are_not_looked_at() -> None:
    data = office(
        "word/document.xml",
        "wordprocessingml.document.main",
        f'{XML}<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>Whales swim.</w:t></w:r></w:p>'
        "</w:body></w:document>",
        **{"word/vbaProject.bin": "Sub AutoOpen()\nShell canary-macro\nEnd Sub"},
    )
    assert text_of(data, "a.docm") == "Whales swim."


def linked(target: str) -> bytes:
    """A document that refers to something outside by a relation."""
    picture = '<w:p><w:r><w:t>Whales swim.</w:t></w:r></w:p><w:altChunk r:id="rId9"/>'
    xml = (
        f'{XML}<w:document xmlns:w="{_WORD}" xmlns:r="{_OFFICE}"><w:body>{picture}</w:body>'
        "</w:document>"
    )
    relations = (
        f'{XML}<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId9" '
        f'Type="{_OFFICE}/aFChunk" TargetMode="External" Target="{target}"/></Relationships>'
    )
    return office(
        "word/document.xml",
        "wordprocessingml.document.main",
        xml,
        **{"word/_rels/document.xml.rels": relations},
    )


@pytest.mark.parametrize("target", ["http://evil.example/x", "{uri}", "../../../../etc/passwd"])
def test_what_a_document_refers_to_is_not_opened(
    target: str, tmp_path: Path, reached_hosts: list[str]
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    text = text_of(linked(target.format(uri=(tmp_path / "secret.txt").as_uri())), "a.docx")
    assert SECRET not in (text or "")
    assert "root:" not in (text or "")
    assert reached_hosts == []


# Nothing leaves its folder


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt",
        "/etc/evil.txt",
        "a/../../evil.txt",
        "..\\evil.txt",
        "C:\\evil.txt",
        "a\0b.txt",
    ],
)
def test_a_member_of_an_archive_stays_below_it(name: str) -> None:
    data = packed({"ok.txt": "Whales swim.\n", name: "Orcas hunt.\n"})
    try:
        loaded = load_file(data, "box.zip")
    except LoadError:
        return
    sources = [document.source for document in loaded.documents]
    sources += [source for source, _ in loaded.failed]
    for source in sources:
        assert source.startswith("box.zip/")
        assert not set(PurePosixPath(source).parts) & {"..", "/"}
        assert not set(source) & {"\0", "\\"}
