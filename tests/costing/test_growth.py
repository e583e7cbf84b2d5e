"""Where runs head for quotas: what is foretold is what happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.costing.growth import loops
from asl_engine.limits import AWS_LIMITS
from asl_engine.testing import returns
from tests.cli.project import machine, task
from tests.costing.runs import cost, poll, run

if TYPE_CHECKING:
    from asl_engine.costing.cost import Cost
    from asl_engine.costing.growth import Heading

EACH = machine(
    First={"Type": "Pass"},
    Each={"Type": "Map", "ItemProcessor": machine(Inner={"Type": "Pass"}, Second={"Type": "Pass"})},
    Last={"Type": "Pass"},
)
FEW = AWS_LIMITS._replace(history_events=300)


def ahead(priced: Cost, quota: str) -> Heading:
    (found,) = [one for one in priced.headings if one.quota == quota and one.at is not None]
    return found


def test_a_map_reaches_its_last_event_at_the_item_that_was_foretold() -> None:
    told = ahead(cost(EACH, [1, 2, 3], limits=FEW), "history")
    assert (told.place, told.step, told.steps, told.adds) == ("States.Each", "item", 3, 6)
    assert told.at is not None
    assert run(EACH, [0] * (told.at - 1), history_events=300).status == "SUCCEEDED"
    failed = run(EACH, [0] * told.at, history_events=300)
    assert (failed.status, failed.error) == ("FAILED", "States.Runtime")


def test_a_loop_reaches_its_last_event_at_the_turn_that_was_foretold() -> None:
    given = {"left": 3, "seen": ""}
    told = ahead(cost(poll(), given, limits=FEW), "history")
    assert (told.place, told.step, told.steps, told.adds) == ("States.Count", "turn", 2, 6)
    assert told.at is not None
    assert run(poll(), {**given, "left": told.at - 1}, history_events=300).status == "SUCCEEDED"
    assert run(poll(), {**given, "left": told.at + 1}, history_events=300).status == "FAILED"


def test_in_aws_own_numbers() -> None:
    lambdas = machine(Each={"Type": "Map", "ItemProcessor": machine(Call=task("call"))})
    told = ahead(cost(lambdas, [1, 2], {"call": 1}), "history")
    assert told.told == "each item adds 7 events: 25,000 events at item 3,571"
    assert f"{told.place}" == "States.Each"


def test_a_payload_that_grows_with_each_turn() -> None:
    small = AWS_LIMITS._replace(payload_bytes=2_000)
    given = {"left": 4, "seen": ""}
    told = ahead(cost(poll(), given, limits=small), "payload")
    assert told.place == "States.Count"
    assert told.adds == pytest.approx(21, abs=1)  # the text, its quotes, a comma and brackets
    assert told.at is not None
    assert "bytes to its input: 2,000 bytes at turn" in told.told
    assert run(poll(), {**given, "left": told.at - 4}, payload_bytes=2_000).status == "SUCCEEDED"
    assert run(poll(), {**given, "left": told.at + 4}, payload_bytes=2_000).status == "FAILED"


def test_the_output_of_a_map_grows_with_its_items() -> None:
    calls = machine(Each={"Type": "Map", "ItemProcessor": machine(Call=task("call"))})
    told = ahead(cost(calls, [1] * 4, {"call": returns("x" * 97)}), "payload")
    assert (told.adds, told.at) == (100, 2_622)
    assert told.told == "each item adds 100 bytes to its output: 262,144 bytes at item 2,622"


def test_the_five_minutes_of_express() -> None:
    told = ahead(cost(poll(10), {"left": 3, "seen": ""}), "Express duration")
    assert told.told == "each turn adds 10.0 s if it were Express: 5 min 0 s at turn 30"


def test_children_of_a_map_run_and_iterations_beside_each_other() -> None:
    inner: dict[str, Any] = machine(I={"Type": "Pass"})
    distributed = machine(
        M={
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **inner},
            "Label": "m",
        }
    )
    headings = cost(distributed, [1, 2, 3]).headings
    (children,) = [one for one in headings if one.quota == "children at once"]
    assert (children.seen, children.limit, children.place) == (3, 10_000, "States.M")
    assert {one.machine for one in headings} == {"", "StateMachine/m"}
    inline = cost(machine(M={"Type": "Map", "ItemProcessor": inner}), [0] * 41).headings
    assert any(one.quota == "iterations at once" and one.seen == 41 for one in inline)


def test_the_largest_payload_says_what_it_is() -> None:
    priced = cost(machine(A={"Type": "Pass"}, B=task("b")), {}, {"b": "x" * 200})
    (largest,) = [one for one in priced.headings if one.quota == "payload"]
    assert (largest.place, largest.seen) == ("States.B", 202)
    assert largest.told == "202 of 262,144 bytes, the result of its task"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("abc", []),
        ("abab", [(0, 2)]),
        ("xababy", [(1, 3)]),
        ("aabb", [(0, 1), (2, 3)]),
        ("abbcabbcd", [(0, 4), (5, 6)]),
    ],
)
def test_loops(path: str, expected: list[tuple[int, int]]) -> None:
    assert [*loops(path)] == expected
