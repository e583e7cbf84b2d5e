"""``asl_engine.run`` and ``asl_engine.validate``, used as a project's own tests would use them."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from datetime import datetime
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import asl_engine
from asl_engine import AslError, StatesError, arun, run, validate
from asl_engine.errors import DefinitionError, ExecutionAlreadyExists, InvalidInput, ProjectError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine import TaskContext

ROOT = Path(__file__).parents[1]
ORDER_MACHINE = ROOT / "statemachines" / "order.json"
ORDER = json.loads((ROOT / "order.json").read_text(encoding="utf-8"))

PASS: dict[str, Any] = {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}}
GREET: dict[str, Any] = {
    "StartAt": "Greet",
    "States": {
        "Greet": {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:1:function:greet", "End": True},
    },
}


class PaymentRetryableError(Exception):
    pass


class PaymentError(Exception):
    pass


class OutOfStockError(Exception):
    pass


def same(event: dict[str, Any]) -> dict[str, Any]:
    return event


def failing(error: Exception) -> Callable[[Any], Any]:
    def task(_: Any) -> Any:
        raise error

    return task


# Stand-ins for all tasks of the order machine.
STAND_INS: dict[str, Callable[..., Any]] = {
    "validateOrder": same,
    "checkInventory": same,
    "processPayment": same,
    "fulfillOrder": same,
    "refund": same,
    "notifyFailure": same,
}


def entered(result: asl_engine.Result) -> list[str]:
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in result.history
        if event["type"] == "TaskStateEntered"
    ]


def attempts(result: asl_engine.Result, state: str) -> list[float]:
    """When each attempt at a state's task was scheduled, in seconds after the state was entered."""
    moments: list[datetime] = []
    inside = False
    for event in result.history:
        if event["type"] == "TaskStateEntered":
            inside = event["stateEnteredEventDetails"]["name"] == state
        if inside and event["type"] in {"TaskStateEntered", "LambdaFunctionScheduled"}:
            moments.append(datetime.fromisoformat(event["timestamp"]))
    return [(moment - moments[0]).total_seconds() for moment in moments[1:]]


# -- the order machine ------------------------------------------------------------------------------


def test_an_order_goes_through() -> None:
    result = run(ORDER_MACHINE, ORDER, tasks=STAND_INS)
    assert result.status == "SUCCEEDED"
    assert result.output == ORDER
    assert (result.error, result.cause) == (None, None)
    assert entered(result) == ["ValidateOrder", "CheckInventory", "ProcessPayment", "FulfillOrder"]


def test_a_payment_is_retried_after_2_4_and_8_seconds() -> None:
    calls: list[int] = []

    async def recovers(event: dict[str, Any], context: TaskContext) -> dict[str, Any]:
        calls.append(context.attempt)
        if context.attempt < 3:
            raise PaymentRetryableError("no answer")
        return event

    result = run(ORDER_MACHINE, ORDER, tasks=STAND_INS | {"processPayment": recovers})
    assert result.status == "SUCCEEDED"
    assert calls == [0, 1, 2, 3]
    # The clock of this machine goes on while tasks run: a little is added to what was skipped.
    assert attempts(result, "ProcessPayment") == pytest.approx([0, 2, 6, 14], abs=1.5)


def test_retries_come_to_an_end() -> None:
    stand_ins = STAND_INS | {"processPayment": failing(PaymentRetryableError("no answer"))}
    result = run(ORDER_MACHINE, ORDER, tasks=stand_ins)
    assert result.status == "FAILED"
    assert result.output is None
    assert result.error == "PaymentRetryableError"
    assert json.loads(result.cause or "")["errorMessage"] == "no answer"
    assert result.history[-1]["type"] == "ExecutionFailed"
    assert len(attempts(result, "ProcessPayment")) == 4


@pytest.mark.parametrize(
    ("task", "error", "path"),
    [
        ("checkInventory", OutOfStockError("none left"), ["OrderFailed"]),
        ("processPayment", PaymentError("declined"), ["RefundAndFail", "OrderFailed"]),
    ],
)
def test_a_failure_is_caught_by_its_name(task: str, error: Exception, path: list[str]) -> None:
    result = run(ORDER_MACHINE, ORDER, tasks=STAND_INS | {task: failing(error)})
    assert result.status == "SUCCEEDED"  # OrderFailed is a Task that ends the machine, no Fail state
    assert result.output["Error"] == type(error).__name__
    assert entered(result)[-len(path) :] == path


