"""Nothing heavy is loaded before it is needed; `make check` sees that imports go one way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rag import KnowledgeBase

HEAVY = (
    "torch",
    "transformers",
    "sentence_transformers",
    "gradio",
    "faiss",
    "sklearn",
    "openai",
    "onnxruntime",
)


@pytest.mark.parametrize(
    "code",
    [
        "import rag",
        "import rag.cli, rag.evaluate, rag.answering.generate, rag.load, rag.store.local",
        "from rag.cli import main; main(['--help'], standalone_mode=False)",
    ],
)
def test_nothing_heavy_is_loaded(code: str) -> None:
    check = f"{code}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_asking_does_without_torch(seed_kb: KnowledgeBase) -> None:
    code = (
        f"import sys; from rag import KnowledgeBase; kb = KnowledgeBase({str(seed_kb.path)!r}); "
        "answer = kb.ask('When is production expected to begin?'); "
        "print(answer.short, [m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "2027 []\n"


def test_public_names() -> None:
    import rag

    assert sorted(rag.__all__) == [
        "Answer",
        "Citation",
        "Document",
        "Hit",
        "KnowledgeBase",
        "RagError",
        "Settings",
        "SyncReport",
    ]
