"""Outlook messages: real ones, and made ones for what those do not have."""

from typing import Any

import pytest
from compressed_rtf import compress
from fakes_outlook import Tree, compound_file, properties
from hypothesis import given, settings
from hypothesis import strategies as st
from places import FILES

from rag.errors import LoadError
from rag.load.registry import Loaded, load_file

NOON = 132_223_104_000_000_000 + 12 * 36_000_000_000  # 2020-01-01 12:00 in Outlook's count


def texts(loaded: Loaded) -> dict[str, str]:
    return {document.source: document.text for document in loaded.documents}


def load(name: str) -> Loaded:
    return load_file((FILES / name).read_bytes(), name)


def wide(**values: str) -> Tree:
    return {
        f"__substg1.0_{name[1:]}001F": text.encode("utf-16-le") for name, text in values.items()
    }


def message(header: int = 32, more: Tree | None = None, **values: str) -> dict[str, Any]:
    numbers = properties(header, t0039=NOON)
    return {"__properties_version1.0": numbers, **wide(**values), **(more or {})}


def recipient(kind: int, name: str, address: str) -> Tree:
    return {
        "__properties_version1.0": properties(8, p0C15=kind),
        **wide(p3001=name, p39FE=address),
    }


def attachment(name: str, content: bytes | Tree, method: int = 1, **values: str) -> Tree:
    stream = f"__substg1.0_3701{'0102' if isinstance(content, bytes) else '000D'}"
    numbers = properties(8, p3705=method)
    return {"__properties_version1.0": numbers, **wide(p3707=name, **values), stream: content}


def test_a_message_with_attachments() -> None:
    name = "testMSG_att_doc.msg"
    loaded = load(name)
    assert texts(loaded)[name] == (
        "From: Nicolas1 23456 <nicolas1.23456@free.fr>\n"
        "To: nicolas1.23456@free.fr\n"
        "Date: 2009-04-22 14:36:33 +00:00\n"
        "Subject: test pièce jointe 1\n"
        "Attachments: test-unicode.doc, pj1.txt\n\n"
        "contenu"
    )
    assert loaded.documents[0].title == "test pièce jointe 1"
    assert texts(loaded)[f"{name}/pj1.txt"].startswith("école (00E9)\n \neuro : € (20AC)\n")
    sources = {source for source, _ in loaded.failed} | set(texts(loaded))
    assert sources == {name, f"{name}/pj1.txt", f"{name}/test-unicode.doc"}


def test_headers_as_they_came_over_the_internet() -> None:
    name = "test_outlook_msg.msg"
    assert texts(load(name)) == {
        name: "From: M. C. Kurtuluş <muratcan.kurtulus@gmail.com>\n"
        "To: M. C. Kurtuluş <muratcan.kurtulus@gmail.com>\n"
        "Date: 2024-12-22 11:23:00 +03:00\n"
        "Subject: Test Email Message\n\n"
        "This is the body of the test email message"
    }


def test_a_code_page_that_is_not_unicode() -> None:
    name = "testMSG_chinese.msg"
    (document,) = load(name).documents
    assert document.title == "Alfresco MSG format testing ( MSG 格式測試 )"
    assert document.text.startswith(
        "From: Tests Chang@FT (張毓倫)\nTo: Tests Chang@FT (張毓倫) <tests.chang@fengttt.com>\n"
        "Date: 2011-03-29 08:52:48 +00:00\n"
    )
    assert "\n一、會議時間：2011 年 3 月 24 日下午 17:40 ~ 19:00\n" in document.text


def test_people_and_times_as_outlook_knows_them() -> None:
    data = compound_file(
        message(
            p0037="Plans",
            p0C1A="Ann",
            p0C1F="/O=ORG/CN=ANN",
            p5D01="ann@x.example",
            p1000="Hi\r\n\r\nBye",
            more={
                "__recip_version1.0_#00000000": recipient(1, "Bob", "bob@x.example"),
                "__recip_version1.0_#00000001": recipient(1, "c@x.example", "c@x.example"),
                "__recip_version1.0_#00000002": recipient(2, "Dan", "/O=ORG/CN=DAN"),
                "__recip_version1.0_#00000003": recipient(3, "Eve", "eve@x.example"),
            },
        )
    )
    assert texts(load_file(data, "a.msg")) == {
        "a.msg": "From: Ann <ann@x.example>\nTo: Bob <bob@x.example>, c@x.example\nCc: Dan\n"
        "Date: 2020-01-01 12:00:00 +00:00\nSubject: Plans\n\nHi\n\nBye"
    }


