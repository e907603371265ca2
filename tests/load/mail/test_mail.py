"""Mails and mailboxes: headers, bodies, attachments, and mails made to do harm."""

import base64
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import FILES

from rag.errors import LoadError
from rag.load.archives.members import MAX_DEPTH
from rag.load.detect.containers import MAX_MEMBERS
from rag.load.registry import Loaded, file_in, load_bytes, load_file

HEADERS = "From: Ann <ann@x.example>\nTo: bob@x.example\nSubject: Plans\nMIME-Version: 1.0\n"
WRITTEN = "From: Ann <ann@x.example>\nTo: bob@x.example\nSubject: Plans"


def load(text: str | bytes, source: str = "a.eml") -> Loaded:
    return load_file(text if isinstance(text, bytes) else text.encode(), source)


def texts(loaded: Loaded) -> dict[str, str]:
    return {document.source: document.text for document in loaded.documents}


def body(text: str | bytes) -> str:
    (document,) = load(text).documents
    return document.text.partition("\n\n")[2]


def multipart(kind: str, *parts: str) -> str:
    """A mail of parts, each with its headers."""
    border = f"border-{sum(map(len, parts))}"
    inside = "".join(f"--{border}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="{border}"\n\n{inside}--{border}--\n'


def part(content: str, kind: str = "text/plain", more: str = "") -> str:
    return f"Content-Type: {kind}; charset=utf-8\n{more}\n{content}"


def attached(content: bytes, name: str, kind: str = "application/octet-stream") -> str:
    coded = base64.encodebytes(content).decode()
    return (
        f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n"
        f'Content-Disposition: attachment; filename="{name}"\n\n{coded}'
    )


def test_headers_and_body() -> None:
    loaded = load(
        "Received: from a by b; Mon, 1 Jan 2024 10:00:00 +0000\r\n"
        "From: \"Joe Doe\" <joe@football.example>\r\n"
        "To: Suzie Q <suzie@shopping.example>,\r\n\t<bob@x.example>\r\n"
        "Cc: \"Doe, Jane\" <jane@x.example>\r\n"
        "Subject: Is dinner\r\n ready?\r\n"
        "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        "Message-ID: <1@x.example>\r\n"
        "\r\n"
        "Hi.\r\n\r\n> We lost the game.\r\n\r\nJoe.\r\n"
    )  # fmt: skip
    (document,) = loaded.documents
    assert document.source == "a.eml"
    assert document.title == "Is dinner ready?"
    assert document.text == (
        "From: Joe Doe <joe@football.example>\n"
        "To: Suzie Q <suzie@shopping.example>, bob@x.example\n"
        'Cc: "Doe, Jane" <jane@x.example>\n'
        "Date: 2003-07-11 21:00:37 -07:00\n"
        "Subject: Is dinner ready?\n"
        "\n"
        "Hi.\n\n> We lost the game.\n\nJoe."
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?Q?Gr=C3=BC=C3=9Fe?= aus =?iso-8859-1?Q?K=F6ln?=", "Grüße aus Köln"),
        ("=?utf-8?B?5pel5pys?= =?utf-8?B?6Kqe?=", "日本語"),
        ("=?utf-8?B?5pel5g==?= =?utf-8?B?nKzoqp4=?=", "日本語"),  # cut within a character
        ("=?shift_jis?B?k/qWew==?=", "日本"),
        ("=?nonsense?Q?caf=E9_au_lait?=", "café au lait"),
        ("=?utf-8?B?a?= x", "=?utf-8?B?a?= x"),
        ("Grüße direkt", "Grüße direkt"),
        ("a\n\tb\n  c", "a b c"),
    ],
)
def test_subjects_in_any_encoding(written: str, read: str) -> None:
    loaded = load(f"From: a@x.example\nSubject: {written}\nTo: b@x.example\n\nHi")
    assert loaded.documents[0].title == read
    assert f"\nSubject: {read}\n" in loaded.documents[0].text


def test_headers_in_a_legacy_encoding() -> None:
    data = "From: Jürgen Groß <j@x.example>\nSubject: Größe\n\nfür dich".encode("latin-1")
    assert load(data).documents[0].text == (
        "From: Jürgen Groß <j@x.example>\nSubject: Größe\n\nfür dich"
    )


