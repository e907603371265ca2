"""Draw `trials.csv` as `trials.svg`, both beside this file: `python -m training.trials`.

XQuAD F1 and SQuAD 2.0 AUROC of each run against the tokens that it saw, a colour for each body.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

TABLE = Path(__file__).with_name("trials.csv")
COLOURS = ("#1f5fbf", "#c2410c", "#15803d")
TOKENS = (0.5, 200.0)
PANELS = (("xquad_en_f1", "XQuAD F1", 50.0, 90.0), ("squad2_auroc", "SQuAD 2.0 AUROC", 0.5, 1.0))
WIDTH, HEIGHT, EDGE = 340, 240, 44

Row = dict[str, str]


def read_trials(path: Path = TABLE) -> list[Row]:
    """Read the table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def across(tokens: float) -> float:
    """Return the place of a number of million tokens; the scale is logarithmic."""
    low, high = map(math.log, TOKENS)
    return EDGE + (math.log(tokens) - low) / (high - low) * (WIDTH - 2 * EDGE)


def up(value: float, low: float, high: float) -> float:
    """Return the place of a figure."""
    return HEIGHT - EDGE - (value - low) / (high - low) * (HEIGHT - 2 * EDGE)


def panel(rows: Sequence[Row], bodies: Sequence[str], column: str, low: float, high: float) -> str:
    """Return the grid and the dots of one figure."""
    parts = []
    for part in range(5):
        value = low + part * (high - low) / 4
        y = up(value, low, high)
        parts.append(f'<path class="grid" d="M{EDGE} {y:.1f}H{WIDTH - EDGE}"/>')
        parts.append(f'<text x="{EDGE - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for tokens in (1, 10, 100):
        x, y = across(tokens), HEIGHT - EDGE + 16
        parts.append(f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{tokens}</text>')
    for row in rows:
        if row["tokens_million"] and row[column]:
            x, y = across(float(row["tokens_million"])), up(float(row[column]), low, high)
            colour = COLOURS[bodies.index(row["body"])]
            name = f"<title>{row['run']}</title>"
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">{name}</circle>')
    return "".join(parts)


def draw(rows: Sequence[Row]) -> str:
    """Return the plot."""
    bodies = list(dict.fromkeys(row["body"] for row in rows))
    parts = []
    for number, (column, title, low, high) in enumerate(PANELS):
        dots = panel(rows, bodies, column, low, high)
        head = f'<text x="{EDGE}" y="24">{title}, million tokens</text>'
        parts.append(f'<g transform="translate({number * WIDTH} 0)">{head}{dots}</g>')
    for number, (body, colour) in enumerate(zip(bodies, COLOURS, strict=False)):
        x = EDGE + number * 180
        parts.append(f'<circle cx="{x}" cy="{HEIGHT - 8}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 10}" y="{HEIGHT - 4}">{body}</text>')
    style = (
        "<style>svg{background:#fff;font:11px sans-serif}text{fill:#555}.grid{stroke:#ddd}</style>"
    )
    size = f'viewBox="0 0 {WIDTH * len(PANELS)} {HEIGHT}" width="{WIDTH * len(PANELS)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(parts)}</svg>\n'


if __name__ == "__main__":
    TABLE.with_suffix(".svg").write_text(draw(read_trials()), encoding="utf-8")
