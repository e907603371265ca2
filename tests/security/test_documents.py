"""Documents that attack their parser: entities, formulas, macros, fields, paths.

A table of builders: one file of each format for each attack. A format that does not load yet must
be refused with a reason, so that a new loader meets these tests on its first day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest
from fuzzing import finding
from hostile_xml import (
    OFFICE,
    RELATIONS,
    WORD,
    XML,
    docx,
    epub,
    odt,
    office,
    packed,
    svg,
    workbook,
    xhtml,
    xlsx,
    xml,
)

from rag.errors import LoadError
from rag.load.registry import SUFFIXES, load_file
from rag.sandbox.isolated import IsolatedLoader, Limits

SECRET = "canary-of-another-file-58d2"

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
    xml = f'{XML}<w:document xmlns:w="{WORD}">{body}</w:document>'
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
        f'{XML}<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>Whales swim.</w:t></w:r></w:p>'
        "</w:body></w:document>",
        **{"word/vbaProject.bin": "Sub AutoOpen()\nShell canary-macro\nEnd Sub"},
    )
    assert text_of(data, "a.docm") == "Whales swim."


def linked(target: str) -> bytes:
    """A document that refers to something outside by a relation."""
    picture = '<w:p><w:r><w:t>Whales swim.</w:t></w:r></w:p><w:altChunk r:id="rId9"/>'
    xml = (
        f'{XML}<w:document xmlns:w="{WORD}" xmlns:r="{OFFICE}"><w:body>{picture}</w:body>'
        "</w:document>"
    )
    relations = (
        f'{XML}<Relationships xmlns="{RELATIONS}"><Relationship Id="rId9" '
        f'Type="{OFFICE}/aFChunk" TargetMode="External" Target="{target}"/></Relationships>'
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
