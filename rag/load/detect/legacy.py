"""Guesses the legacy code page of bytes that are not Unicode.

``charset-normalizer`` does well on a paragraph and poorly on a line: a few German or Russian words
come out as Chinese, Chinese as Korean. Three checks of what the result would look like as language
correct it; each accepts only what is regular, so that longer texts are left to the library.
"""

from __future__ import annotations

import re

_WIDE = ["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7"]
_CYRILLIC = ("cp1251", "koi8-r", "cp866")
# Letters of Western European languages. Left out are those whose byte is a frequent letter of
# Central European, Turkish or Baltic code pages: š ž ý þ ð, and õ outside Portuguese.
_WESTERN = set("äöüßÄÖÜàâáãåæçéèêëîïíìñóòôøúùûœÀÂÁÃÅÆÇÉÈÊËÎÏÍÑÓÔØÚÙŒªº")
_BETWEEN_LETTERS = set("’'·-–—\xad\xa0/…&×")
_NEVER_WESTERN = set("\x81\x8d\x8f\x90\x9dŸƒ¤¦¨¬¯¸þðýÝÞÐ¹")


def guess(data: bytes) -> str:
    """Return ``data`` as text; never fails, undecodable bytes become U+FFFD."""
    if (text := _western(data)) is not None:
        return text
    if (text := _cyrillic(data)) is not None:
        return text
    encoding = _library_guess(data)
    if encoding == "cp949" and (text := _chinese_taken_for_korean(data)) is not None:
        return text
    return re.sub("[\ud800-\udfff]", "\ufffd", data.decode(encoding, errors="replace"))


def _library_guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_exclusion=_WIDE).best()
    return best.encoding if best is not None else "cp1252"


def _western(data: bytes) -> str | None:
    """Windows-1252 if everything beyond ASCII stands where Western European text has it."""
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return None
    portuguese = "ã" in text or "ç" in text
    for found in re.finditer(r"[^\x00-\x7f]", text):
        char = found.group()
        if char in _WESTERN or (char in "õÕ" and portuguese):
            continue
        before = text[found.start() - 1 : found.start()]
        after = text[found.end() : found.end() + 1]
        squeezed = before.isalpha() and after.isalpha() and char not in _BETWEEN_LETTERS
        if char in _NEVER_WESTERN or char.isalpha() or squeezed:
            return None
    # A run of accented letters is no Western word: most letters must be ASCII.
    letters = [c for c in text if c.isalpha()]
    accented = sum(not c.isascii() for c in letters)
    return text if accented * 3 <= len(letters) else None


def _cyrillic(data: bytes) -> str | None:
    """The code page in which all words are Russian-looking: regular case, vowels in place."""
    for encoding in _CYRILLIC:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if re.search(r"[^\x00-\x7fА-Яа-яЁё«»–—“”„’…№§°\xa0]", text):
            continue
        words = re.findall(r"[А-Яа-яЁё]+", text)
        regular = sum(w[1:].islower() or len(w) == 1 or w.isupper() for w in words)
        letters = "".join(words).lower()
        vowels = sum(c in "аеёиоуыэюя" for c in letters)
        capitals = sum(c.isupper() for w in words for c in w)
        if (
            words
            and regular * 10 >= len(words) * 9
            and capitals * 2 <= len(letters)
            and 0.3 <= vowels / len(letters) <= 0.6
        ):
            return text
    return None


def _chinese_taken_for_korean(data: bytes) -> str | None:
    """GB 18030 for a "Korean" text in which Hangul and Chinese characters alternate.

    Korean is written without Chinese characters but for rare words; both code pages use the same
    bytes.
    """
    korean = data.decode("cp949", errors="replace")
    hanja = len(re.findall("[\u4e00-\u9fff\uf900-\ufaff]", korean))
    hangul = len(re.findall("[\uac00-\ud7a3]", korean))
    if hanja * 10 < hangul:
        return None
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError:
        return None
