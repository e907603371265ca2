"""Decides: answer with citations, or refuse and say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from rag.answering.cite import (
    Cited,
    Names,
    cite_spans,
    drop_foreign_links,
    drop_unsupported,
    finished_part,
    resolve_markers,
    with_source,
)
from rag.answering.compose import compose, sentence_of
from rag.answering.compute_slots import ComputeSlots, IsWanted, require
from rag.answering.followup import History, standalone_question
from rag.answering.generate.injection import looks_like_prompt_injection
from rag.answering.generate.visible import strip_invisible
from rag.answering.question import Question, analysed
from rag.answering.read import missing_words
from rag.answering.read.contrast import Pair, stated_instead
from rag.answering.refusal_texts import DETAILS, OR, REASONS, REFUSAL_TEXT, UNSURE_TEXT, WORD
from rag.text.index_text import index_text
from rag.text.overlap import normalize
from rag.types import (
    Answer,
    Citation,
    Generator,
    Hit,
    PossibleAnswer,
    Reader,
    Span,
)

DIFFER = "The documents do not agree:"
"""What statements of different documents that contradict each other begin with."""

MIN_PERHAPS = 0.05
"""Probability from which on a refusal shows its best candidate: less is noise."""

MAX_NAMES = 4
"""Names under which one passage is cited, at most, where copies of its document are there."""

MAX_MISSING = 3
"""Words named in a refusal, at most."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """What is needed to answer; ``generator`` None answers in the documents' own words.

    ``names`` gives the sources of a document's copies, its own among them. ``mentions`` tells
    whether any of some words stands in any document. Passages are found and read in one of the
    ``slots``; where the answer is no longer wanted, :class:`CancelledError` ends the work before
    its next stage.
    """

    retrieve: Callable[[Question], list[Hit]]
    has_documents: Callable[[], bool]
    reader: Reader
    generator: Generator | None
    threshold: float
    names: Callable[[str], Sequence[str]] = lambda source: (source,)
    mentions: Callable[[str], bool] = lambda words: False
    slots: ComputeSlots = field(default_factory=ComputeSlots)
    is_wanted: IsWanted = lambda: True

    @property
    def name(self) -> str:
        """What ``Answer.answerer`` says."""
        return self.generator.name if self.generator else self.reader.name

    def stream(self, question: str, history: History = ()) -> Iterator[Answer]:
        """Yield growing answers.

        The last is the answer. Raises ``ValueError`` for a blank question.
        """
        if not question.strip():
            raise ValueError("the question is blank: ask something")
        clock = _Clock()
        draft = Answer(question=question, text="", answerer=self.name)
        asked = standalone_question(question, history)
        if analysed(question).is_small_talk or not asked.has_subject:
            yield self._refusal(draft, "no_question", clock)
            return
        if not self.has_documents():
            yield self._refusal(draft, "no_documents", clock)
            return
        hits, spans = self._found(asked, clock)
        draft = replace(draft, hits=tuple(hits))
        if not hits:
            yield self._refusal(draft, "nothing_relevant", clock)
            return
        draft = replace(draft, confidence=spans[0].probability if spans else 0.0)
        if self.generator is not None:
            yield from self._generated(draft, asked, self.generator, spans, clock)
        elif draft.confidence < self.threshold:
            yield self._not_answered(draft, asked, spans, clock)
        else:
            yield from self._extracted(draft, asked, spans, clock)

    def _found(self, question: Question, clock: _Clock) -> tuple[list[Hit], list[Span]]:
        """Passages, and what may answer in them; ``clock`` does not count the wait for a turn."""
        with self.slots.one(self.is_wanted):
            clock.start()
            hits = self.retrieve(question)
            clock.lap("retrieve")
            if not hits:
                return [], []
            require(self.is_wanted)
            spans = self.reader.read(question.text, hits)
            clock.lap("read")
            return hits, spans

    def _extracted(
        self, draft: Answer, question: Question, spans: Sequence[Span], clock: _Clock
    ) -> Iterator[Answer]:
        composition = compose(question, spans, self.threshold)
        statements = [statement.sentences for statement in composition.statements]
        for count in range(2 if composition.differ else 1, len(statements) + 1):
            lead = DIFFER if composition.differ else ""
            cited = cite_spans(statements[:count], lead, self._named)
            yield replace(
                draft,
                text=cited.text,
                short=spans[0].text,
                citations=cited.citations,
                seconds=clock.seconds(),
            )

    def _generated(
        self,
        draft: Answer,
        question: Question,
        generator: Generator,
        spans: Sequence[Span],
        clock: _Clock,
    ) -> Iterator[Answer]:
        """What the model writes, sentence by sentence, each checked before it is shown.

        A refusal of the model's holds only where the reader is not sure either; else the
        documents' own words are the answer.
        """
        hits = [hit for hit in draft.hits if not _addresses_a_model(hit)]
        if not hits:
            yield from self._quoted(replace(draft, reason="instructed"), question, spans, clock)
            return
        written, shown = "", ""
        for piece in generator.generate(question.text, [index_text(hit.chunk) for hit in hits]):
            require(self.is_wanted)
            written += strip_invisible(piece)
            finished = finished_part(written)
            if len(finished) > len(shown) and not _is_refusal(written):
                shown = finished
                cited = _checked(shown, hits, self._named)
                if cited.citations:  # what is not grounded is shown only with its warning
                    yield replace(draft, text=cited.text, citations=cited.citations)
        if _is_refusal(written):
            yield from self._quoted(replace(draft, reason="model_refused"), question, spans, clock)
            return
        cited = _checked(written.strip(), hits, self._named)
        yield replace(
            draft,
            text=cited.text,
            citations=cited.citations,
            dropped_markers=cited.dropped,
            reason=None if cited.citations else "not_grounded",
            confidence=_reader_confidence(cited, spans),
            seconds=clock.seconds(),
        )

    def _quoted(
        self, draft: Answer, question: Question, spans: Sequence[Span], clock: _Clock
    ) -> Iterator[Answer]:
        """The documents' own words in place of a model's, or a refusal if the reader is unsure."""
        if draft.confidence < self.threshold:
            yield self._not_answered(draft, question, spans, clock)
        else:
            quoted = replace(draft, answerer=self.reader.name)
            yield from self._extracted(quoted, question, spans, clock)

    def _named(self, hit: Hit) -> list[Hit]:
        """The hit under its own name and those of its document's copies."""
        others = [source for source in self.names(hit.source) if source != hit.source]
        return [hit, *(with_source(hit, source) for source in others[: MAX_NAMES - 1])]

    def _not_answered(
        self, draft: Answer, question: Question, spans: Sequence[Span], clock: _Clock
    ) -> Answer:
        """A refusal for want of support, with the words that speak against an answer, if any.

        Only where no document has a word that the question is about do they plainly not say;
        otherwise the best candidate is shown.
        """
        missing = missing_words(question, draft.hits)
        nowhere = [word for word in missing if not self.mentions(word)]
        if nowhere:
            why = DETAILS["no_document_mentions"].format(words=_named(nowhere))
            return self._refusal(draft, "not_mentioned", clock, REFUSAL_TEXT, why)
        if missing:
            reason = "not_mentioned"
            why = DETAILS["no_passage_mentions"].format(words=_named(missing))
        elif spans and (pair := _stated_instead(question, spans[0])):
            asked, told = pair
            reason = "says_otherwise"
            why = DETAILS["passage_says_otherwise"].format(told=told, asked=asked)
        else:
            reason, why = "not_stated", ""
        refusal = self._refusal(draft, reason, clock, UNSURE_TEXT, why)
        return replace(refusal, perhaps=_possible(spans))

    def _refusal(
        self, draft: Answer, reason: str, clock: _Clock, lead: str = REFUSAL_TEXT, why: str = ""
    ) -> Answer:
        return replace(
            draft,
            text=f"{lead} {why or REASONS[reason]}",
            refused=True,
            reason=reason,
            seconds=clock.seconds(),
        )


