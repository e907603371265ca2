"""Secrets come from the environment and reach nothing that is written or shown."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fakes_llm import ScriptedServer, failure, sse
from fakes_page import WordReader
from places import ROOT

from rag import KnowledgeBase, Settings
from rag.answering.generate import make_generator
from rag.errors import GeneratorError, SettingsError

KEY, PASSWORD, TOKEN = "sk-canary-key-77", "canary-password-88", "canary-token-99"
SECRETS = (KEY, PASSWORD, TOKEN)


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "whales.txt").write_text("Whales swim near Iceland. They sing.\n")
    return documents


def settings(endpoint: ScriptedServer) -> Settings:
    return Settings(
        embedder="hashing",
        llm_base_url=endpoint.url,
        llm_model="m",
        llm_api_key=KEY,
        password=PASSWORD,
        token=TOKEN,
    )


def holds_a_secret(text: str) -> bool:
    return any(secret in text for secret in SECRETS)


def test_nothing_shows_the_settings_secrets(endpoint: ScriptedServer, tmp_path: Path) -> None:
    chosen = settings(endpoint)
    with KnowledgeBase(tmp_path / "index", chosen, reader=WordReader()) as kb:
        shown = [chosen, kb, make_generator(chosen), kb.status(), vars(kb)]
    assert not holds_a_secret(" ".join(map(repr, shown)))
    assert not holds_a_secret(" ".join(map(str, shown)))


def test_no_error_of_the_settings_repeats_a_value() -> None:
    environment = {
        "RAG_LLM_API_KEY": KEY,
        "RAG_PASSWORD": PASSWORD,
        "RAG_TOKEN": TOKEN,
    }
    for wrong in ({"RAG_TOP_K": KEY}, {"RAG_PASWORD": PASSWORD}, {"RAG_LOAD_SECONDS": TOKEN}):
        with pytest.raises(SettingsError) as caught:
            Settings.from_env({**environment, **wrong})
        assert not holds_a_secret("".join(traceback.format_exception(caught.value)))


def test_an_endpoint_that_echoes_the_key_does_not_get_it_shown(
    endpoint: ScriptedServer, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echoes = [
        failure(401, f"Incorrect API key provided: {KEY}."),
        failure(400, f"Bad header: Authorization: Bearer {KEY}"),
        failure(429, f"{KEY} has no quota", retry_after_ms="0"),
        sse(f"Your key is {KEY}", finish=None),
    ]
    with KnowledgeBase(tmp_path / "index", settings(endpoint), reader=WordReader()) as kb:
        kb.sync(folder)
        for echo in echoes:
            endpoint.enqueue(*[echo] * 3)  # it may be tried again
            with pytest.raises(GeneratorError) as caught:
                kb.ask("Where do whales swim?", answerer="llm")
            assert KEY not in "".join(traceback.format_exception(caught.value)), echo
            endpoint.replies.clear()
    assert not holds_a_secret(caplog.text)
    assert not holds_a_secret("".join(r.getMessage() + repr(r.args) for r in caplog.records))
    held = b"".join(p.read_bytes() for p in (tmp_path / "index").rglob("*") if p.is_file())
    assert not holds_a_secret(held.decode("latin-1"))


def test_the_key_is_not_sent_to_another_host(endpoint: ScriptedServer) -> None:
    with ScriptedServer() as other:
        endpoint.enqueue(failure(307, "moved", location=f"{other.url}/chat/completions"))
        generator = make_generator(settings(endpoint))
        assert generator is not None
        with pytest.raises(GeneratorError):
            list(generator.generate("q", ["p"]))
        assert other.requests == []


def rag(
    arguments: list[str], endpoint: ScriptedServer, cwd: Path
) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "RAG_EMBEDDER": "hashing",
        "RAG_LLM_BASE_URL": endpoint.url,
        "RAG_LLM_MODEL": "m",
        "RAG_LLM_API_KEY": KEY,
        "RAG_PASSWORD": PASSWORD,
        "RAG_TOKEN": TOKEN,
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, "-X", "dev", "-m", "rag", *arguments],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_no_command_prints_or_writes_a_secret(
    endpoint: ScriptedServer, folder: Path, tmp_path: Path
) -> None:
    questions = tmp_path / "q.jsonl"
    evidence = [{"source": "whales.txt", "start": 0, "end": 25}]
    questions.write_text(
        json.dumps(
            {
                "id": "1",
                "question": "Where do whales swim?",
                "answers": ["Iceland"],
                "evidence": evidence,
            }
        )
    )
    endpoint.enqueue(*[failure(401, f"Incorrect API key provided: {KEY}.")] * 9)
    taken = str(urlsplit(endpoint.url).port)
    commands = [
        ["index", str(folder)],
        ["status", "--json"],
        ["status"],
        ["verify"],
        ["ask", "Where do whales swim?", "--answerer", "llm"],
        ["eval", "q.jsonl", "--html", "report.html", "--out", "result.json"],
        ["serve", "--port", taken],
        ["eval", "q.jsonl", "--sweep", f"password={PASSWORD},x"],
        ["eval", "q.jsonl", "--sweep", f"llm_api_key={KEY},x"],
    ]
    for command in commands:
        result = rag(command, endpoint, tmp_path)
        said = result.stdout + result.stderr
        assert "Traceback" not in said, command
        if "--sweep" not in command:
            assert not holds_a_secret(said), command
        else:
            assert result.returncode != 0, "a secret is no setting to try out"
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not holds_a_secret(path.read_bytes().decode("latin-1")), path


def test_settings_are_not_pickled_into_the_index(
    endpoint: ScriptedServer, folder: Path, tmp_path: Path
) -> None:
    with KnowledgeBase(tmp_path / "index", settings(endpoint), reader=WordReader()) as kb:
        kb.sync(folder)
        answer = kb.ask("Where do whales swim?")
        assert not holds_a_secret(pickle.dumps(answer).decode("latin-1"))
        assert not holds_a_secret(json.dumps(answer.to_dict()))