@pytest.mark.parametrize(
    ("date", "read"),
    [
        ("Wed, 21 Mar 2018 14:14:32 -0800", "2018-03-21 14:14:32 -08:00"),
        ("21 Mar 2018 14:14 GMT", "2018-03-21 14:14:00 +00:00"),
        ("Wed, 21 Mar 2018 14:14:32 -0000", "2018-03-21 14:14:32"),
        ("last Tuesday", "last Tuesday"),
        ("99 Foo 99999 99:99:99 +9999", "99 Foo 99999 99:99:99 +9999"),
    ],
)
def test_dates(date: str, read: str) -> None:
    assert load(f"From: a@x.example\nDate: {date}\n\nHi").documents[0].text == (
        f"From: a@x.example\nDate: {read}\n\nHi"
    )


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ("Content-Type: text/plain; charset=utf-8", "die Größe".encode()),
        ("Content-Type: text/plain; charset=iso-8859-1", "die Größe".encode("latin-1")),
        ("Content-Type: text/plain; charset=nonsense", "die Größe".encode()),
        ("Content-Type: text/plain", "die Größe".encode("cp1252")),
        ("Content-Type: nonsense; charset", "die Größe".encode()),
        ("Content-Transfer-Encoding: quoted-printable", b"die Gr=C3=B6=\n=C3=9Fe"),
        ("Content-Transfer-Encoding: base64", b"ZGll\nIEdyw\r\n 7bDn2U=\n"),
        ("Content-Transfer-Encoding: base64 (a comment)", b"ZGllIEdyw7bDn2U="),
        ("Content-Transfer-Encoding: BASE64", base64.b64encode("die Größe".encode())),
        ("Content-Transfer-Encoding: base64", base64.b64encode("die Größe".encode()).rstrip(b"=")),
        ("Content-Transfer-Encoding: base64", b"ZGllIEdyw7bDn2UKZ\n"),  # cut off
        ("Content-Transfer-Encoding: 8bité", "die Größe".encode()),
        ("Content-Transfer-Encoding: 8-bit", "die Größe".encode()),
        ("Content-Type: text/html; charset=latin-1", b"<p>die Gr&ouml;&szlig;e"),
        ("Content-Type: text/html; charset=latin-1", "<p>die Größe".encode("latin-1")),
        ("Content-Type: text/html", b'<meta charset="utf-8"><p>die Gr\xc3\xb6\xc3\x9fe'),
    ],
)
def test_bodies_in_any_encoding(headers: str, content: bytes) -> None:
    data = f"From: a@x.example\nSubject: s\n{headers}\n\n".encode() + content
    assert body(data) == "die Größe"


def test_one_of_several_forms_is_read() -> None:
    html = part("<h1>Head</h1><p>the words in HTML</p>", "text/html")
    plain = part("the words alone")
    assert body(HEADERS + multipart("alternative", plain, html)) == "the words alone"
    assert body(HEADERS + multipart("alternative", html)) == "Head\n\nthe words in HTML"
    blank = part(" \n")
    assert body(HEADERS + multipart("alternative", blank, html)) == "Head\n\nthe words in HTML"
    stub = part("Open this in a browser.")
    long = part(f"<p>{'many words ' * 20}", "text/html")
    assert body(HEADERS + multipart("alternative", stub, long)) == ("many words " * 20).strip()


def test_headings_of_an_html_body_are_kept() -> None:
    loaded = load(HEADERS + part("<h1>Head</h1><p>words", "text/html"))
    (document,) = loaded.documents
    assert [(h.level, document.text[h.start : h.end]) for h in document.headings] == [(1, "Head")]


def test_attachments_are_documents_of_their_own() -> None:
    mail = HEADERS + multipart(
        "mixed",
        part("See the files."),
        attached(b"# Report\n\nnumbers", "report.md"),
        attached(b"\x89PNG\r\n\x1a\n" + bytes(40), "photo.png", "image/png"),
        attached(b"first", "notes.txt"),
        attached(b"second", "notes.txt"),
        part("And regards."),
    )
    loaded = load(mail, "in/mail.eml")
    assert texts(loaded) == {
        "in/mail.eml": f"{WRITTEN}\nAttachments: report.md, photo.png, notes.txt, notes.txt\n\n"
        "See the files.\n\nAnd regards.",
        "in/mail.eml/report.md": "# Report\n\nnumbers",
        "in/mail.eml/notes.txt": "first",
        "in/mail.eml/notes (2).txt": "second",
    }
    assert [source for source, _ in loaded.failed] == ["in/mail.eml/photo.png"]
    assert load_bytes(mail.encode(), "mail.eml").text == loaded.documents[0].text


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="C:\\\\docs\\\\a.txt"', "a.txt"),
        ('attachment; filename=".."', "part 1.txt"),
        ("attachment", "part 1.txt"),
        ("attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.txt", "Größe.txt"),
        ('attachment; filename="=?utf-8?Q?Gr=C3=B6=C3=9Fe.txt?="', "Größe.txt"),
        ('attachment; filename*0="long"; filename*1=".txt"', "long.txt"),
        ('attachment; filename="a\x07\x1b.txt"', r"a.txt"),
    ],
)
def test_names_of_attachments(disposition: str, name: str) -> None:
    mail = HEADERS + multipart(
        "mixed", part("x"), part("words", more=f"Content-Disposition: {disposition}\n")
    )
    assert list(texts(load(mail))) == ["a.eml", f"a.eml/{name}"]


