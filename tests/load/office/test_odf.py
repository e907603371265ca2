"""OpenDocument: texts, spreadsheets and presentations, packed or as one file."""

import io
import zipfile

import pytest
from places import FILES

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document, Page

NAMES = (
    " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for short, name in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("style", "style"),
            ("fo", "xsl-fo-compatible"),
            ("presentation", "presentation"),
            ("meta", "meta"),
        )
    )
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
KINDS = {"odt": "text", "ods": "spreadsheet", "odp": "presentation"}


def content(body: str, kind: str, styles: str = "") -> str:
    return (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )


def load(body: str, suffix: str = "odt", automatic: str = "", **parts: str) -> Document:
    kind = KINDS[suffix]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("content.xml", content(body, kind, automatic))
        for name, part in parts.items():
            archive.writestr(f"{name}.xml", part)
    return load_bytes(buffer.getvalue(), f"a.{suffix}")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<text:p>one</text:p><text:p>two</text:p>", "one\n\ntwo"),
        (
            "<text:p>a<text:s text:c='2'/>b<text:tab/>c<text:line-break/>d "
            "<text:span>e<text:a>f</text:a></text:span></text:p>",
            "a  b\tc\nd ef",
        ),
        (
            "<text:list><text:list-item><text:p>a</text:p><text:p>more</text:p><text:list>"
            "<text:list-item><text:p>b</text:p></text:list-item></text:list></text:list-item>"
            "</text:list>",
            "- a\nmore\n- b",
        ),
        (
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p>"
            "</text:deletion></text:changed-region></text:tracked-changes>"
            "<text:p>left<office:annotation><text:p>remark</text:p></office:annotation></text:p>",
            "left",
        ),
        (
            "<text:p>word<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            "<text:p>The note.</text:p></text:note-body></text:note> on</text:p>"
            "<text:p>end</text:p>",
            "word on\n\nend\n\nThe note.",
        ),
        (
            "<text:p>before<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box>"
            "</draw:frame></text:p>",
            "before\n\nboxed",
        ),
        (
            "<text:p><text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ"
            "</text:ruby-text></text:ruby></text:p>",
            "漢字",
        ),
    ],
)
def test_text(body: str, text: str) -> None:
    assert load(body).text == text


def test_headings_title_numbered_lists_and_hidden_text() -> None:
    styles = (
        "<style:style style:name='P1' style:parent-style-name='Title'/>"
        "<style:style style:name='H'><style:text-properties text:display='none'/></style:style>"
        "<text:list-style style:name='L'><text:list-level-style-number text:level='1' "
        "style:num-format='a' style:num-suffix=')'/></text:list-style>"
    )
    item = "<text:list-item><text:p>{}</text:p></text:list-item>"
    document = load(
        "<text:p text:style-name='P1'>The title</text:p>"
        "<text:h text:outline-level='2'>Chapter <text:span>1</text:span></text:h>"
        f"<text:list text:style-name='L'>{item.format('x')}{item.format('y')}</text:list>"
        "<text:p text:style-name='H'>no</text:p><text:p>a<text:span text:style-name='H'>no"
        "</text:span>b</text:p>",
        automatic=styles,
    )
    assert document.text == "The title\n\nChapter 1\n\na) x\nb) y\n\nab"
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "The title"),
        (2, "Chapter 1"),
    ]
    assert document.title == "The title"


def cells(*texts: str) -> str:
    return "".join(f"<table:table-cell><text:p>{t}</text:p></table:table-cell>" for t in texts)


def row(*texts: str) -> str:
    return f"<table:table-row>{cells(*texts)}</table:table-row>"


def test_tables_of_a_text() -> None:
    head = f"<table:table-header-rows>{row('Name', 'Ann')}</table:table-header-rows>"
    assert load(f"<table:table>{head}{row('Town', 'Rome')}</table:table>").text == (
        "Name: Town | Ann: Rome"
    )
    plain = row("City", "People") + row("Rome", "2.8") + row("Oslo", "0.7")
    assert load(f"<table:table>{plain}</table:table>").text == (
        "City: Rome | People: 2.8\nCity: Oslo | People: 0.7"
    )
    spanned = (
        "<table:table-row><table:table-cell table:number-rows-spanned='2'><text:p>a</text:p>"
        f"</table:table-cell>{cells('1')}</table:table-row>"
        f"<table:table-row><table:covered-table-cell/>{cells('2')}</table:table-row>"
    )
    assert load(f"<table:table>{spanned}</table:table>").text == "a | 1\na | 2"


def test_title_of_the_properties_and_footers_once() -> None:
    footer = f"<style:footer>{'<text:p>The foot</text:p>'}</style:footer>"
    page = "<style:master-page style:name='{}'>" + footer + "</style:master-page>"
    styles = (
        f"<office:document-styles {NAMES}><office:master-styles>{page.format('A')}"
        f"{page.format('B')}</office:master-styles></office:document-styles>"
    )
    meta = f"<office:document-meta {NAMES}><office:meta><dc:title>A book</dc:title></office:meta>"
    document = load("<text:p>x</text:p>", styles=styles, meta=f"{meta}</office:document-meta>")
    assert (document.title, document.text) == ("A book", "x\n\nThe foot")
    assert load("<text:p>x</text:p>", styles="<damaged").text == "x"


