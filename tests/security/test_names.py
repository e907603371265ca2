"""Names of uploaded files."""

from __future__ import annotations

from pathlib import Path

import pytest
from samples import MakeKb

from rag.errors import LoadError
from rag.indexing.file_names import MAX_NAME_LENGTH, checked_name, look_alike


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "has no name"),
        (".", "has no name"),
        ("..", "has no name"),
        ("   ", "has no name"),
        ("a/b.txt", "has a name that is a path"),
        ("/etc/passwd", "has a name that is a path"),
        ("..\\a.txt", "has a name that is a path"),
        (".htaccess", "is a hidden file"),
        ("~$report.docx", "is a hidden file or another program's temporary one"),
        ("a\0.txt", "has an invisible character in its name"),
        ("a\n.txt", "has an invisible character in its name"),
        ("a\x1b[2J.txt", "has an invisible character in its name"),
        ("a\u202etxt.exe", "has an invisible character in its name"),
        ("a\u200b.txt", "has an invisible character in its name"),
        ("a\ud800.txt", "has an invisible character in its name"),
        ("a\u2028b.txt", "has an invisible character in its name"),
        ("a:b.txt", "has a : in its name"),
        ("a?.txt", "has a ? in its name"),
        ("<b>.txt", "has a < in its name"),
        ("a.txt.", "begins or ends with a space or a dot"),
        (" a.txt", "begins or ends with a space or a dot"),
        ("CON", "Windows keeps for a device"),
        ("con.txt", "Windows keeps for a device"),
        ("Lpt1.tar.gz", "Windows keeps for a device"),
        ("COM¹.txt", "Windows keeps for a device"),
        ("x" * (MAX_NAME_LENGTH + 1), "more than 200 bytes"),
        ("語" * 67, "more than 200 bytes"),
    ],
)
def test_a_name_is_refused(name: str, reason: str) -> None:
    with pytest.raises(LoadError, match=r"rename it$") as caught:
        checked_name(name)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "report.pdf",
        "Report (final) [v2], 50 % & more!.docx",
        "Äpfel.txt",
        "報告書.pdf",
        "می\u200cخواهم.txt",
        "README",
        "console.txt",
        "com10.txt",
        "a..b.txt",
        "x" * MAX_NAME_LENGTH,
    ],
)
def test_a_name_is_taken(name: str) -> None:
    assert checked_name(name) == name


def test_a_name_is_composed() -> None:
    assert checked_name("A\u0308pfel.txt") == "Äpfel.txt"


def test_look_alikes_are_found(tmp_path: Path) -> None:
    (tmp_path / "Äpfel.txt").touch()
    assert look_alike("äpfel.TXT", tmp_path) == "Äpfel.txt"
    assert look_alike("A\u0308pfel.txt", tmp_path) == "Äpfel.txt"
    assert look_alike("Äpfel.txt", tmp_path) is None
    assert look_alike("Apfel.txt", tmp_path) is None


def test_what_is_refused_is_reported_and_the_rest_is_added(tmp_path: Path, make_kb: MakeKb) -> None:
    kb = make_kb({"a.txt": "Whales swim."})
    files = tmp_path / "new"
    files.mkdir()
    (files / "A.TXT").write_text("Whales sing.")
    (files / "b:c.txt").write_text("Orcas hunt.")
    (files / "d.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (files / "O\u0308l.txt").write_text("Oil.")
    report = kb.add(sorted(files.iterdir()))
    assert report.added == ("Öl.txt",)
    assert [(f.source, f.reason.split(";")[0]) for f in report.failed] == [
        ("A.TXT", "is named like 'a.txt', written otherwise"),
        ("b:c.txt", "has a : in its name"),
        ("d.png", "is a PNG image, whose words only OCR can read"),
    ]
    assert kb.sources() == ["a.txt", "Öl.txt"]