def test_a_hidden_attachment_is_left_out() -> None:
    mail = HEADERS + multipart("mixed", part("x"), attached(b"words", ".DS_Store"))
    assert list(texts(load(mail))) == ["a.eml"]


def test_pictures_in_the_text_and_signatures_say_nothing() -> None:
    picture = attached(b"\x89PNG\r\n\x1a\n" + bytes(40), "logo.png", "image/png")
    inline = picture.replace("attachment;", "inline;")
    related = multipart("related", part("<p>words<img src=cid:1>", "text/html"), picture)
    signature = attached(b"0x30", "smime.p7s", "application/pkcs7-signature")
    loaded = load(HEADERS + multipart("mixed", related, inline, signature))
    assert texts(loaded) == {"a.eml": f"{WRITTEN}\n\nwords"}
    assert loaded.failed == ()


def test_a_saved_web_page_is_its_text() -> None:
    page = part("<title>T</title><p>words<img src=x.png>", "text/html")
    style = part("p { color: red }", "text/css", "Content-Location: http://x.example/a.css\n")
    picture = attached(b"\x89PNG\r\n\x1a\n", "x.png", "image/png").replace("attachment", "inline")
    loaded = load(HEADERS + multipart("related", page, style, picture), "a.mht")
    assert texts(loaded) == {"a.mht": f"{WRITTEN}\n\nwords"}
    assert loaded.failed == ()


def test_attachments_beside_any_form_are_kept() -> None:
    mixed = multipart("mixed", part("<p>HTML words", "text/html"), attached(b"more", "a.txt"))
    invitation = part("BEGIN:VCALENDAR\nSUMMARY:Lunch", "text/calendar; method=REQUEST")
    loaded = load(HEADERS + multipart("alternative", part("plain words"), mixed, invitation))
    assert texts(loaded) == {
        "a.eml": f"{WRITTEN}\nAttachments: a.txt, part 1.ics\n\nplain words",
        "a.eml/a.txt": "more",
        "a.eml/part 1.ics": "BEGIN:VCALENDAR\nSUMMARY:Lunch",
    }


def test_attached_mails_are_nested() -> None:
    parts = multipart("mixed", part("inner"), attached(b"deep", "d.txt"))
    inner = f"Subject: Re: 1/2\nFrom: c@x.example\n{parts}"
    digest = multipart("digest", f"Content-Type: message/rfc822\n\n{inner}")
    loaded = load(HEADERS + multipart("mixed", part("outer"), digest))
    assert texts(loaded) == {
        "a.eml": f"{WRITTEN}\nAttachments: Re: 1-2.eml\n\nouter",
        "a.eml/Re: 1-2.eml": "From: c@x.example\nSubject: Re: 1/2\nAttachments: d.txt\n\ninner",
        "a.eml/Re: 1-2.eml/d.txt": "deep",
    }
    mail = (HEADERS + multipart("mixed", part("outer"), digest)).encode()
    assert file_in(mail, "a.eml", "a.eml/Re: 1-2.eml/d.txt") == b"deep"


def test_an_attached_mail_that_is_encoded_is_read() -> None:
    coded = attached(b"From: c@x.example\nSubject: In\n\ninner", "x", "message/rfc822")
    named = coded.replace('; filename="x"', "")
    loaded = load(HEADERS + multipart("mixed", part("outer"), named))
    assert texts(loaded)["a.eml/In.eml"] == "From: c@x.example\nSubject: In\n\ninner"


