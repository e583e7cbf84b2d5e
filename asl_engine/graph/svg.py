"""A picture in SVG: it needs nothing else, and whoever shows it only sets classes.

A state is a ``g`` with the class ``node``, its name in ``data-state`` and how it fared as a class: ``succeeded``,
``failed``, ``caught``, ``running``, ``aborted`` or ``not-reached``.  An edge is a ``g`` with the class ``edge``
and its kind, its places in ``data-places``, and ``taken`` where it was; so is its label, with the class
``label``.  Nothing is styled in place: a page that may not have styles of its own in the picture takes
``style_sheet()`` into its own.
"""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asl_engine.graph.layers import NO_SIZE, Size
from asl_engine.graph.layout import Metrics, Rectangle, lay_out
from asl_engine.graph.model import START
from asl_engine.graph.overlay import SIGNS, TIMES
from asl_engine.graph.text import cut, em_width, visible, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from asl_engine.graph.layout import GraphLayout, PlacedEdge, PlacedNode, PlacedScope
    from asl_engine.graph.model import Edge, GraphNode, GraphScope
    from asl_engine.graph.overlay import Overlay

__all__ = ["style_sheet", "svg"]

MARGIN: Final = 16
NAME_FONT, SMALL_FONT = 13, 11
NAME_LINE, SMALL_LINE = 17, 15
NAME_WIDTH: Final = 15.0  # of a line, in the size of its font
LABEL_WIDTH: Final = 17.0
MAX_NAME_LINES: Final = 6
MAX_LABELS: Final = 4
MAX_LABEL_LINES: Final = 3
MARK: Final = 22  # of the start and the end
CORNER: Final = 6
HEAD: Final = 7  # of an arrow


@cache
def style_sheet() -> str:
    """The colours of a picture, for light and dark."""
    return Path(__file__).with_name("graph.css").read_text(encoding="utf-8")


def svg(
    graph: GraphScope,
    title: str,
    overlay: Overlay | None = None,
    *,
    styled: bool = True,
    links: Mapping[str, str] | None = None,
) -> str:
    """The picture.  Without ``styled`` it comes without its style sheet, for a page that has it.

    ``links`` are where a click on a state leads, by its name.
    """
    drawing = _Drawing(overlay, links or {})
    layout = lay_out(graph, drawing.metrics())
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    about = title if overlay is None else f"{title}: {overlay.name}"
    classes = "asl-graph" if overlay is None else "asl-graph overlaid"
    # Half a pixel off: a line of one pixel then covers one, and no more where many lines run together.
    corner = -MARGIN - 0.5
    size = f'width="{width}" height="{height}" viewBox="{corner} {corner} {width} {height}"'
    role = "group" if links else "img"  # what is an image has no links for those who do not see it
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{classes}" role="{role}" {size}>',
        f"<title>{_text(about)}</title>",
        *([f"<style>{style_sheet()}</style>"] if styled else []),
        f'<rect class="ground" x="{corner}" y="{corner}" width="{width}" height="{height}"/>',
        *drawing.lines(layout),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


