"""Standard, Express and durable functions, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.costing.usage import FunctionFigures, FunctionTable
from asl_engine.testing import fails, returns, waits
from tests.cli.project import machine, task
from tests.costing.runs import PRICING, SMALL, cost

if TYPE_CHECKING:
    from asl_engine.costing.cost import Cost
    from asl_engine.costing.models import CostLine, Estimate, Model

RETRY = [{"ErrorEquals": ["E"], "IntervalSeconds": 10, "MaxAttempts": 2}]
ACTIVITY = "arn:aws:states:us-east-1:123456789012:activity:pack"
QUEUE = "arn:aws:states:::sqs:sendMessage"
START = "arn:aws:states:::states:startExecution"
RUN_TASK = "arn:aws:states:::ecs:runTask.sync"
PARAMETERS = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/1/q", "MessageBody": {"token.$": "$$.Task.Token"}}


def estimate(priced: Cost, model: Model) -> Estimate:
    return next(one for one in priced.estimates if one.model == model)


def line(one: Estimate, price: str) -> CostLine:
    return next(line for line in one.lines if line.price == price)


def test_standard_is_its_transitions_and_its_functions() -> None:
    priced = cost(machine(A={"Type": "Pass"}, B=task("b", Retry=RETRY)), {}, {"b": [fails("E"), 1]})
    one = estimate(priced, "STANDARD")
    assert line(one, "standard-transitions").quantity == 3
    assert line(one, "standard-transitions").each == pytest.approx(3 * 25 / 1e6)
    assert line(one, "standard-transitions").month == pytest.approx((3 * 1_000_000 - 4_000) * 25 / 1e6)
    assert line(one, "lambda-requests").quantity == 2


def test_express_is_its_request_and_its_memory_for_a_while() -> None:
    priced = cost(machine(A={"Type": "Wait", "Seconds": 3}), {})
    one = estimate(priced, "EXPRESS")
    assert line(one, "express-requests").quantity == 1
    assert line(one, "express-memory").quantity == pytest.approx(64 / 1024 * 3 / 3600)
    assert one.each == pytest.approx(1e-6 + 64 / 1024 * 3 * 0.06 / 3600)


def test_express_bills_at_least_a_step() -> None:
    one = estimate(cost(machine(A={"Type": "Pass"}), {}), "EXPRESS")
    assert line(one, "express-memory").quantity == pytest.approx(64 / 1024 * 0.1 / 3600)


def test_many_iterations_take_more_memory() -> None:
    each = machine(M={"Type": "Map", "ItemProcessor": machine(I={"Type": "Pass", "Result": 0})})
    one = estimate(cost(each, ["x" * 2_000] * 100 + ["y"]), "EXPRESS")
    assert line(one, "express-memory").quantity == pytest.approx(64 / 1024 * 0.1 / 3600)  # 50.2 MB


def test_given_durations_count_in_all_ways() -> None:
    functions = FunctionTable({"b": FunctionFigures(2_000, 512)}, measured=False)
    priced = cost(machine(B=task("b"), C=task("b")), {}, {"b": 1}, functions)
    assert priced.own.duration == 4_000
    for model in ("STANDARD", "EXPRESS", "DURABLE"):
        assert line(estimate(priced, model), "lambda-compute-x86").quantity == pytest.approx(2.0)
    assert line(estimate(priced, "EXPRESS"), "express-memory").quantity == pytest.approx(64 / 1024 * 4 / 3600)


def test_branches_run_beside_each_other() -> None:
    functions = FunctionTable({"b": FunctionFigures(2_000, 512)}, others=FunctionFigures(500, 512), measured=False)
    both = machine(P={"Type": "Parallel", "Branches": [machine(B=task("b")), machine(C=task("c"))]})
    assert cost(both, {}, {"b": 1, "c": 1}, functions).own.duration == 2_000


def test_arm_has_its_own_price() -> None:
    functions = FunctionTable({"b": FunctionFigures(1_000, 1024, arm=True)}, measured=False)
    one = estimate(cost(machine(B=task("b")), {}, {"b": 1}, functions), "STANDARD")
    assert line(one, "lambda-compute-arm").each == pytest.approx(0.0000133334)


def test_what_is_not_known_is_not_priced() -> None:
    priced = cost(machine(B=task("b")), {}, {"b": 1})
    one = estimate(priced, "STANDARD")
    assert (line(one, "lambda-compute-x86").quantity, one.unknown) == (None, ["lambda-compute-x86"])
    assert priced.notes == ["the duration of b is not known"]
    unknown = cost(machine(B=task("b")), {}, {"b": returns(1, after="1s")}, FunctionTable(measured=False))
    assert unknown.notes == ["the memory of b is not known"]


def test_durations_of_stand_ins_count() -> None:
    priced = cost(machine(B=task("b")), {}, {"b": returns(1, after="2s")})
    assert line(estimate(priced, "STANDARD"), "lambda-compute-x86").quantity == pytest.approx(128 / 1024 * 2)


def test_durable_operations() -> None:
    definition = machine(
        A={"Type": "Pass"},
        B=task("b", Retry=RETRY),
        W={"Type": "Wait", "Seconds": 5},
        P={"Type": "Parallel", "Branches": [machine(C=task("b")), machine(D={"Type": "Pass"})]},
    )
    one = estimate(cost(definition, {}, {"b": [fails("E"), 1, 2]}), "DURABLE")
    # itself, three attempts, one delay and one wait, a Parallel and its two branches
    assert line(one, "durable-operations").quantity == 1 + 3 + 2 + 3
    assert line(one, "lambda-requests").quantity == 3  # once, and after each pause
    assert one.unknown == ["durable-written", "durable-retained", "lambda-compute-x86"]


CANNOT: dict[str, tuple[dict[str, Any], Any, str]] = {
    "an activity": (machine(A={"Type": "Task", "Resource": ACTIVITY}), {"A": 1}, "A is the task of an activity"),
    "a token": (
        machine(A={"Type": "Task", "Resource": f"{QUEUE}.waitForTaskToken", "Parameters": PARAMETERS}),
        {"A": 1},
        "A waits for a task token (sqs:sendMessage.waitForTaskToken)",
    ),
    "a job": (
        machine(A={"Type": "Task", "Resource": RUN_TASK, "Parameters": {"TaskDefinition": "t"}}),
        {"A": {}},
        "A waits for a job (ecs:runTask.sync)",
    ),
    "a distributed Map": (
        machine(
            M={
                "Type": "Map",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    **machine(I={"Type": "Pass"}),
                },
            }
        ),
        {},
        "M is a distributed Map",
    ),
    "more than five minutes": (
        machine(W={"Type": "Wait", "Seconds": 301}),
        {},
        "it takes 5 min 1 s, and an Express execution at most 5 minutes",
    ),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_be_express_has_a_reason_instead_of_a_price(case: str) -> None:
    definition, tasks, reason = CANNOT[case]
    given = [1] if case == "a distributed Map" else {}
    one = estimate(cost(definition, given, tasks), "EXPRESS")
    assert (one.reasons, one.lines) == ([reason], [])


def test_five_minutes_are_allowed() -> None:
    assert estimate(cost(machine(W={"Type": "Wait", "Seconds": 300}), {}), "EXPRESS").reasons == []


def test_children_of_a_map_run_count_by_their_type() -> None:
    def mapped(kind: str) -> Estimate:
        config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
        inner = machine(I={"Type": "Pass"}, J={"Type": "Pass"})
        definition = machine(M={"Type": "Map", "ItemProcessor": {"ProcessorConfig": config, **inner}})
        return estimate(cost(definition, [1, 2, 3]), "STANDARD")

    assert line(mapped("STANDARD"), "standard-transitions").quantity == 1 + 3 * 2
    express = mapped("EXPRESS")
    assert line(express, "standard-transitions").quantity == 1
    assert line(express, "express-requests").quantity == 3
    assert line(express, "express-memory").what == "GB-hours of Express children"


def test_an_execution_that_waits_is_priced_so_far() -> None:
    from asl_engine.costing.cost import cost_of
    from asl_engine.testing import Workflow

    token = machine(
        A={"Type": "Task", "Resource": f"{QUEUE}.waitForTaskToken", "Parameters": PARAMETERS},
        B={"Type": "Pass"},
    )
    with Workflow(token, {"A": waits()}) as workflow:
        started = workflow.start({})
        priced = cost_of(started.logs, started.status, SMALL, PRICING)
    assert (priced.status, priced.transitions.total) == ("RUNNING", 1)
