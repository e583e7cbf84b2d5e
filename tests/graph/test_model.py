"""What there is to draw of a definition."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.graph.conditions import condition_text
from asl_engine.graph.model import END, START, child_graph, graph_of, scopes_within
from asl_engine.language.loader import load
from tests.core.steps import scope, state
from tests.graph.machines import MACHINES, NESTED, ORDER, call, rule

if TYPE_CHECKING:
    from asl_engine.graph.model import GraphScope


def arrows(graph: GraphScope) -> list[tuple[str, str, str]]:
    """Without the locations around the names."""
    return [(edge.source.rpartition("/")[2], edge.kind, edge.target.rpartition("/")[2]) for edge in graph.edges]


def test_the_order_machine() -> None:
    graph = graph_of(ORDER)
    assert [node.name for node in graph.nodes] == ["Start", *ORDER["States"], "End"]
    assert arrows(graph) == [
        ("start", "next", "ValidateOrder"),
        ("ValidateOrder", "next", "CheckInventory"),
        ("ValidateOrder", "catch", "OrderFailed"),
        ("CheckInventory", "next", "ProcessPayment"),
        ("CheckInventory", "catch", "OrderFailed"),
        ("ProcessPayment", "next", "FulfillOrder"),
        ("ProcessPayment", "catch", "RefundAndFail"),
        ("FulfillOrder", "next", "end"),
        ("OrderFailed", "next", "end"),
        ("RefundAndFail", "next", "OrderFailed"),
    ]
    payment = next(node for node in graph.nodes if node.name == "ProcessPayment")
    assert (payment.type, payment.detail) == ("Task", "processPayment · ↻ 3")
    caught = next(edge for edge in graph.edges if edge.kind == "catch")
    assert (caught.labels, caught.places) == (("ValidationError",), ("/States/ValidateOrder/Catch[0]",))


def test_all_ways_to_one_state_are_one_edge() -> None:
    many = {"ErrorEquals": ["A", "B"], "Next": "Out"}
    graph = graph_of(
        scope(
            Pick=state(
                "Choice",
                Choices=[rule("Do", IsNull=True), rule("Out", IsString=True), rule("Do", NumericEquals=1)],
                Default="Do",
            ),
            Do=call("do", Catch=[many, {"ErrorEquals": ["States.ALL"], "Next": "Out"}]),
            Out=state("Succeed"),
        )
    )
    ways = {(edge.source, edge.target): edge for edge in graph.edges}
    picked = ways["/States/Pick", "/States/Do"]
    assert picked.labels == ("$.v is null", "$.v = 1", "default")
    assert picked.places == ("/States/Pick/Choices[0]", "/States/Pick/Choices[2]", "/States/Pick/Default")
    assert ways["/States/Do", "/States/Out"].labels == ("A, B", "States.ALL")
    assert ways["/States/Out", END].places == ("/States/Out",)  # it has no End: that it was entered says it


def test_scopes_within_states() -> None:
    graph = graph_of(NESTED)
    assert [one.title for one in scopes_within(graph)] == [
        "",
        "branch 0",
        "branch 1",
        "branch 2",
        "each item",
        "each item",
    ]
    fan, far = (next(node for node in graph.nodes if node.name == name) for name in ("Fan", "Each"))
    assert [arrows(one) for one in fan.scopes][1] == [("B1", "rule", "B2"), ("B1", "default", "B3")]
    assert (fan.distributed, far.distributed, far.detail) == (False, True, "distributed")


def test_a_child_of_a_map_run_has_the_item_processor_only() -> None:
    labels = {"Each": "each"}
    child = child_graph(NESTED, "m/each", labels)
    assert arrows(child) == [
        ("start", "next", "Load"),
        ("Load", "next", "end"),
        ("Load", "catch", "Skip"),
        ("Skip", "next", "end"),
    ]
    assert child_graph(NESTED, "m", labels) == graph_of(NESTED)
    assert child_graph(NESTED, "m/gone", labels) == graph_of(NESTED)


@pytest.mark.parametrize("name", MACHINES)
def test_the_machines_are_valid(name: str) -> None:
    """Else the pictures would say nothing about real ones."""
    load(json.dumps(MACHINES[name]))
    assert graph_of(MACHINES[name]).start == START


DETAILS: dict[str, tuple[dict[str, Any], str]] = {
    "a service": (
        {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"},
        "sqs:sendMessage.waitForTaskToken",
    ),
    "an activity": ({"Type": "Task", "Resource": "arn:aws:states:r:1:activity:pack"}, "activity pack"),
    "what is no ARN": ({"Type": "Task", "Resource": "${Function}"}, "${Function}"),
    "seconds": ({"Type": "Wait", "Seconds": 3}, "3 s"),
    "a moment": ({"Type": "Wait", "TimestampPath": "$.at"}, "$.at"),
    "an error": ({"Type": "Fail", "Error": "E"}, "E"),
    "a retrier that retries nothing": (
        {"Type": "Task", "Resource": "r", "Retry": [{"ErrorEquals": ["E"], "MaxAttempts": 0}]},
        "r",
    ),
    "several retriers": (
        {
            "Type": "Task",
            "Resource": "r",
            "Retry": [{"ErrorEquals": ["E"]}, {"ErrorEquals": ["F"], "MaxAttempts": 1}],
        },
        "r · ↻ 3+1",
    ),
}


@pytest.mark.parametrize(("source", "detail"), DETAILS.values(), ids=DETAILS)
def test_what_a_state_does(source: dict[str, Any], detail: str) -> None:
    graph = graph_of({"StartAt": "S", "States": {"S": source | {"End": True}}})
    assert graph.nodes[1].detail == detail


CONDITIONS: dict[str, tuple[Any, str]] = {
    "a text": ({"Variable": "$.a", "StringEquals": 'b"'}, '$.a = "b\\""'),
    "a number": ({"Variable": "$.a", "NumericGreaterThanEquals": 1.5}, "$.a >= 1.5"),
    "a moment": ({"Variable": "$.a", "TimestampLessThan": "2024-01-01T00:00:00Z"}, '$.a < "2024-01-01T00:00:00Z"'),
    "another value": ({"Variable": "$.a", "StringLessThanEqualsPath": "$.b"}, "$.a <= $.b"),
    "a boolean": ({"Variable": "$.a", "BooleanEquals": False}, "$.a = false"),
    "a pattern": ({"Variable": "$.a", "StringMatches": "x*"}, '$.a matches "x*"'),
    "a test": ({"Variable": "$.a", "IsPresent": True}, "$.a is present"),
    "a test for the contrary": ({"Variable": "$.a", "IsNumeric": False}, "$.a is not a number"),
    "all and any": (
        {
            "And": [
                {"Variable": "$.a", "IsNull": True},
                {"Or": [{"Variable": "$.b", "IsNull": True}, {"Not": {"Variable": "$.c", "IsNull": True}}]},
            ]
        },
        "$.a is null and ($.b is null or not ($.c is null))",
    ),
    "JSONata": ({"Condition": "{% $states.input.n\n  > 3 %}"}, "$states.input.n > 3"),
    "a literal": ({"Condition": True}, "true"),
    "too deep to read": (
        {"Not": {"Not": {"Not": {"Not": {"Variable": "$.a", "IsNull": True}}}}},
        "not (not (not (…)))",
    ),
}


@pytest.mark.parametrize(("source", "text"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(source: Any, text: str) -> None:
    assert condition_text(source) == text
