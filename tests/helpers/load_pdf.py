"""Writes small PDFs for tests: text at exact places, rules, boxes, pictures, turned pages."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

A4 = (595.0, 842.0)

_FONTS = {"C": "Courier", "D": "Courier-Bold", "H": "Helvetica"}
ANY = "U"
"""A font without shapes, of every script: each character is as wide as the font is high."""


def text(
    x: float,
    y: float,
    words: str,
    size: float = 10,
    font: str = "C",
    turn: int = 0,
    leftward: bool = False,
) -> str:
    """``words`` from ``x, y`` on, in points from the lower left; ``turn`` is counter-clockwise.

    In Courier (``"C"``, bold ``"D"``) every character is 0.6 of the size wide. ``leftward`` puts
    each character of :data:`ANY` to the left of the one before.
    """
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn]
    encoding = "utf-16-be" if font == ANY else "cp1252"
    back = " 2000 " if leftward else ""
    shown = back.join(f"<{character.encode(encoding).hex()}>" for character in words)
    return f"BT /{font} {size} Tf {a} {b} {-b} {a} {x} {y} Tm [{shown}] TJ ET\n"


def column(x: float, top: float, lines: Sequence[str], step: float = 12) -> list[str]:
    """Lines below each other, the first one at ``top``."""
    return [text(x, top - step * index, line) for index, line in enumerate(lines)]


def rule(x0: float, y0: float, x1: float, y1: float) -> str:
    """A straight line."""
    return f"{x0} {y0} m {x1} {y1} l S\n"


def grid(xs: Sequence[float], ys: Sequence[float]) -> str:
    """The rules of a table with borders at ``xs`` and ``ys``."""
    across = [rule(xs[0], y, xs[-1], y) for y in ys]
    return "".join(across + [rule(x, ys[0], x, ys[-1]) for x in xs])


def area(x0: float, y0: float, x1: float, y1: float, grey: float) -> str:
    """A filled box."""
    return f"{grey} g {x0} {y0} {x1 - x0} {y1 - y0} re f 0 g\n"


@dataclass(frozen=True)
class Sheet:
    """A page: what is drawn on it, its size, and how it is turned for reading, clockwise.

    ``picture`` (width, height, grey pixels row by row) covers all of it.
    """

    content: str = ""
    size: tuple[float, float] = A4
    rotate: int = 0
    picture: tuple[int, int, bytes] | None = None


def make_pdf(*sheets: Sheet | str, title: str = "") -> bytes:
    """A PDF of these pages."""
    objects: list[bytes] = []

    def add(body: str, stream: bytes | None = None) -> int:
        if stream is not None:
            packed = zlib.compress(stream)
            head = f"<< {body} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
            objects.append(head.encode() + packed + b"\nendstream")
        else:
            objects.append(body.encode("latin-1"))
        return len(objects)

    tree = add("")
    fonts = {name: add(_font(base)) for name, base in _FONTS.items()}
    fonts[ANY] = add(_any_font(add(_any_cid(add(_ANY_FLAGS))), add("", _ANY_NAMES)))
    resources = " ".join(f"/{name} {number} 0 R" for name, number in fonts.items())
    kids = []
    for given in sheets:
        sheet = Sheet(given) if isinstance(given, str) else given
        width, height = sheet.size
        content, images = sheet.content, ""
        if sheet.picture:
            across, down, pixels = sheet.picture
            size = f"/Width {across} /Height {down} /ColorSpace /DeviceGray /BitsPerComponent 8"
            images = (
                f"/XObject << /I {add(f'/Type /XObject /Subtype /Image {size}', pixels)} 0 R >>"
            )
            content = f"q {width} 0 0 {height} 0 0 cm /I Do Q\n{content}"
        drawn = add("", content.encode("latin-1"))
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {width} {height}] "
                f"/Rotate {sheet.rotate} /Contents {drawn} 0 R "
                f"/Resources << /Font << {resources} >> {images} >> >>"
            )
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[tree - 1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>".encode()
    root = add(f"<< /Type /Catalog /Pages {tree} 0 R >>")
    return _file(objects, root, add(f"<< /Title ({title}) >>"))


def make_slow_pdf(words: str) -> bytes:
    """A PDF of less than 1,000 bytes that is read at once, and drawn for hours.

    Its page is shaded 9,000 times over by a function that is computed for every pixel.
    """
    content = text(100, 700, words) + "/S sh\n" * 9_000
    packed = zlib.compress(content.encode(), 9)
    domain = "/Domain [0 595 0 842]"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << "
            "/Font << /C << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> "
            f"/Shading << /S << /ShadingType 1 /ColorSpace /DeviceGray {domain} "
            "/Function 5 0 R >> >> >> >>"
        ).encode(),
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed),
        f"<< /FunctionType 4 {domain} /Range [0 1] /Length 13 >>\nstream\n{{add sin abs}}\n"
        "endstream".encode(),
    ]
    return _file(objects, 1, 1)


def _font(base: str) -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding >>"


_ANY_NAMES = (
    b"/CIDInit /ProcSet findresource begin begincmap\n"
    b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    b"1 beginbfrange <0000> <FFFF> <0000> endbfrange\nendcmap end"
)
_ANY_FLAGS = "<< /Type /FontDescriptor /FontName /Any /Flags 4 /Ascent 900 /Descent -200 >>"


def _any_cid(flags: int) -> str:
    return (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /DW 1000 /CIDSystemInfo "
        "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {flags} 0 R >>"
    )


def _any_font(below: int, names: int) -> str:
    return (
        "<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H "
        f"/DescendantFonts [{below} 0 R] /ToUnicode {names} 0 R >>"
    )


def _file(objects: list[bytes], root: int, info: int) -> bytes:
    data = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n"
    table += "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer << /Size {size} /Root {root} 0 R /Info {info} 0 R >>\n"
    return data + f"{table}{trailer}startxref\n{len(data)}\n%%EOF\n".encode()
