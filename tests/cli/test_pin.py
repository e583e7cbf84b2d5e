"""`asl pin`: the file runs the execution again; what failed passes once it is mended."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.lab.literals import literal
from asl_engine.lab.pinning import identifier
from asl_engine.testing import Workflow
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.project import Project

FAILING = machine(D=task("double"), F=task("fail"))
FLAKY = machine(F=task("flaky", Retry=[{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 1}]))
ITEMS = {"items": [{"n": 1}, {"n": 2}]}


def each(mode: dict[str, Any]) -> dict[str, Any]:
    processor = {**machine(D=task("double"), A=task("add_one")), "ProcessorConfig": mode}
    return machine(M={"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor})


INVOKED = machine(
    I={
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "double", "Payload.$": "$"},
        "OutputPath": "$.Payload",
    }
)
RUNS: dict[str, tuple[dict[str, Any], Any, str]] = {
    "tasks in a row": (machine(D=task("double"), A=task("add_one")), {"n": 1}, '{"D": returns({"n": 2})'),
    "attempts": (FLAKY, {"n": 1}, '"OutOfStockError",'),
    "iterations": (each({"Mode": "INLINE"}), ITEMS, '({"n": 1}, returns({"n": 2}))'),
    "children of a Map Run": (each({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}), ITEMS, "recorded("),
    "lambda:invoke": (INVOKED, {"n": 1}, '"Payload": {"n": 2}'),
    "no task": (machine(P={"Type": "Pass"}), {"a": None, "b": [True, "ü\n\u2028"]}, "TASKS = {}"),
}


@pytest.mark.parametrize("what", RUNS)
def test_what_succeeded_ends_so_again(project: Project, what: str) -> None:
    definition, data, shown = RUNS[what]
    project.ran(definition, "-i", json.dumps(data), "--time", "skip")
    result = project.asl("pin", "one")
    assert (result.code, result.out) == (0, "test_one.py\n")
    text = (project.root / "test_one.py").read_text(encoding="utf-8")
    assert shown.strip("{") in text
    (project.root / "tasks" / "callables.py").unlink()  # nothing of the project is called
    function_in(text)(Workflow)


def function_in(text: str) -> Callable[[Any], None]:
    namespace: dict[str, Any] = {}
    exec(text, namespace)  # noqa: S102  the file that was written
    found: Callable[[Any], None] = next(one for name, one in namespace.items() if name.startswith("test_"))
    return found


def test_what_failed_passes_once_it_is_mended(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    assert project.asl("pin", "one", "-o", "-").out.count("returns(") == 1  # of D, and none of F
    assert project.asl("pin", "one").code == 0
    run_it = function_in((project.root / "test_one.py").read_text(encoding="utf-8"))
    with pytest.raises(AssertionError, match="error: OutOfStockError"):
        run_it(Workflow)
    callables = project.root / "tasks" / "callables.py"
    callables.write_text("def fail(event):\n    return event\n", encoding="utf-8")
    for module in [name for name in sys.modules if name.split(".")[0] == "tasks" or "_asl_tasks_" in name]:
        del sys.modules[module]  # as in a new process
    run_it(Workflow)


def test_a_mended_definition_passes_with_the_failure_mocked(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    assert project.asl("pin", "one", "--mock-all").code == 0
    run_it = function_in((project.root / "test_one.py").read_text(encoding="utf-8"))
    with pytest.raises(AssertionError, match="error: OutOfStockError"):
        run_it(Workflow)
    caught = machine(D=task("double"), F=task("fail", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "E"}]))
    caught["States"]["E"] = {"Type": "Succeed"}
    project.define("m", caught)
    run_it(Workflow)


def test_what_was_never_reached_is_listed(project: Project) -> None:
    project.ran(machine(D=task("double"), F=task("fail"), A=task("add_one"), P={"Type": "Pass"}), "-i", '{"n": 1}')
    called = project.asl("pin", "one", "-o", "-").out
    assert "The task of F is called as it is now.\nStates that were never reached have no answers" in called
    assert '    "D": returns({"n": 2}),\n    # Never reached' in called
    assert called.count('# "') == called.count('    # "A": ...,\n}') == 1
    assert "is mocked" not in called
    mocked = project.asl("pin", "one", "-o", "-", "--mock-all").out
    assert "\nThe failure of F is mocked: the definition has to mend it, not the task.\n" in mocked
    with pytest.raises(AssertionError, match="error: OutOfStockError"):
        function_in(mocked)(Workflow)


def test_refused(project: Project) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    assert project.asl("pin", "one").code == 0
    again = project.asl("pin", "one")
    assert (again.code, "test_one.py is there already" in again.err) == (2, True)
    assert project.asl("pin", "one", "--force").code == 0
    nowhere = project.asl("pin", "one", "-o", "no/where.py")
    assert (nowhere.code, "cannot write no/where.py" in nowhere.err) == (2, True)
    assert project.asl("pin", "two").code == 2


def test_the_state_that_failed_is_named_and_not_the_one_that_was_entered_last(project: Project) -> None:
    branches = [machine(F=task("fail")), machine(W={"Type": "Wait", "Seconds": 60})]
    project.ran(machine(P={"Type": "Parallel", "Branches": branches}), "-i", '{"n": 1}', "--time", "skip")
    assert " UTC with OutOfStockError at F.\n" in project.asl("pin", "one", "-o", "-").out


LATE = """
from threading import Event