def test_a_task_that_is_not_caught_fails_the_execution() -> None:
    result = run(
        ORDER_MACHINE, ORDER, tasks=STAND_INS | {"fulfillOrder": failing(StatesError("Truck.Lost", "gone"))}
    )
    assert (result.status, result.error, result.cause) == ("FAILED", "Truck.Lost", "gone")


# -- what a definition and an input may be ----------------------------------------------------------


@pytest.mark.parametrize("of", [dict, json.dumps, lambda machine: f"\n{json.dumps(machine)}"])
def test_a_definition_is_an_object_or_its_text(of: Callable[[Any], Any]) -> None:
    result = run(of(PASS), {"n": 1})
    assert (result.status, result.output) == ("SUCCEEDED", {"n": 1})
    assert ":execution:StateMachine:" in result.arn


@pytest.mark.parametrize("of", [str, Path])
def test_a_definition_is_a_file(tmp_path: Path, of: Callable[[Any], Any]) -> None:
    file = tmp_path / "machine.asl.json"
    file.write_text(json.dumps(PASS), encoding="utf-8")
    result = run(of(file), name="one")
    assert result.output == {}
    assert result.name == "one"
    assert result.arn == "arn:aws:states:us-east-1:123456789012:execution:machine:one"


@pytest.mark.parametrize("value", [None, 0, "", False, [], {}, {"a": {"b": [1, 2.5, None]}}])
def test_an_input_is_any_json_value(value: Any) -> None:
    result = run(PASS, value)
    assert result.output == value
    assert result.history[0]["executionStartedEventDetails"]["input"] == json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, "the input is not JSON: Object of type set is not JSON serializable"),
        (float("nan"), "the input is not JSON: "),
        ("x" * 262_143, "the input has 262,145 bytes; AWS allows 262,144"),
    ],
)
def test_an_input_that_is_refused(value: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(PASS, value)
    assert str(refused.value).startswith(message)


def test_without_the_limits_of_aws() -> None:
    assert len(run(PASS, "x" * 300_000, aws_limits=False).output) == 300_000


@pytest.mark.parametrize("given", ["a b", "", "x" * 81])
def test_a_name_that_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        run(PASS, name=given)
    assert str(refused.value).startswith(f"name={given!r}: a name has 1 to 80")


def test_a_database_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(StoreError) as refused:
        run(PASS, db=tmp_path / "text")
    assert "is not a SQLite database: name another file with db" in str(refused.value)


def test_a_time_that_is_refused() -> None:
    with pytest.raises(InvalidInput, match="time=Skip: it is real, skip or scale=N"):
        run(PASS, time="Skip")


def test_findings_of_a_file_have_lines(tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text('{"StartAt": "A",\n "States": {"A": {"Type": "Pass"}}}', encoding="utf-8")
    with pytest.raises(DefinitionError) as refused:
        run(file)
    assert str(refused.value).startswith(f"{file}:2:")
    assert refused.value.findings == validate(file)


def test_findings_of_an_object_have_none() -> None:
    findings = validate({"StartAt": "A", "States": {"A": {"Type": "Pass"}}})
    assert [(finding.location, finding.line) for finding in findings] == [("/States/A", None)]
    assert validate(PASS) == validate(ORDER_MACHINE) == []


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("absent.json", "there is no file absent.json"),
        ({"States": {1, 2}}, "the definition is not JSON"),
        (5, "the definition is of type int: give a path"),
    ],
)
def test_a_definition_that_cannot_be_read(definition: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        validate(definition)


# -- where tasks come from --------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with its own machine and task."""
    (tmp_path / "statemachines").mkdir()
    (tmp_path / "tasks").mkdir()
    (tmp_path / "statemachines" / "greet.json").write_text(json.dumps(GREET), encoding="utf-8")
    (tmp_path / "tasks" / "greetings.py").write_text("def greet(event): return 'project'", encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.split(".")[0] == "tasks" or name.startswith("_asl_tasks_"):
            del sys.modules[name]


def greet(_: Any) -> str:
    return "given"


def test_the_project_of_the_definition_serves_what_is_not_given(project: Path) -> None:
    assert run(project / "statemachines" / "greet.json").output == "project"


def test_the_project_can_be_named(project: Path) -> None:
    assert run(GREET, project=project).output == "project"


@pytest.mark.parametrize("of", [dict, json.dumps])
def test_the_values_of_a_named_project_fill_placeholders(project: Path, of: Callable[[Any], Any]) -> None:
    (project / "asl.toml").write_text('substitutions = { Word = "hello", Other = "x" }', encoding="utf-8")
    say = {"Type": "Pass", "Result": "${Word} ${Other}", "End": True}
    machine = of({"StartAt": "Say", "States": {"Say": say}})
    assert run(machine, project=project, substitutions={"Other": "you"}).output == "hello you"


def test_the_pseudo_parameters_are_the_project_s(tmp_path: Path) -> None:
    (tmp_path / "asl.toml").write_text('region = "eu-west-1"', encoding="utf-8")
    definition = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${AWS::Region}", "End": True}}}
    assert run(definition, project=tmp_path).output == "eu-west-1"
    assert run(definition, project=tmp_path, substitutions={"AWS::Region": "x"}).output == "x"


def test_what_is_given_comes_first(project: Path) -> None:
    assert run(project / "statemachines" / "greet.json", tasks={"greet": greet}).output == "given"


def test_tasks_run_where_the_project_says(project: Path) -> None:
    """In a process of their own, here."""
    (project / "tasks" / "place.py").write_text("import os\n\ndef place(event):\n    return os.getpid()\n")
    (project / "asl.toml").write_text('isolation = "process"\n')
    place = {"Type": "Task", "Resource": "arn:aws:lambda:eu-west-1:1:function:place", "End": True}
    assert run({"StartAt": "Place", "States": {"Place": place}}, project=project).output != os.getpid()


def test_a_project_is_not_looked_into_where_everything_is_given(project: Path) -> None:
    (project / "tasks" / "greetings.py").write_text("1 / 0", encoding="utf-8")
    assert run(project / "statemachines" / "greet.json", tasks={"Greet": greet}).output == "given"


def test_some_are_given_and_some_are_the_project_s(project: Path) -> None:
    again = "arn:aws:lambda:eu-west-1:1:function:again"
    states = {
        "Greet": GREET["States"]["Greet"] | {"ResultPath": "$.first", "End": False, "Next": "Again"},
        "Again": {"Type": "Task", "Resource": again, "ResultPath": "$.second", "End": True},
    }
    del states["Greet"]["End"]
    (project / "tasks" / "more.py").write_text("def again(event): return 'project'", encoding="utf-8")
    result = run({"StartAt": "Greet", "States": states}, tasks={"greet": greet}, project=project)
    assert result.output == {"first": "given", "second": "project"}


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "there is no task callable for the function 'greet'"),
        (
            {"great": greet},
            "tasks: the definition has no task, function or resource 'great'; did you mean 'greet'?",
        ),
        (
            {"greet": greet, "Greet": same},
            "tasks: 'Greet' and 'greet' stand for the same task, Greet, and 'Greet' counts",
        ),
        ({"GREET": greet, "gReet": same}, "the function 'greet' could be any of GREET"),
        ({"greet": 5}, "the task 'greet' cannot be called: 5 is not a callable object"),
        ({"greet": lambda: 1}, "a task takes (event) or (event, context)"),
    ],
)
def test_tasks_that_are_refused(tasks: dict[str, Any], message: str) -> None:
    with pytest.raises(ProjectError) as refused:
        run(GREET, tasks=tasks)
    assert message in str(refused.value)


