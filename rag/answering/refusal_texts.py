"""Every text that tells a user why there is no answer, or why to distrust one.

Texts only: :mod:`rag.answering.answer` decides which of them fits. A name in braces is filled in.
"""

from __future__ import annotations

from collections.abc import Mapping

REFUSAL_TEXT = "The documents do not say."
"""What a refusal begins with where it is certain: they are empty, or lack what is asked about.

A language model is told to answer with it too."""

UNSURE_TEXT = "No sure answer found."
"""What any other refusal begins with: the passages found may hold the answer, unrecognised."""

REASONS: Mapping[str, str] = {
    "no_question": "That is not a question about the documents.",
    "no_documents": "The knowledge base holds no documents yet.",
    "nothing_relevant": "No passage shares anything with the question.",
    "not_mentioned": "No passage found mentions what the question names.",
    "says_otherwise": "The nearest passage says something else than the question supposes.",
    "not_stated": "No passage found states it clearly.",
    "model_refused": "The language model found no answer; these are the documents' own words.",
    "not_grounded": "The model's answer cites no passage that supports it.",
    "instructed": "A passage that it cites gives orders to language models: check it.",
}
"""Code of a refusal, or of an answer to distrust, and what it means to a person."""

DETAILS: Mapping[str, str] = {
    "no_document_mentions": "No document mentions {words}.",
    "no_passage_mentions": "No passage found mentions {words}.",
    "passage_says_otherwise": "The nearest passage says “{told}”, not “{asked}”.",
}
"""What a refusal says in place of its reason where it can name the words that decided it.

``words`` are the question's, each as a :data:`WORD`, with :data:`OR` between them; ``told`` stands
in the passage where the question has ``asked``."""

WORD = "“{word}”"
OR = " or "

TITLES: Mapping[str, str] = {"no_question": "Ask about the documents."}
"""What the page shows above a refusal, by its reason; what the refusal begins with for others."""

WARNINGS: Mapping[str, str] = {
    "not_grounded": "Not grounded in the documents.",
    "instructed": "This answer may have been dictated.",
}
"""What the page shows above an answer that is not to be trusted, by its reason."""