GATE = Event()


def late(event):
    GATE.wait()
    raise KeyError("late")


def at_once(event):
    return 1


def opens(event):
    GATE.set()
    return 2
"""


def test_the_task_that_failed_is_called_though_others_began_after_it(project: Project) -> None:
    (project.root / "tasks" / "callables.py").write_text(LATE, encoding="utf-8")
    branches = [machine(L=task("late")), machine(A=task("at_once"), O=task("opens"))]
    project.ran(machine(P={"Type": "Parallel", "Branches": branches}))
    text = project.asl("pin", "one", "-o", "-").out
    assert " UTC with KeyError at L.\n" in text
    assert "The task of L is called as it is now." in text
    assert '"L": ' not in text
    assert '"A": returns(1)' in text


def test_what_chance_and_the_moment_made_is_left_open(project: Project) -> None:
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    many = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemProcessor": {**machine(F=task("flaky")), "ProcessorConfig": mode},
        "ToleratedFailurePercentage": 100,
        "ResultPath": "$.many",
    }
    made = {"id.$": "States.UUID()", "at.$": "$$.State.EnteredTime", "many.$": "$.many", "kept.$": "$.items[1].n"}
    definition = machine(M=many, P={"Type": "Pass", "Parameters": made})
    project.ran(definition, "-i", json.dumps(ITEMS))
    assert project.asl("pin", "one").code == 0
    text = (project.root / "test_one.py").read_text(encoding="utf-8")
    for line in ('"id": ...,', '"at": ...,', '"Name": ...,', '"Status": "FAILED"', '"kept": 2'):
        assert line in text, text
    function_in(text)(Workflow)
    project.define("m", machine(M=many, P={"Type": "Pass", "Parameters": made | {"kept.$": "$.items[0].n"}}))
    with pytest.raises(AssertionError, match=r"\$\.kept"):
        function_in(text)(Workflow)


@pytest.mark.parametrize("edit", [["--input", '{"n": 5}'], ["--variables", '{"a": 1}']])
def test_a_fork_with_edited_data_is_refused(project: Project, edit: list[str]) -> None:
    project.ran(FAILING, "-i", '{"n": 1}')
    project.asl("fork", "one", "--at", "D", "--name", "edited", *edit)
    project.asl("fork", "edited", "--at", "F", "--name", "of-it")
    project.asl("fork", "one", "--at", "F", "--name", "plain")
    for name in ("edited", "of-it"):
        result = project.asl("pin", name)
        assert (result.code, f"{name} is a fork with edited data" in result.err) == (2, True), result.err
    assert project.asl("pin", "plain").code == 0


def test_a_child_of_a_map_run_is_refused(project: Project) -> None:
    processor = {
        **machine(F=task("fail")),
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
    }
    many = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor, "ToleratedFailurePercentage": 100}
    (first, _) = project.ran(machine(M=many), "-i", json.dumps(ITEMS)).json
    result = project.asl("pin", first["ExecutionArn"])
    parent = project.asl("show", "one", "--json").json["executionArn"]
    assert (result.code, result.err.rpartition(": ")[2]) == (
        2,
        f"pin the execution that started it, {parent}\n",
    )
    refused = project.asl("fork", first["ExecutionArn"], "--at", "F")
    assert (refused.code, f"fork the execution that started it, {parent}" in refused.err) == (2, True)


IDENTIFIERS = {
    "one": "one",
    "o-1001": "o_1001",
    "Ünder 7": "ünder_7",
    "注文-7": "注文_7",
    "ﬁrst²": "first2",
    "cafe\u0301": "café",
    "???": "execution_a03b22",
    "!?": "execution_8faf83",
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers(name: str) -> None:
    found = identifier(name)
    assert found == IDENTIFIERS[name]
    assert f"test_{found}".isidentifier()


VALUES: list[Any] = [None, True, 1, -0.0, 1e300, 10**30, "a", 'q"\\\n\t\x00é\u2028\ud800', [], {}, [[], {}]]
VALUES += [{"a": VALUES[:5], "b" * 99: {"c": ["d" * 99] * 3}}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_literals(value: Any) -> None:
    text = literal(value)
    assert eval(text) == value  # noqa: S307  a literal
    assert json.dumps(eval(text)) == json.dumps(value)  # noqa: S307  a literal