# -- keeping, and time ------------------------------------------------------------------------------


def test_an_execution_is_kept_where_a_database_is_named(tmp_path: Path) -> None:
    db = tmp_path / "kept" / "asl.db"
    run(PASS, {"n": 1}, name="one", db=db)
    with pytest.raises(ExecutionAlreadyExists):
        run(PASS, {"n": 1}, name="one", db=str(db))
    connection = sqlite3.connect(db)
    assert connection.execute("SELECT name, status FROM executions").fetchall() == [("one", "SUCCEEDED")]
    connection.close()


def test_nothing_is_kept_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(PASS, name="one").arn == run(PASS, name="one").arn
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("skipped", [1, 10**6])
def test_waits_are_skipped(skipped: int) -> None:
    machine = {"StartAt": "Rest", "States": {"Rest": {"Type": "Wait", "Seconds": skipped, "End": True}}}
    result = run(machine)
    first, last = (datetime.fromisoformat(result.history[at]["timestamp"]) for at in (0, -1))
    assert (last - first).total_seconds() >= skipped


def test_real_time_is_not_skipped() -> None:
    machine = {
        "StartAt": "Rest",
        "States": {"Rest": {"Type": "Wait", "Timestamp": "2020-01-01T00:00:00Z", "End": True}},
    }
    assert run(machine, time="real").status == "SUCCEEDED"


def test_where_a_loop_runs_it_says_what_to_do() -> None:
    async def inside() -> None:
        with pytest.raises(RuntimeError) as refused:
            run(PASS)
        assert "write `await asl_engine.arun(...)` there" in str(refused.value)

    asyncio.run(inside())


