"""The numbers that office programs put before the items of a list."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def counted(number: int, style: str) -> str:
    """``number`` in a style: ``1``, ``01``, ``a``, ``A``, ``i`` or ``I``; others as ``1``."""
    if style in ("i", "I") and 0 < number < 4000:
        text = _roman(number)
    elif style in ("a", "A") and 0 < number < 1000:
        letters = (number - 1) % 26  # after z come aa and bb
        text = chr(ord("a") + letters) * ((number - 1) // 26 + 1)
    else:
        return f"{number:02}" if style == "01" else str(number)
    return text.upper() if style.isupper() else text


def _roman(number: int) -> str:
    pieces = []
    for value, letters in _ROMAN:
        while number >= value:
            pieces.append(letters)
            number -= value
    return "".join(pieces)
