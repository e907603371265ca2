"""What speaks for and against a reading: the features that its probability is made of.

The model's own scores say how well the words fit the question. Whether the passage is about the
same person, year and thing is said better by what the question names and the passage lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.answering.question import Question
from rag.answering.read.answer_type import fits_type
from rag.answering.read.contrast import contrast
from rag.answering.read.spans import Reading
from rag.text.overlap import normalize, term_coverage, terms
from rag.text.sentences import sentence_spans, spans_over
from rag.types import Hit, Vectors

Embed = Callable[[Sequence[str]], Vectors]
"""Texts -> unit vectors of shape ``(n, dimension)``."""

FEATURES = (
    "null_margin",  # span against no answer, by the model
    "span_log_prob",  # log of the probability of this start and end
    "answerable",  # logit that the window answers at all
    "agreement",  # other passages whose reading has the same words, at most 2
    "score",  # of retrieval
    "below_best",  # score of retrieval under that of the best passage
    "sentence_score",  # cosine of question and sentence
    "sentence_words",  # share of the question's words in the sentence
    "passage_words",  # share of the question's words in the passage, its title and headings
    "sentence_words_below",  # sentence_words under the most of any reading; 0 or less
    "passage_words_below",  # the same of passage_words
    "names_missing",  # share of the question's names that the passage lacks
    "numbers_missing",  # share of the question's numbers that the passage lacks
    "words_nowhere",  # share of the question's words that no passage has
    "names_elsewhere",  # share of the question's names that the sentence lacks
    "opposites",  # words of the question whose opposites the sentence has, at most 2
    "others",  # words in whose place it has another month, direction or the like, at most 2
    "numbers_differ",  # numbers in whose place it has another, at most 2
    "negated",  # 1 if the question says "not" and the sentence does not
    "type",  # 1 if it is of the type that the question asks for, -1 if not, 0 if any would do
    "repeats",  # share of the reading's words that stand in the question
    "length",  # log of the number of characters
    "foreign",  # 0 to 1: how far the passage's language is not the model's
)
"""Columns of :func:`features`. Most are absolute: what is only best among the hits may still answer
nothing. But a reading is worth less where another one's text has more of the question."""

_FAMILIAR_PIECES, _FOREIGN_PIECES = 1.3, 1.6
"""Word pieces a plain word of passages: medians are 1.04 in English, 1.85 in Spanish, 1.97 in
German; 99 of 100 English ones are below 1.53."""

_MAX_CONTRASTS = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reading in the hit that it was read from, and that passage's word pieces a word."""

    hit: Hit
    reading: Reading
    tokens_per_word: float

    @property
    def words(self) -> str:
        """The reading's words, normalize so that equal answers are equal."""
        return normalize(self.hit.chunk.document.text[self.reading.start : self.reading.end])


def features(
    about: Question, candidates: Sequence[Candidate], embed: Embed
) -> npt.NDArray[np.float64]:
    """One row a candidate, of shape ``(len(candidates), len(FEATURES))``."""
    question = about.text
    best_score = max((c.hit.score for c in candidates), default=0.0)
    held = {id(c.hit): terms(_passage(c.hit)) for c in candidates}
    anywhere = set().union(*held.values())
    around = [sentence_around(c) for c in candidates]
    sentences = [terms(text) for text in around]
    texts = list(dict.fromkeys([question, *around]))  # two readings may share a sentence
    vectors = dict(zip(texts, embed(texts), strict=True))
    in_sentence = [term_coverage(about.terms, sentence) for sentence in sentences]
    in_passage = [term_coverage(about.terms, held[id(c.hit)]) for c in candidates]
    rows = [
        [
            c.reading.null_margin,
            c.reading.span_log_prob,
            c.reading.answerable,
            _agreement(c, candidates),
            c.hit.score,
            c.hit.score - best_score,
            float(vectors[question] @ vectors[text]),
            in_sentence[i],
            in_passage[i],
            in_sentence[i] - max(in_sentence),
            in_passage[i] - max(in_passage),
            1.0 - term_coverage(about.names, held[id(c.hit)]),
            1.0 - term_coverage(about.numbers, held[id(c.hit)]),
            1.0 - term_coverage(about.terms, anywhere),
            1.0 - term_coverage(about.names, sentence),
            *_contrast(question, c, text),
            _fits_type(question, c),
            _repeats(about, c),
            float(np.log(c.reading.end - c.reading.start)),
            _foreign(c),
        ]
        for i, (c, text, sentence) in enumerate(zip(candidates, around, sentences, strict=True))
    ]
    return np.array(rows, dtype=np.float64).reshape(len(candidates), len(FEATURES))


def missing_words(question: Question, hits: Sequence[Hit]) -> list[str]:
    """Names and numbers of the question, as written there, that none of the hits mentions."""
    held = set().union(*(terms(_passage(hit)) for hit in hits))
    named = question.names | question.numbers
    return question.words_of(frozenset(w for w in named if term_coverage({w}, held) == 0.0))


def sentence_around(candidate: Candidate) -> str:
    """The sentence or sentences that hold the reading."""
    hit, reading = candidate.hit, candidate.reading
    text = hit.chunk.document.text
    spans = sentence_spans(text, hit.start, hit.end)
    inside = [spans[i] for i in spans_over(spans, reading.start, reading.end)]
    return text[inside[0][0] : inside[-1][1]] if inside else text[reading.start : reading.end]


def _passage(hit: Hit) -> str:
    return "\n".join((hit.chunk.document.title, *hit.chunk.headings, hit.text))


def _agreement(candidate: Candidate, others: Sequence[Candidate]) -> float:
    same = {
        (o.hit.source, o.reading.start)
        for o in others
        if o.words == candidate.words
        and (o.hit.source, o.reading.start) != (candidate.hit.source, candidate.reading.start)
    }
    return float(min(len(same), 2))


def _contrast(question: str, candidate: Candidate, sentence: str) -> list[float]:
    found = contrast(question, sentence, _answer(candidate))
    counts = [len(pairs) for pairs in (found.opposites, found.others, found.numbers)]
    return [*(float(min(n, _MAX_CONTRASTS)) for n in counts), float(found.negated)]


def _fits_type(question: str, candidate: Candidate) -> float:
    return fits_type(question, _answer(candidate))


def _answer(candidate: Candidate) -> str:
    reading = candidate.reading
    return candidate.hit.chunk.document.text[reading.start : reading.end]


def _repeats(about: Question, candidate: Candidate) -> float:
    words = terms(candidate.words)
    return term_coverage(words, about.terms) if words else 0.0


def _foreign(candidate: Candidate) -> float:
    beyond = candidate.tokens_per_word - _FAMILIAR_PIECES
    return min(max(beyond / (_FOREIGN_PIECES - _FAMILIAR_PIECES), 0.0), 1.0)
