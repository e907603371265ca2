"""Imports go one way only, and nothing heavy is loaded before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from rag import KnowledgeBase

ROOT = Path(__file__).parent.parent

LAYERS = (
    ("types", "errors"),
    ("inference", "files", "scratch"),
    ("settings", "sentences", "compute_slots", "load", "embed", "store"),
    ("chunk", "overlap", "questions", "folders", "guard", "workload", "writing"),
    ("retrieve", "read", "generate", "followup", "indexing"),
    ("same_fact", "snippet"),
    ("support",),
    ("cite", "compose", "draft"),
    ("answer", "sync"),
    ("upkeep", "forget", "originals"),
    ("knowledge_base",),
    ("evaluate", "render", "web", "watch", "page_route", "client_work"),
    ("curate",),
    ("page",),
    ("server", "cli", "ui", "__main__"),
)
"""Each module may import those of earlier layers, and its own package."""

WITHIN_LAYER = {("cli", "server"), ("server", "ui"), ("__main__", "cli")}
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


def layer_of(module: str) -> int:
    return next(i for i, layer in enumerate(LAYERS) if module in layer)


def imported_modules(path: Path) -> set[str]:
    """First parts, below ``rag``, of what a file imports; ``rag`` itself is the public surface."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [str(node.module)]
            if node.module == "rag":
                names = [
                    f"rag.{alias.name}"
                    if (ROOT / "rag" / alias.name).exists()
                    or (ROOT / "rag" / f"{alias.name}.py").exists()
                    else "rag.knowledge_base"
                    for alias in node.names
                ]
        for name in names:
            if name.startswith("rag."):
                found.add(name.split(".")[1])
            elif name == "ui":
                found.add("ui")
    return found


SOURCES = sorted({*(ROOT / "rag").rglob("*.py"), ROOT / "ui.py"} - {ROOT / "rag" / "__init__.py"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_to_earlier_layers(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = parts[1] if parts[0] == "rag" else parts[0]
    for imported in imported_modules(path):
        allowed = (
            imported == module
            or (module, imported) in WITHIN_LAYER
            or layer_of(imported) < layer_of(module)
        )
        assert allowed, f"{module} must not import {imported}"


def test_every_module_has_a_layer() -> None:
    modules = {p.stem for p in (ROOT / "rag").iterdir() if p.suffix == ".py" or p.is_dir()}
    modules -= {"__init__", "__pycache__", "assets"}
    assert modules | {"ui"} == {module for layer in LAYERS for module in layer}


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
