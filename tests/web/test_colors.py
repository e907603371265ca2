"""One file has every colour that is shown in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes_evaluate import ScriptedReader, make_set
from samples import write_folder

import rag
from rag.embed import HashingEmbedder
from rag.evaluate.report.page import write_page
from rag.evaluate.run import run_evaluation
from rag.web.guard.login import login_page
from rag.web.page.components import asset, style

CODE = Path(rag.__file__).parent
COLORS = (CODE / "assets" / "colors.css").read_text()
SHOWN = [
    path
    for path in sorted(CODE.rglob("*"))
    if path.suffix in {".css", ".html", ".svg", ".js"} and path.name != "colors.css"
]
LITERAL = re.compile(
    r"(?<![&\w])#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b|\b(?:rgb|hsl)a?\(", re.IGNORECASE
)
DEFINED = set(re.findall(r"^\s+--([\w-]+):", COLORS, re.M))


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: str(path.relative_to(CODE)))
def test_no_other_file_has_a_colour(path: Path) -> None:
    assert LITERAL.findall(path.read_text()) == []


def test_every_colour_is_used_and_every_use_is_of_one() -> None:
    texts = [path.read_text() for path in (*SHOWN, CODE / "web" / "server.py")]
    used = {name for text in texts for name in re.findall(r"var\(--([\w-]+)\)", text)}
    local = {name for text in texts for name in re.findall(r"[\s\";]--([\w-]+):", text)}
    assert DEFINED - used == set()
    assert used - DEFINED - local == {"body-text-color"}, "of Gradio's"


def test_the_page_the_login_page_and_the_report_have_them(tmp_path: Path) -> None:
    folder, questions, script = make_set(3)
    write_folder(tmp_path / "docs", folder)
    reader = ScriptedReader(script)
    index = tmp_path / "index"
    with rag.KnowledgeBase(index, embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(tmp_path / "docs")
        with run_evaluation(kb, questions) as evaluation:
            write_page(tmp_path / "r.html", evaluation, lambda s: kb.document(s).text)
    shown = style(), login_page().decode(), (tmp_path / "r.html").read_text()
    assert [COLORS.strip() in text for text in shown] == [True] * 3


def test_the_style_sheet_of_the_page_is_as_it_was_written() -> None:
    assert style().endswith(asset("page.css")), "its selectors, as `#side > *`, are no HTML"
