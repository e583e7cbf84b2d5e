"""What assertions accept, and what they say when they fail: the path, the state, and the data that differ."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import AslError, InvalidInput
from asl_engine.testing import Workflow, fails
from asl_engine.testing.differences import differences
from asl_engine.testing.observers import OBSERVERS
from tests.testing.machines import EACH, FUNCTION, ORDER, RETRY, SEND, machine, task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from asl_engine.testing.workflow_run import WorkflowRun

SAME = ("validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure", "refund")
TASKS = {name: lambda event: event for name in SAME}


@pytest.fixture(scope="module")
def declined() -> WorkflowRun:
    answers = [fails("PaymentRetryableError"), fails("PaymentError", "no money")]
    return Workflow(ORDER, TASKS | {"processPayment": answers}).run({"orderId": "o-1"})


TREE = """\
order: SUCCEEDED
├─ ValidateOrder
├─ CheckInventory
├─ ProcessPayment: 2 attempts, after 2s; PaymentRetryableError, PaymentError; caught, goes on to RefundAndFail
├─ RefundAndFail
└─ OrderFailed"""


def test_the_path_is_a_tree(declined: WorkflowRun) -> None:
    assert declined.tree == TREE
    assert declined.path == ["ValidateOrder", "CheckInventory", "ProcessPayment", "RefundAndFail", "OrderFailed"]
    assert declined.history[-1]["type"] == "ExecutionSucceeded"


def test_everything_about_a_state_can_be_asked(declined: WorkflowRun) -> None:
    payment, failed = declined.state("ProcessPayment"), declined.state("OrderFailed")
    assert payment.entered == 1
    assert payment.attempts == 2
    assert payment.delays == [2]
    assert payment.errors == ["PaymentRetryableError", "PaymentError"]
    assert payment.causes == [None, "no money"]
    assert payment.caught == ["PaymentError"]
    assert payment.input == {"orderId": "o-1"}
    assert payment.output == {"Error": "PaymentError", "Cause": "no money"}
    assert payment.calls == [{"orderId": "o-1"}] * 2
    assert failed.inputs == failed.outputs == [payment.output]
    assert declined.state("FulfillOrder").entered == 0
    with pytest.raises(
        InvalidInput, match=r"no state 'Payment'; did you mean 'ProcessPayment'\? \(there are 'ValidateOrder', "
    ):
        declined.state("Payment")


def test_assertions_can_be_chained(declined: WorkflowRun) -> None:
    declined.assert_succeeded({"Error": "PaymentError", "Cause": ...}).assert_path(
        "ValidateOrder", "CheckInventory", "ProcessPayment", "RefundAndFail", "OrderFailed"
    )
    payment = declined.state("ProcessPayment")
    payment.assert_entered().assert_entered(1).assert_attempts(2).assert_attempts(2, delays=[2])
    payment.assert_input({"orderId": "o-1"}).assert_called_with({"orderId": "o-1"}, {...: ...})
    payment.assert_failed("PaymentError", "no money").assert_caught("PaymentError", next="RefundAndFail")
    declined.state("FulfillOrder").assert_not_entered().assert_entered(0)


@pytest.mark.parametrize(
    ("check", "lines"),
    [
        (
            lambda run: run.assert_succeeded({"Error": "X", "More": 1}),
            [
                "workflow order:",
                '  output: $.Error: expected "X", got "PaymentError"',
                "  output: $.More: missing, expected 1",
                '  output: $.Cause: not expected: "no money"',
            ],
        ),
        (
            lambda run: run.assert_failed("X"),
            [
                "  status: expected FAILED, got SUCCEEDED",
                '  output: {"Error": "PaymentError", "Cause": "no money"}',
                '  error: expected "X", got null',
            ],
        ),
        (
            lambda run: run.assert_path("ValidateOrder", "FulfillOrder"),
            ["  state 2: expected FulfillOrder, got CheckInventory", "├─ CheckInventory   <-- here"],
        ),
        (
            lambda run: run.assert_path(*run.path, "FulfillOrder"),
            ["  state 6: expected FulfillOrder, got the end"],
        ),
        (
            lambda run: run.state("ProcessPayment").assert_attempts(3, delays=[2, 4]),
            ["  expected 3 attempts, got 2", "  expected delays of [2, 4] seconds, got [2]"],
        ),
        (
            lambda run: run.state("OrderFailed").assert_input({"Error": "OutOfStockError", "Cause": ...}),
            [
                "state OrderFailed:",
                '  input: $.Error: expected "OutOfStockError", got "PaymentError"',
                "└─ OrderFailed   <-- here",
            ],
        ),
        (
            lambda run: run.state("ProcessPayment").assert_called_with({"orderId": "o-1"}),
            ["  call: expected 1, got 2", '  call 2: {"orderId": "o-1"}'],
        ),
        (
            lambda run: run.state("ProcessPayment").assert_called_with(..., {"orderId": "o-2"}),
            ['  call 2: $.orderId: expected "o-2", got "o-1"'],
        ),
        (
            lambda run: run.state("FulfillOrder").assert_attempts(1),
            ["  expected 1 attempt, got 0", "  FulfillOrder was never entered"],
        ),
        (lambda run: run.state("FulfillOrder").assert_input(1), ["  FulfillOrder was never entered"]),
        (lambda run: run.state("FulfillOrder").assert_entered(), ["  expected to be entered, was never entered"]),
        (
            lambda run: run.state("OrderFailed").assert_not_entered(),
            ["  expected not to be entered, was entered once"],
        ),
        (
            lambda run: run.state("OrderFailed").assert_entered(2),
            ["  expected to be entered twice, was entered once"],
        ),
        (
            lambda run: run.state("OrderFailed").assert_failed("X"),
            ["  expected to fail with X, and no attempt failed"],
        ),
        (
            lambda run: run.state("ProcessPayment").assert_failed("X", "y"),
            ["  error: expected X, got PaymentError", '  cause: expected "y", got "no money"'],
        ),
        (
            lambda run: run.state("OrderFailed").assert_caught("X"),
            ["  expected to catch X, and nothing was caught"],
        ),
        (
            lambda run: run.state("ProcessPayment").assert_caught("X", next="Y"),
            ["  expected to catch X, caught PaymentError", "  expected to go on to Y, went on to RefundAndFail"],
        ),
        (lambda run: run.state("OrderFailed").assert_iterations(1), ["  expected 1 iteration, got 0"]),
        (lambda run: run.state("FulfillOrder").output, ["  expected one output, got 0; it was never entered"]),
        (lambda run: run.assert_waits_for("Ask"), ["  expected to wait for Ask; waits for nothing"]),
        (lambda run: run.assert_running(), ["  status: expected RUNNING, got SUCCEEDED"]),
    ],
)
def test_a_failure_says_what_differs_and_shows_the_path(
    declined: WorkflowRun, check: Callable[[WorkflowRun], object], lines: list[str]
) -> None:
    with pytest.raises(AssertionError) as raised:
        check(declined)
    said = str(raised.value).splitlines()
    assert [line for line in lines if line not in said] == []
    assert [line.removesuffix("   <-- here") for line in said[-6:]] == TREE.splitlines()


def test_a_failed_run_shows_its_error_and_where() -> None:
    run = Workflow(ORDER, TASKS | {"checkInventory": fails("Broken", "why")}).run({})
    with pytest.raises(AssertionError) as raised:
        run.assert_succeeded()
    assert str(raised.value) == (
        "workflow order:\n  status: expected SUCCEEDED, got FAILED\n  error: Broken\n  cause: why\n\n"
        "order: FAILED with Broken\n├─ ValidateOrder\n└─ CheckInventory: Broken   <-- here"
    )


def test_the_order_machine_is_tested_in_less_than_half_a_second() -> None:
    """Of this process's time: the machine of whoever runs this may have more to do."""
    began = time.process_time()
    silence = fails("PaymentRetryableError")
    for changed in (
        {},
        {"processPayment": [silence, silence, silence, {}]},
        {"processPayment": silence},
        {"validateOrder": fails("ValidationError")},
        {"checkInventory": fails("OutOfStockError")},
        {"processPayment": fails("PaymentError")},
    ):
        assert Workflow(ORDER, TASKS).run({}, changed).tree
    assert time.process_time() - began < 0.5