def test_a_spreadsheet() -> None:
    def value(kind: str, value: str, shown: str) -> str:
        return (
            f"<table:table-cell office:value-type='{kind}' office:{value}><text:p>{shown}</text:p>"
            "</table:table-cell>"
        )

    data = (
        f"<table:table table:name='Sales'>{row('Region', 'Sum', 'Day', 'Done')}"
        "<table:table-row table:number-rows-repeated='3'><table:table-cell/></table:table-row>"
        "<table:table-row table:number-rows-repeated='2'>"
        "<table:table-cell office:value-type='string'><text:p>Rome</text:p><office:annotation>"
        "<text:p>remark</text:p></office:annotation></table:table-cell>"
        + value("currency", "value='5'", "5.00 €")
        + value("date", "date-value='2024-03-01T00:00:00'", "1. March")
        + value("boolean", "boolean-value='true'", "TRUE")
        + "<table:table-cell table:number-columns-repeated='16380'/></table:table-row>"
        "</table:table><table:table table:name='Empty'/>"
    )
    document = load(data, "ods")
    line = "Region: Rome | Sum: 5.00 € | Day: 2024-03-01 | Done: TRUE"
    assert document.text == f"Sales\n\n{line}\n{line}"
    assert document.place_at(document.text.index("Rome")) == "Sales, row 5"
    assert document.place_at(document.text.rindex("Rome")) == "Sales, row 6"


def test_merged_cells_of_a_spreadsheet() -> None:
    data = (
        f"<table:table table:name='S'>{row('1', '2')}<table:table-row>"
        "<table:table-cell table:number-rows-spanned='2'><text:p>x</text:p></table:table-cell>"
        f"{cells('3')}</table:table-row><table:table-row><table:covered-table-cell/>{cells('4')}"
        "</table:table-row></table:table>"
    )
    assert load(data, "ods").text == "S\n\n1 | 2\nx | 3\nx | 4"


def test_a_presentation() -> None:
    def frame(kind: str, text: str) -> str:
        return (
            f"<draw:frame presentation:class='{kind}'><draw:text-box>{text}</draw:text-box>"
            "</draw:frame>"
        )

    foot = frame("footer", "<text:p>The foot</text:p>")
    document = load(
        f"<draw:page>{frame('outline', '<text:p>Body</text:p>')}"
        f"{frame('title', '<text:p>First</text:p>')}{foot}<presentation:notes>"
        f"{frame('notes', '<text:p>Say it</text:p>')}</presentation:notes></draw:page>"
        f"<draw:page>{frame('title', '<text:p>Second</text:p>')}{foot}</draw:page>",
        "odp",
    )
    assert document.text == "First\n\nBody\n\nThe foot\n\nNotes: Say it\n\nSecond"
    second = document.text.index("Second")
    assert document.pages == (Page(1, 0, second), Page(2, second, len(document.text)))
    assert document.place_at(second) == "slide 2"
    assert document.title == "First"


def test_one_file_of_xml() -> None:
    def flat(kind: str, body: str) -> Document:
        xml = (
            f"<?xml version='1.0'?><office:document {NAMES}><office:meta><dc:title>A title"
            f"</dc:title></office:meta><office:body><office:{kind}>{body}</office:{kind}>"
            "</office:body></office:document>"
        )
        return load_bytes(xml.encode(), "a.xml")

    assert flat("text", "<text:p>x</text:p>").text == "x"
    sheet = flat("spreadsheet", f"<table:table table:name='S'>{row('a', 'b')}</table:table>")
    assert (sheet.title, sheet.text) == ("A title", "S\n\na | b")


def test_a_real_text() -> None:
    document = load_bytes((FILES / "testODFwithOOo3.odt").read_bytes(), "a.odt")
    assert document.title == "Apache Tika"
    assert "\n\n1. First item\n2. Second item\n3. Third item\n\n" in document.text
    assert document.text.endswith("\n\nThis is of course a simple footnote")


def test_what_cannot_be_read_is_refused() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + content(
        "<text:p>left &b;</text:p>", "text"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", bomb)
    assert load_bytes(buffer.getvalue(), "a.odt").text == "left"
    encrypted = (FILES / "testODTEncrypted.odt").read_bytes()
    with pytest.raises(LoadError, match=r"^is encrypted; remove its password"):
        load_bytes(encrypted, "a.odt")
    for data in (b"\0\1\2" * 99, b"PK\x03\x04 cut short", buffer.getvalue()[:400]):
        with pytest.raises(LoadError, match=r"^is damaged or not an OpenDocument file"):
            load_bytes(data, "a.odt")