class _Drawing:
    """The elements of a picture, each with what an overlay knows of it."""

    def __init__(self, overlay: Overlay | None, links: Mapping[str, str]) -> None:
        self.overlay = overlay
        self.links = links

    def metrics(self) -> Metrics:
        return Metrics(
            self._size,
            self._label_size,
            lane=Size(3, 0),
            gap=28,
            track=9,
            above=13,
            below=17,
            plain=30,
            tolerance=26,
            clearance=5,
            port=34,
            header=46 if self.overlay is None else 62,
            footer=12,
            title=18,
            padding=Size(14, 12),
            loop=16,
        )

    # -- how large things are -----------------------------------------------------------------------

    def _size(self, node: GraphNode) -> Size:
        if node.is_mark:
            return Size(MARK + 1, MARK)
        names = self._names(node)
        wide = [em_width(line) * NAME_FONT for line in names]
        wide += [em_width(line) * SMALL_FONT for line in self._below(node)]
        width = max(96, round(max(wide)) + (36 if node.type == "Choice" else 24))
        return Size(width + 1 - width % 2, len(names) * NAME_LINE + len(self._below(node)) * SMALL_LINE + 14)

    def _names(self, node: GraphNode) -> list[str]:
        name = visible(node.name)
        return [name] if node.scopes else wrapped(name, NAME_WIDTH, MAX_NAME_LINES)

    def _below(self, node: GraphNode) -> list[str]:
        """The small lines of a state: its type and work, and how it fared."""
        lines = [cut(visible(" · ".join(part for part in (node.type, node.detail) if part)), 44)]
        return [*lines, self._told(node)] if self.overlay is not None else lines

    def _told(self, node: GraphNode) -> str:
        if self.overlay is None:
            return ""
        mark = self.overlay.mark(node)
        if self.overlay.shows_zero and mark.standing == "not-reached":
            return "never entered"
        return visible(f"{SIGNS[mark.standing]} {mark.text or mark.standing.replace('-', ' ')}".strip())

    def _labels(self, edge: Edge) -> list[str]:
        shown = edge.labels if len(edge.labels) <= MAX_LABELS else edge.labels[: MAX_LABELS - 1]
        lines = [line for label in shown for line in wrapped(visible(label), LABEL_WIDTH, MAX_LABEL_LINES)]
        if len(shown) < len(edge.labels):
            lines.append(f"and {len(edge.labels) - len(shown)} more")
        return lines

    def _label_size(self, edge: Edge) -> Size:
        lines = self._labels(edge)
        if not lines:
            return NO_SIZE
        lines = [*lines, *filter(None, [self._counted(edge)])]
        width = round(max(em_width(line) for line in lines) * SMALL_FONT) + 12
        return Size(width + 1 - width % 2, len(lines) * SMALL_LINE + 4)

    def _counted(self, edge: Edge) -> str:
        """How often an edge was taken, where that is worth telling."""
        if self.overlay is None or edge.source == START:
            return ""
        count = self.overlay.count(edge)
        if not count:
            return "never" if self.overlay.shows_zero else ""
        return f"{TIMES} {count:,}" if count > 1 or self.overlay.shows_zero else ""

    # -- what is drawn ------------------------------------------------------------------------------

    def lines(self, layout: GraphLayout) -> Iterator[str]:
        """Boxes below lines, lines below labels and states; what was taken is above what was not."""
        for scope in layout.scopes:
            if scope.scope.title:
                yield from self._scope(scope)
            for node in layout.nodes:
                if node.node.scopes and _is_of(node.node, scope.scope):
                    yield from self._node(node)
        edges = sorted(
            layout.edges, key=lambda edge: self.overlay is not None and self.overlay.count(edge.edge) > 0
        )
        for edge in edges:
            yield from self._edge(edge)
        for edge in edges:
            if edge.label is not None:
                yield from self._label(edge.edge, edge.label)
        for node in layout.nodes:
            if not node.node.scopes:
                yield from self._node(node)

    def _scope(self, placed: PlacedScope) -> Iterator[str]:
        padding = self.metrics().padding
        box = placed.box
        x, y = box.x - padding.width, box.y - padding.height - 18
        width, height = box.width + 2 * padding.width, box.height + 2 * padding.height + 18
        yield f'<rect class="scope" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>'
        title = _text(self._title(placed.scope))
        yield f'<text class="small scope-title" x="{x + 10}" y="{y + 16}">{title}</text>'

    def _title(self, scope: GraphScope) -> str:
        count = 0 if self.overlay is None else self.overlay.counts.get(scope.location, 0)
        return f"{scope.title} {TIMES} {count:,}" if count > 1 else scope.title

    def _node(self, placed: PlacedNode) -> Iterator[str]:
        node, box = placed
        if node.is_mark:
            yield from _mark(node, box)
            return
        standing = "" if self.overlay is None else f" {self.overlay.mark(node).standing}"
        kind = " box" if node.scopes else ""
        yield (
            f'<g class="node type-{_attribute(node.type)}{kind}{standing}" data-state="{_attribute(node.name)}" '
            f'data-place="{_attribute(node.location)}">'
        )
        link = self.links.get(node.name)
        if link is not None:
            yield f'<a href="{_attribute(link)}">'
        about = [node.name, f"{node.type} {node.detail}".strip()]
        if self.overlay is not None:
            about.append(self._told(node))
        yield f"<title>{_lines(about)}</title>"
        if node.distributed:
            yield _rectangle(Rectangle(box.x + 4, box.y + 4, box.width, box.height), "second", 8)
        yield _shape(node, box)
        middle, y = box.x + box.width // 2, box.y + 7
        for line in self._names(node):
            y += NAME_LINE
            yield f'<text class="name" x="{middle}" y="{y - 3}">{_text(line)}</text>'
        for index, line in enumerate(self._below(node)):
            y += SMALL_LINE
            kind = "small told" if index else "small"
            yield f'<text class="{kind}" x="{middle}" y="{y - 2}">{_text(line)}</text>'
        if link is not None:
            yield "</a>"
        yield "</g>"

    def _edge(self, placed: PlacedEdge) -> Iterator[str]:
        edge, points = placed.edge, placed.points
        yield f'<g class="{self._classes("edge", edge)}" data-places="{_attribute(" ".join(edge.places))}">'
        yield f'<path class="line" d="{_path(points)}"/>'
        yield f'<path class="head" d="{_head(points)}"/>'
        if placed.label is None and (told := self._counted(edge)):
            yield _beside(placed, told)
        yield "</g>"

    def _classes(self, what: str, edge: Edge) -> str:
        known = ""
        if self.overlay is not None:
            never = " never" if self.overlay.shows_zero else ""
            known = " taken" if self.overlay.count(edge) else never
        return f"{what} {edge.kind}{known}"

    def _label(self, edge: Edge, box: Rectangle) -> Iterator[str]:
        places = _attribute(" ".join(edge.places))
        yield f'<g class="{self._classes("label", edge)}" data-places="{places}">'
        yield f"<title>{_lines(edge.labels)}</title>"
        yield _rectangle(box, "ground-of-label", 4)
        lines, told = self._labels(edge), self._counted(edge)
        middle, y = box.x + box.width // 2, box.y + 1
        for line in lines:
            y += SMALL_LINE
            yield f'<text class="small" x="{middle}" y="{y - 3}">{_text(line)}</text>'
        if told:
            yield f'<text class="small count" x="{middle}" y="{y + SMALL_LINE - 3}">{_text(told)}</text>'
        yield "</g>"


