"""Question sets from other formats: what is found where, and what is skipped for which reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from samples import write_folder

from rag.cli import main
from rag.question_sets import Evidence, GoldQuestion, read_questions

NORMANS = "The Normans came to Normandy, a region in France.\nTheir leader was Rollo."
OIL = "The crisis began in October 1973. By March 1974 oil cost $12."
FOLDER = {"hist/normans.txt": f"Title\n\n{NORMANS}\n\nMore.", "oil.txt": f"{OIL} In 1974 it ended."}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    write_folder(tmp_path / "docs", FOLDER)
    assert rag("index", "docs").exit_code == 0
    return tmp_path


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def imported(*arguments: str) -> tuple[dict[str, Any], list[GoldQuestion]]:
    result = rag("questions", "import", *arguments, "--out", "out.jsonl", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), read_questions(Path("out.jsonl"))


def quoted(question: GoldQuestion, folder: str = "docs") -> list[str]:
    return [
        Path(folder, e.source).read_text(encoding="utf-8")[e.start : e.end]
        for e in question.evidence
    ]


def squad(*paragraphs: tuple[str, list[dict[str, Any]]], title: str = "Normans") -> str:
    listed = [{"context": context, "qas": qas} for context, qas in paragraphs]
    return json.dumps({"version": "v2.0", "data": [{"title": title, "paragraphs": listed}]})


def qa(name: str, *answers: tuple[str, int], **more: Any) -> dict[str, Any]:
    listed = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": name, "question": f"What about {name}?", "answers": listed} | more


NORMAN_QUESTIONS = [
    qa("a", ("France", 42), ("France", 42), ("a region in France", 30)),
    qa("b", is_impossible=True, plausible_answers=[]),
    qa("near", ("Norman", 17)),
    qa("moved", ("Rollo", 0)),
    qa("half", ("Rollo", 67), ("Paris", 3)),
    qa("wrong", ("Paris", 3)),
    qa("unanswered"),
    qa("a", ("Rollo", 67)),
]


def test_squad_located_in_the_index(index: Path) -> None:
    Path("squad.json").write_text(
        squad(
            (NORMANS.replace("\n", "  "), NORMAN_QUESTIONS),
            ("This stands nowhere.", [qa("c", ("nowhere", 12))]),
        )
    )
    report, questions = imported("squad.json")
    assert [question.id for question in questions] == ["a", "b", "near", "moved", "half"]
    a, b, near, moved, half = questions
    assert a.answers == ("France", "a region in France")
    assert quoted(a) == ["France", "a region in France"]
    assert a.sources == ("hist/normans.txt",)
    assert not b.answerable
    # Stated at 17, which is not where it stands: the nearest place is taken.
    assert [e.start for e in near.evidence] == [FOLDER["hist/normans.txt"].index("Normandy")]
    assert quoted(moved) == quoted(half) == ["Rollo"]
    assert (report["imported"], report["answerable"]) == (5, 4)
    assert [(s["where"], s["reason"]) for s in report["skipped"]] == [
        ("data[0].paragraphs[0].qas[5]", "none of its answers stands in its paragraph"),
        (
            "data[0].paragraphs[0].qas[6]",
            "it has no answers and is not marked 'is_impossible'",
        ),
        ("data[0].paragraphs[0].qas[7]", "its id 'a' came before"),
        ("data[0].paragraphs[1].qas[0]", "its paragraph stands in no document"),
    ]
    assert [n["reason"] for n in report["notes"]] == [
        "1 of 2 answers do not stand in the paragraph"
    ]
    assert rag("questions", "check", "out.jsonl").exit_code == 0
    assert rag("eval", "out.jsonl", "--retrieval-only").exit_code == 0


def test_squad_brings_its_own_documents(index: Path) -> None:
    evil = f"<html>{NORMANS}"
    twice = squad((evil, [qa("a", ("Rollo", evil.index("Rollo")))]), (OIL, [qa("o", ("$12", 57))]))
    data = json.loads(twice)
    data["data"] *= 2
    data["data"][1] = json.loads(squad((OIL, [qa("p", ("1973", 28))]), title="../Normans"))["data"][
        0
    ]
    Path("squad.json").write_text(json.dumps(data))
    report, questions = imported("squad.json", "--documents", "new/docs")
    # The file is taken for HTML, whose text has no "<html>".
    assert [s["reason"] for s in report["skipped"]] == ["its paragraph stands in no document"]
    assert sorted(path.name for path in Path("new/docs").iterdir()) == [
        "Normans.txt", "Normans_2.txt",
    ]  # fmt: skip
    assert [question.sources for question in questions] == [("Normans.txt",), ("Normans_2.txt",)]
    assert rag("index", "new/docs", "--index", "other").exit_code == 0
    assert rag("questions", "check", "out.jsonl", "--index", "other").exit_code == 0
    again = rag("questions", "import", "squad.json", "--documents", "new/docs", "--out", "x.jsonl")
    assert again.exit_code == 1
    assert "is not empty: name a new folder" in again.stderr


def test_csv_rows_are_located_by_exact_search(index: Path) -> None:
    rows = [
        "\ufeffid;Question;answer;source",
        "1;When did oil cost $12?;1974;oil.txt",
        "2;What did it cost?;$12;",
        "3;Who lost?;;",
        '4;"Who; led them?";Rollo;hist/normans.txt',
        ";Where?;France;normans.txt",
        "6;Where?;Spain;oil.txt",
        "7;;Spain;oil.txt",
        ";;;",
        "9;Which year?;1974;oil.txt",
    ]
    Path("q.csv").write_text("\r\n".join(rows), encoding="utf-8")
    report, questions = imported("q.csv")
    assert [question.id for question in questions] == ["1", "2", "3", "4", "9"]
    first, second, third, fourth, ninth = questions
    oil = FOLDER["oil.txt"]
    # Of two places that of the sentence with the question's words: "oil cost".
    assert first.evidence == (Evidence("oil.txt", oil.index("1974"), oil.index("1974") + 4),)
    assert second.sources == ("oil.txt",)
    assert not third.answerable
    assert (fourth.question, quoted(fourth)) == ("Who; led them?", ["Rollo"])
    assert quoted(ninth) == ["1974", "1974"]
    assert [(s["where"], s["reason"]) for s in report["skipped"]] == [
        (
            "line 6",
            "the index holds no document 'normans.txt'; did you mean 'hist/normans.txt'?",
        ),
        ("line 7", "'Spain' does not stand in 'oil.txt' word for word"),
        ("line 8", "the question is blank"),
    ]
    assert [n["where"] for n in report["notes"]] == ["line 10"]
    assert rag("questions", "check", "out.jsonl").stdout == (
        "5 questions, 4 answerable; all is well.\n"
    )


def test_an_answer_inside_a_word_counts_only_where_there_is_no_other(index: Path) -> None:
    write_folder(index / "docs", {"w.txt": "In 1957 he was 5. Apartment."})
    rag("index", "docs")
    Path("q.csv").write_text("question,answer,source\nHow old?,5,w.txt\nWhat?,part,w.txt\n")
    _, (old, part) = imported("q.csv")
    assert [e.start for e in old.evidence] == [15]
    assert quoted(part) == ["part"]


def test_an_answer_inside_a_word_of_another_document_does_not_count(index: Path) -> None:
    write_folder(index / "docs", {"a.txt": "A party at noon.", "b.txt": "The art of cooking."})
    rag("index", "docs")
    Path("q.csv").write_text("question,answer,source\nWhat is taught?,art,\n")
    _, (question,) = imported("q.csv")
    assert question.evidence == (Evidence("b.txt", 4, 7),)


def test_a_row_of_too_few_or_many_cells_is_no_question(index: Path) -> None:
    rows = [
        "question,answer,source",
        "Who, led them?,Rollo,oil.txt",
        "Who led them?",
        "Who lost?,,,,",
    ]
    Path("q.csv").write_text("\n".join(rows), encoding="utf-8")
    report, questions = imported("q.csv")
    assert [question.question for question in questions] == ["Who lost?"]
    assert [(s["where"], s["reason"][:40]) for s in report["skipped"]] == [
        ("line 2", "it has 4 cells, but the first line 3: qu"),
        ("line 3", "it has 1 cells, but the first line 3: qu"),
    ]


def test_documents_come_whole_or_not_at_all(index: Path) -> None:
    beir(index / "beir")
    command = ("questions", "import", "beir", "--documents", "corpus", "--out", "out.jsonl")
    path = Path("beir", "corpus.jsonl")
    whole = path.read_text(encoding="utf-8")
    for broken in (whole + "\n{", whole.replace("Rollo", "\\ud83d")):
        path.write_text(broken, encoding="utf-8")
        result = rag(*command)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert {p.name for p in index.iterdir()} == {"beir", "docs", "index"}
    path.write_text(whole, encoding="utf-8")
    Path("corpus").mkdir()  # an empty one may be there
    assert rag(*command).exit_code == 0
    assert sorted(p.name for p in Path("corpus").iterdir()) == ["1.txt", "2.txt"]
    for target in ("corpus", "."):
        result = rag(*command[:4], target, *command[5:])
        assert "is not empty: name a new folder" in result.stderr


def beir(
    folder: Path,
    qrels: str = "query-id\tcorpus-id\tscore\nq1\t1\t1\nq1\t2\t0\nq2\tx\t1\nq9\t1\t1\n",
) -> None:
    corpus = [
        {"_id": "1", "title": "Normans", "text": NORMANS},
        {"_id": "2", "title": "", "text": OIL},
        {"_id": "3", "title": "", "text": ""},
    ]
    queries = [{"_id": f"q{n}", "text": f"Who came {n}?"} for n in (1, 2, 3)]
    write_folder(
        folder,
        {
            "corpus.jsonl": "\n".join(map(json.dumps, corpus)),
            "queries.jsonl": "\n".join(map(json.dumps, queries)),
            "qrels/test.tsv": qrels,
            "qrels/dev.tsv": "broken",
        },
    )


def test_beir_tells_documents_and_no_words(index: Path) -> None:
    beir(index / "beir")
    report, (question,) = imported("beir", "--documents", "corpus")
    assert (question.id, question.answers, question.answers_known) == ("q1", (), False)
    assert question.answerable
    assert quoted(question, "corpus") == [f"Normans\n\n{NORMANS}"]
    assert [(s["where"], s["reason"]) for s in report["skipped"]] == [
        ("queries.jsonl, line 2", "its relevant documents are not in the index"),
        ("queries.jsonl, line 3", "no document is relevant to it"),
        ("test.tsv, query 'q9'", "queries.jsonl does not hold it"),
    ]
    rag("index", "corpus", "--index", "other")
    found = rag("eval", "out.jsonl", "--index", "other", "--json")
    metrics = json.loads(found.stdout)
    assert metrics["answerable"] == 1
    assert metrics["retrieval"]["recall@10"] == 1.0
    assert metrics["answer"] == {"em": None, "f1": None}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", "{", "x.json: not JSON: Expecting property name"),
        ("x.json", "[]", "x.json is not an object"),
        ("x.json", '{"data": [{"paragraphs": [{"qas": []}]}]}', "'context' is missing"),
        ("x.json", '{"data": [3]}', "data[0] is not an object"),
        ("x.json", '{"data": []}', "no question could be imported (0 skipped)"),
        ("x.csv", "question,answer\n", "lacks the column 'source'"),
        ("x.csv", "", "names nothing"),
        ("x.csv", 'Who?,"a\nb",' + "c" * 999, "lacks the column 'question'"),
        ("x.json", '{"data": ["\\ud800"]}', "holds \\ud800, which is half a character"),
        ("x.jsonl", '{"id": "1"}', "line 1: 'question' is missing"),
        ("x/corpus.jsonl", "{}", "holds no qrels/*.tsv"),
        ("x.csv", 'question,answer,source\n"a', "x.csv, line 2: unexpected end of data"),
        ("x.csv", "question,answer,source\n,a,b\n", "line 2: the question is blank"),
        ("x.csv", b"question,answer,source\n\xff,a,b\n", "is not UTF-8"),
        ("x.jsonl", "{\n}", "line 1: not JSON: Expecting property name"),
        ("x.pdf", "", "say --format squad, csv, beir"),
        ("x/queries.jsonl", "{}", "holds no qrels/*.tsv"),
        ("missing.json", None, "cannot read 'missing.json'"),
        ("missing", None, "cannot read 'missing'"),
    ],
)
def test_a_file_that_cannot_be_imported_is_explained(
    index: Path, name: str, content: str | bytes | None, said: str
) -> None:
    path = Path(name)
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = path.parent if "/" in name else path
    result = rag("questions", "import", str(source), "--out", "out.jsonl")
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 300
    assert not Path("out.jsonl").exists()
    assert not list(Path().glob(".out*"))


def test_a_set_is_not_written_over_what_it_is_made_of(index: Path) -> None:
    Path("q.csv").write_text("question,answer,source\nWho?,Rollo,\nWho?,nobody,\n")
    for out in ("q.csv", "./q.csv"):
        result = rag("questions", "import", "q.csv", "--out", out)
        assert (result.exit_code, "it is read; name another file" in result.stderr) == (1, True)
    assert Path("q.csv").read_text().startswith("question,answer,source\n")


@pytest.mark.parametrize("qrels", ["a\tb\tc\nq1\t1\n", "q1\t1\tmany\nq1\t1\tx\n"])
def test_a_broken_qrels_file_is_explained(index: Path, qrels: str) -> None:
    beir(index / "beir", qrels)
    result = rag("questions", "import", "beir", "--out", "out.jsonl")
    assert (result.exit_code, "test.tsv, line 2: expected" in result.stderr) == (1, True)
