"""Settings: read at the edge, checked, explained."""

import pytest

from rag.errors import SettingsError
from rag.settings import Settings


def test_values_come_from_the_environment_and_overrides_win() -> None:
    env = {"RAG_TOP_K": " 7 ", "RAG_TARGET_PRECISION": "0.25", "HOME": "/"}
    settings = Settings.from_env(env, top_k=9, embedder=None)
    assert (settings.top_k, settings.target_precision) == (9, 0.25)
    assert settings.embedder == Settings().embedder


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"RAG_TOPK": "3"}, "did you mean RAG_TOP_K"),
        ({"RAG_ZZZ": "3"}, "known are RAG_EMBEDDER"),
        ({"RAG_TOP_K": "many"}, "RAG_TOP_K must be a whole number"),
        ({"RAG_TOP_K": "0"}, "top_k is 0: use 1 to 100"),
        ({"RAG_TARGET_PRECISION": "nan"}, "target_precision"),
        ({"RAG_ANSWERER": "magic"}, "use extractive or llm"),
        ({"RAG_FUSION": "mean"}, "fusion is 'mean': use adaptive, average, rrf, dense, lexical"),
        ({"RAG_ANSWERER": "llm"}, "RAG_LLM_BASE_URL"),
        ({"RAG_LLM_BASE_URL": "http://127.0.0.1:1/v1"}, "RAG_LLM_MODEL"),
    ],
)
def test_what_is_wrong_is_said(env: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.from_env(env)


def test_the_key_is_shown_nowhere() -> None:
    assert "s3cret" not in repr(Settings(llm_api_key="s3cret"))
    with pytest.raises(SettingsError) as error:
        Settings.from_env({"RAG_TOP_K": "s3cret"})
    assert "s3cret" not in str(error.value)
