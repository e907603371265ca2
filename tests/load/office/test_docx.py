"""DOCX: everything in document order, headings by style, tables with headers."""

import io
import zipfile

import docx
import pytest
from docx.oxml import OxmlElement, parse_xml
from places import FILES

from rag.load.registry import load_bytes
from rag.types import Document


def load(word: "docx.document.Document") -> Document:
    buffer = io.BytesIO()
    word.save(buffer)
    return load_bytes(buffer.getvalue(), "a.docx")


def test_text_headings_lists_and_title() -> None:
    word = docx.Document()
    word.core_properties.title = "From the properties"
    word.add_heading("The title", 0)
    word.add_heading("Chapter", 1)
    paragraph = word.add_paragraph("One ")
    paragraph.add_run("bold").bold = True
    paragraph.add_run("\tand\n more")
    word.add_paragraph("first", style="List Bullet")
    word.add_paragraph("second", style="List Number")
    word.add_heading("Deeper", 3)
    word.add_paragraph("End.")
    document = load(word)
    assert document.text == (
        "The title\n\nChapter\n\nOne bold\tand\n more\n\n- first\n1. second\n\nDeeper\n\nEnd."
    )
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "The title"),
        (1, "Chapter"),
        (3, "Deeper"),
    ]
    assert document.title == "From the properties"


@pytest.mark.parametrize(
    ("style", "title"), [("Title", "Words"), ("Heading 1", "Words"), ("Normal", "")]
)
def test_title_without_properties(style: str, title: str) -> None:
    word = docx.Document()
    word.core_properties.title = "Microsoft Word - draft.doc"
    word.add_paragraph("Words", style=style)
    assert load(word).title == title


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (["City|People|Area", "Rome|2.8|1285"], "City: Rome | People: 2.8 | Area: 1285"),
        (
            ["City|People", "Rome|2.8 m", "Oslo|0.7 m"],
            "City: Rome | People: 2.8 m\nCity: Oslo | People: 0.7 m",
        ),
        (["Name|Ann", "Town|Rome"], "Name | Ann\nTown | Rome"),
        (["1|2|3", "4|5|6"], "1 | 2 | 3\n4 | 5 | 6"),
    ],
)
def test_tables(rows: list[str], lines: str) -> None:
    assert load(table_of(rows)).text == f"Before\n\n{lines}\n\nAfter"


def table_of(rows: list[str]) -> "docx.document.Document":
    word = docx.Document()
    word.add_paragraph("Before")
    table = word.add_table(0, rows[0].count("|") + 1)
    for row in rows:
        for cell, text in zip(table.add_row().cells, row.split("|"), strict=True):
            cell.text = text
    word.add_paragraph("After")
    return word


def test_marked_headers_and_merged_cells() -> None:
    word = table_of(["Name|Ann|x", "Town|Rome|y", "Town|Oslo|z"])
    table = word.tables[0]
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    table.cell(2, 0).text = ""
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(0, 1).merge(table.cell(0, 2)).text = "Ann"
    assert "Name: Town | Ann: Rome | Ann: y\nName: Town | Ann: Oslo | Ann: z" in load(word).text


def test_text_boxes_links_notes_and_footers() -> None:
    data = (FILES / "testWORD_various.docx").read_bytes()
    text = load_bytes(data, "a.docx").text
    for words in (
        "Here is a text box",
        "This is a hyperlink",
        "- Bullet 2",
        "Row 1 Col 1 | Row 1 Col 2 | Row 1 Col 3\nRow 2 Col 1",
        "𐌲𐌿𐍄𐌹𐍃𐌺",
        "This is a footnote.",
        "This is the header text.",
        "This is the footer text.",
    ):
        assert text.count(words) == 1