def test_a_body_in_html_alone() -> None:
    data = compound_file(message(p0037="s", p1013="<h1>Head</h1><p>W&ouml;rter"))
    (document,) = load_file(data, "a").documents
    assert document.text.endswith("Subject: s\n\nHead\n\nWörter")
    assert [document.text[h.start : h.end] for h in document.headings] == ["Head"]
    coded: Tree = {"__substg1.0_10130102": b'<meta charset="utf-8"><p>W\xc3\xb6rter'}
    data = compound_file(message(p0037="s", more=coded))
    assert load_file(data, "a").documents[0].text.endswith("\n\nWörter")


def test_attached_messages_objects_and_links() -> None:
    inner = message(
        24,
        p0037="Re: old/new",
        p1000="inner words",
        more={"__attach_version1.0_#00000000": attachment("d.txt", b"deep")},
    )
    logo = attachment("logo.png", b"\x89PNG\r\n\x1a\n", p370E="image/png", p3712="cid")
    data = compound_file(
        message(
            p0037="s",
            p1000="outer words",
            more={
                "__attach_version1.0_#00000000": attachment("x", inner, method=5),
                "__attach_version1.0_#00000001": attachment("ole.bin", {"X": b"x"}, method=6),
                "__attach_version1.0_#00000002": attachment("C:\\far\\linked.doc", b"", method=2),
                "__attach_version1.0_#00000003": logo,
                "__attach_version1.0_#00000004": attachment("smime.p7m", b"\x30\x82"),
            },
        )
    )  # fmt: skip
    loaded = load_file(data, "a.msg")
    date = "Date: 2020-01-01 12:00:00 +00:00\nSubject:"
    assert texts(loaded) == {
        "a.msg": f"{date} s\nAttachments: Re: old-new.msg, ole.bin, linked.doc, smime.p7m\n\n"
        "outer words",
        "a.msg/Re: old-new.msg": f"{date} Re: old/new\nAttachments: d.txt\n\ninner words",
        "a.msg/Re: old-new.msg/d.txt": "deep",
    }
    assert dict(loaded.failed) == {
        "a.msg/ole.bin": "is an object of another program; save it from Outlook as a file",
        "a.msg/linked.doc": "is only linked to, and not in the message; add it to the folder",
        "a.msg/smime.p7m": "is encrypted or sealed as a whole (S/MIME); save its content decrypted",
    }


RICH = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Caf\'e9 at noon"
    rb"\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}\pard second words\par}"
)


@pytest.mark.parametrize("packed", [True, False])
def test_a_body_in_compressed_rtf_alone(packed: bool) -> None:
    more: Tree = {"__substg1.0_10090102": compress(RICH, compressed=packed)}
    loaded = load_file(compound_file(message(p0037="s", more=more)), "a.msg")
    assert loaded.failed == ()
    assert loaded.documents[0].text.endswith("Subject: s\n\nCafé at noon\n\nsecond words")


def test_a_body_in_damaged_rtf_is_told() -> None:
    whole = compress(RICH)
    for damaged in (b"LZFu...", whole[:-9] + bytes(9), compress(b"no rich text")):
        more: Tree = {"__substg1.0_10090102": damaged}
        loaded = load_file(compound_file(message(p0037="s", more=more)), "a.msg")
        assert loaded.documents[0].text.endswith("Subject: s\nAttachments: body.rtf")
        [(name, reason)] = loaded.failed
        assert (name, "damaged" in reason) == ("a.msg/body.rtf", True)


def test_messages_in_messages_end_somewhere() -> None:
    inner = message(24, p0037="0", p1000="innermost")
    for depth in range(1, 8):
        more = {"__attach_version1.0_#00000000": attachment("x", inner, method=5)}
        inner = message(24 if depth < 7 else 32, p0037=str(depth), more=more)
    loaded = load_file(compound_file(inner), "a.msg")
    assert [document.title for document in loaded.documents] == ["7", "6", "5", "4", "3"]
    assert loaded.failed[0][0] == "a.msg/6.msg/5.msg/4.msg/3.msg/2.msg"


def test_streams_that_share_their_bytes_are_all_counted() -> None:
    data = bytearray(compound_file(message(p0037="s", p1000="x" * 1_000_000)))
    name = "__substg1.0_1000001F".encode("utf-16-le")
    size = data.index(name) + 120
    data[size : size + 8] = (900_000_000).to_bytes(8, "little")
    with pytest.raises(LoadError, match=r"damaged|unpacks to more than 100 times"):
        load_file(bytes(data), "a.msg")


@settings(max_examples=60)
@given(at=st.integers(0, 13_000), junk=st.binary(min_size=1, max_size=8), cut=st.booleans())
def test_damaged_messages_load_or_are_refused(at: int, junk: bytes, cut: bool) -> None:
    data = (FILES / "test_outlook_msg.msg").read_bytes()
    data = data[:at] + junk + (b"" if cut else data[at + len(junk) :])
    try:
        loaded = load_file(data, "a.msg")
    except LoadError:
        return
    assert loaded.documents[0].source == "a.msg"
