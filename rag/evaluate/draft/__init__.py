"""Drafts of question sets, made of the user's own documents without a language model.

The stages: ``statements`` picks the sentences that say something by themselves, ``names`` knows
which names the documents use and where, ``facts`` finds what a sentence can be asked for,
``grammar`` and ``wording`` turn the sentence into a question, ``near_miss`` makes questions that
the documents do not answer, ``drafting`` chooses among all of them, and ``rewording`` has a
language model word them better, where one is configured. English only.
"""

from rag.evaluate.draft.drafting import Draft, draft_questions

__all__ = ["Draft", "draft_questions"]
