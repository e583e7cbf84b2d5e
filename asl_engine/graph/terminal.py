"""A picture in characters, for a terminal."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from asl_engine.graph.layers import NO_SIZE, Size
from asl_engine.graph.layout import Metrics, Rectangle, lay_out
from asl_engine.graph.overlay import SIGNS, TIMES
from asl_engine.graph.pieces import STYLES, Piece
from asl_engine.graph.text import columns, cut_columns, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.graph.layout import GraphLayout, PlacedEdge, PlacedNode, PlacedScope
    from asl_engine.graph.model import Edge, GraphNode, GraphScope
    from asl_engine.graph.overlay import Overlay
    from asl_engine.graph.pieces import Row

__all__ = ["drawn"]


MAX_LABEL: Final = 30
MAX_NAME: Final = 40
UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
LINES: Final = " ││││╯╮┤─╰╭├─┴┬┼"  # by the directions that a line leaves a cell in
ROUND: Final = "╭─╮│╰╯"
DOUBLE: Final = "╔═╗║╚╝"


def drawn(graph: GraphScope, width: int, overlay: Overlay | None = None) -> list[Row] | None:
    """The picture, None where it is wider than ``width`` columns."""
    drawing = _Drawing(overlay)
    layout = lay_out(graph, drawing.metrics())
    if layout.width > width:
        return None
    return drawing.rows(layout)


class _Canvas:
    """Cells with a character and a style.  A wide character takes the cell behind it too, which is then empty."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.cells = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]
        self.lines: dict[tuple[int, int], tuple[int, str]] = {}

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        for character in text:
            size = columns(character)
            if size == 0 and x > 0:  # it changes the character before it
                self.cells[y][x - 1] += character
                continue
            self.cells[y][x], self.styles[y][x] = character, style
            for more in range(1, size):
                self.cells[y][x + more], self.styles[y][x + more] = "", style
            x += size

    def line(self, x: int, y: int, directions: int, style: str) -> None:
        known = self.lines.get((x, y), (0, ""))
        self.lines[x, y] = known[0] | directions, style

    def draw_lines(self) -> None:
        for (x, y), (directions, style) in self.lines.items():
            self.put(x, y, LINES[directions], style)

    def rows(self) -> Iterator[Row]:
        for cells, styles in zip(self.cells, self.styles, strict=True):
            row: Row = []
            for cell, style in zip(cells, styles, strict=True):
                if row and (row[-1].style == style or cell == " "):
                    row[-1] = Piece(row[-1].text + cell, row[-1].style)
                else:
                    row.append(Piece(cell, style))
            if row:
                row[-1] = Piece(row[-1].text.rstrip(), row[-1].style)
            yield [piece for piece in row if piece.text]


