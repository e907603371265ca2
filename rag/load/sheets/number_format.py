"""Numbers and dates of spreadsheet cells as their number format shows them.

Dates are written as ISO 8601 says, whatever the format, so that no reader takes the day for the
month. Formats that only change the look beyond recognition (fractions, exponents, codes that are
broken) give the plain number.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|_.|\*.'
    r"|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<elapsed>[hms]+)\]|\[[^\]]*\]"
    r"|(?P<date>am/pm|a/p|general|e[+-]|[ymdhs]+|[bge]+)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_PLACEHOLDERS = frozenset("0#?")
_MAX_DECIMALS = 30

BUILTIN_FORMATS = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy",
    18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm",
    27: "yyyy-mm-dd", 28: "yyyy-mm-dd", 29: "yyyy-mm-dd", 30: "m-d-yy", 31: "yyyy-mm-dd",
    32: "h:mm", 33: "h:mm:ss", 36: "yyyy-mm-dd", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 45: "mm:ss", 46: "[h]:mm:ss",
    47: "mm:ss.0", 48: "0.0E+0", 50: "yyyy-mm-dd", 51: "yyyy-mm-dd", 52: "yyyy-mm-dd",
    53: "yyyy-mm-dd", 54: "yyyy-mm-dd", 55: "yyyy-mm-dd", 56: "yyyy-mm-dd", 57: "yyyy-mm-dd",
    58: "yyyy-mm-dd",
}  # fmt: skip
"""Number formats that files name by number alone (ECMA-376, 18.8.30); dates of any order."""


def shown(value: float, code: str, *, from_1904: bool = False) -> str:
    """``value`` as the number format ``code`` shows it; see :func:`plain` for "General"."""
    section, given_sign = _section(code, value)
    tokens = _tokens(section)
    if any(kind in ("date", "elapsed") for kind, _ in tokens):
        words = "".join(text.lower() for kind, text in tokens if kind in ("date", "elapsed"))
        if words[:1] == "e" or "general" in words:
            return plain(value)
        return _date(value, words, any(k == "elapsed" for k, _ in tokens), from_1904=from_1904)
    text = _number(abs(value) if given_sign else value, tokens)
    return plain(value) if text is None else text


def plain(value: float) -> str:
    """A number with as many digits as a spreadsheet keeps: 15."""
    text = f"{value:.15g}"
    if "e" not in text:
        return text
    if 1 <= abs(value) < 1e21:
        return str(int(Decimal(text)))
    return f"{value:.15f}".rstrip("0") if 1e-9 <= abs(value) < 1 else text


def date_text(
    moment: datetime, *, date: bool = True, time: bool = True, seconds: bool | None = None
) -> str:
    """``2024-03-01``, ``14:30`` or both; if not told, with seconds where there are any."""
    seconds = bool(moment.second) if seconds is None else seconds
    clock = moment.strftime("%H:%M:%S" if seconds else "%H:%M")
    day = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    return " ".join(([day] if date else []) + ([clock] if time else []))


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[str, ...]:
    sections, current = [], ""
    for match in _TOKEN.finditer(code):
        if match.group("other") == ";":
            sections.append(current)
            current = ""
        else:
            current += match.group()
    return (*sections, current)


def _section(code: str, value: float) -> tuple[str, bool]:
    """The part of the format for ``value``, and whether that part shows a negative by itself."""
    sections = _sections(code)
    if value < 0 and len(sections) > 1 and sections[1].strip():
        return sections[1], True
    if value == 0 and len(sections) > 2 and sections[2].strip():
        return sections[2], False
    return sections[0], False


@lru_cache(maxsize=512)
def _tokens(section: str) -> tuple[tuple[str, str], ...]:
    """``(kind, text)``: literal, date, elapsed, or one other character of the format."""
    tokens: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(section):
        kind = match.lastgroup
        if kind in ("quoted", "escaped", "currency"):
            tokens.append(("literal", match.group(kind)))
        elif kind is not None:
            tokens.append((kind, match.group(kind)))
    return tuple(tokens)


def _number(value: float, tokens: tuple[tuple[str, str], ...]) -> str | None:
    """``None`` for a format that shows no plain number."""
    others = "".join(text for kind, text in tokens if kind == "other")
    placeholders = [text for kind, text in tokens if kind == "other" and text in _PLACEHOLDERS]
    if "/" in others and "?" in others:
        return None
    if not placeholders:
        if others.strip():
            return None
        return "".join(text for _, text in tokens).strip() or None
    pattern = re.sub(r"[^0#?.,]", "", others)
    whole, point, part = pattern.partition(".")
    scale = len(pattern) - len(pattern.rstrip(","))
    value = value * 100.0 ** others.count("%") / 1000.0**scale
    places = min(sum(c in _PLACEHOLDERS for c in part), _MAX_DECIMALS) if point else 0
    least = part.rstrip(",").rstrip("#?").count("0") if part else 0
    # Halves go up, as a spreadsheet rounds, and not to even; 15 digits are what it keeps.
    digits = _rounded(abs(value), places)
    integer, _, decimals = digits.partition(".")
    while len(decimals) > least and decimals.endswith("0"):
        decimals = decimals[:-1]
    integer = integer.lstrip("0").rjust(min(whole.count("0"), 40), "0")
    sign = "-" if value < 0 and (integer.strip("0") or decimals.strip("0")) else ""
    return sign + _filled(tokens, integer, decimals, grouped="," in whole.rstrip(","))


def _rounded(value: float, places: int) -> str:
    with localcontext() as context:
        context.prec = 400
        return format(
            Decimal(f"{value:.15g}").quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f"
        )


def _filled(
    tokens: tuple[tuple[str, str], ...], integer: str, decimals: str, *, grouped: bool
) -> str:
    """The format's literals with the digits in the place of its placeholders."""
    slots = [i for i, (kind, text) in enumerate(tokens) if kind == "other" and text in "0#?.,"]
    point = next((i for i in slots if tokens[i][1] == "."), slots[-1] + 1)
    places = [i for i in slots if i < point and tokens[i][1] in _PLACEHOLDERS]
    number = f"{int(integer):,}" if grouped and integer else integer
    pieces: list[str] = []
    for index, (kind, text) in enumerate(tokens):
        if index not in slots:
            pieces.append(text if kind in ("literal", "other") else "")
        elif index in places:
            # Each placeholder takes one digit, the first whatever is left over.
            after = len(places) - places.index(index) - 1
            if grouped:
                pieces.append(number if index == places[0] else "")
            else:
                cut = len(number) - after
                pieces.append(
                    number[: max(cut, 0)]
                    if index == places[0]
                    else number[max(cut - 1, 0) : cut]
                    if cut > 0
                    else ""
                )
        elif index == point:
            pieces.append(("" if places else number) + (f".{decimals}" if decimals else ""))
    return "".join(pieces).strip()


