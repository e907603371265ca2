"""Result files: the report with every question's outcome, for ``rag compare`` and other tools."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rag.atomic_files import replacing
from rag.errors import ResultFileError
from rag.evaluate.outcomes import DEPTH, Outcome
from rag.evaluate.scored import STAGES, ScoredOutcome

FORMAT = 1
"""Raised whenever a file written before can no longer be compared."""

_ADVICE = "make it with 'rag eval QUESTIONS --out FILE'"

_BEGIN, _END = ' "outcomes": [\n', "]}\n"
"""The lines before and after those of the outcomes."""

Record = dict[str, Any]
"""One outcome as JSON-ready values: see :func:`record`."""


def record(outcome: Outcome, scored: ScoredOutcome) -> Record:
    """Return all that is kept of an outcome. Only ``seconds`` differs from run to run."""
    return {
        **outcome.question.to_dict(),
        "type": scored.kind,
        "verdict": scored.verdict,
        "rank": scored.rank,
        "evidence_ranks": list(scored.evidence_ranks),
        "answer": _answer(outcome, scored),
        "hits": [
            {"source": hit.source, "start": hit.start, "end": hit.end, "score": round(hit.score, 6)}
            for hit in outcome.hits
        ],
        "seconds": {
            stage: round(value, 6)
            for stage, value in zip(STAGES, scored.seconds or (0.0,) * 3, strict=True)
        },
    }


def _answer(outcome: Outcome, scored: ScoredOutcome) -> Record | None:
    answer = outcome.answer
    if answer is None:
        return None
    citations = [
        {
            "number": citation.number,
            "source": citation.source,
            "start": citation.start,
            "end": citation.end,
            "quote": citation.quote,
            "valid": valid,
            "right": outcome.question.is_evidence(citation.source, citation.start, citation.end),
        }
        for citation, valid in zip(answer.citations, outcome.valid, strict=True)
    ]
    return {
        "text": answer.text,
        "short": answer.short,
        "refused": answer.refused,
        "reason": answer.reason,
        "confidence": scored.confidence,
        "em": scored.em,
        "f1": scored.f1,
        "right": scored.right,
        "citations": citations,
    }


def scored_from(found: Mapping[str, Any]) -> ScoredOutcome:
    """Return the numbers of a record.

    Raises ``KeyError``, ``TypeError`` or ``ValueError`` for others.
    """
    answer = found["answer"]
    citations = () if answer is None or answer["refused"] else answer["citations"]
    numbers: Record = {
        "id": str(found["id"]),
        "question": str(found["question"]),
        "kind": str(found["type"]),
        "sources": tuple(dict.fromkeys(str(place["source"]) for place in found["evidence"])),
        "answerable": found["answers"] is None or bool(found["answers"]),
        "graded": bool(found["answers"]),
        "evidence_ranks": _evidence_ranks(found),
    }
    if answer is not None:
        numbers |= {
            "asked": True,
            "refused": bool(answer["refused"]),
            **{name: _within(answer, name, 1.0) for name in ("confidence", "em", "f1")},
            "right": bool(answer["right"]),
            "citations": len(citations),
            "valid": sum(bool(citation["valid"]) for citation in citations),
            "right_citations": sum(bool(citation["right"]) for citation in citations),
            "seconds": tuple(float(found["seconds"][stage]) for stage in STAGES),
        }
    return ScoredOutcome(**numbers)


def _evidence_ranks(found: Mapping[str, Any]) -> tuple[int | None, ...]:
    """Files of version 0.1 have only the rank of the first right hit."""
    ranks = found.get("evidence_ranks", [found["rank"]])
    return tuple(
        None if rank is None else _within({"rank": rank}, "rank", DEPTH, kind=int) for rank in ranks
    )


def _within(values: Mapping[str, Any], name: str, most: float, kind: type = float) -> Any:
    value = kind(values[name])
    if not (1 if kind is int else 0) <= value <= most:
        raise ValueError(f"{name!r} is {value}")
    return value


class Records:
    """Records in a temporary file, in order: what a large run keeps outside of memory."""

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115

    def append(self, found: Record) -> None:
        """Add a record; not while the others are iterated over."""
        self._file.write(json.dumps(found, ensure_ascii=False) + "\n")

    def __iter__(self) -> Iterator[Record]:
        return map(json.loads, self.lines())

    def lines(self) -> Iterator[str]:
        """Yield each record as a line of JSON; one iteration at a time."""
        self._file.seek(0)
        yield from self._file

    def close(self) -> None:
        """Drop the file."""
        self._file.close()


def write_results(path: Path, report: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Write a result file: the report, and below ``outcomes`` each record on a line of its own."""
    head = json.dumps({"format": FORMAT, **report}, ensure_ascii=False, indent=1)
    with replacing(path) as file:
        file.write(head.removesuffix("\n}") + ",\n" + _BEGIN)
        separator = ""
        for line in lines:
            file.write(separator + line.rstrip("\n"))
            separator = ",\n"
        file.write("\n" + _END)


