"""RTF: characters of any encoding, headings, tables, and what is not shown."""

import pytest
from places import FILES

from rag.load.office.rtf import load as load_rtf
from rag.load.registry import load_bytes


def text(body: str, head: str = r"\ansi\ansicpg1252\deff0") -> str:
    return load_bytes(rf"{{\rtf1{head} {body}}}".encode("latin-1"), "a.rtf").text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (r"one\par two\line three\par\par four", "one\n\ntwo\nthree\n\nfour"),
        (r"caf\'e9 \u8364?5 \emdash\~x\-y\_z \{a\}\\", "café €5 — xy-z {a}\\"),
        (r"{\uc2\u24180\'c4\'ea}{\u10348\'3f}b", "年\u286cb"),
        (r"\u-10179?\u-8704?!", "😀!"),
        (r"\u-10179? alone", "\ufffd alone"),
        (r"seen{\v not}{\deleted nor this} \v no\v0 again", "seen again"),
        (r"seen \v no\plain  again", "seen  again"),
        (r"{\*\unknown no}{\pict 0102ffab}{\object{\*\objdata 00}{\result shown}}a", "a"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt link}} on", "link on"),
        (r"{\upr{no}{\*\ud{yes}}}", "yes"),
        (r"a{\footnote The note.}b\par c", "ab\n\nc\n\nThe note."),
        (r"{\header Top}{\headerf Top}x{\footer Foot}", "x\n\nTop\n\nFoot"),
        (r"x{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt In a box\par}}}y", "x\nIn a box\ny"),
        (
            r"{\listtext\f3\'b7\tab}\ls1 a\par{\listtext 2.\tab}\ls1 b\par\pard c",
            "- a\n2. b\n\nc",
        ),
        (
            r"\trowd\cellx1\cellx2\intbl City\cell People\cell\row"
            r"\trowd\cellx1\cellx2\intbl Rome\cell 2.8\par m\cell\row\pard after",
            "City: Rome | People: 2.8 m\n\nafter",
        ),
        (
            r"\trowd\trhdr\cellx1\cellx2\intbl A1\cell B2\cell\row"
            r"\trowd\clvmgf\cellx1\cellx2\intbl x\cell 1\cell\row"
            r"\trowd\clvmrg\cellx1\cellx2\intbl\cell 2\cell\row",
            "A1: x | B2: 1\nA1: x | B2: 2",
        ),
        (r"cut {\b short", "cut short"),
        (r"\bin4 }}}}after", "after"),
    ],
)
def test_text(body: str, expected: str) -> None:
    assert text(body) == expected


def test_encodings_of_fonts_and_documents() -> None:
    fonts = (
        r"{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fnil\fcharset204 Arial Cyr;}"
        r"{\f2\fnil\fcharset128 MS Mincho;}{\f3\fnil\cpg1250 CE;}}"
    )
    body = fonts + r"\f1\'cc\'ee\f0  \f2\'93\'8c\'8b\'9e \plain{\f3\'e8}"
    assert text(body) == "Мо 東京 č"
    assert text(r"\'e8", r"\ansi\ansicpg1250") == "č"
    assert text(r"\'8e", r"\mac") == "é"


def test_headings_and_titles() -> None:
    head = (
        r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}{\s2 heading 2;}{\s3 Title;}}"
        r"{\info{\title A \u8364?uro title}}"
    )
    body = r"\pard\s3 Top\par\pard\s1 One\par\pard\s2 Two\par\pard\outlinelevel2 Three\par\pard x"
    document = load_bytes(rf"{{\rtf1{head}{body}}}".encode(), "a.rtf")
    assert document.title == "A €uro title"
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [
        (1, "Top"),
        (1, "One"),
        (2, "Two"),
        (3, "Three"),
    ]
    untitled = r"{\rtf1{\stylesheet{\s3 Title;}}\s3 Top\par\pard x}"
    assert load_bytes(untitled.encode(), "a.rtf").title == "Top"


def test_real_files() -> None:
    czech = load_bytes((FILES / "testRTFWord2010CzechCharacters.rtf").read_bytes(), "a.rtf")
    assert czech.text.startswith("Článek týdne\n\nČást svitku s textem Knihy Izajáš\n\nSvitky od")
    lists = load_bytes((FILES / "testRTFListLibreOffice.rtf").read_bytes(), "a.rtf")
    assert lists.text == (
        "A short ordered list:\n\n1. one\n2. two\n3. three\n\n"
        "A short unordered list:\n\n- first\n- second\n- third"
    )


def test_what_goes_by_another_name() -> None:
    assert load_bytes(rb"{\rtf1 hi}", "a.doc").text == "hi"
    assert load_bytes(b"plain words", "a.rtf").text == "plain words"
    assert load_bytes(b"<p>one<p>two", "a.doc").text == "one\n\ntwo"


def test_depth_costs_no_stack() -> None:
    assert load_rtf(b"{\\rtf1 " + b"{" * 100_000 + b"deep" + b"}" * 100_000, "a.rtf").text == "deep"
