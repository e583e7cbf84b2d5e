"""Where things are: nothing lies on anything else, no line runs through a state, and it is soon done."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage

from asl_engine.graph.layout import lay_out
from asl_engine.graph.model import graph_of
from asl_engine.graph.svg import _Drawing as InPixels
from asl_engine.graph.svg import svg
from asl_engine.graph.terminal import _Drawing as InCharacters
from tests.core.steps import parallel, scope, state
from tests.graph.machines import MACHINES, ORDER, long_machine

if TYPE_CHECKING:
    from asl_engine.graph.layout import GraphLayout, PlacedEdge, Rectangle

METRICS = {"pixels": InPixels(None, {}).metrics(), "characters": InCharacters(None).metrics()}


@pytest.fixture(params=METRICS)
def unit(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def overlap(one: Rectangle, other: Rectangle) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def leaves(layout: GraphLayout) -> dict[str, Rectangle]:
    return {node.location: box for node, box in layout.nodes if not node.scopes}


@pytest.mark.parametrize("name", MACHINES)
def test_states_and_labels_do_not_overlap(name: str, unit: str) -> None:
    layout = lay_out(graph_of(MACHINES[name]), METRICS[unit])
    boxes = [*leaves(layout).values(), *(edge.label for edge in layout.edges if edge.label is not None)]
    assert [
        (one, other) for index, one in enumerate(boxes) for other in boxes[:index] if overlap(one, other)
    ] == []
    for box in boxes:
        assert box.x >= 0 <= box.y
        assert box.x + box.width <= layout.width
        assert box.y + box.height <= layout.height


@pytest.mark.parametrize("name", MACHINES)
def test_lines_run_upright_or_level_and_through_no_state(name: str, unit: str) -> None:
    layout = lay_out(graph_of(MACHINES[name]), METRICS[unit])
    boxes = leaves(layout)
    for edge in layout.edges:
        for (x, y), (to_x, to_y) in pairwise(edge.points):
            assert x == to_x or y == to_y
            for location, box in boxes.items():
                through = (
                    max(x, to_x) > box.x
                    and min(x, to_x) < box.x + box.width - 1
                    and max(y, to_y) > box.y
                    and min(y, to_y) < box.y + box.height
                )
                assert not through or location in {edge.edge.source, edge.edge.target}, (edge.edge, location)
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in edge.points)


@pytest.mark.parametrize("name", MACHINES)
def test_lines_begin_and_end_at_the_borders_of_their_states(name: str, unit: str) -> None:
    layout = lay_out(graph_of(MACHINES[name]), METRICS[unit])
    boxes = {node.location: box for node, box in layout.nodes}
    for edge in layout.edges:
        source, target = boxes[edge.edge.source], boxes[edge.edge.target]
        if edge.step == 0:
            assert edge.points[0][0] == edge.points[-1][0] == source.x + source.width
            continue
        bottom, top = (source, target) if edge.step == 1 else (target, source)
        lower, upper = (edge.points[0], edge.points[-1]) if edge.step == 1 else (edge.points[-1], edge.points[0])
        assert lower[1] == bottom.y + bottom.height
        assert upper[1] == top.y
        assert bottom.x < lower[0] < bottom.x + bottom.width or bottom.width == 1
        assert top.x < upper[0] < top.x + top.width or top.width == 1


@pytest.mark.parametrize("name", MACHINES)
def test_lines_of_different_states_do_not_lie_on_each_other(name: str, unit: str) -> None:
    """But where they leave the same state, or lead to the same one: there they meet."""
    layout = lay_out(graph_of(MACHINES[name]), METRICS[unit])
    pieces = [piece for edge in layout.edges for piece in pieces_of(edge)]
    for index, (edge, at, begin, end) in enumerate(pieces):
        for other, other_at, other_begin, other_end in pieces[:index]:
            if at == other_at and begin < other_end and other_begin < end:
                assert edge.edge.target == other.edge.target or edge.edge.source == other.edge.source


def pieces_of(edge: PlacedEdge) -> list[tuple[PlacedEdge, tuple[str, int], int, int]]:
    """Its level pieces by where they are from the top, its upright ones by where they are from the left."""
    found = []
    for (x, y), (to_x, to_y) in pairwise(edge.points):
        if y == to_y:
            found.append((edge, ("y", y), min(x, to_x), max(x, to_x)))
        else:
            found.append((edge, ("x", x), min(y, to_y), max(y, to_y)))
    return found


def test_the_way_straight_on_is_straight() -> None:
    """The orders that go well are one line down."""
    layout = lay_out(graph_of(ORDER), METRICS["pixels"])
    straight = {edge.edge.source.rpartition("/")[2] for edge in layout.edges if len(edge.points) == 2}
    assert straight >= {"start", "ValidateOrder", "CheckInventory", "ProcessPayment"}


def test_inner_states_are_in_the_boxes_of_theirs(unit: str) -> None:
    layout = lay_out(graph_of(MACHINES["nested"]), METRICS[unit])
    boxes = {node.location: box for node, box in layout.nodes}
    for location, box in boxes.items():
        outer = location.rpartition("/Branches")[0] or location.rpartition("/ItemProcessor")[0]
        if outer:
            holder = boxes[outer]
            assert holder.x < box.x
            assert holder.y < box.y
            assert box.x + box.width < holder.x + holder.width
            assert box.y + box.height < holder.y + holder.height


def test_edges_to_one_state_share_their_lanes() -> None:
    """A handler of a hundred states makes the picture no wider than one of ten."""
    widths = [lay_out(graph_of(guarded(states)), METRICS["pixels"]).width for states in (10, 100)]
    assert widths[1] < widths[0] * 1.2


def guarded(states: int) -> dict[str, Any]:
    found = {}
    for number in range(states):
        ahead = {"Next": f"S{number + 1}"} if number < states - 1 else {}
        found[f"S{number}"] = state(
            "Task",
            Resource="arn:aws:lambda:r:1:function:f",
            Catch=[{"ErrorEquals": ["E"], "Next": "Sorry"}],
            **ahead,
        )
    return scope(**found, Sorry=state("Pass"))


@pytest.mark.parametrize("name", MACHINES)
def test_the_same_definition_has_the_same_picture(name: str) -> None:
    again = json.loads(json.dumps(MACHINES[name]))
    assert svg(graph_of(MACHINES[name]), "m") == svg(graph_of(again), "m")


def test_deeply_nested_states_need_no_stack() -> None:
    machine = scope(Inmost=state("Pass"))
    for depth in range(150):
        machine = scope(**{f"S{depth}": parallel(machine)})
    layout = lay_out(graph_of(machine), METRICS["characters"])
    assert len(layout.nodes) == 153


def test_a_definition_of_a_mebibyte_with_500_states_is_laid_out_within_a_second() -> None:
    text = json.dumps(long_machine(500, comment=1900))
    assert 1_000_000 < len(text) < 2**20
    document = json.loads(text)

    def measured() -> float:
        begin = time.process_time()
        picture = svg(graph_of(document), "m")
        assert picture.count('<g class="node ') == 501
        return time.process_time() - begin

    is_traced = Coverage.current() is not None  # which takes several times as long
    assert min(measured() for _ in range(1 if is_traced else 3)) < (10 if is_traced else 1)
