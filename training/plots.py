"""Plots of what the probabilities are worth: `python -m training.plots --model FILE --work DIR`.

Reads the evidence that `training.judge` kept in `--work` and writes, for each English development
set, the risk-coverage curve and the reliability of the probabilities with every question answered,
as SVG.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from rag.answering.read.confidence import ConfidenceModel
from rag.evaluate import ScoredOutcome
from rag.evaluate.report.curves import reliability, risk_coverage
from rag.evaluate.report.plots import reliability_plot, risk_coverage_plot
from training.evidence import Table
from training.judge import ENGLISH, Best, Line, best, kept_table

STYLE = """<style>
svg{background:#fff;font-family:sans-serif} text{fill:#555;font-size:11px}
.grid{stroke:#ddd} .series{fill:none;stroke:#1f5fbf;stroke-width:2} .band{fill:#1f5fbf;opacity:.16}
.ideal{fill:none;stroke:#777;stroke-dasharray:4 4} .dot{fill:#1f5fbf}
.whisker{fill:none;stroke:#1f5fbf;stroke-width:1.5;opacity:.6}
</style>"""


def scored(found: Best) -> list[ScoredOutcome]:
    """Return every question as answered with its most probable reading."""
    return [
        ScoredOutcome(
            id=str(number),
            question="",
            kind="",
            sources=(),
            answerable=bool(answerable),
            graded=True,
            evidence_ranks=(),
            asked=True,
            confidence=float(probability),
            right=bool(right),
        )
        for number, (probability, right, answerable) in enumerate(
            zip(found.probabilities, found.right, found.answerable, strict=True)
        )
    ]


def draw(table: Table, line: Line, out: Path, name: str) -> None:
    """Write both plots of one set."""
    answers = scored(best(table, line))
    for kind, svg in (
        ("risk", risk_coverage_plot(risk_coverage(answers))),
        ("reliability", reliability_plot(reliability(answers))),
    ):
        alone = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" width="420" ', 1)
        head, rest = alone.split(">", 1)
        (out / f"{name}-{kind}.svg").write_text(f"{head}>{STYLE}{rest}\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="the exported .onnx file")
    parser.add_argument("--work", type=Path, required=True, help="folder that judge kept things in")
    parser.add_argument("--limit", type=int, default=1500, help="as it was given to judge")
    parser.add_argument("--out", type=Path, default=Path("docs/quality"))
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    confidence = ConfidenceModel.load(given.model.with_suffix(".json"))
    line = Line(np.asarray(confidence.weights), confidence.intercept)
    for name in ENGLISH:
        table = Table.load(kept_table(given.work, name, confidence.sha256, given.limit))
        draw(table, line, given.out, name)


if __name__ == "__main__":
    main()
