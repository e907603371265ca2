"""Sweeps: every combination, indexes made once, the user's index untouched, clear refusals."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fakes_evaluate import ScriptedReader
from samples import write_folder

from rag import KnowledgeBase, Settings
from rag.cli import main
from rag.embed import HashingEmbedder
from rag.errors import KnowledgeBaseError, SettingsError
from rag.evaluate.combinations import OF_RETRIEVAL, combine, parse_sweep
from rag.evaluate.outcomes import DEFAULTS
from rag.evaluate.run import run_evaluation
from rag.evaluate.sweep import run_sweep
from rag.question_sets import Evidence, GoldQuestion
from rag.types import Progress, Vectors

ALL = (*OF_RETRIEVAL, "top_k", "target_precision", "answerer")
SENTENCES = [f"Town{i:02d} was founded by settlers in the year {1500 + i}." for i in range(40)]
TEXT = " ".join(SENTENCES)
QUESTIONS = [
    GoldQuestion(
        f"q{i}",
        f"When was Town{i:02d} founded?" if i % 16 else f"Which town was founded {i} years ago?",
        (str(1500 + i),),
        (Evidence("towns.txt", TEXT.index(str(1500 + i)), TEXT.index(str(1500 + i)) + 4),),
    )
    for i in range(0, 40, 8)
]


class CountingEmbedder(HashingEmbedder):
    """Counts the texts that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded = 0

    def embed_documents(self, texts: Any, progress: Progress | None = None) -> Vectors:
        self.embedded += len(texts)
        return super().embed_documents(texts, progress)

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = super().embed_documents([text])[0]
        return vector


@pytest.fixture
def kb(tmp_path: Path) -> Any:
    write_folder(tmp_path / "docs", {"towns.txt": TEXT})
    reader = ScriptedReader({q.question: (q.answers[0], 0.9) for q in QUESTIONS})
    with KnowledgeBase(tmp_path / "kb", embedder=CountingEmbedder(), reader=reader) as kb:
        kb.sync(tmp_path / "docs")
        yield kb


def swept(
    kb: KnowledgeBase, cache: Path, *arguments: str, progress: Progress | None = None
) -> list[dict[str, Any]]:
    combinations = combine(parse_sweep(arguments, ALL), kb.settings)
    rows = run_sweep(kb, QUESTIONS, combinations, DEFAULTS, cache, progress)["combinations"]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_each_combination_gives_what_an_index_of_its_own_gives(
    kb: KnowledgeBase, tmp_path: Path
) -> None:
    rows = swept(kb, tmp_path / "cache", "chunk_tokens=32,160", "top_k=1,5")
    assert [row["settings"] for row in rows] == [
        {"chunk_tokens": tokens, "top_k": k} for tokens in (32, 160) for k in (1, 5)
    ]
    for row in rows:
        settings = Settings(**row["settings"])
        with kb.variant(tmp_path / str(row["settings"]), settings) as own:
            own.sync(tmp_path / "docs")
            with run_evaluation(own, QUESTIONS) as evaluation:
                for group in ("retrieval", "answer", "citation", "refusal", "intervals", "about"):
                    assert row[group] == evaluation.report[group]
    assert rows[0]["retrieval"] != rows[2]["retrieval"]


def test_indexes_are_made_once_and_kept_in_step(kb: KnowledgeBase, tmp_path: Path) -> None:
    embedder = kb._embedder
    assert isinstance(embedder, CountingEmbedder)
    cache, before = tmp_path / "cache", embedder.embedded
    first = swept(kb, cache, "chunk_tokens=32,64,160", "top_k=1,5")
    assert embedder.embedded > before
    assert len(list(cache.iterdir())) == 2  # the third is the user's own
    before = embedder.embedded
    assert swept(kb, cache, "chunk_tokens=32,64,160", "top_k=1,5") == first
    assert embedder.embedded == before
    write_folder(tmp_path / "docs", {"more.txt": "A village is smaller than a town."})
    asked = []

    def progress(stage: str, done: int, total: int) -> None:
        asked.append(stage.startswith("Asking"))

    with pytest.raises(KnowledgeBaseError, match=r"has changed since .* run 'rag index"):
        swept(kb, cache, "chunk_tokens=160,32", progress=progress)
    assert asked
    assert not any(asked)  # that is said before the first question
    kb.sync(tmp_path / "docs")
    before = embedder.embedded
    swept(kb, cache, "chunk_tokens=32,64")
    assert embedder.embedded - before <= 2  # the new document, in each index that lacks it


def test_the_users_index_is_only_read(kb: KnowledgeBase, tmp_path: Path) -> None:
    kb.search("Town")
    before = digests(kb.path)
    swept(kb, tmp_path / "cache", "chunk_tokens=32,160", "chunk_overlap=0,1", "top_k=2")
    assert digests(kb.path) == before