def test_it_says_what_a_run_waits_for() -> None:
    with Workflow(machine(Nap={"Type": "Wait", "Seconds": 5, "End": True})) as workflow:
        run = workflow.start()
        with pytest.raises(
            AssertionError, match=r"got RUNNING\n  it waits for Nap: the time until 2024-01-01 00:00:05"
        ):
            run.assert_succeeded()
        with pytest.raises(
            AssertionError, match=r"expected ABORTED, got RUNNING\n.*\n  cause: expected \"c\", got null"
        ):
            run.assert_aborted(cause="c")
        assert repr(run.state("Nap")) == "<state 'Nap', entered once>"


def test_it_says_for_how_long_a_retry_waits() -> None:
    with Workflow(
        machine(Score=task(Retry=RETRY, Next="Done"), Done={"Type": "Succeed"}), {"work": fails("E")}
    ) as workflow:
        run = workflow.start()
        title = "StateMachine: RUNNING; it waits for Score: the next attempt in 2s"
        assert run.tree == f"{title}\n└─ Score: E"
        with pytest.raises(AssertionError, match=title):
            run.assert_path("Score", "Done")
        with pytest.raises(AssertionError, match=title):
            run.state("Done").assert_entered()
        run.clock.advance("500ms")
        assert "the next attempt in 1.5s" in run.tree
        assert "waits for" not in run.finish().tree


