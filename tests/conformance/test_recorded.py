"""Results recorded from AWS, held against the core: outcome and every history event.

The recorded cases and the program that compares them lie beside the project and are no part of it; where
they are absent, these tests skip.  Cases that need other services run against the server.
"""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import MACHINE_TIMER, Started, TimerReported, advance, machine_deadline
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import check
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.states.distributed_map import DistributedMap
from asl_engine.store.memory.store import MemoryStore
from tests.core.driver import IDENTITY, NOW

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine

SHARED = Path(__file__).parents[3] / "shared" / "conformance"
CASES = SHARED / "aws_cases_dev.json"


@cache
def comparer() -> Any:
    """The comparing part of the runner: placeholders, loose paths, unordered branches."""
    spec = importlib.util.spec_from_file_location("run_cases", SHARED / "run_cases.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> list[Any]:
    if not CASES.exists():
        return []
    recorded = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return [
        case
        for case in recorded
        if case["kind"] == "execution" and case["services"] == ["none"] and not case.get("sync")
    ]


def test_there_are_recorded_cases() -> None:
    if not CASES.exists():
        pytest.skip("the recorded cases are not beside the project")
    assert len(cases()) > 400


def drive(text: str, data: str) -> tuple[Execution, list[Any]]:
    machine, findings = check(text)
    assert machine is not None, [str(finding) for finding in findings]
    if any(isinstance(state, DistributedMap) for state in machine.states.values()):
        return anyio.run(drive_children, machine, data)
    execution = Execution(IDENTITY)
    events = advance(machine, execution, Started(NOW, Payload.of_text(data)))
    while execution.status == "RUNNING":
        timers = [(work.due, work.key) for work in execution.open.values() if work.due is not None]
        deadline = machine_deadline(machine, execution)
        if deadline is not None:
            timers.append((deadline, MACHINE_TIMER))
        at, key = min(timers)
        events += advance(machine, execution, TimerReported(at, key))
    return execution, list(project(IDENTITY, events))


async def drive_children(machine: StateMachine, data: str) -> tuple[Execution, list[Any]]:
    """A Map Run's children are executions of their own: somebody has to run them."""
    store = MemoryStore()
    async with Engine(store, {}, clock=VirtualClock(NOW)) as engine:
        run = await engine.launch(machine, IDENTITY, Payload.of_text(data))
        execution = await run.wait()
    return execution, list(project(IDENTITY, await store.events(IDENTITY.arn)))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"].rpartition("::")[2])
def test_recorded(case: Any) -> None:
    run = comparer()
    definition = case.get("definition_text") or json.dumps(case["definition"])
    data = case.get("input_text") or json.dumps(case.get("input", {}))
    execution, history = drive(definition.replace("{{role_arn}}", IDENTITY.role_arn), data)
    for event in history:
        event["timestamp"] = "2024-01-01T00:00:00Z"
    expected = case["expected"]
    matcher = run.Matcher(case["placeholders"])
    runner = run.Runner.__new__(run.Runner)
    runner.a = type("Options", (), {"strict": False, "level": "history"})()
    described = {
        "status": execution.status,
        "output": None if execution.output is None else execution.output.text,
        "error": None if execution.status == "TIMED_OUT" else execution.error,
        "cause": execution.cause,
    }
    got = {key: value for key, value in described.items() if value is not None}
    try:
        runner.outcome(case, got, matcher)
        if "history" in expected:
            want, told = expected["history"], history
            if case.get("unordered_parallel"):
                want, told = run.sort_runs(want), run.unorder_parallel(run.unfold(told))
            runner.compare(case, {"events": want}, {"events": told}, matcher)
    except run.Mismatch as mismatch:
        pytest.fail(f"{mismatch.path}: expected {mismatch.want!r}, got {mismatch.got!r}")
