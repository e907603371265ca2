"""The limits of ZIP packages, for every format that is one."""

import io
import zipfile

import pytest

from rag.errors import LoadError
from rag.load import package
from rag.load.registry import load_bytes

SUFFIXES = (".docx", ".xlsx", ".pptx", ".odt", ".epub")
MAIN = {
    ".docx": ("word/document.xml", ""),
    ".xlsx": ("xl/workbook.xml", ""),
    ".pptx": ("ppt/presentation.xml", ""),
    ".odt": ("mimetype", "application/vnd.oasis.opendocument.text"),
    ".epub": ("mimetype", "application/epub+zip"),
}


def packed(suffix: str, parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(*MAIN[suffix], compress_type=zipfile.ZIP_STORED)
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bombs_are_refused_before_they_are_unpacked(suffix: str) -> None:
    bomb = packed(suffix, {"bomb.xml": bytes(40_000_000)})
    with pytest.raises(LoadError, match=r"^unpacks to \d+ times its size"):
        load_bytes(bomb, f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_unpacks_to_too_much_is_refused(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_SIZE", 5000)
    with pytest.raises(LoadError, match=r"^unpacks to more than 500 MB; split it"):
        load_bytes(packed(suffix, {"a.xml": bytes(6000)}), f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_refused(suffix: str, method: int) -> None:
    with pytest.raises(LoadError, match=r"^is packed in a way that"):
        load_bytes(packed(suffix, {"a.xml": bytes(6000)}, method), f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_encrypted_parts_are_refused(suffix: str) -> None:
    data = bytearray(packed(suffix, {"a.xml": b"x"}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(LoadError, match=r"^is encrypted; remove its password"):
        load_bytes(bytes(data), f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_too_many_parts_are_refused(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_MAX_PARTS", 5)
    with pytest.raises(LoadError, match=r"^has 8 parts, 5 at most are read"):
        load_bytes(packed(suffix, {f"{i}.xml": b"x" for i in range(7)}), f"a{suffix}")


@pytest.mark.parametrize("suffix", [".docx", ".pptx"])
def test_trees_that_would_fill_the_memory_are_refused(
    suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "MAX_TREE_BYTES", 5000)
    with pytest.raises(LoadError, match="of text and markup"):
        load_bytes(packed(suffix, {"a.xml": bytes(6000)}), f"a{suffix}")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"<a", b"<a/>", b"\xff\xfe", b"<!DOCTYPE x [<!ENTITY"])
def test_broken_parts_are_refused(suffix: str, content: bytes) -> None:
    names = ("content.xml", "META-INF/container.xml", "[Content_Types].xml", "_rels/.rels")
    with pytest.raises(LoadError):
        load_bytes(packed(suffix, dict.fromkeys(names, content)), f"a{suffix}")