def test_many_things_that_it_waits_for_are_counted() -> None:
    with Workflow(machine(All={**EACH, "ItemsPath": "$"}), {"one": fails("E")}) as workflow:
        assert workflow.start([1] * 8).tree.splitlines()[0].endswith(", One: the next attempt in 2s, 3 more")


@pytest.mark.parametrize(
    ("state", "type_name"),
    [({"Type": "Pass", "End": True}, "Pass"), ({"Type": "Wait", "Seconds": 1, "End": True}, "Wait")],
)
def test_a_state_that_does_no_work_has_no_attempts(state: dict[str, Any], type_name: str) -> None:
    run = Workflow(machine(Idle=state)).run()
    message = f"\n  Idle is a {type_name} state: it makes no attempts\n"
    with pytest.raises(AssertionError, match=message):
        run.state("Idle").assert_attempts(1)
    with pytest.raises(AssertionError, match=message):
        run.state("Idle").assert_called_with({})


QUEUED = task(SEND, Parameters={"QueueUrl": "q", "MessageBody": "m"})


@pytest.mark.parametrize(
    ("definition", "project", "message"),
    [
        (machine(A=task()), None, "give stand-ins with tasks, or name the folder .* with project='FOLDER'"),
        (machine(A=task()), ".", "give stand-ins with tasks\\."),
        (machine(A=QUEUED), None, "or of the resource\\."),
        ("no/where.json", None, "no file no/where.json .* begins at the current folder, which is"),
    ],
)
def test_what_a_refused_test_can_do_is_said(definition: Any, project: str | None, message: str) -> None:
    with pytest.raises(AslError, match=message) as raised:
        Workflow(definition, project=project).run({})
    assert "aws=" not in str(raised.value)  # which tests do not take


# -- Map, Parallel, variables -------------------------------------------------------------------------


def test_the_iterations_of_a_map_are_within_it() -> None:
    run = Workflow(machine(Each=EACH), {"one": [1, fails("E"), 3, 4]}).run(["a", "b", "c"])
    run.state("Each").assert_iterations(3).assert_output([1, 4, 3])
    run.state("One").assert_entered(3).assert_attempts(4, delays=[2]).assert_input("a", "b", "c")
    assert run.tree.splitlines() == [
        "StateMachine: SUCCEEDED",
        "└─ Each",
        "   iteration 0",
        "   └─ One",
        "   iteration 1",
        "   └─ One: 2 attempts, after 2s; E",
        "   iteration 2",
        "   └─ One",
    ]
    with pytest.raises(AssertionError, match=r"expected one input, got 3; it was entered 3 times"):
        _ = run.state("One").input


def test_of_many_iterations_those_are_shown_that_have_something_to_tell() -> None:
    answers: list[object] = [*range(15), fails("F"), *range(16, 20)]
    run = Workflow(machine(Each=EACH), {"one": answers}).run([*range(20)])
    run.assert_failed("F")
    assert "   iteration 15\n   └─ One: F" in run.tree
    assert run.tree.endswith("   … and 9 more: 4 aborted, 5 succeeded")
    assert "iteration 12" not in run.tree


def test_a_branch_that_fails_fails_its_state() -> None:
    branches = [machine(Left=task(f"{FUNCTION}left")), machine(Right=task(f"{FUNCTION}right"))]
    both = {
        "Type": "Parallel",
        "Branches": branches,
        "Retry": RETRY,
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
        "End": True,
    }
    workflow = Workflow(machine(Both=both, Caught={"Type": "Succeed"}))
    run = workflow.run({}, {"left": 1, "right": [fails("E"), fails("F", "why")]})
    run.state("Both").assert_attempts(2, delays=[2]).assert_failed("F", "why").assert_caught("F", next="Caught")
    run.state("Both").assert_iterations(4)
    assert "│  branch 1, attempt 2\n│  └─ Right: F\n└─ Caught" in run.tree


def test_variables_are_those_in_scope_when_a_state_has_ended() -> None:
    inner = {
        "StartAt": "Inner",
        "States": {"Inner": {"Type": "Pass", "Assign": {"c.$": "$"}, "End": True}},
    }
    run = Workflow(
        machine(
            First={"Type": "Pass", "Assign": {"a": 1}, "Next": "Each"},
            Each={"Type": "Map", "ItemProcessor": inner, "Assign": {"b": [2]}, "Next": "Last"},
            Last={"Type": "Pass", "End": True},
        )
    ).run(["x", "y"])
    run.state("First").assert_variables({"a": 1})
    run.state("Inner").assert_variables({"a": 1, "c": "x"}, {"a": 1, "c": "y"})
    assert run.state("Last").variables == {"a": 1, "b": [2]}
    with pytest.raises(AssertionError, match=r"variables: \$\.b\[0\]: expected 3, got 2"):
        run.state("Last").assert_variables({"a": 1, "b": [3]})


