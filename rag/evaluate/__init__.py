"""Question sets in, metrics out: the same figures at every run on the same index.

Definitions. A hit or a citation is right if it overlaps the evidence. Spans of evidence are
alternatives, so each question has one relevant item: the first right hit. EM and F1 are SQuAD's
(Rajpurkar et al. 2016) over answerable questions, a refusal counting 0. The positive class of
``refusal`` is "refuse". An answer is right, for calibration and for its verdict, if it cites the
evidence and its short answer holds the words of a gold answer, or has an F1 of at least 0.5 with
one. ``docs/evaluation.md`` explains each figure.

The stages: ``outcomes`` asks, ``scored`` turns each outcome into numbers, ``metrics`` and
``intervals`` sum them, ``report`` puts the JSON together.
"""

from rag.evaluate.figures import full_report, summarize
from rag.evaluate.outcomes import DEPTH, Outcome, evaluate, outcomes
from rag.evaluate.scored import ScoredOutcome, score
from rag.evaluate.squad import normalize_answer, token_f1

__all__ = [
    "DEPTH",
    "Outcome",
    "ScoredOutcome",
    "evaluate",
    "full_report",
    "normalize_answer",
    "outcomes",
    "score",
    "summarize",
    "token_f1",
]