def test_several_run_on_one_loop() -> None:
    async def inside() -> list[Any]:
        started: list[int] = []
        both = asyncio.Event()

        async def meet(event: int) -> int:
            started.append(event)
            if len(started) == 2:
                both.set()
            await both.wait()  # for the other execution
            return event * 2

        results = await asyncio.gather(*(arun(GREET, n, tasks={"greet": meet}) for n in (1, 2)))
        return [result.output for result in results]

    assert asyncio.run(inside()) == [2, 4]


def test_it_takes_and_refuses_what_run_does(tmp_path: Path) -> None:
    assert signature(arun).parameters == signature(run).parameters
    ended = asyncio.run(arun(PASS, {"n": 1}, name="one", db=tmp_path / "asl.db"))
    assert (ended.status, ended.output, ended.name) == ("SUCCEEDED", {"n": 1}, "one")
    with pytest.raises(ExecutionAlreadyExists):
        asyncio.run(arun(PASS, name="one", db=tmp_path / "asl.db"))


def test_one_that_is_cancelled_can_be_resumed(tmp_path: Path) -> None:
    async def inside() -> None:
        called = asyncio.Event()

        async def hang(_: Any) -> None:
            called.set()
            await asyncio.Event().wait()

        running = asyncio.ensure_future(arun(GREET, name="one", tasks={"greet": hang}, db=tmp_path / "asl.db"))
        await called.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(inside())
    connection = sqlite3.connect(tmp_path / "asl.db")
    assert connection.execute("SELECT name, status FROM executions").fetchall() == [("one", "RUNNING")]
    connection.close()


# -- the package ------------------------------------------------------------------------------------


def test_everything_public_is_there() -> None:
    assert all(hasattr(asl_engine, name) for name in asl_engine.__all__)
    assert issubclass(DefinitionError, AslError)
    with pytest.raises(AttributeError, match="has no attribute 'walk'"):
        _ = asl_engine.walk


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, asl_engine; print([name for name in sys.modules if name.startswith('asl_engine.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


STAGED: dict[str, Any] = {
    "StartAt": "Done",
    "States": {"Done": {"Type": "Pass", "Result": "${Stage}", "End": True}},
}
OF_ANOTHER_TYPE: dict[str, tuple[dict[str, Any], str]] = {
    "aws": ({"aws": "no"}, "aws has to be True or False, not str"),
    "a text for limits": ({"aws_limits": "no"}, "aws_limits has to be True, False, or a mapping of limits to"),
    "a number for limits": ({"aws_limits": 5}, "numbers or None, not int"),
    "a list of limits": ({"aws_limits": ["history_events"]}, "numbers or None, not list"),
    "a limit's name": ({"aws_limits": {5: 5}}, "aws_limits: the name of a limit has to be a text, not int"),
    "time": ({"time": 5}, "time has to be a text, not int"),
    "no time": ({"time": None}, "time has to be a text, not NoneType"),
    "name": ({"name": 5}, "name has to be a text, not int"),
    "db": ({"db": 5}, "db has to be a path, not int"),
    "project": ({"project": 5}, "project has to be a path, not int"),
    "a substitute": (
        {"substitutions": {"Stage": 5}},
        "substitutions: the value of 'Stage' has to be a text, not int",
    ),
    "a placeholder": (
        {"substitutions": {5: "x"}},
        "substitutions: the name of a placeholder has to be a text, not int",
    ),
    "a text of substitutes": (
        {"substitutions": "Stage=x"},
        "substitutions has to be a mapping of names to texts, not str",
    ),
    "a list of substitutes": (
        {"substitutions": []},
        "substitutions has to be a mapping of names to texts, not list",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), OF_ANOTHER_TYPE.values(), ids=OF_ANOTHER_TYPE)
def test_an_argument_of_another_type_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError) as refused:
        run(STAGED, **arguments)
    assert message in str(refused.value)
    with pytest.raises(TypeError) as again:
        asyncio.run(arun(STAGED, **arguments))
    assert str(again.value) == str(refused.value)


def test_a_substitute_that_nothing_asks_for() -> None:
    assert run(STAGED, substitutions={"Stage": "dev"}).output == "dev"
    for call in (run, validate):
        with pytest.raises(InvalidInput) as refused:
            call(STAGED, substitutions={"Stag": "dev"})
        assert str(refused.value) == (
            "substitutions: there is no ${Stag} in the definition; did you mean 'Stage'?; there are ${Stage}"
        )


def test_a_project_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        run(PASS, project=tmp_path / "nowhere")
    assert str(refused.value) == f"project: there is no folder {tmp_path / 'nowhere'}"