def test_answer_settings_need_no_index(kb: KnowledgeBase, tmp_path: Path) -> None:
    rows = swept(kb, tmp_path / "cache", "top_k=1,2,3", "target_precision=0.5,0.9")
    assert len(rows) == 6
    assert not (tmp_path / "cache").exists()


def test_fusions_need_no_index_and_differ(kb: KnowledgeBase, tmp_path: Path) -> None:
    rows = swept(kb, tmp_path / "cache", "fusion=adaptive,average,rrf,dense,lexical")
    assert not (tmp_path / "cache").exists()
    assert [row["about"]["fusion"] for row in rows] == [row["settings"]["fusion"] for row in rows]
    assert [row["retrieval"] for row in rows[:1]] == [
        row["retrieval"] for row in swept(kb, tmp_path / "cache", "top_k=5")
    ]
    for row in rows:
        with kb.variant(kb.path, Settings(**row["settings"])) as own:
            ranks = [rank(own, question) for question in QUESTIONS]
            assert row["retrieval"]["mrr@10"] == pytest.approx(sum(ranks) / len(ranks))
    assert len({json.dumps(row["retrieval"]) for row in rows}) > 1


def rank(kb: KnowledgeBase, question: GoldQuestion) -> float:
    """One over the rank of the first right hit."""
    for place, hit in enumerate(kb.search(question.question, 10), start=1):
        if question.is_evidence(hit.source, hit.start, hit.end):
            return 1 / place
    return 0.0


def test_a_cache_among_the_documents_is_refused(kb: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match="--cache"):
        swept(kb, tmp_path / "docs" / "cache", "chunk_tokens=32")
    swept(kb, tmp_path / "docs" / ".cache", "chunk_tokens=32")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chunk_token=1"], "did you mean chunk_tokens"),
        (["fusion=mean"], "fusion is 'mean': use adaptive, average, rrf, dense, lexical"),
        (["zzz=1"], "unknown setting zzz: known are embedder"),
        (["llm_api_key=x"], "llm_api_key does not change retrieval or answers"),
        (["top_k"], "write SETTING=VALUE,VALUE"),
        (["top_k=1,,2"], "a value is missing"),
        (["top_k=1,x"], "top_k=x: the value must be a whole number"),
        (["top_k=1", "top_k=2"], "top_k is swept already"),
        (["top_k=1,0"], "top_k is 0: use 1 to 100"),
        (["answerer=llm"], "RAG_LLM_BASE_URL"),
        (["chunk_tokens=16,17,18,19,20,21,22,23,24", "top_k=1,2,3,4,5,6,7,8"], "72 combinations"),
    ],
)
def test_what_cannot_be_swept_is_explained(arguments: list[str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        combine(parse_sweep(arguments, ALL), Settings())
    assert said in str(error.value)


def rag(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_EMBEDDER", "hashing")
    write_folder(tmp_path / "docs", {"towns.txt": TEXT})
    lines = "\n".join(json.dumps(question.to_dict()) for question in QUESTIONS)
    Path("set.jsonl").write_text(lines, encoding="utf-8")
    rag("index", "docs")
    command = ("eval", "set.jsonl", "--retrieval-only", "--sweep", "chunk_tokens=32,160")
    found = json.loads(rag(*command, "--json").stdout)
    assert found["swept"] == {"chunk_tokens": [32, 160]}
    assert found["questions"] == 5
    shown = rag(*command).stdout.splitlines()
    assert shown[0] == "5 questions, 5 answerable, 2 combinations"
    recall = [row["retrieval"]["recall@5"] for row in found["combinations"]]
    assert [line.split()[:2] for line in shown[3:5]] == [
        ["32", f"{recall[0]:.3f}"],
        ["160", f"{recall[1]:.3f}"],
    ]
    assert (tmp_path / ".index-sweep").is_dir()
    written = ("eval", "set.jsonl", "--retrieval-only", "--sweep", "chunk_tokens=32,160")
    both = json.loads(rag(*written, "fusion=dense,lexical", "--json").stdout)
    assert both["swept"] == {"chunk_tokens": [32, 160], "fusion": ["dense", "lexical"]}
    assert len(both["combinations"]) == 4
    refused = rag(*command, "--sweep", "top_k=1")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "leave out --retrieval-only" in refused.stderr
    assert rag(*command, "--html", "x.html").exit_code == 2


def test_embedders_can_be_swept(kb: KnowledgeBase, tmp_path: Path) -> None:
    rows = swept(kb, tmp_path / "cache", f"embedder={kb.settings.embedder},hashing")
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert rows[0]["retrieval"] == rows[1]["retrieval"]  # both are the hashing embedder here