def _beside(placed: PlacedEdge, told: str) -> str:
    """How often an edge without a label was taken: where it begins, on the side that it does not turn to."""
    x, y = placed.points[0]
    turn = next((one for one, _ in placed.points if one != x), x)
    side, kind = (6, "small count after") if turn < x else (-6, "small count")
    return f'<text class="{kind}" x="{x + side}" y="{y + 13 if placed.step == 1 else y - 6}">{_text(told)}</text>'


def _is_of(node: GraphNode, scope: GraphScope) -> bool:
    return any(one is node for one in scope.nodes)


def _mark(node: GraphNode, box: Rectangle) -> Iterator[str]:
    x, y, radius = box.x + box.width // 2, box.y + MARK // 2, MARK // 2
    yield f'<g class="mark {node.location}"><title>{node.name}</title>'
    if node.type == "Start":
        yield f'<circle class="shape" cx="{x}" cy="{y}" r="{radius - 2}"/>'
    else:
        yield f'<circle class="ring" cx="{x}" cy="{y}" r="{radius - 1}"/>'
        yield f'<circle class="shape" cx="{x}" cy="{y}" r="{radius - 5}"/>'
    yield "</g>"


def _shape(node: GraphNode, box: Rectangle) -> str:
    if node.type == "Choice":
        x, y, width, height = box
        cut_off = 12
        corners = [
            (x + cut_off, y),
            (x + width - cut_off, y),
            (x + width, y + height // 2),
            (x + width - cut_off, y + height),
            (x + cut_off, y + height),
            (x, y + height // 2),
        ]
        return f'<path class="shape" d="M{" L".join(f"{one},{other}" for one, other in corners)} Z"/>'
    return _rectangle(box, "shape", box.height // 2 if node.type in {"Wait", "Succeed", "Fail"} else 8)


def _rectangle(box: Rectangle, kind: str, radius: int) -> str:
    x, y, width, height = box
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>'


def _path(points: Sequence[tuple[int, int]]) -> str:
    """The line, its corners rounded."""
    found = [f"M{points[0][0]},{points[0][1]}"]
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, _distance(before, at) // 2, _distance(at, after) // 2)
        begin, end = _toward(at, before, radius), _toward(at, after, radius)
        found.append(f"L{begin[0]},{begin[1]} Q{at[0]},{at[1]} {end[0]},{end[1]}")
    end = _toward(points[-1], points[-2], HEAD - 1)
    found.append(f"L{end[0]},{end[1]}")
    return " ".join(found)


def _head(points: Sequence[tuple[int, int]]) -> str:
    (x, y), half = points[-1], 4
    back = _toward(points[-1], points[-2], HEAD)
    if back[0] == x:
        return f"M{x},{y} L{x - half},{back[1]} L{x + half},{back[1]} Z"
    return f"M{x},{y} L{back[0]},{y - half} L{back[0]},{y + half} Z"


def _distance(one: tuple[int, int], other: tuple[int, int]) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _toward(start: tuple[int, int], end: tuple[int, int], by: int) -> tuple[int, int]:
    """A step from ``start`` towards ``end``; lines are level or upright."""
    if start[0] == end[0]:
        return start[0], start[1] + (by if end[1] > start[1] else -by)
    return start[0] + (by if end[0] > start[0] else -by), start[1]


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(_text(text) for text in texts)


def _text(text: str) -> str:
    return escape(visible(text), quote=False)


def _attribute(text: str) -> str:
    return escape(visible(text), quote=True)