def test_the_report_of_a_mail_that_came_back_is_read() -> None:
    report = "Content-Type: message/delivery-status\n\nReporting-MTA: dns;x\n\nStatus: 5.1.1\n"
    loaded = load(HEADERS + multipart("report", part("It came back."), report))
    assert texts(loaded)["a.eml/part 1.txt"].split() == [
        "Reporting-MTA:", "dns;x", "Status:", "5.1.1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            multipart("encrypted", part("Version: 1", "application/pgp-encrypted"), part("x")),
            "is encrypted; save its content decrypted",
        ),
        (
            multipart("mixed", attached(b"\x30\x82", "smime.p7m", "application/pkcs7-mime")),
            "is encrypted or sealed as a whole (S/MIME); save its content decrypted",
        ),
        (
            multipart("mixed", attached(b"\x78\x9f\x3e\x22\0\0", "winmail.dat")),
            "is an attachment of Outlook's own (winmail.dat), which is not supported; export its "
            "text",
        ),
        (
            "Content-Type: text/plain\n\nabc\0\x01\x02" * 20,
            "is binary data of an unknown type; remove it or convert it to a supported type",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_has_a_reason_and_the_headers_stay(sent: str, reason: str) -> None:
    loaded = load(HEADERS + sent)
    assert loaded.documents[0].text.startswith(WRITTEN)
    assert [why for _, why in loaded.failed] == [reason]


@pytest.mark.parametrize(
    ("mail", "text"),
    [
        ("From: a@x.example\nSubject: s\n", "From: a@x.example\nSubject: s"),
        ("\nno headers at all", "no headers at all"),
        ("just a line of text", "just a line of text"),
        ("Subject: s\nno header\nX: y\n\nbody", "Subject: s\n\nno header\nX: y\n\nbody"),
        (
            'Subject: s\nContent-Type: multipart/mixed; boundary="b"\n\nno border in here',
            "Subject: s\n\nno border in here",
        ),
        ("Subject: s\nContent-Type: multipart/mixed\n\nwords", "Subject: s\n\nwords"),
        (
            "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off",
            "Subject: s\n\ncut off",
        ),
        (
            "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\nold\n--b\n\none\n--b \n"
            "\ntwo\n--b--\nend",
            "Subject: s\n\none\n\ntwo",
        ),
    ],
)  # fmt: skip
def test_malformed_mails_lose_nothing(mail: str, text: str) -> None:
    assert load(mail).documents[0].text == text


def test_real_mails() -> None:
    name = "testGroupWiseEml.eml"  # its attached mail is encoded, which the standard forbids
    assert texts(load_file((FILES / name).read_bytes(), name)) == {
        name: "From: Novell GroupWise <$$$.$$$.$$$>\nDate: 2013-06-27 13:29:57 +02:00\n"
        "Subject: test333\nAttachments: test.eml, Neues Textdokument.txt\n\ntest",
        f"{name}/test.eml": "From: Novell GroupWise <$$$.$$$.$$$>\n"
        "Date: 2013-06-27 13:27:12 +02:00\nSubject: test2\n\ntest2",
        f"{name}/Neues Textdokument.txt": "ssssssssssssssssssssss",
    }
    name = "testEML_embedded_xhtml_and_img.eml"
    loaded = load_file((FILES / name).read_bytes(), name)
    assert loaded.failed == ()
    assert texts(loaded)[name].startswith(
        "From: Sender <sender@test.com>\nTo: Receiver@test.com\n"
        "Date: 2018-03-21 14:14:32 -08:00\nSubject: This is the subject\n\nThis is a test\n"
    )


@given(
    subject=st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1),
    text=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1),
)
def test_what_the_standard_library_writes_is_read(subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "a@x.example"
    message.set_content(text)
    (document,) = load(bytes(message)).documents
    assert document.title == subject
    lines = document.text.split("\n\n", 1)
    assert lines[0] == f"From: a@x.example\nSubject: {subject}"
    assert "".join(lines[1:]).split() == text.split()


def test_a_mail_is_known_by_its_headers() -> None:
    mail = "Message-ID: <1@x>\nFrom: a@x.example\nSubject: s\n\nHi"
    for source in ("1711:2,S", "mail.unknown"):
        assert load(mail, source).documents[0].text == "From: a@x.example\nSubject: s\n\nHi"
    assert load(mail, "a.txt").documents[0].text == mail  # a text that needs no decoding
    coded = f"MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n{mail[:-2]}SGk="
    assert load(coded, "a.txt").documents[0].text == "From: a@x.example\nSubject: s\n\nHi"


# --- mailboxes ---------------------------------------------------------------------------------


def test_a_mailbox_is_a_folder_of_mails() -> None:
    box = (
        "From a@x.example Wed Jul 20 17:35:09 2016\nFrom: a@x.example\nSubject: One\n\n"
        "first\n>From here on\n>>From there\n\n"
        "From nowhere in particular: 2 no header follows\n\n\n"
        "From - Thu Jul 21 17:35:09 2016\r\nSubject: Two/3\nFrom: b@x.example\n\nsecond\n"
    )
    expected = {
        "x/1 One.eml": "From: a@x.example\nSubject: One\n\nfirst\nFrom here on\n>From there\n\n"
        "From nowhere in particular: 2 no header follows",
        "x/2 Two-3.eml": "From: b@x.example\nSubject: Two/3\n\nsecond",
    }
    assert texts(load(box, "x")) == expected
    assert list(texts(load(box, "x.mbox"))) == ["x.mbox/1 One.eml", "x.mbox/2 Two-3.eml"]
    assert list(texts(load(box, "x.txt"))) == ["x.txt/1 One.eml", "x.txt/2 Two-3.eml"]


def test_the_line_above_a_single_mail_is_no_part_of_it() -> None:
    mail = "From a@x.example Wed Jul 20 17:35:09 2016\nFrom: a@x.example\nSubject: s\n\nHi"
    assert texts(load(mail)) == {"a.eml": "From: a@x.example\nSubject: s\n\nHi"}


# --- mails made to do harm ---------------------------------------------------------------------


def test_ten_thousand_parts() -> None:
    count = MAX_MEMBERS + 100
    loaded = load(HEADERS + multipart("mixed", *(part(f"number {i}") for i in range(count))))
    (document,) = loaded.documents
    assert document.text.endswith(f"number {MAX_MEMBERS - 3}\n\nnumber {MAX_MEMBERS - 2}")
    assert loaded.failed == (
        ("a.eml/(the rest)", "is not read: the mail has more than 10,000 parts"),
    )


def test_mails_in_mails_end_somewhere() -> None:
    mail = "Subject: innermost\n\nwords"
    for depth in range(MAX_DEPTH + 1):
        mail = f"Subject: {depth}\n" + multipart(
            "mixed", part(f"body {depth}"), f"Content-Type: message/rfc822\n\n{mail}"
        )
    loaded = load(mail)
    assert [document.title for document in loaded.documents] == ["5", "4", "3", "2", "1"]
    assert loaded.failed == (
        (
            "a.eml/4.eml/3.eml/2.eml/1.eml/0.eml",
            "is a file in a file, more than 5 deep; unpack it into the folder",
        ),
    )


def test_a_thousand_mails_and_parts_in_each_other() -> None:
    mails = "Content-Type: message/rfc822\n\n"
    assert len(load(HEADERS + mails * 100).documents) == MAX_DEPTH
    borders = [f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(1000)]
    (document,) = load(f"Subject: s\n{''.join(borders[:100])}\na line of text").documents
    assert document.text.endswith("a line of text")
    for mail in (mails * 3000, "".join(borders), "".join(borders[:600])):
        with pytest.raises(LoadError, match=r"^is damaged or malformed \(RecursionError\)"):
            load(HEADERS + mail)


@pytest.mark.parametrize(
    "value",
    ['"' * 50_000, "(" * 50_000, "<" * 50_000, "a@b," * 20_000, "=?a?q?" * 9_000, ";a=" * 20_000,
     "=?utf-8?q?=20?= " * 9_000, "x\n " * 50_000, 'x; filename="' + "\\" * 50_000],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["To", "Subject", "Content-Type", "Content-Disposition", "Content-Transfer-Encoding"]
)
def test_hostile_headers(name: str, value: str) -> None:
    (document, *_) = load(f"From: a@x.example\n{name}: {value}\n\nHi").documents
    assert document.text.startswith("From: a@x.example")
    assert len(document.text) < 40_000


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            ["From: a\n", "Subject: =?utf-8?q?x?=\n", "Content-Type: message/rfc822\n",
             "Content-Type: multipart/mixed; boundary=b\n", "--b\n", "--b--\n", "\n",
             "Content-Type: text/html\n",
             "Content-Disposition: attachment; filename=x.zip\n", "words\n", "From x 1\n", "\r\n",
             "Content-Transfer-Encoding: base64\n", "PK\x03\x04", "\0", "é", "<p>"]
        ),
        max_size=40,
    ).map("".join),
    st.sampled_from(["a.eml", "a.mbox", "a"]),
)  # fmt: skip
def test_any_mail_loads_or_is_refused(mail: str, source: str) -> None:
    try:
        loaded = load(mail, source)
    except LoadError:
        return
    for document in loaded.documents:
        assert document.source == source or document.source.startswith(f"{source}/")
        assert document.text.strip()
