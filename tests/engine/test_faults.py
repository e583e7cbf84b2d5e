"""Faults that an execution's options ask for: what they hit, whatever serves the task, and in whatever order."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from asl_engine.engine.faults import TaskFault, parse_fault
from asl_engine.errors import InvalidInput
from asl_engine.testing import Workflow, waits
from tests.testing.machines import ASK, EACH, MESSAGE, ORDER, PACK, RETRY, machine, task

FORMS = {
    "Pay:E": TaskFault("Pay:E", "Pay", "E"),
    "Pay:E@2": TaskFault("Pay:E@2", "Pay", "E", first=2, last=2),
    "Pay:E@1-3": TaskFault("Pay:E@1-3", "Pay", "E", first=1, last=3),
    "Pay:E@2-": TaskFault("Pay:E@2-", "Pay", "E", first=2),
    "Pay:Lambda.ServiceException%20": TaskFault(
        "Pay:Lambda.ServiceException%20", "Pay", "Lambda.ServiceException", percent=20.0
    ),
    "*:E@2-%0.5": TaskFault("*:E@2-%0.5", "*", "E", first=2, percent=0.5),
    "Pay:delay=1m30s@1": TaskFault("Pay:delay=1m30s@1", "Pay", None, delay=90_000, first=1, last=1),
    "A: b:E": TaskFault("A: b:E", "A: b", "E"),
}


@pytest.mark.parametrize("text", FORMS)
def test_forms(text: str) -> None:
    assert parse_fault(text) == FORMS[text]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Pay", "expected STATE:ERROR"),
        ("", "expected STATE:ERROR"),
        ("Pay:", "expected STATE:ERROR"),
        (":E", "expected STATE:ERROR"),
        ("Pay:E@", "expected STATE:ERROR"),
        ("Pay:E@two", "expected STATE:ERROR"),
        ("Pay:E@0", "counted from 1"),
        ("Pay:E@3-2", "a range goes up"),
        ("Pay:E%120", "from 0 to 100"),
        ("Pay:delay=soon", "'soon' is no duration"),
        ("Pay:States.ALL", "name one of them"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as refused:
        parse_fault(text)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            "ProcesPayment:E",
            "has no state 'ProcesPayment'; did you mean 'ProcessPayment'",
        ),
        ("Elsewhere:E", "its tasks are 'ValidateOrder', 'CheckInventory'"),
        ("Pack*:E", "no Task state of the machine is called 'Pack\\*'"),
    ],
)
def test_unknown_states(fault: str, message: str) -> None:
    with (
        Workflow(ORDER, dict.fromkeys(ANSWERS, 1), faults=[fault]) as order,
        pytest.raises(InvalidInput, match=message),
    ):
        order.run({})


def test_a_state_that_is_no_task() -> None:
    with (
        Workflow(machine(Nap={"Type": "Wait", "Seconds": 1, "End": True}), faults=["Nap:E"]) as nap,
        pytest.raises(InvalidInput, match="'Nap' is a Wait state, and only tasks have faults"),
    ):
        nap.run({})


@pytest.mark.parametrize("faults", ["Pay:E", [1], None])
def test_faults_of_another_type(faults: Any) -> None:
    with pytest.raises(TypeError, match="faults"):
        Workflow(machine(Pay=task()), {"Pay": 1}, faults=faults)


ANSWERS = ["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder", "OrderFailed", "RefundAndFail"]


@pytest.mark.parametrize(
    ("faults", "path", "delays"),
    [
        (["ProcessPayment:PaymentRetryableError@2"], ANSWERS[:4], []),
        (["ProcessPayment:PaymentRetryableError@1-2"], ANSWERS[:4], [2, 4]),
        (["ProcessPayment:PaymentError"], [*ANSWERS[:3], "RefundAndFail", "OrderFailed"], []),
        (
            ["Process*:PaymentRetryableError@1", "*:PaymentError@2"],
            [*ANSWERS[:3], "RefundAndFail", "OrderFailed"],
            [2],
        ),
        (["*:OutOfStockError@1"], [], None),
    ],
)
def test_the_order_machine(faults: list[str], path: list[str], delays: list[int] | None) -> None:
    with Workflow(ORDER, {name: {} for name in ANSWERS}) as order:
        run = order.run({}, faults=faults)
        if delays is None:
            run.assert_failed("OutOfStockError")  # of ValidateOrder, which does not catch it
            return
        run.assert_succeeded().assert_path(*path)
        run.state("ProcessPayment").assert_attempts(len(delays) + 1, delays=delays)


def test_a_timeout_takes_its_time_and_a_delay_too() -> None:
    slow = machine(Pay=task(TimeoutSeconds=30, Retry=[{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 5}]))
    with Workflow(slow, {"Pay": 1}) as pay:
        run = pay.run({}, faults=["Pay:States.Timeout@1", "Pay:delay=10s@2"])
        assert run.clock.now == datetime(2024, 1, 1, 0, 0, 30 + 5 + 10, tzinfo=UTC)
        run.state("Pay").assert_attempts(2)
        kinds = [event["type"] for event in run.history]
        assert "LambdaFunctionTimedOut" in kinds


def test_a_delay_longer_than_the_timeout() -> None:
    with Workflow(machine(Pay=task(TimeoutSeconds=30)), {"Pay": 1}, faults=["Pay:delay=31s"]) as pay:
        pay.run({}).assert_failed("States.Timeout")


def test_a_timeout_without_timeout_seconds_comes_at_once() -> None:
    with Workflow(machine(Pay=task()), {"Pay": 1}, faults=["Pay:States.Timeout"]) as pay:
        pay.run({}).assert_failed("States.Timeout")


def test_each_iteration_counts_its_own_calls() -> None:
    each = machine(Each={**EACH, "MaxConcurrency": 1})
    for definition in (each, machine(Each=EACH)):
        with Workflow(definition, {"One": lambda event: event}) as workflow:
            run = workflow.run([1, 2, 3], faults=["One:E@1"])
            run.assert_succeeded([1, 2, 3])
            assert run.state("One").attempts == 6  # two in each


@pytest.mark.parametrize("mode", ["INLINE", "DISTRIBUTED"])
def test_a_percentage_hits_the_same_whatever_the_order(mode: str) -> None:
    """Of one seed the same iterations fail, one after the other or all at once."""

    def hit(seed: int, concurrency: int) -> list[Any]:
        processor = {
            "ProcessorConfig": {"Mode": mode, "ExecutionType": "STANDARD"}
            if mode == "DISTRIBUTED"
            else {"Mode": mode},
            **machine(One=task(Catch=[{"ErrorEquals": ["E"], "Next": "Hit"}]), Hit={"Type": "Succeed"}),
        }
        each = machine(
            Each={"Type": "Map", "MaxConcurrency": concurrency, "ItemProcessor": processor, "End": True}
        )
        with Workflow(each, {"One": "fine"}, faults=["One:E%40"], seed=seed) as workflow:
            output = workflow.run([*range(20)]).output
        return [one == "fine" for one in output]

    first = hit(1, 1)
    assert first == hit(1, 7) == hit(1, 0)
    assert first != hit(2, 1)
    assert 0 < first.count(False) < 20


def test_a_callback_and_an_activity() -> None:
    both = machine(
        Ask=task(ASK, Parameters=MESSAGE, Retry=RETRY, ResultPath=None, Next="Pack"),
        Pack=task(PACK, Retry=RETRY),
    )
    with Workflow(both, {"Ask": waits(), "Pack": [2]}, faults=["*:E@1"]) as workflow:
        run = workflow.start({})
        run.clock.advance("2s")
        run.task("Ask").succeed({"n": 1})
        run.finish().assert_succeeded(2)
        assert [event["type"] for event in run.history].count("ActivityFailed") == 1
    with Workflow(both, {"Ask": {"n": 1}}, faults=["Pack:E@1"]) as workflow:
        run = workflow.start({})
        run.clock.advance("2s")
        run.task("Pack").succeed(3)
        run.assert_succeeded(3)
