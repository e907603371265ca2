"""Number formats: what a spreadsheet shows, with dates as ISO 8601."""

import pytest

from rag.load.sheets.number_format import plain, shown


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.256, "0%", "26%"),
        (0.2567, "0.0%", "25.7%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, '"$"#,##0.00', "$1,234.50"),
        (1234.5, "[$€-407] #,##0.00", "€ 1,234.50"),
        (-1234.5, "#,##0.00 €;[Red]-#,##0.00 €", "-1,234.50 €"),
        (-5, "#,##0_);(#,##0)", "(5)"),
        (-5, "0.0", "-5.0"),
        (-0.4, "0", "0"),
        (0, '0;-0;"none"', "none"),
        (1234, "00000", "01234"),
        (5551234567, "000-000-0000", "555-123-4567"),
        (12345678, '0.0,,"M"', "12.3M"),
        (12, '0" kg"', "12 kg"),
        (3.5, "0.##", "3.5"),
        (3, "0.##", "3"),
        (2.5, "0", "3"),
        (1.005, "0.00", "1.01"),
        (0.5, "# ?/?", "0.5"),
        (7, "@", "7"),
        (45352, "mm/dd/yyyy", "2024-03-01"),
        (45352.75, "d.m.yy h:mm", "2024-03-01 18:00"),
        (0.7505, "h:mm:ss AM/PM", "18:00:43"),
        (0.7505, "h:mm", "18:00"),
        (45352, "yyyy-mm-dd hh:mm:ss", "2024-03-01 00:00:00"),
        (45352, "mmm yyyy", "2024-03"),
        (45352, "[$-409]d-mmm-yy;@", "2024-03-01"),
        (1.5, "[h]:mm", "36:00"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e9, "yyyy-mm-dd", "1000000000"),
        (3, '"a', "3"),
    ],
)
def test_shown(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_the_calendar_that_begins_in_1904() -> None:
    assert shown(0, "yyyy-mm-dd", from_1904=True) == "1904-01-01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (-2.5, "-2.5"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "0.00001"),
        (123456789012345678, "123456789012346000"),
        (1.5e30, "1.5e+30"),
    ],
)
def test_plain_numbers_have_the_digits_that_a_sheet_keeps(value: float, text: str) -> None:
    assert plain(value) == text