def test_an_expression_that_fails_is_the_failure_of_its_state() -> None:
    broken = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $nothing %}", "End": True}
    run = Workflow(machine(Broken=broken)).run({})
    run.assert_failed("States.QueryEvaluationError").state("Broken").assert_failed("States.QueryEvaluationError")


def test_a_fail_state_has_its_error() -> None:
    run = Workflow(machine(No={"Type": "Fail", "Error": "Never", "Cause": "no"})).run({})
    run.assert_failed("Never", "no").state("No").assert_failed("Never", "no")
    assert run.tree == "StateMachine: FAILED with Never\n└─ No: Never"


# -- executions within --------------------------------------------------------------------------------

INNER = machine(Inner=task(f"{FUNCTION}one"))
OUTER = machine(
    Nested=task(
        "arn:aws:states:::states:startExecution.sync:2",
        Parameters={"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:inner", "Input.$": "$"},
        ResultSelector={"items.$": "$.Output"},
        Next="Each",
    ),
    Each={
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            **machine(One=task(f"{FUNCTION}one", Retry=RETRY)),
        },
        "End": True,
    },
)


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    (tmp_path / "statemachines").mkdir()
    (tmp_path / "asl.toml").touch()
    for name, definition in (("inner", INNER), ("outer", OUTER)):
        (tmp_path / "statemachines" / f"{name}.json").write_text(json.dumps(definition), encoding="utf-8")
    return tmp_path / "statemachines" / "outer.json"


@pytest.fixture
def observed() -> Iterator[list[tuple[Any, ...]]]:
    heard: list[tuple[Any, ...]] = []

    def ran(*given: Any) -> None:
        heard.append(given)

    OBSERVERS.append(ran)
    yield heard
    OBSERVERS.remove(ran)


def test_executions_within_are_in_the_tree_and_observed(outer: Path, observed: list[tuple[Any, ...]]) -> None:
    answers = [[["a", "b"]], fails("E"), "B", "A"]
    run = Workflow(outer, {"one": [["a", "b"], *answers[1:]]}, test_id="test::id").run({"n": 1})
    run.assert_succeeded(["A", "B"])
    run.state("Each").assert_iterations(2)
    run.state("Inner").assert_called_with({"n": 1})
    assert run.tree.splitlines() == [
        "outer: SUCCEEDED",
        "├─ Nested",
        "│  execution 0",
        "│  └─ Inner",
        "└─ Each",
        "   execution 0",
        "   └─ One: 2 attempts, after 2s; E",
        "   execution 1",
        "   └─ One",
    ]
    assert [(definition.name, definition.path) for definition, *_ in observed] == [
        ("outer", outer),
        ("inner", outer.with_name("inner.json")),
        ("outer", outer),
        ("outer", outer),
    ]
    assert {test_id for *_, test_id in observed} == {"test::id"}
    assert [json.loads(definition.text) for definition, *_ in observed] == [OUTER, INNER, OUTER, OUTER]
    assert all(type(events[-1]).__name__ == "ExecutionSucceeded" for _, events, _ in observed)


def test_a_run_that_is_left_is_observed_too(observed: list[tuple[Any, ...]]) -> None:
    with Workflow(machine(Nap={"Type": "Wait", "Seconds": 5, "End": True})) as workflow:
        workflow.start()
        assert observed == []
    ((definition, events, test_id),) = observed
    assert (definition.name, definition.path, test_id) == ("StateMachine", None, None)
    assert type(events[-1]).__name__ == "WaitScheduled"


# -- differences --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2.0}]}, []),
        (True, 1, ["$: expected true, got 1"]),
        (0, False, ["$: expected 0, got false"]),
        ({"a": 1}, [1], ['$: expected {"a": 1}, got [1]']),
        ([1, 2], [1, 3, 4], ["$[1]: expected 2, got 3", "$[2]: not expected: 4"]),
        ([1, 2], [1], ["$[1]: missing, expected 2"]),
        ({"a b": 1}, {"a b": 2, "c d": 3}, ['$["a b"]: expected 1, got 2', '$["c d"]: not expected: 3']),
        ({"a": 1, ...: ...}, {"a": 1, "b": 2}, []),
        ({"a": ...}, {}, ["$.a: missing, expected ..."]),
        (pytest.approx(1.0), 1.0000001, []),
        ("x" * 200, "y", [f'$: expected "{"x" * 116}..., got "y"']),
        ([0] * 30, [1] * 30, [*[f"$[{n}]: expected 0, got 1" for n in range(20)], "... and 10 more"]),
    ],
)
def test_differences_are_told_at_their_places(expected: Any, actual: Any, lines: list[str]) -> None:
    assert differences(expected, actual) == lines
