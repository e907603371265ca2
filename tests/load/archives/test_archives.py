"""ZIP, TAR and compressed files: their members as documents, and what attacks with them."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from places import FILES

from rag.errors import LoadError
from rag.load import ocr
from rag.load.archives.members import MAX_DEPTH
from rag.load.detect.containers import MAX_MEMBERS
from rag.load.registry import Loaded, load_bytes, load_file

MB = 1_000_000


def zip_of(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def texts(loaded: Loaded) -> dict[str, str]:
    return {document.source: document.text for document in loaded.documents}


def reason(data: bytes, source: str = "a.zip") -> str:
    with pytest.raises(LoadError) as refused:
        load_file(data, source)
    return str(refused.value)


def test_members_are_documents_of_their_own() -> None:
    data = zip_of(
        {
            "a.txt": "plain",
            "dir/": "",
            "dir/page.html": "<!DOCTYPE html><title>T</title><h1>Head</h1><p>words",
            "dir/deep/notes.md": "# Title\n\ntext",
            "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
            "empty.txt": "",
        }
    )
    loaded = load_file(data, "folder/box.zip")
    assert texts(loaded) == {
        "folder/box.zip/a.txt": "plain",
        "folder/box.zip/dir/page.html": "Head\n\nwords",
        "folder/box.zip/dir/deep/notes.md": "# Title\n\ntext",
    }
    assert loaded.documents[2].title == "Title"
    assert [h.level for h in loaded.documents[1].headings] == [1]
    assert loaded.failed == (
        (
            "folder/box.zip/picture.png",
            f"is a PNG image, whose words only OCR can read; {ocr.HOW}",
        ),
        ("folder/box.zip/empty.txt", "is empty; remove it or fill it"),
    )


def test_an_archive_has_no_text_of_its_own() -> None:
    with pytest.raises(LoadError, match="is an archive, which has no text of its own"):
        load_bytes(zip_of({"a.txt": "x"}), "a.zip")


def test_the_content_decides_what_a_member_and_an_archive_is() -> None:
    inner = zip_of({"words.dat": "text in a file of an unknown type"})
    data = zip_of({"x.txt": inner, "y.zip": "only text"})
    assert texts(load_file(data, "a.docx")) == {
        "a.docx/x.txt/words.dat": "text in a file of an unknown type",
        "a.docx/y.zip": "only text",
    }


def test_if_nothing_loads_the_archive_fails_with_the_first_reason() -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(50)
    assert reason(zip_of({"b/c.png": png, "d.txt": ""})).startswith(
        "holds nothing that can be read: b/c.png is a PNG image"
    )
    assert reason(zip_of({"b/c.png": png, "d.txt": ""})).endswith("index again (and 1 more)")
    assert reason(zip_of({})) == "holds no files; remove it"
    assert reason(zip_of({"d/": "", "__MACOSX/._x": "x"})) == "holds no files; remove it"


def test_hidden_and_system_files_are_left_out_as_in_a_folder() -> None:
    data = zip_of(
        dict.fromkeys(
            (".hidden", ".git/config", "a/.b/c.txt", "__MACOSX/a.txt", "x/__MACOSX/._a.txt",
             "a/.DS_Store", "Thumbs.db", "a/desktop.ini", "~$a.docx", "seen.txt"),
            b"words",
        )
    )  # fmt: skip
    loaded = load_file(data, "a.zip")
    assert texts(loaded) == {"a.zip/seen.txt": "words"}
    assert loaded.failed == ()


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("/etc/passwd", "a.zip/etc/passwd"),
        ("./x/./y.txt", "a.zip/x/y.txt"),
        ("C:\\Users\\me\\y.txt", "a.zip/Users/me/y.txt"),
        ("d:/y.txt", "a.zip/y.txt"),
        ("\\\\server\\share\\y.txt", "a.zip/server/share/y.txt"),
        ("bell\x07\x1b[2J.txt", r"a.zip/bell\x07\x1b[2J.txt"),
        ("txt.\u202efdp", r"a.zip/txt.\u202efdp"),
        ("two\nlines.txt", r"a.zip/two\nlines.txt"),
        ("n" * 300 + ".txt", "a.zip/" + "n" * 148 + "….txt"),
        ("d/" * 900 + "y.txt", "a.zip/…" + "d/" * 397 + "y.txt"),
        ("日本語.txt", "a.zip/日本語.txt"),
    ],
)
def test_names_are_made_safe(name: str, source: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo()
        info.filename = name  # as it is: the constructor would make it portable
        archive.writestr(info, "words")
    assert texts(load_file(buffer.getvalue(), "a.zip")) == {source: "words"}


@pytest.mark.parametrize("name", ["../x.txt", "a/../../x.txt", "..\\x.txt", "a/../x.txt"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    data = zip_of({name: "evil", "good.txt": "words"})
    loaded = load_file(data, "a.zip")
    assert texts(loaded) == {"a.zip/good.txt": "words"}
    ((source, why),) = loaded.failed
    assert source in ("a.zip/x.txt", "a.zip/a/x.txt")
    assert why == "has a name that leads out of its archive (..); rename it"


def test_equal_names_are_numbered() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in (1, 2, 3):
            with pytest.warns(UserWarning, match="Duplicate") if number > 1 else io.StringIO():
                archive.writestr("a/b.tar.txt", str(number))
        archive.writestr("a/b.tar (2).txt", "4")
        archive.writestr("/a/b.tar.txt", "5")
    assert texts(load_file(buffer.getvalue(), "x.zip")) == {
        "x.zip/a/b.tar.txt": "1",
        "x.zip/a/b.tar (2).txt": "2",
        "x.zip/a/b.tar (3).txt": "3",
        "x.zip/a/b.tar (2) (2).txt": "4",
        "x.zip/a/b.tar (4).txt": "5",
    }


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (["Übergröße.txt", "Mädchen.txt", "plain.txt"], "cp437"),
        (["Été à la plage.txt", "Garçon.txt"], "cp437"),
        (["Договор аренды.txt", "Счёт за июль.txt"], "cp866"),
        (["請求書の控え.txt", "会議の議事録です.txt"], "cp932"),
        (["Größe.txt", "日本.txt"], "utf-8"),
    ],
)
def test_legacy_names(names: list[str], encoding: str) -> None:
    """Many programs write names in their own code page, or in UTF-8 without saying so."""
    stand_ins = [f"{'x' * (len(name.encode(encoding)) - 2)}{i:02}" for i, name in enumerate(names)]
    data = zip_of(dict.fromkeys(stand_ins, b"words"))
    for stand_in, name in zip(stand_ins, names, strict=True):
        data = data.replace(stand_in.encode(), name.encode(encoding))
    assert list(texts(load_file(data, "a.zip"))) == [f"a.zip/{name}" for name in names]


def test_links_and_devices_are_left_out() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("real.txt", "words")
    loaded = load_file(buffer.getvalue(), "a.zip")
    assert (texts(loaded), loaded.failed) == ({"a.zip/real.txt": "words"}, ())

    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive_:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"link{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive_.addfile(info)
        info = tarfile.TarInfo("real.txt")
        info.size = 5
        archive_.addfile(info, io.BytesIO(b"words"))
    loaded = load_file(tar.getvalue(), "a.tar")
    assert (texts(loaded), loaded.failed) == ({"a.tar/real.txt": "words"}, ())


def test_encrypted_members() -> None:
    loaded = load_file((FILES / "testZipEncrypted.zip").read_bytes(), "testZipEncrypted.zip")
    assert texts(loaded) == {"testZipEncrypted.zip/unencrypted.txt": "hello world\n"}
    assert loaded.failed == (
        (
            "testZipEncrypted.zip/encrypted.txt",
            "is encrypted; unpack the archive with its password",
        ),
    )


def test_one_part_of_a_split_archive() -> None:
    loaded = load_file((FILES / "test-documents-spanned.zip").read_bytes(), "s.zip")
    assert texts(loaded)["s.zip/testTXT.txt"].startswith("Test d'indexation de Txt\n")
    assert ("s.zip/testHTML.html", "is damaged in the archive, or in another part of a split one; "
            "pack it again") in loaded.failed  # fmt: skip


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_could_unpack_to_gigabytes_at_once_are_refused(method: int) -> None:
    data = zip_of({"a.txt": bytes(20 * MB)}, method)
    tracemalloc.start()
    try:
        why = reason(data)
        assert tracemalloc.get_traced_memory()[1] < 2 * MB
    finally:
        tracemalloc.stop()
    assert "a.txt is packed by a method that is not supported (" in why


# --- bombs -------------------------------------------------------------------------------------


def test_a_bomb_is_given_up_when_it_grows_too_much() -> None:
    data = zip_of({"first.txt": "words", "zeros.txt": bytes(40 * MB), "after.txt": "words"})
    tracemalloc.start()
    try:
        loaded = load_file(data, "a.zip")
        assert tracemalloc.get_traced_memory()[1] < 80 * MB
    finally:
        tracemalloc.stop()
    assert texts(loaded) == {"a.zip/first.txt": "words"}
    ((source, why),) = loaded.failed
    assert source == "a.zip/zeros.txt"
    assert why.startswith(
        "and all that follows is not read: it unpacks to more than 100 times the size of the file"
    )


def test_text_that_packs_well_is_no_bomb() -> None:
    text = "".join(f"line {i} of a long report\n" for i in range(200_000))
    data = zip_of({"a.txt": text})
    assert len(text) / len(data) > 5
    assert texts(load_file(data, "a.zip")) == {"a.zip/a.txt": text}


def test_nested_bombs_share_one_budget() -> None:
    level = zip_of({f"{i}.txt": b"a" * 9 * MB for i in range(4)})  # 36 MB in 36 kB
    loaded = load_file(zip_of({f"{i}.zip": level for i in range(3)}), "a.zip")
    assert sum(len(document.text) for document in loaded.documents) <= 32 * MB
    assert loaded.failed[0][0] == "a.zip/0.zip/3.txt"
    assert [source for source, _ in loaded.failed] == ["a.zip/0.zip/3.txt"]


def test_overlapping_entries_are_counted_each_time() -> None:
    """A directory may name the same packed bytes again and again."""
    packed = zip_of({"a.txt": b"a" * MB})
    start = packed.index(b"PK\x01\x02")
    end = packed.index(b"PK\x05\x06")
    entry, times = packed[start:end], 50
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, times, times, len(entry) * times, start, 0)
    loaded = load_file(packed[:start] + entry * times + tail, "a.zip")
    assert sum(len(document.text) for document in loaded.documents) <= 32 * MB
    assert loaded.failed


def test_a_lying_size_does_not_help() -> None:
    data = zip_of({"a.txt": b"a" * MB, "good.txt": "words"})
    true, false = struct.pack("<I", MB), struct.pack("<I", 5)
    loaded = load_file(data.replace(true, false), "a.zip")
    assert texts(loaded) == {"a.zip/good.txt": "words"}
    assert loaded.failed[0][1].startswith("is damaged in the archive")


def test_too_many_members() -> None:
    data = zip_of({f"{i}.txt": "x" for i in range(MAX_MEMBERS + 50)}, zipfile.ZIP_STORED)
    loaded = load_file(data, "a.zip")
    assert len(loaded.documents) == MAX_MEMBERS
    assert loaded.failed == (
        (
            f"a.zip/{MAX_MEMBERS}.txt",
            "and all that follows is not read: the file holds more than 10,000 files; unpack it "
            "into the folder",
        ),
    )


def test_a_directory_of_entries_that_would_fill_the_memory_is_not_even_listed() -> None:
    entry = struct.pack("<4s", b"PK\x01\x02") + bytes(42)
    data = b"PK\x03\x04" + entry * 100_001 + b"PK\x05\x06" + bytes(18)
    for source in ("a.zip", "a.docx"):
        assert reason(data, source).startswith("holds more than 100,000 files")


def test_archives_in_archives_end_somewhere() -> None:
    data = zip_of({"0.txt": "innermost"})
    for depth in range(1, MAX_DEPTH + 2):
        data = zip_of({f"{depth}.txt": f"depth {depth}", "in.zip": data})
    loaded = load_file(data, "out.zip")
    assert [document.text for document in loaded.documents] == [
        f"depth {depth}" for depth in (6, 5, 4, 3, 2)
    ]
    assert loaded.documents[-1].source == "out.zip/in.zip/in.zip/in.zip/in.zip/2.txt"
    assert loaded.failed == (
        (
            "out.zip/in.zip/in.zip/in.zip/in.zip/in.zip",
            "is a file in a file, more than 5 deep; unpack it into the folder",
        ),
    )


def test_an_archive_that_holds_itself() -> None:
    why = reason((FILES / "droste.zip").read_bytes(), "droste.zip")
    assert why.startswith("holds nothing that can be read: droste.jpg is a JPEG image")
    assert why.endswith("(and 5 more)")


# --- TAR and compressed files ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(".tar", "w"), (".tar.gz", "w:gz"), (".tgz", "w:gz"), (".tar.bz2", "w:bz2"), (".txz", "w:xz")],
)
def test_tar(suffix: str, mode: str) -> None:
    data = tar_of({"./a.txt": b"one", "d/b.md": b"# two", "../x": b"evil", ".h": b"x"}, mode)
    loaded = load_file(data, f"box{suffix}")
    assert texts(loaded) == {f"box{suffix}/a.txt": "one", f"box{suffix}/d/b.md": "# two"}
    assert [source for source, _ in loaded.failed] == [f"box{suffix}/x"]
    assert texts(load_file(data, "box")) == {"box/a.txt": "one", "box/d/b.md": "# two"}


def test_tar_names_in_legacy_encodings() -> None:
    data = bytearray(tar_of({"Xbergr.txt": b"x"}).replace(b"Xbergr", b"\xdcbergr"))
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    assert list(texts(load_file(bytes(data), "a.tar"))) == ["a.tar/Übergr.txt"]


def test_a_tar_that_was_cut() -> None:
    data = tar_of({"a.txt": b"one", "b.txt": b"two" * 1000})[:2500]
    loaded = load_file(data, "a.tar")
    assert texts(loaded) == {"a.tar/a.txt": "one"}
    assert [source for source, _ in loaded.failed] == ["a.tar/b.txt", "a.tar/(the rest)"]
    assert loaded.failed[0][1].startswith("is damaged in the archive")
    assert loaded.failed[1][1] == "is cut short or damaged from here on; pack it again"


def test_a_tar_header_that_lies_about_its_size() -> None:
    data = bytearray(tar_of({"a.txt": b"one"}))
    data[124:136] = b"77777777777\0"
    data[148:156] = b" " * 8
    data[148:156] = f"{sum(data[:512]):06o}\0 ".encode()
    assert reason(bytes(data), "a.tar") == "is cut short or damaged from here on; pack it again"


@pytest.mark.parametrize(
    ("pack", "suffix"), [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz")]
)
def test_a_compressed_file_is_one_document(pack: Callable[[bytes], bytes], suffix: str) -> None:
    loaded = load_file(pack(b"# Title\n\nwords"), f"d/notes.md{suffix}")
    assert texts(loaded) == {f"d/notes.md{suffix}/notes.md": "# Title\n\nwords"}
    assert loaded.documents[0].title == "Title"
    twice = load_file(pack(b"one ") + pack(b"two"), f"notes.txt{suffix}")
    assert texts(twice) == {f"notes.txt{suffix}/notes.txt": "one two"}
    cut = reason(pack(b"some words that are packed " * 99)[:-20], f"a.txt{suffix}")
    assert cut == "is damaged or cut short; pack it again"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_compressed_bombs(pack: Callable[[bytes], bytes]) -> None:
    data = pack(bytes(40 * MB))
    tracemalloc.start()
    try:
        assert "more than 100 times the size of the file" in reason(data, "a.gz")
        assert tracemalloc.get_traced_memory()[1] < 70 * MB
    finally:
        tracemalloc.stop()


def test_an_xz_file_that_asks_for_much_memory() -> None:
    data = bytearray(lzma.compress(b"words"))
    header = slice(12, 12 + data[12] * 4)  # of the first block; its CRC-32 follows
    data[data.index(b"\x21\x01") + 2] = 36  # a dictionary of 1 GB
    checksum = struct.pack("<I", zlib.crc32(bytes(data[header])))
    data[header.stop : header.stop + 4] = checksum
    assert reason(bytes(data), "a.txt.xz") == "is damaged or cut short; pack it again"
    with pytest.raises(lzma.LZMAError, match="Memory usage limit exceeded"):
        lzma.LZMADecompressor(memlimit=100 * MB).decompress(bytes(data))


def test_damaged_archives() -> None:
    good = zip_of({"a.txt": "words " * 500})
    assert reason(good[: len(good) // 2]).startswith("is damaged, or one part of a split ZIP")
    assert reason(b"PK\x03\x04 nonsense").startswith("is damaged, or one part of a split ZIP")
    assert reason(b"\x01\x02\0\xff" * 400, "a.tar").startswith("is damaged or not a TAR archive")
    assert texts(load_file(b"just text", "a.tar")) == {"a.tar": "just text"}
