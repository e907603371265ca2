"""The command line, as a user types it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner, Result
from fakes_llm import Reply, ScriptedServer
from places import SEEDS
from samples import SEED, open_kb, write_folder

from rag.cli import main

TEXT = "Lexus sold 851,200 vehicles worldwide in 2024. Production is expected to begin in 2027."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one document, in the current directory, for the hashing embedder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    return write_folder(tmp_path / "docs", {"lexus.txt": TEXT})


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def rag_json(*arguments: str) -> object:
    result = rag(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_index_search_ask_show(folder: Path) -> None:
    report = rag_json("index", str(folder))
    assert isinstance(report, dict)
    assert list(report) == ["added", "updated", "deleted", "unchanged", "failed", "seconds"]
    assert report["added"] == ["lexus.txt"]
    hits = rag_json("search", "Lexus vehicles", "-k", "1")
    assert isinstance(hits, list)
    assert [(h["source"], h["start"], h["end"], h["text"]) for h in hits] == [
        ("lexus.txt", 0, len(TEXT), TEXT)
    ]
    answer = rag_json("ask", "How many vehicles did Lexus sell worldwide in 2024?")
    assert isinstance(answer, dict)
    assert list(answer) == [
        "question", "text", "short", "refused", "reason", "confidence", "answerer", "citations",
        "hits", "seconds", "perhaps",
    ]  # fmt: skip
    citation = answer["citations"][0]
    assert "851,200" in citation["quote"]
    span = f"{citation['start']}:{citation['end']}"
    assert rag("show", "lexus.txt", "--span", span).stdout == citation["quote"] + "\n"
    shown = rag_json("show", "lexus.txt", "--span", span)
    assert isinstance(shown, dict)
    assert (shown["text"], shown["sha256"]) == (citation["quote"], citation["sha256"])


def test_text_output_for_people(folder: Path) -> None:
    write_folder(folder, {"broken.pdf": "%PDF-1.4 nothing"})
    indexed = rag("index", str(folder)).stdout
    assert "1 added, 0 updated, 0 deleted, 0 unchanged, 1 failed" in indexed
    assert "broken.pdf: " in indexed
    answer = rag("ask", "How many vehicles did Lexus sell worldwide in 2024?").stdout
    assert "851,200 vehicles worldwide in 2024. [1]" in answer
    assert "[1] lexus.txt, 0:46" in answer
    refusal = rag("ask", "Which painter lived in Vienna?").stdout
    assert refusal.startswith("The documents do not say.")
    status = rag("status").stdout
    assert "hashing-256" in status
    assert "  lexus.txt" in status
    assert rag("verify").stdout == "The index is whole.\n"


def test_a_citation_names_sheet_and_row(folder: Path) -> None:
    with xlsxwriter.Workbook(folder / "cars.xlsx") as book:
        sheet = book.add_worksheet("Cars")
        sheet.write_row(0, 0, ["Model", "Vehicles sold"])
        sheet.write_row(1, 0, ["Corolla", 1127])
        sheet.write_row(2, 0, ["Hilux", 716])
    rag("index", str(folder))
    found = rag("search", "Hilux Vehicles sold", "-k", "1").stdout
    assert found.startswith("1. cars.xlsx, Cars, rows 2–3, 0:76  ")
    answer = rag("ask", "Which vehicles sold: Hilux?").stdout
    assert re.search(r"cars\.xlsx, Cars, rows? [23–]+, \d+:\d+", answer)
    shown = rag_json("show", "cars.xlsx", "--span", "43:76")
    assert isinstance(shown, dict)
    assert (shown["text"], shown["place"], shown["page"]) == (
        "Model: Hilux | Vehicles sold: 716",
        "Cars, row 3",
        None,
    )


def test_eval(folder: Path, tmp_path: Path) -> None:
    rag("index", str(folder))
    line = {
        "id": "1",
        "question": "When is production expected to begin?",
        "answers": ["2027"],
        "evidence": [{"source": "lexus.txt", "start": TEXT.index("2027"), "end": len(TEXT) - 1}],
    }
    Path("q.jsonl").write_text(json.dumps(line), encoding="utf-8")
    metrics = rag_json("eval", "q.jsonl")
    assert isinstance(metrics, dict)
    assert list(metrics) == [
        "questions", "answerable", "retrieval", "answer", "citation", "refusal", "calibration",
        "seconds", "intervals", "verdicts", "by_type", "by_answerable", "by_source", "about",
    ]  # fmt: skip
    assert metrics["retrieval"]["recall@1"] == 1.0
    assert "recall@5" in rag("eval", "q.jsonl").stdout


def test_eval_writes_a_page_and_results(folder: Path) -> None:
    rag("index", str(folder))
    start = TEXT.index("2027")
    lines = [
        {
            "id": "1",
            "question": "When is production expected to begin?",
            "answers": ["2027"],
            "evidence": [{"source": "lexus.txt", "start": start, "end": start + 4}],
        },
        {"id": "2", "question": "Who paints?", "answers": [], "evidence": []},
    ]
    Path("q.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    shown = rag("eval", "q.jsonl", "--out", "a.json", "--html", "a.html")
    assert shown.exit_code == 0
    assert "2 questions, 1 answerable" in shown.stdout
    assert "  recall@1       1.000   1.000 to 1.000" in shown.stdout
    assert "a.html" not in shown.stderr
    results = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert [outcome["id"] for outcome in results["outcomes"]] == ["1", "2"]
    assert results["about"]["question_set"] == "q.jsonl"
    assert "When is production expected to begin?" in Path("a.html").read_text(encoding="utf-8")
    assert rag("compare", "a.json", "a.json").exit_code == 0
    alone = rag("eval", "q.jsonl", "--retrieval-only").stdout
    assert "  f1                 -" in alone
    assert sorted(path.name for path in Path().iterdir() if path.is_file()) == [
        "a.html", "a.json", "q.jsonl",
    ]  # fmt: skip


def test_where_results_cannot_be_written_nothing_is_asked(folder: Path) -> None:
    for option in ("--out", "--html"):
        for target in ("nowhere/a.json", "docs", "/proc/a.json"):
            result = rag("eval", "missing.jsonl", option, target)
            assert result.exit_code in (1, 2)
            assert target in result.stderr
            assert "missing.jsonl" not in result.stderr.splitlines()[-1]
    Path("q.jsonl").write_text("", encoding="utf-8")
    result = rag("eval", "q.jsonl", "--out", "./q.jsonl")
    assert (result.exit_code, "it is read; name another file" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["more.jsonl"], "unexpected 'more.jsonl': name one question set"),
        (["--sweep", "top_k=1", "more.jsonl"], "unexpected 'more.jsonl'"),
        (["--sweep", "top_k=1", "--out", "a.json"], "--out and --html are for one run"),
        (["--cache", "c"], "--cache is for --sweep"),
        (["--retrieval-only", "--answerer", "llm"], "leave out --answerer"),
        (["--out", "a", "--html", "./a"], "--out and --html both name 'a'"),
    ],
)
def test_options_of_eval_that_exclude_each_other(
    folder: Path, arguments: list[str], said: str
) -> None:
    result = rag("eval", "q.jsonl", *arguments)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_an_index_without_documents_is_evaluated(folder: Path) -> None:
    (folder / "lexus.txt").unlink()
    rag("index", str(folder))
    line = {"id": "1", "question": "Who?", "answers": [], "evidence": []}
    Path("q.jsonl").write_text(json.dumps(line), encoding="utf-8")
    metrics = rag_json("eval", "q.jsonl")
    assert isinstance(metrics, dict)
    assert metrics["verdicts"] == {"rightly_refused": 1}
    place = {"source": "lexus.txt", "start": 0, "end": 5}
    answered = line | {"answers": ["Lexus"], "evidence": [place]}
    Path("q.jsonl").write_text(json.dumps(answered), encoding="utf-8")
    result = rag("eval", "q.jsonl")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "the index holds no document 'lexus.txt'" in result.stderr


@pytest.mark.slow
def test_an_interrupted_evaluation_leaves_nothing_half_written(folder: Path) -> None:
    rag("index", str(folder))
    line = {"id": "1", "question": "When does production begin?", "answers": [], "evidence": []}
    Path("q.jsonl").write_text(json.dumps(line), encoding="utf-8")
    Path("a.json").write_text("before", encoding="utf-8")
    files = {name: str(Path(name).absolute()) for name in ("index", "q.jsonl", "a.json", "a.html")}
    # Whoever runs the tests in the background has told their children to ignore the signal.
    heed = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from rag.cli import main; main()"
    )
    command = [
        *("-c", heed, "eval", files["q.jsonl"], "--index", files["index"], "--answerer", "llm"),
        *("--out", files["a.json"], "--html", files["a.html"]),
    ]
    with ScriptedServer() as server:
        server.enqueue(*[Reply(end="hang")] * 5)  # the client tries again
        environment = os.environ | {"RAG_LLM_BASE_URL": server.url, "RAG_LLM_MODEL": "m"}
        with subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=SEEDS.parent,
        ) as process:  # fmt: skip
            while not server.requests and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err == "rag: interrupted; what was indexed is kept, no file half written\n"
    assert Path("a.json").read_text(encoding="utf-8") == "before"
    assert {path.name for path in Path().iterdir()} == {"a.json", "docs", "index", "q.jsonl"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "Who?"], "rag index FOLDER"),
        (["index", "nowhere"], "'nowhere'"),
        (["eval", "nowhere.jsonl"], "'nowhere.jsonl'"),
        (["verify"], "rag index FOLDER"),
    ],
)
def test_errors_are_one_line_and_exit_1(folder: Path, arguments: list[str], said: str) -> None:
    result = rag(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("rag: ")
    assert said in result.stderr
    assert not Path("index", "knowledge.sqlite").exists()


def test_errors_about_documents_and_settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rag("index", str(folder))
    assert "no document 'x.txt'" in rag("show", "x.txt").stderr
    assert "not within" in rag("show", "lexus.txt", "--span", "0:999").stderr
    monkeypatch.setenv("RAG_CHUNK_TOKEN", "5")
    result = rag("status")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "did you mean RAG_CHUNK_TOKENS?" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["ask"], ["ask", "  "], ["search", "q", "-k", "0"], ["show", "a", "--span", "x"], ["sing"]],
)
def test_wrong_usage_exits_2(folder: Path, arguments: list[str]) -> None:
    rag("index", str(folder))
    if arguments[0] == "show":
        arguments = ["show", "lexus.txt", "--span", "x"]
    assert rag(*arguments).exit_code == 2


def test_an_index_of_another_model_is_repaired_by_the_command_in_the_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rag("index", str(folder))
    monkeypatch.setenv("RAG_CHUNK_TOKENS", "32")
    result = rag("search", "Lexus")
    assert result.exit_code == 1
    assert "rag index FOLDER --rebuild" in result.stderr
    assert rag("index", str(folder), "--rebuild").exit_code == 0
    assert rag("search", "Lexus").exit_code == 0


@pytest.mark.slow
def test_the_seed_answer_from_a_fresh_process(tmp_path: Path) -> None:
    shutil.copytree(SEEDS, tmp_path / "seeds")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "rag", *arguments, "--index", str(tmp_path / "index")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    run("index", str(tmp_path / "seeds"))
    answer = json.loads(run("ask", "How many vehicles did Lexus sell worldwide in 2024?", "--json"))
    (citation, *_) = [c for c in answer["citations"] if "851,200" in c["quote"]]
    assert citation["source"] == SEED
    span = f"{citation['start']}:{citation['end']}"
    assert run("show", SEED, "--span", span) == citation["quote"] + "\n"


@pytest.mark.slow
def test_a_damaged_index_is_not_served(tmp_path: Path) -> None:
    index = tmp_path / "index"
    folder = write_folder(
        tmp_path / "docs", {f"{n}.txt": f"Topic {n}. " + "Filler. " * 2000 for n in range(20)}
    )
    with open_kb(index) as kb:
        kb.sync(folder)
    database = index / "knowledge.sqlite"
    data = bytearray(database.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200_000] = b"\xff" * 200_000
    database.write_bytes(data)
    result = subprocess.run(
        [sys.executable, "-m", "rag", "serve", "--index", str(index), "--port", "1"],
        env={**os.environ, "RAG_EMBEDDER": "hashing"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"rag: the index in {str(index)!r} failed: ")
    assert f"run 'rag verify --repair --index {index}'" in line
