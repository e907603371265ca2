"""JSON, JSON lines and notebooks."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import FILES

from rag.errors import LoadError
from rag.load.registry import load_bytes
from rag.types import Document


def load(value: Any, source: str = "a.json") -> Document:
    return load_bytes((value if isinstance(value, str) else json.dumps(value)).encode(), source)


def headings(document: Document) -> list[tuple[int, str]]:
    return [(h.level, document.text[h.start : h.end]) for h in document.headings]


def refusal(value: str, source: str = "a.json") -> str:
    with pytest.raises(LoadError) as refused:
        load(value, source)
    return str(refused.value)


def test_an_object() -> None:
    document = load(
        {
            "title": "About Acme",
            "address": {"city": "Bern", "zip": 3000, "at": {"lat": 46.94, "lon": 7.44}},
            "employees": [
                {"name": "Ann", "skills": ["law", "tax"], "boss": None, "notes": []},
                {"name": "Bob", "projects": [{"id": 1, "lead": True}, {"id": 2}]},
            ],
            "closed": False,
            "tags": ["a", "b"],
        }
    )
    assert document.text == (
        "title: About Acme\n"
        "address.city: Bern\n"
        "address.zip: 3000\n"
        "address.at.lat: 46.94\n"
        "address.at.lon: 7.44\n"
        "closed: false\n"
        "tags: a, b\n"
        "\n"
        "employees\n"
        "name: Ann | skills: law, tax\n"
        "\n"
        "name: Bob\n"
        "projects.id: 1 | projects.lead: true\n"
        "projects.id: 2"
    )
    assert document.title == "About Acme"
    assert headings(document) == [(1, "employees")]


def test_a_list_of_objects_is_a_table() -> None:
    document = load([{"q": "What?", "a": "That."}, {"q": "Who?", "a": "Ann\tB"}])
    assert document.text == "q: What? | a: That.\nq: Who? | a: Ann\tB"
    assert document.title == ""


def test_objects_with_paragraphs_are_blocks() -> None:
    long = "A sentence of a long text. " * 20
    document = load([{"id": 1, "text": long}, {"id": 2, "text": "One.\nTwo."}, {"id": 3}])
    assert document.text == f"id: 1\ntext: {long.strip()}\n\nid: 2\ntext: One.\nTwo.\n\nid: 3"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('[1.10, 1e5, 12345678901234567890123, -0, true, null, "x", NaN]',
         "1.10, 1e5, 12345678901234567890123, -0, true, x, NaN"),
        ('"just words"', "just words"),
        ('[[1, 2], ["a", "b"], [], [["c"], {"d": 1}]]', "1 | 2\na | b\n\nc\nd: 1"),
        ('{"a b": {"c.d": "e"}}', "a b.c.d: e"),
        ('{"at": {"places": [[7.1, 46.2], [7.2, 46.3]]}}', "at.places: 7.1 46.2, 7.2 46.3"),
        ('{"k": ["Words that are a sentence, and so stand on a line of their own.", "b"]}',
         "k: Words that are a sentence, and so stand on a line of their own.\nb"),
        ('{"\\ud800k\\n2": " \\udfff\\u0007 v\\r\\nw "}', "\ufffdk 2: \ufffd v\nw"),
        ('{"a": "", "b": {}, "c": [], "d": null, "e": "x"}', "e: x"),
        ('\ufeff  {"a": 1}\r\n', "a: 1"),
    ],
)  # fmt: skip
def test_values(value: str, text: str) -> None:
    assert load(value).text == text


@pytest.mark.parametrize("value", ["{}", "[]", "null", '""', '{"a": null}'])
def test_json_without_words(value: str) -> None:
    assert refusal(value) == "holds no text; remove it or add text to it"


@pytest.mark.parametrize(
    "text", ['{"a": 1,}', "{'a': 1}", '{"a": 1', "// c\n{}", "words", '{"a": 1} x']
)
def test_what_is_no_json_stays_as_it_is(text: str) -> None:
    assert load(text).text == text


def test_json_lines() -> None:
    lines = '{"q":"What?","a":"That."}\r\n\n{"q":"Who?"}\nno json\n[1,"b"]\n"str"\n'
    text = "q: What? | a: That.\nq: Who?\nno json\n1 | b\nstr"
    for source in ("a.jsonl", "a.ndjson", "a.json"):
        assert load(lines, source).text == text
    assert load('{"a":{"b":1}}', "a.jsonl").text == "a.b: 1"


@pytest.mark.parametrize(
    "value", ["[" * 100_000, "[" * 70 + "1" + "]" * 70, '{"a":' * 70 + "1" + "}" * 70,
              '[{"a":' * 70 + "1" + "}]" * 70]
)  # fmt: skip
def test_deep_nesting(value: str) -> None:
    assert refusal(value) == (
        "is JSON nested more than 64 levels deep; export its text in a flatter form"
    )


def test_deep_enough() -> None:
    assert load('{"a":' * 60 + "1" + "}" * 60).text == ".".join("a" * 60) + ": 1"


def test_large_files() -> None:
    row = '{"a":[1' + ",1" * 499_999 + "]}"
    assert load(f"{row}\n" * 9, "a.json").text.count("a: 1, 1, 1") == 9
    assert refusal(f"[{row},{row},{row},{row},{row},{row},{row},{row},{row}]") == (
        "is JSON of 9 MB with 4,500,027 commas, colons and brackets; up to 64 MB and 4,000,000 "
        "are read as one value: save it as JSON lines, or split it"
    )


def test_long_keys_do_not_multiply() -> None:
    key = "k" * 100_000
    document = load({"x": [{key: [{"a": 1}] * 1000}]})
    assert len(document.text) < 1_000_000
    assert document.text.endswith("k.a: 1")


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_every_word_of_any_value_is_kept(value: Any) -> None:
    words = set(leaves(value))
    try:
        document = load(json.dumps(value))
    except LoadError:
        assert not words
        return
    for heading in document.headings:
        name = document.text[heading.start : heading.end]
        assert name
        assert name == name.strip()
    assert words <= {word.rstrip(",") for word in document.text.split()}


def leaves(value: Any) -> Iterator[str]:
    """Numbers, and strings that are a plain word."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, str) and value.isascii() and value.isalnum():
        yield value


