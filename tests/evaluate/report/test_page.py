"""The page of an evaluation: its figures, what it escapes, and that it needs nothing else."""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes_evaluate import EVIL, ScriptedReader, make_set
from samples import write_folder
from selectolax.lexbor import LexborHTMLParser, LexborNode
from sklearn.metrics import ndcg_score, precision_recall_fscore_support, roc_auc_score

from rag import KnowledgeBase
from rag.embed import HashingEmbedder
from rag.evaluate.outcomes import Options
from rag.evaluate.report.page import CONTEXT, MAX_QUOTE_LENGTH, Place, show, write_page
from rag.evaluate.run import Evaluation, run_evaluation
from rag.question_sets import Evidence, GoldQuestion


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[KnowledgeBase, Evaluation]]:
    folder, questions, script = make_set(60)
    path = tmp_path_factory.mktemp("page")
    write_folder(path / "docs", folder)
    reader = ScriptedReader(script)
    with KnowledgeBase(path / "index", embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(path / "docs")
        with run_evaluation(kb, questions) as evaluation:
            yield kb, evaluation


@pytest.fixture(scope="module")
def page(case: tuple[KnowledgeBase, Evaluation], tmp_path_factory: pytest.TempPathFactory) -> str:
    kb, evaluation = case
    path = tmp_path_factory.mktemp("out") / "report.html"
    write_page(path, evaluation, lambda source: kb.document(source).text)
    return path.read_text(encoding="utf-8")


def text_of(node: LexborNode | LexborHTMLParser, selector: str) -> str:
    found = node.css_first(selector)
    assert found is not None, selector
    return found.text()


def figures_shown(page: str) -> dict[str, str]:
    rows = LexborHTMLParser(page).css("#figures tr[data-metric]")
    return {str(row.attributes["data-metric"]): text_of(row, "td.number").strip() for row in rows}


def recomputed(kb: KnowledgeBase) -> dict[str, float]:
    """All metrics anew, from the knowledge base's public answers and the definitions alone."""
    _, questions, _ = make_set(60)
    answers = {q.id: kb.ask(q.question).to_dict() for q in questions}
    hits = {q.id: [hit.to_dict() for hit in kb.search(q.question, 10)] for q in questions}
    shorts = {name: answer["short"] for name, answer in answers.items()}
    answerable = [q for q in questions if q.answers]

    def meets(question: GoldQuestion, place: dict[str, Any]) -> bool:
        return any(
            e.source == place["source"] and max(e.start, place["start"]) < min(e.end, place["end"])
            for e in question.evidence
        )

    def words(text: str | None) -> list[str]:
        kept = "".join(c for c in (text or "").lower() if c not in string.punctuation)
        return re.sub(r"\b(a|an|the)\b", " ", kept).split()

    def f1(said: str | None, gold: str) -> float:
        both = sum((Counter(words(said)) & Counter(words(gold))).values())
        total = len(words(said)) + len(words(gold))
        return 2 * both / total if both else 0.0

    ranks = [
        next((i for i, hit in enumerate(hits[q.id], 1) if meets(q, hit)), None) for q in answerable
    ]
    relevance = [[float(i == rank) for i in range(1, 11)] for rank in ranks]
    gains = [ndcg_score([row], [list(range(10, 0, -1))]) if any(row) else 0.0 for row in relevance]
    given = {q.id: answers[q.id] for q in questions if not answers[q.id]["refused"]}
    cited = [(q, c) for q in questions if q.id in given for c in given[q.id]["citations"]]
    right = {
        q.id: q.id in given
        and any(meets(q, c) for c in given[q.id]["citations"])
        and words(q.answers[0])[0] in words(given[q.id]["short"])
        for q in answerable
    }
    should = [not q.answers for q in questions]
    refused = [answers[q.id]["refused"] for q in questions]
    precision, recall, f1_refused, _ = precision_recall_fscore_support(
        should, refused, average="binary"
    )
    bins: dict[int, list[tuple[float, float]]] = {}
    for name, answer in given.items():
        told = answer["confidence"]
        bins.setdefault(min(int(told * 10), 9), []).append((told, float(right.get(name, False))))
    gaps = [abs(sum(t for t, _ in b) - sum(r for _, r in b)) for b in bins.values()]

    def mean(values: list[Any]) -> float:
        return sum(map(float, values)) / len(values)

    return {
        **{
            f"retrieval.{name}@{k}": mean([bool(r and r <= k) for r in ranks])
            for name in ("success", "recall")  # each question has one span of evidence
            for k in (1, 5, 10)
        },
        "retrieval.mrr@10": mean([1 / r if r else 0 for r in ranks]),
        "retrieval.ndcg@10": mean(gains),
        "answer.em": mean([words(shorts[q.id]) == words(q.answers[0]) for q in answerable]),
        "answer.f1": mean([f1(shorts[q.id], q.answers[0]) for q in answerable]),
        "citation.valid": mean(
            [kb.document(c["source"]).text[c["start"] : c["end"]] == c["quote"] for _, c in cited]
        ),
        "citation.precision": mean([meets(q, c) for q, c in cited]),
        "citation.recall": mean(
            [
                q.id in given and any(meets(q, c) for c in given[q.id]["citations"])
                for q in answerable
            ]
        ),
        "refusal.precision": precision,
        "refusal.recall": recall,
        "refusal.f1": f1_refused,
        "refusal.auroc": roc_auc_score(should, [1 - a["confidence"] for a in answers.values()]),
        "calibration.ece": sum(gaps) / len(given),
    }  # fmt: skip


def test_the_figures_shown_equal_an_independent_recomputation(
    case: tuple[KnowledgeBase, Evaluation], page: str
) -> None:
    kb, _ = case
    expected = recomputed(kb)
    assert 0.1 < expected["answer.f1"] < 0.9
    assert 0.1 < expected["refusal.f1"] < 0.9
    assert figures_shown(page) == {name: f"{value:.3f}" for name, value in expected.items()}


def test_the_page_shows_every_question_and_counts_them(
    case: tuple[KnowledgeBase, Evaluation], page: str
) -> None:
    _, evaluation = case
    tree = LexborHTMLParser(page)
    shown = Counter(row.attributes["data-verdict"] for row in tree.css("details.q"))
    told = {row.attributes["data-count"]: int(row.text()) for row in tree.css("[data-count]")}
    assert shown == told == evaluation.report["verdicts"]
    assert sum(shown.values()) == 60
    assert len(told) == 5
    groups = tree.css("#by-type tr[data-group]")
    assert [row.attributes["data-group"] for row in groups] == ["when", "who"]
    by_source = tree.css("#by-source tr[data-group]")
    assert len(by_source) == 40
    seconds = evaluation.report["seconds"]
    row = tree.css_first("#latency tr[data-stage=total]")
    assert row is not None
    assert [cell.text() for cell in row.css("td")] == [
        f"{seconds['p50']:.3f}", f"{seconds['p95']:.3f}",
    ]  # fmt: skip
    assert len(tree.css("svg")) == 3


def test_a_question_shows_answer_gold_and_citation_in_context(page: str) -> None:
    tree = LexborHTMLParser(page)
    (row,) = [row for row in tree.css("details.q") if text_of(row, "code") == "q11"]
    assert row.attributes["data-verdict"] == "right"
    assert text_of(row, ".gold") == "1511"
    assert text_of(row, "mark.evidence") == "1511"
    assert text_of(row, "mark:not(.evidence)") == "Town11 was founded in 1511 by settlers."
    quote = text_of(row, "blockquote")
    assert quote == "Town11 was founded in 1511 by settlers.\n\nIts mayor is Ms Mayor11."
    assert text_of(row, "cite") == "part2/11.txt, 22:26"


def test_what_documents_and_questions_hold_is_shown_and_never_run(tmp_path: Path) -> None:
    text = f"{EVIL} apples are {EVIL} red, {EVIL}"
    place = text.index("red")
    folder = write_folder(tmp_path / "docs", {"a<b>&.txt": text})
    asked = f"What colour are apples {EVIL}?"
    question = GoldQuestion("<b>id", asked, ("red",), (Evidence("a<b>&.txt", place, place + 3),))
    reader = ScriptedReader({asked: (text, 0.9)})
    with KnowledgeBase(tmp_path / "index", embedder=HashingEmbedder(), reader=reader) as kb:
        kb.sync(folder)
        with run_evaluation(kb, [question]) as evaluation:
            out = tmp_path / "r.html"
            write_page(out, evaluation, lambda source: kb.document(source).text)
    page = out.read_text(encoding="utf-8")
    tree = LexborHTMLParser(page)
    assert len(tree.css("script")) == 1
    assert tree.css("img") == []
    assert len(tree.css("details")) == 1
    assert text_of(tree, ".asked") == asked
    evidence = text_of(tree, "blockquote")
    assert EVIL[-CONTEXT // 2 :] in evidence
    assert text_of(tree, "mark:not(.evidence)") == text
    assert "49" not in text_of(tree, "dl")
    assert text_of(tree, "details code") == "<b>id"


def shown_place(text: str, start: int, end: int) -> Place:
    record = {
        "answer": None, "evidence": [{"source": "a.txt", "start": start, "end": end}],
    }  # fmt: skip
    (place,) = show(record, lambda source: text).gold
    return place


def test_the_context_is_cut_between_words_where_there_are_blanks() -> None:
    words = f"{'word ' * 50}GOLD {'word ' * 50}"
    place = shown_place(words, 250, 254)
    assert (place.before[:7], place.words, place.after[-7:]) == ("… word ", "GOLD", " word …")
    chinese = f"{'他们赢了。' * 50}黄金{'他们赢了。' * 50}"
    place = shown_place(chinese, 250, 252)
    assert (len(place.before), place.words, len(place.after)) == (CONTEXT + 2, "黄金", CONTEXT + 2)


def test_evidence_of_a_whole_document_is_shown_without_its_middle() -> None:
    text = f"Begin {'word ' * 9000}end."
    place = shown_place(text, 0, len(text))
    assert place.words.startswith("Begin word")
    assert place.words.endswith("word end.")
    assert len(place.words) < MAX_QUOTE_LENGTH + 10


def test_the_page_refers_to_nothing_outside_itself(page: str) -> None:
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]", page)
    assert "http://" not in page
    assert "https://" not in page


def test_retrieval_alone_makes_a_page_without_answers(
    case: tuple[KnowledgeBase, Evaluation], tmp_path: Path
) -> None:
    kb, _ = case
    _, questions, _ = make_set(60)
    with run_evaluation(kb, questions, Options(retrieval_only=True)) as evaluation:
        write_page(tmp_path / "r.html", evaluation, lambda source: kb.document(source).text)
        evaluation.write(tmp_path / "r.json")
    shown = figures_shown((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert shown["answer.f1"] == "–"
    assert shown["retrieval.recall@10"] == "1.000"
    assert json.loads((tmp_path / "r.json").read_text())["outcomes"][0]["answer"] is None


def test_nothing_half_written_stays(case: tuple[KnowledgeBase, Evaluation], tmp_path: Path) -> None:
    _, evaluation = case

    def fail(source: str) -> str:
        raise RuntimeError(source)

    (tmp_path / "r.html").write_text("before")
    with pytest.raises(RuntimeError):
        write_page(tmp_path / "r.html", evaluation, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert (tmp_path / "r.html").read_text() == "before"