@dataclass(frozen=True, slots=True)
class Results:
    """A result file as ``rag compare`` uses it."""

    path: Path
    about: Mapping[str, Any]
    scored: Sequence[ScoredOutcome]
    gold: Mapping[str, bytes]
    """Per question id a digest of the question, its answers and its evidence, to tell whether two
    sets agree."""


def read_results(path: Path) -> Results:
    """Read a result file. Raises :class:`ResultFileError` for what is none."""
    try:
        return _results(path, _as_written(path))
    except _NotAsWrittenError:  # made by another program, or put into another form by one
        return _results(path, _as_a_whole(path))


def _results(path: Path, values: Iterator[Any]) -> Results:
    """The result file whose ``values`` are the report and then each outcome."""
    scored, gold = [], {}
    try:
        report = next(values)
        if report.get("format") != FORMAT:
            raise ResultFileError(
                f"{path} has format {report.get('format')!r}, but {FORMAT} is needed; {_ADVICE}"
            )
        for found in values:
            scored.append(scored_from(found))
            gold[scored[-1].id] = _gold(found)
    except OSError as error:
        raise ResultFileError(
            f"cannot read {str(path)!r}: {error.strerror}; name a file that 'rag eval --out' wrote"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ResultFileError(f"{path}: an outcome is malformed: {error!r}; {_ADVICE}") from None
    if not scored or len(gold) < len(scored):
        what = "two outcomes of one id" if scored else "no outcomes"
        raise ResultFileError(f"{path} holds {what}; {_ADVICE}")
    return Results(path, report.get("about") or {}, scored, gold)


class _NotAsWrittenError(Exception):
    """The lines of a file are not those that :func:`write_results` writes."""


def _as_written(path: Path) -> Iterator[Any]:
    """The report and each outcome, one line at a time, which takes little memory."""
    with path.open(encoding="utf-8") as file:
        head: list[str] = []
        try:
            for line in file:
                if line == _BEGIN:
                    yield json.loads("".join(head).removesuffix(",\n") + "}")
                    break
                head.append(line)
            for line in file:
                if line == _END:
                    return
                yield json.loads(line.removesuffix("\n").removesuffix(","))
        except (ValueError, RecursionError):
            pass
    raise _NotAsWrittenError


def _as_a_whole(path: Path) -> Iterator[Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ResultFileError(f"{path} is not JSON: {error}; {_ADVICE}") from None
    if not isinstance(data, dict) or not isinstance(data.get("outcomes"), list):
        raise ResultFileError(f"{path} holds no 'outcomes'; {_ADVICE}")
    yield data
    yield from data["outcomes"]


def _gold(found: Mapping[str, Any]) -> bytes:
    told = json.dumps([found["question"], found["answers"], found["evidence"]])
    return hashlib.sha256(told.encode()).digest()