def _checked(written: str, hits: Sequence[Hit], names: Names) -> Cited:
    """A model's text with what of it the passages support; all of it where they support nothing."""
    cited = resolve_markers(drop_foreign_links(written, hits), hits, names)
    return drop_unsupported(cited) if cited.citations else cited


def _addresses_a_model(hit: Hit) -> bool:
    """Whether what a model would be sent of a hit tells it what to do."""
    return looks_like_prompt_injection(index_text(hit.chunk))


def _reader_confidence(cited: Cited, spans: Sequence[Span]) -> float:
    """The probability of the reader's best answer that the model's text gives too; 0 if none.

    How sure the reader is of another answer says nothing of the model's.
    """
    said = f" {normalize(cited.text)} "
    return max(
        (
            span.probability
            for span in spans
            if f" {normalize(span.text)} " in said
            and any(
                c.source == span.hit.source and c.start <= span.start and span.end <= c.end
                for c in cited.citations
            )
        ),
        default=0.0,
    )


def _stated_instead(question: Question, span: Span) -> Pair | None:
    """A word of the question, and the word that the span's sentence has in its place."""
    return stated_instead(question.text, sentence_of(span).text, span.text)


def _named(words: Sequence[str]) -> str:
    return OR.join(WORD.format(word=word) for word in words[:MAX_MISSING])


def _possible(spans: Sequence[Span]) -> PossibleAnswer | None:
    """The best candidate in its sentence, unless it is hopeless."""
    if not spans or spans[0].probability < MIN_PERHAPS:
        return None
    sentence = sentence_of(spans[0])
    return PossibleAnswer(Citation(1, sentence.hit, sentence.start, sentence.end), spans[0])


def _is_refusal(written: str) -> bool:
    return written.strip().startswith((REFUSAL_TEXT.rstrip("."), UNSURE_TEXT.rstrip(".")))


class _Clock:
    """Seconds of each stage, by wall clock."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()
        self._laps = {"retrieve": 0.0, "read": 0.0}

    def start(self) -> None:
        """Begin a stage now."""
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self._laps[stage] += now - self._last
        self._last = now

    def seconds(self) -> dict[str, float]:
        return {**self._laps, "total": perf_counter() - self._start}
