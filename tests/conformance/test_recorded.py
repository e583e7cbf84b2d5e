"""Results recorded from AWS, held against the core: outcome and every history event.

The recorded cases lie beside the project and are no part of it; where they are absent, these tests skip.  Cases
that need other services run against the server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.core.execution import Execution
from asl_engine.core.interpreter import MACHINE_TIMER, advance, machine_deadline
from asl_engine.core.stimuli import Started, TimerReported
from asl_engine.engine.clock import VirtualClock
from asl_engine.engine.engine import Engine
from asl_engine.language.loader import check
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.states.distributed_map import DistributedMap
from asl_engine.store.memory.store import MemoryStore
from tests.conformance.comparing import Comparison, Mismatch, sorted_runs, unordered
from tests.core.driver import IDENTITY, NOW

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "aws_cases_dev.json"


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
    definition = case.get("definition_text") or json.dumps(case["definition"])
    data = case.get("input_text") or json.dumps(case.get("input", {}))
    execution, history = drive(definition.replace("{{role_arn}}", IDENTITY.role_arn), data)
    for event in history:
        event["timestamp"] = "2024-01-01T00:00:00Z"
    expected = case["expected"]
    comparison = Comparison(case["placeholders"], case.get("loose_paths", ()))
    described = {
        "status": execution.status,
        "error": None if execution.status == "TIMED_OUT" else execution.error,
        "cause": execution.cause,
    }
    got: dict[str, Any] = {key: value for key, value in described.items() if value is not None}
    if execution.output is not None:
        got["output"] = execution.output.value
    try:
        comparison.outcome(expected, got)
        if "history" in expected:
            want, told = expected["history"], history
            if case.get("unordered_parallel"):
                want, told = sorted_runs(want), unordered(told)
            comparison.check({"events": want}, {"events": told})
    except Mismatch as mismatch:
        pytest.fail(str(mismatch))
