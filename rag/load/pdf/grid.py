"""Ruled lines that make up the cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.load.pdf.geometry import Box
from rag.load.pdf.rules import Drawing, Rule

_TOUCH = 3.0  # points by which lines may miss each other
_DRAWN = 0.6  # share of a cell's side that must be drawn to part it from the next cell
_MAX_RULES = 400  # in each direction; a drawing has more
_MAX_COLUMNS, _MAX_ROWS = 40, 300


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of ``rows`` and ``columns`` places from ``row, column`` on, counted from the top."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Borders from the left and from the top, and the cells that they make, row by row."""

    xs: tuple[float, ...]
    ys: tuple[float, ...]
    cells: tuple[GridCell, ...]

    @property
    def box(self) -> Box:
        """What the grid covers."""
        return Box(self.xs[0], self.ys[-1], self.xs[-1], self.ys[0])

    def box_of(self, cell: GridCell) -> Box:
        """Return what one cell covers."""
        left, right = self.xs[cell.column], self.xs[cell.column + cell.columns]
        return Box(left, self.ys[cell.row + cell.rows], right, self.ys[cell.row])


def find_grids(drawing: Drawing) -> list[Grid]:
    """Return every grid of at least two rows and two columns, all of whose cells are rectangles."""
    if max(len(drawing.across), len(drawing.down)) > _MAX_RULES:
        return []
    grids = (_grid(across, down) for across, down in _connected(drawing.across, drawing.down))
    return [grid for grid in grids if grid is not None]


def _connected(across: Sequence[Rule], down: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Level and upright lines, grouped by which meet."""
    leader = list(range(len(across) + len(down)))
    for i, level in enumerate(across):
        for j, upright in enumerate(down):
            if _reaches(level, upright.at) and _reaches(upright, level.at):
                _join(leader, i, len(across) + j)
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    for i, level in enumerate(across):
        groups.setdefault(_find(leader, i), ([], []))[0].append(level)
    for j, upright in enumerate(down):
        groups.setdefault(_find(leader, len(across) + j), ([], []))[1].append(upright)
    return [group for group in groups.values() if all(group)]


def _reaches(rule: Rule, place: float) -> bool:
    return rule.low - _TOUCH <= place <= rule.high + _TOUCH


def _grid(across: Sequence[Rule], down: Sequence[Rule]) -> Grid | None:
    xs = _borders(down, across)
    ys = _borders(across, down)[::-1]
    if not (3 <= len(xs) <= _MAX_COLUMNS and 3 <= len(ys) <= _MAX_ROWS):
        return None
    cells = _cells(xs, ys, across, down)
    return Grid(tuple(xs), tuple(ys), cells) if cells else None


def _borders(rules: Sequence[Rule], others: Sequence[Rule]) -> list[float]:
    """Where borders stand: at the rules, and where those that cross them end beyond the last."""
    ends = [end for other in others for end in (other.low, other.high)]
    places = sorted(rule.at for rule in rules)
    borders = places[:1]
    for place in places[1:]:
        if place - borders[-1] > _TOUCH:
            borders.append(place)
    if min(ends) < borders[0] - 3 * _TOUCH:
        borders.insert(0, min(ends))
    if max(ends) > borders[-1] + 3 * _TOUCH:
        borders.append(max(ends))
    return borders


def _cells(
    xs: Sequence[float], ys: Sequence[float], across: Sequence[Rule], down: Sequence[Rule]
) -> tuple[GridCell, ...]:
    """The cells row by row; none if one of them is not a rectangle."""
    width, height = len(xs) - 1, len(ys) - 1
    at_x = [[rule for rule in down if abs(rule.at - x) <= _TOUCH] for x in xs]
    at_y = [[rule for rule in across if abs(rule.at - y) <= _TOUCH] for y in ys]
    leader = list(range(width * height))
    for place in leader:
        row, column = divmod(place, width)
        if column and not _is_drawn(at_x[column], ys[row + 1], ys[row]):
            _join(leader, place, place - 1)
        if row and not _is_drawn(at_y[row], xs[column], xs[column + 1]):
            _join(leader, place, place - width)
    members: dict[int, list[tuple[int, int]]] = {}
    for place in range(width * height):
        members.setdefault(_find(leader, place), []).append(divmod(place, width))
    cells = []
    for places in members.values():
        rows, columns = zip(*places, strict=True)
        cell = GridCell(min(rows), min(columns), len({*rows}), len({*columns}))
        if cell.rows * cell.columns != len(places):
            return ()
        cells.append(cell)
    return tuple(sorted(cells, key=lambda cell: (cell.row, cell.column)))


def _is_drawn(rules: Sequence[Rule], low: float, high: float) -> bool:
    """Whether the rules of a border cover most of what lies between ``low`` and ``high``."""
    covered = sum(max(0.0, min(r.high, high) - max(r.low, low)) for r in rules)
    return covered >= _DRAWN * (high - low)


def _find(leader: list[int], index: int) -> int:
    while leader[index] != index:
        leader[index] = leader[leader[index]]
        index = leader[index]
    return index


def _join(leader: list[int], one: int, other: int) -> None:
    leader[_find(leader, one)] = _find(leader, other)