def _date(value: float, words: str, elapsed: bool, *, from_1904: bool) -> str:
    if elapsed:
        minutes, seconds = divmod(round(abs(value) * 86400), 60)
        tail = f":{seconds:02}" if "s" in words else ""
        return f"{'-' if value < 0 else ''}{minutes // 60}:{minutes % 60:02}{tail}"
    moment = from_serial(value, from_1904=from_1904)
    if moment is None:
        return plain(value)
    has_time = any(letter in words for letter in "hs")
    has_date = any(letter in words for letter in "yd") or ("m" in words and not has_time)
    if has_date and not has_time and "d" not in words and "y" in words:
        return f"{moment.year:04}-{moment.month:02}" if "m" in words else f"{moment.year:04}"
    return date_text(moment, date=has_date, time=has_time, seconds="s" in words)


def from_serial(value: float, *, from_1904: bool = False) -> datetime | None:
    """The moment that a serial number of days stands for; None beyond the year 9999."""
    if not 0 <= value < 2_958_466:
        return None
    if from_1904:
        start = datetime(1904, 1, 1)
    else:  # a leap day that 1900 did not have is day 60
        start = datetime(1899, 12, 31) if value < 60 else datetime(1899, 12, 30)
    return start + timedelta(seconds=round(value * 86400))
