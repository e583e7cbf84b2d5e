"""Tests that run their executions on a target: on a server of ours, in this process and on a port of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.core.events import TaskScheduled
from asl_engine.errors import AslError, ExecutionNotRedrivable
from asl_engine.json_text import dumps
from asl_engine.testing import RunTarget, Workflow, calls, fails, returns, sleep, waits
from asl_engine.testing.lacking import NotOnTarget
from asl_engine.testing.observers import OBSERVERS
from asl_engine.testing.parity import REHEARSAL, parity_problems
from asl_engine.testing.workflow_run import StillWaiting
from tests.server.harness import running
from tests.testing.machines import ASK, EACH, FUNCTION, MESSAGE, ORDER, PACK, SEND, machine, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.testing.observers import ObservedDefinition
    from asl_engine.testing.parity import Rehearsal

RETRY = [{"ErrorEquals": ["E"], "IntervalSeconds": 1, "MaxAttempts": 1}]
MODE = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
ORDER_TASKS: dict[str, Any] = dict.fromkeys(
    ["validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure", "refund"],
    lambda event: event,
)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunTarget]:
    """A server that skips time."""
    with running(tmp_path_factory.mktemp("target") / "asl.db") as server, RunTarget(url(server.port)) as there:
        yield there
        states = there.aws.states
        assert states.list_state_machines()["stateMachines"] == []  # each run has deleted its own


def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


# -- the same test, here and there ------------------------------------------------------------------------


def happy(place: RunTarget | Rehearsal) -> Workflow:
    workflow = Workflow(ORDER, ORDER_TASKS, target=place)
    run = workflow.run({"orderId": "o-1"})
    run.assert_succeeded({"orderId": "o-1"}).assert_path(
        "ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"
    )
    run.state("FulfillOrder").assert_called_with({"orderId": "o-1"})
    return workflow


def three_retries_then_a_refund(place: RunTarget | Rehearsal) -> Workflow:
    workflow = Workflow(ORDER, ORDER_TASKS, target=place)
    answers = [*[fails("PaymentRetryableError")] * 3, fails("PaymentError", "declined")]
    run = workflow.run({"orderId": "o-1"}, {"processPayment": answers})
    run.state("ProcessPayment").assert_attempts(4, delays=[2, 4, 8]).assert_caught(
        "PaymentError", next="RefundAndFail"
    )
    run.state("RefundAndFail").assert_input({"Error": "PaymentError", "Cause": "declined"})
    assert "4 attempts, after 2s, 4s, 8s" in run.tree
    return workflow


def redriven(place: RunTarget | Rehearsal) -> Workflow:
    two = machine(A=task(f"{FUNCTION}a", Next="B"), B=task(f"{FUNCTION}b", Retry=RETRY))
    workflow = Workflow(two, {"a": 1, "b": [fails("E"), fails("E"), 7]}, target=place)
    run = workflow.run({"x": 1})
    run.assert_failed("E").redrive().finish().assert_succeeded(7)
    run.state("B").assert_attempts(3, delays=[1]).assert_called_with(1, 1, 1)
    assert run.redrives == 1
    with pytest.raises(ExecutionNotRedrivable, match="Execution is SUCCEEDED and cannot be redriven"):
        run.redrive()
    return workflow


def a_worker_is_waited_for(place: RunTarget | Rehearsal) -> Workflow:
    pack = machine(P=task(PACK, Next="S"), S=task(SEND, Parameters={"QueueUrl": "q", "MessageBody": "x"}))
    workflow = Workflow(pack, {"S": {"MessageId": "m-1"}}, target=place)
    run = workflow.start({"parcel": 1})
    run.assert_waits_for("P").assert_running()
    asked = run.task("P").take("me")
    assert asked.input == {"parcel": 1}
    asked.heartbeat()
    asked.succeed({"packed": True})
    run.finish().assert_succeeded({"MessageId": "m-1"})
    run.state("S").assert_called_with({"QueueUrl": "q", "MessageBody": "x"})
    return workflow


def the_test_fails_an_answer_of_its_own(place: RunTarget | Rehearsal) -> Workflow:
    workflow = Workflow(machine(A=task(f"{FUNCTION}a", Retry=RETRY)), {"a": [waits(), 2]}, target=place)
    run = workflow.start({})
    run.task("A").fail("E", "why")
    run.finish().assert_succeeded(2)
    assert (run.state("A").errors, run.state("A").causes) == (["E"], ["why"])
    return workflow


def iterations_and_branches(place: RunTarget | Rehearsal) -> Workflow:
    both = {
        "Type": "Parallel",
        "Branches": [machine(L=task(f"{FUNCTION}left")), machine(R=task(f"{FUNCTION}right"))],
        "Next": "Each",
    }
    each = {**EACH, "MaxConcurrency": 1}
    answers = {"left": [[1, 2]], "right": lambda _: 3, "one": [10, fails("E"), 20, 30]}
    workflow = Workflow(machine(Both=both, Each=each), answers | {"left": returns([1, 2])}, target=place)
    run = workflow.run({})
    run.assert_succeeded([10, 20])
    run.state("Each").assert_iterations(2).assert_input([[1, 2], 3])
    run.state("One").assert_entered(2).assert_attempts(3)
    return workflow


def children_of_a_map_run(place: RunTarget | Rehearsal) -> Workflow:
    processor = {**machine(One=task(f"{FUNCTION}one")), "ProcessorConfig": MODE}
    each = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 1, "End": True}
    workflow = Workflow(machine(Each=each), {"one": lambda event: event + 1}, target=place)
    run = workflow.run([1, 2, 3])
    run.assert_succeeded([2, 3, 4])
    run.state("Each").assert_iterations(3)
    assert sorted(run.state("One").outputs) == [2, 3, 4]
    return workflow


def stopped(place: RunTarget | Rehearsal) -> Workflow:
    workflow = Workflow(machine(P=task(PACK)), target=place)
    workflow.start({}).stop("Enough", "late").assert_aborted("Enough", "late")
    return workflow


TESTS: list[Callable[[RunTarget | Rehearsal], Workflow]] = [
    happy,
    three_retries_then_a_refund,
    redriven,
    a_worker_is_waited_for,
    the_test_fails_an_answer_of_its_own,
    iterations_and_branches,
    children_of_a_map_run,
    stopped,
]


@pytest.mark.parametrize("test", TESTS)
def test_the_same_test_passes_here_and_there_with_the_same_events(
    target: RunTarget, test: Callable[[RunTarget | Rehearsal], Workflow]
) -> None:
    with test(REHEARSAL) as here, test(target) as there:
        assert parity_problems(here.runs, there.runs) == []
        assert [run.tree for run in here.runs] == [run.tree for run in there.runs]


def test_a_difference_is_told_with_its_event(target: RunTarget) -> None:
    one = machine(A=task(f"{FUNCTION}a"))
    with (
        Workflow(one, {"a": {"n": 1}}, target=REHEARSAL) as here,
        Workflow(one, {"a": {"n": 2}}, target=target) as there,
    ):
        (told,) = parity_problems([here.run({})], [there.run({})])
        assert told.startswith(
            "run 1 of StateMachine: event 5, ActivitySucceeded of A: output.n is 1 here, 2 there"
        )
        assert parity_problems([], [there.runs[0]]) == ["run 1 was started on the target only"]


def test_what_fails_in_a_stand_in_fails_the_test(target: RunTarget) -> None:
    def asserts(event: Any) -> None:
        assert event == {"n": 2}

    workflow = Workflow(machine(A=task(f"{FUNCTION}a", Retry=RETRY)), {"a": asserts}, target=target)
    with workflow, pytest.raises(AssertionError):
        workflow.run({"n": 1})
    with (
        Workflow(
            machine(
                A=task(f"{FUNCTION}a"),
            ),
            {"a": []},
            target=target,
        ) as workflow,
        pytest.raises(AslError, match="its list has 0 answers"),
    ):
        workflow.run({"n": 1})


def test_a_task_without_an_answer_is_the_targets_own(tmp_path: Path) -> None:
    """Here nothing serves it, so it fails there, and is not answered by chance."""
    with (
        running(tmp_path / "asl.db") as server,
        RunTarget(url(server.port)) as there,
        Workflow(machine(A=task(f"{FUNCTION}nobodys")), target=there) as workflow,
    ):
        workflow.run({}).assert_failed("Lambda.ResourceNotFoundException")


def test_observers_hear_of_the_run_there_as_the_test_has_written_it(target: RunTarget) -> None:
    told: list[tuple[str, str | None, list[str]]] = []

    def ran(definition: ObservedDefinition, events: Sequence[Event], test_id: str | None) -> None:
        resources = [event.resource for event in events if isinstance(event, TaskScheduled)]
        told.append((definition.text, test_id, resources))

    OBSERVERS.append(ran)
    try:
        for place in (REHEARSAL, target):
            with Workflow(ONE, {"a": 1}, target=place, test_id="t") as workflow:
                workflow.run({})
    finally:
        OBSERVERS.remove(ran)
    assert told == [(dumps(ONE), "t", [f"{FUNCTION}a"])]


# -- what cannot be had there -----------------------------------------------------------------------------


async def slow(_event: Any) -> None:
    await sleep("2s")


ONE = machine(A=task(f"{FUNCTION}a"))
WAIT = machine(W={"Type": "Wait", "Seconds": 60, "End": True})
LACKING: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "an answer after a while": (ONE, {"a": returns(1, after="40s")}, {}, "'a' answers after a while"),
    "a callable that sleeps": (ONE, {"a": calls(slow)}, {}, "sleep: 2s are to pass"),
    "a moment to start at": (ONE, {"a": 1}, {"now": "2030-01-01T00:00:00Z"}, "now: executions start when"),
    "other limits": (ONE, {"a": 1}, {"aws_limits": False}, "aws_limits: a target has its own"),
    "faults": (ONE, {"a": 1}, {"faults": ["A:E@1"]}, "faults: the tasks of a target"),
    "a callback": (machine(Ask=task(ASK, Parameters=MESSAGE)), {}, {}, "'Ask' sends its task token away"),
    "a stand-in for a callback": (
        machine(Ask=task(ASK, Parameters=MESSAGE)),
        {"Ask": 1},
        {},
        "'Ask' sends its task token away",
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_a_target_lacks_is_said_and_nothing_is_called(target: RunTarget, what: str) -> None:
    definition, answers, options, reason = LACKING[what]
    workflow = Workflow(definition, answers, target=target, **options)
    with workflow, pytest.raises(NotOnTarget, match=reason):
        workflow.run({})


def test_time_is_not_the_tests_own(target: RunTarget) -> None:
    with Workflow(machine(P=task(PACK)), target=target) as workflow:
        run = workflow.start({})
        assert run.clock.now.year >= 2024
        with pytest.raises(NotOnTarget, match="advance"):
            run.clock.advance("2h")
        with pytest.raises(NotOnTarget, match="set"):
            run.clock.set("2099-01-01T00:00:00Z")
        with pytest.raises(StillWaiting, match="P: an answer of the worker"):
            run.finish()


def test_a_wait_beyond_the_patience_is_refused_before_it_is_waited_for(tmp_path: Path) -> None:
    told: list[str] = []
    with (
        running(tmp_path / "asl.db", skip_time=False) as server,
        RunTarget(url(server.port), patience="30s", tell=told.append) as there,
    ):
        assert not there.skips_time
        long = Workflow(WAIT, target=there, test_id="t")
        with long, pytest.raises(NotOnTarget, match=r"W waits for 1m there.* patience=30s"):
            long.run({})
        with Workflow(machine(W={**WAIT["States"]["W"], "Seconds": 1}), target=there, test_id="t") as soon:
            soon.run({}).assert_succeeded()
        assert told == ["t: W waits for 1s there"]


@pytest.mark.parametrize(
    ("where", "options", "reason"),
    [
        ("nowhere", {}, "endpoint_url=nowhere: it is a URL"),
        ("http://127.0.0.1:1", {"patience": "soon"}, "patience: 'soon' is no duration"),
    ],
)
def test_a_target_that_is_none(where: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(AslError, match=reason):
        RunTarget(where, **options)