# --- notebooks ---------------------------------------------------------------------------------


def cell(kind: str, source: str | list[str], *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": kind, "source": source, "metadata": {}, "outputs": list(outputs)}


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def result(**data: Any) -> dict[str, Any]:
    forms = {name.replace("_", "/"): value for name, value in data.items()}
    return {"output_type": "execute_result", "data": forms}


def test_a_real_notebook() -> None:
    data = (FILES / "test_notebook.ipynb").read_bytes()
    document = load_bytes(data, "a.ipynb")
    assert document.text == (
        '# Test Notebook\n\nprint("markitdown")\n\nmarkitdown\n\n## Code Cell Below\n\n'
        "# comment in code\nprint(42)\n\n42\n\nEnd\n\n---"
    )
    assert document.title == "Test Notebook Title"
    assert headings(document) == [(1, "Test Notebook"), (2, "Code Cell Below")]
    assert load_bytes(data, "a.json").text == document.text


def test_outputs() -> None:
    table = "<style>td {}</style><table><thead><tr><th><th>n</thead><tr><th>x<td>1</table>"
    document = load(
        notebook(
            cell(
                "code",
                ["f()\n", "g()"],
                {"output_type": "stream", "text": ["\x1b[31mred\x1b[0m\n", "plain\n"]},
                result(text_html=[table], text_plain="   n\nx  1"),
                result(text_plain="<Figure size 640x480 with 1 Axes>", image_png="iVBOR"),
                result(text_plain="[<matplotlib.lines.Line2D at 0x7f>]"),
                result(text_markdown="*words*"),
                {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": []},
            ),
            cell("raw", "raw words"),
        ),
        "a.ipynb",
    )  # fmt: skip
    assert document.text == (
        "f()\ng()\n\nred\nplain\n\nx | n: 1\n\n*words*\n\nValueError: bad\n\nraw words"
    )
    assert document.title == ""


def test_long_outputs_are_cut() -> None:
    printed = "".join(f"line {i}\n" for i in range(100_000))
    document = load(notebook(cell("code", "f()", {"output_type": "stream", "text": printed})))
    assert document.text.startswith("f()\n\nline 0\nline 1\n")
    assert document.text.endswith("\n…")
    assert 3900 < len(document.text) < 4100


def test_headings_of_cells_stand_where_they_stand() -> None:
    document = load(
        notebook(
            cell("markdown", "\n\nText\n\n## One\n\n```\n# no heading\n```"),
            cell("code", "# no heading"),
            cell("markdown", "Two\n===\n\n```\nnever closed"),
            cell("markdown", "# Three *em*"),
        ),
        "a.ipynb",
    )
    assert headings(document) == [(2, "One"), (1, "Two"), (1, "Three *em*")]
    assert document.title == "Two"


def test_a_notebook_of_version_3() -> None:
    old = {
        "nbformat": 3,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": "Head"},
                    {
                        "cell_type": "code",
                        "input": "1 + 1",
                        "outputs": [{"output_type": "pyout", "text": ["2"]}],
                    },
                ]
            }
        ],
    }
    document = load(old, "a.ipynb")
    assert document.text == "Head\n\n1 + 1\n\n2"
    assert headings(document) == [(2, "Head")]


@pytest.mark.parametrize("text", ["words", "[]", '{"a": 1}', '{"cells": 1'])
def test_what_is_no_notebook(text: str) -> None:
    assert refusal(text, "a.ipynb").startswith("is damaged or not a notebook")


@pytest.mark.parametrize(
    "value",
    [{"cells": 5}, {"cells": [1, None, {}]}, {"cells": [{"cell_type": [], "source": {"a": 1}}]},
     {"cells": [{"outputs": [{"data": []}, {"data": {"text/plain": {}}}, 7]}], "metadata": []}],
)  # fmt: skip
def test_malformed_notebooks(value: Any) -> None:
    assert refusal(json.dumps({"nbformat": 4, **value})).startswith("holds no text")