class _Drawing:
    def __init__(self, overlay: Overlay | None) -> None:
        self.overlay = overlay

    def metrics(self) -> Metrics:
        return Metrics(
            self._size,
            self._label_size,
            lane=Size(1, 0),
            gap=3,
            track=1,
            above=0,
            below=2,
            plain=1,
            tolerance=3,
            clearance=0,
            port=5,
            header=1 if self.overlay is None else 2,
            footer=1,
            title=1,
            padding=Size(1, 0),
            loop=2,
        )

    # -- how large things are -----------------------------------------------------------------------

    def _size(self, node: GraphNode) -> Size:
        if node.is_mark:
            return Size(1, 1)
        name, kind = columns(self._name(node)), columns(_kind(node))
        inner = max(name + kind + 4 if node.scopes else name, kind + 2, columns(self._told(node)), 7)
        width = inner + 4
        return Size(width + 1 - width % 2, 3 + bool(self._told(node)))

    def _name(self, node: GraphNode) -> str:
        return cut_columns(visible(node.name), MAX_NAME)

    def _told(self, node: GraphNode) -> str:
        mark = self.overlay and self.overlay.mark(node)
        if not mark or mark.standing == "not-reached":
            return ""
        return cut_columns(visible(f"{SIGNS[mark.standing]} {mark.text or mark.standing}"), MAX_NAME)

    def _label(self, edge: Edge) -> str:
        if not edge.labels:
            return ""
        first = visible(edge.labels[0])
        more = f" +{len(edge.labels) - 1}" if len(edge.labels) > 1 else ""
        return cut_columns(first, MAX_LABEL - len(more)) + more + self._counted(edge)

    def _counted(self, edge: Edge) -> str:
        count = 0 if self.overlay is None else self.overlay.count(edge)
        return f" {TIMES}{count:,}" if count > 1 else ""

    def _label_size(self, edge: Edge) -> Size:
        width = columns(self._label(edge))
        return Size(width + 1 - width % 2, 1) if width else NO_SIZE

    # -- what is drawn ------------------------------------------------------------------------------

    def rows(self, layout: GraphLayout) -> list[Row]:
        canvas = _Canvas(layout.width, layout.height)
        for node in layout.nodes:
            self._node(canvas, node)
        for scope in layout.scopes:
            self._scope(canvas, scope)
        edges = sorted(layout.edges, key=lambda edge: self._is_taken(edge.edge))
        for edge in edges:
            self._edge(canvas, edge)
        canvas.draw_lines()
        for edge in edges:
            self._end(canvas, edge)
        return [*canvas.rows()]

    def _node(self, canvas: _Canvas, placed: PlacedNode) -> None:
        node, box = placed
        style = "" if self.overlay is None else STYLES[self.overlay.mark(node).standing]
        if node.is_mark:
            canvas.put(box.x, box.y, "●" if node.type == "Start" else "◉")
            return
        _frame(canvas, box, DOUBLE if node.distributed else ROUND, style)
        kind = cut_columns(_kind(node), box.width - 4)
        canvas.put(box.x + 1, box.y, f" {kind} ", style)
        if node.scopes:
            name = cut_columns(self._name(node), box.width - columns(kind) - 6)
            canvas.put(box.x + columns(kind) + 4, box.y, f" {name} ", f"bold {style}".strip())
            canvas.put(box.x + 2, box.y + 1, self._told(node), style)
            return
        for row, text in enumerate((self._name(node), self._told(node))[: box.height - 2]):
            left = box.x + (box.width - columns(text)) // 2
            canvas.put(left, box.y + 1 + row, text, f"bold {style}".strip() if not row else style)

    def _scope(self, canvas: _Canvas, placed: PlacedScope) -> None:
        if placed.scope.title:
            count = 0 if self.overlay is None else self.overlay.counts.get(placed.scope.location, 0)
            title = f"{placed.scope.title} {TIMES}{count:,}" if count > 1 else placed.scope.title
            canvas.put(placed.box.x, placed.box.y - 1, cut_columns(title, placed.box.width), "dim")

    def _is_taken(self, edge: Edge) -> bool:
        return self.overlay is not None and self.overlay.count(edge) > 0

    def _style(self, edge: Edge) -> str:
        colour = "yellow" if edge.kind == "catch" else ""
        if self.overlay is None:
            return colour
        return (colour or "blue") if self._is_taken(edge) else "dim"

    def _edge(self, canvas: _Canvas, placed: PlacedEdge) -> None:
        style = self._style(placed.edge)
        cells = _cells(placed)
        for before, at in pairwise(cells):
            canvas.line(*before, _direction(before, at), style)
            canvas.line(*at, _direction(at, before), style)
        canvas.line(*cells[0], {1: UP, -1: DOWN, 0: LEFT}[placed.step], style)

    def _end(self, canvas: _Canvas, placed: PlacedEdge) -> None:
        """The arrow, and the label, over all lines."""
        style = self._style(placed.edge)
        x, y = _cells(placed)[-1]
        canvas.put(x, y, {1: "▼", -1: "▲", 0: "◀"}[placed.step], style)
        if placed.label is not None:
            text = self._label(placed.edge)
            left = placed.label.x + (placed.label.width - columns(text)) // 2
            canvas.put(left, placed.label.y, text, style)


def _kind(node: GraphNode) -> str:
    return visible(f"{node.type} · distributed" if node.distributed else node.type)


def _frame(canvas: _Canvas, box: Rectangle, lines: str, style: str) -> None:
    across = box.width - 2
    canvas.put(box.x, box.y, lines[0] + lines[1] * across + lines[2], style)
    for row in range(box.y + 1, box.y + box.height - 1):
        canvas.put(box.x, row, lines[3], style)
        canvas.put(box.x + box.width - 1, row, lines[3], style)
    canvas.put(box.x, box.y + box.height - 1, lines[4] + lines[1] * across + lines[5], style)


def _sign(start: int, end: int) -> int:
    return (end > start) - (end < start)


def _cells(placed: PlacedEdge) -> list[tuple[int, int]]:
    """The cells of a line.  Where it comes to a state from above, or leaves it upwards, it ends a cell before."""
    corners = [*placed.points]
    outer = -1 if placed.step == 1 else 0
    if placed.step:
        corners[outer] = (corners[outer][0], corners[outer][1] - 1)
    cells = [corners[0]]
    for x, y in corners[1:]:
        while cells[-1] != (x, y):
            at_x, at_y = cells[-1]
            cells.append((at_x + _sign(at_x, x), at_y + (_sign(at_y, y) if at_x == x else 0)))
    return cells


def _direction(start: tuple[int, int], end: tuple[int, int]) -> int:
    if start[0] == end[0]:
        return DOWN if end[1] > start[1] else UP
    return RIGHT if end[0] > start[0] else LEFT