def test_deleted_text_is_gone_and_inserted_text_is_there() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("kept ")
    for tag, child in (("w:ins", "w:t"), ("w:del", "w:delText")):
        change, run, text = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(child)
        text.text = tag[2:]
        run.append(text)
        change.append(run)
        paragraph._p.append(change)
    assert load(word).text == "kept ins"


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def numbered(definition: str, *paragraphs: str, other: str = "") -> str:
    """Paragraphs ``list:level:text`` of lists 1 and 2 that follow ``definition``."""
    word = docx.Document()
    root = word.part.numbering_part.element
    for child in list(root):
        root.remove(child)
    lists = f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num><w:num w:numId="2">\
<w:abstractNumId w:val="0"/>{other}</w:num>'
    xml = f'<w:x {W}><w:abstractNum w:abstractNumId="0">{definition}</w:abstractNum>{lists}</w:x>'
    root.extend(list(parse_xml(xml)))
    for paragraph in paragraphs:
        number, level, text = paragraph.split(":")
        properties = f'<w:ilvl w:val="{level}"/><w:numId w:val="{number}"/>'
        word.add_paragraph(text)._p.get_or_add_pPr().append(
            parse_xml(f"<w:numPr {W}>{properties}</w:numPr>")
        )
    return load(word).text


def level(number: int, kind: str, text: str, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{number}"><w:start w:val="{start}"/><w:numFmt w:val="{kind}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def test_lists_carry_their_numbers() -> None:
    levels = (
        level(0, "decimal", "%1.") + level(1, "lowerLetter", "%1.%2)") + level(2, "bullet", "o")
    )
    paragraphs = ("1:0:a", "1:1:b", "1:1:c", "1:2:d", "1:0:e", "1:1:f", "0:0:g", "2:0:h")
    assert numbered(levels, *paragraphs) == ("1. a\n1.a) b\n1.b) c\n- d\n2. e\n2.a) f\n\ng\n\n3. h")


def test_lists_that_begin_anew_or_elsewhere() -> None:
    levels = level(0, "upperRoman", "%1", start=4) + level(1, "none", "")
    other = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    assert numbered(levels, "1:0:a", "1:1:b", "2:0:c", "2:0:d", "9:0:e", other=other) == (
        "IV a\n\nb\n\nI c\nII d\n- e"
    )


def test_numbered_headings() -> None:
    word = docx.Document()
    root = word.part.numbering_part.element
    linked = level(1, "decimal", "%1.%2").replace(
        "<w:lvlText", '<w:pStyle w:val="Heading2"/><w:lvlText'
    )
    xml = (
        f'<w:x {W}><w:abstractNum w:abstractNumId="77">{level(0, "decimal", "%1")}{linked}'
        '</w:abstractNum><w:num w:numId="77"><w:abstractNumId w:val="77"/></w:num></w:x>'
    )
    root.extend(list(parse_xml(xml)))
    for name in ("Heading 1", "Heading 2"):
        word.styles[name].element.get_or_add_pPr().append(
            parse_xml(f'<w:numPr {W}><w:numId w:val="77"/></w:numPr>')
        )
    for depth, text in ((1, "Scope"), (2, "Goal"), (2, "Means"), (1, "End")):
        word.add_heading(text, depth)
    document = load(word)
    assert document.text == "1 Scope\n\n1.1 Goal\n\n1.2 Means\n\n2 End"
    assert [document.text[h.start : h.end] for h in document.headings][1] == "1.1 Goal"


def test_iso_29500_strict() -> None:
    word = docx.Document()
    word.add_heading("Head", 1)
    word.add_paragraph("Body")
    word.save(buffer := io.BytesIO())
    strict = io.BytesIO()
    with zipfile.ZipFile(buffer) as archive, zipfile.ZipFile(strict, "w") as copy:
        for name in archive.namelist():
            content = archive.read(name)
            for usual, new in (
                (b"schemas.openxmlformats.org/officeDocument/2006/", b"officeDocument/"),
                (
                    b"schemas.openxmlformats.org/wordprocessingml/2006/main",
                    b"wordprocessingml/main",
                ),
            ):
                content = content.replace(usual, b"purl.oclc.org/ooxml/" + new)
            copy.writestr(name, content)
    document = load_bytes(strict.getvalue(), "a.docx")
    assert document.text == "Head\n\nBody"
    assert len(document.headings) == 1
