"""Plain text: encodings, line ends, titles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import LoadError
from rag.load.registry import load_bytes

GERMAN = "Der Bär läuft über die Straße. Größe zählt nicht, sagte er – und ging für 5 € nach Köln."
SPANISH = "El niño comió piñas. ¿Cómo está usted? ¡Mañana será otro día en España!"
CURLY = "“Smart quotes” – it’s déjà vu… a naïve façade, £5 and 20 °C."
FRENCH = "L’été dernier, le garçon a mangé du gâteau à la crème brûlée près de l’hôtel."
JAPANESE = "東京は日本の首都です。人口は約1400万人です。カタカナも含みます。"
CHINESE = "二月五日，丰田正式宣布雷克萨斯将在上海金山区建立研发和生产基地。"
SHORT_CHINESE = "北京是中国的首都，人口超过两千万。"
RUSSIAN = "Москва является столицей России. Население города составляет около 13 миллионов."
KOREAN = "서울은 대한민국의 수도이며 인구는 약 천만 명이다. 이 문서는 검사를 위한 것이다."
POLISH = "Zażółć gęślą jaźń. Warszawa jest stolicą Polski i największym miastem."
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy. Praha je hlavní město České republiky."
GREEK = "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και έχει περίπου τρία εκατομμύρια κατοίκους."


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Café"),
        ("cp1252", "Größe: 5 m"),
        ("cp1252", GERMAN),
        ("cp1252", SPANISH),
        ("cp1252", CURLY),
        ("cp1252", CURLY * 5),
        ("cp1252", FRENCH),
        ("shift_jis", JAPANESE),
        ("euc_jp", JAPANESE),
        ("gb18030", CHINESE),
        ("gb18030", SHORT_CHINESE),
        ("big5", "台北是台灣的首都,人口約二百五十萬人。這是一個測試文件,用於檢測編碼。"),
        ("euc_kr", KOREAN),
        ("koi8-r", RUSSIAN),
        ("koi8-r", "Привет"),
        ("cp1251", RUSSIAN),
        ("cp1251", "Привет, мир"),
        ("cp866", RUSSIAN),
        ("cp1250", POLISH),
        ("cp1250", CZECH),
        ("cp1253", GREEK),
        ("utf-8", CHINESE),
        ("utf-8-sig", CHINESE),
        ("utf-16", CHINESE),
        ("utf-32", CHINESE),
        ("utf-16-le", f"1. {CHINESE}"),
        ("utf-16-be", f"1. {SHORT_CHINESE}"),
        ("utf-16-le", f"Hiragana しのたちすけつて: {JAPANESE}"),
        ("utf-16-be", f"1. {KOREAN}"),
        ("utf-16-le", GERMAN),
        ("utf-16-be", GERMAN),
        ("utf-32-be", GERMAN),
    ],
)
def test_encodings(encoding: str, text: str) -> None:
    assert load_bytes(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_text_comes_back_exactly(encoding: str, text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        assert (
            load_bytes(
                b"\xef\xbb\xbf" * (encoding == "utf-8") + text.encode(encoding), "a.txt"
            ).text
            == lines
        )
    except LoadError:
        assert not lines.strip()


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1))
def test_any_text_without_mark_comes_back_exactly(text: str) -> None:
    data = b"-" + text.encode() + b"-"  # a dash, so that it is neither blank nor has a magic
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert load_bytes(data, "a.txt").text == f"-{lines}-"


def test_line_ends_and_nothing_else_change() -> None:
    text = "e\u0301 \xa0 \u2028 \xad\tﬁ\x0c"
    data = f"a\r\nb\rc\n{text}".encode()
    assert load_bytes(data, "a.txt").text == f"a\nb\nc\n{text}"


def test_a_cut_utf8_text_is_still_utf8() -> None:
    data = CHINESE.encode()[:-1]
    assert load_bytes(data, "a.txt").text == CHINESE[:-1] + "\ufffd"


def test_a_lone_surrogate_is_replaced() -> None:
    data = b"\xff\xfe" + "ab".encode("utf-16-le") + b"\x00\xd8" + "c".encode("utf-16-le")
    assert load_bytes(data, "a.txt").text == "ab\ufffdc"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "Lexus Confirms Local Production in China!\nOn February 5, Toyota",
            "Lexus Confirms Local Production in China!",
        ),
        ("\n\n  A title  \n\nText.", "A title"),
        ("A sentence.\nText.", ""),
        ("第一句。\n第二句。", ""),
        ("Ingredients:\nSalt.", ""),
        ("Only one line\n\n", ""),
        ("x" * 120 + "\nText.", "x" * 120),
        ("x" * 121 + "\nText.", ""),
    ],
)
def test_title(text: str, title: str) -> None:
    assert load_bytes(text.encode(), "a.txt").title == title
