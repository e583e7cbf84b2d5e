"""Executions that tasks start in a process that runs one machine: of the project's ``statemachines/``."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn, execution_arn, is_name, parse_arn, state_machine_arn
from asl_engine.core.redrive import not_redrivable
from asl_engine.errors import AslError, ExecutionAlreadyExists, ExecutionBusy
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.language.loader import load
from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.payload import Payload
from asl_engine.project.checking import load_definition
from asl_engine.project.definitions import Substituting, read_definition
from asl_engine.project.inputs import machine_name
from asl_engine.project.lookup import load_execution
from asl_engine.projections.descriptions import describe_execution, start_execution
from asl_engine.resources.nested import Refused
from asl_engine.resources.trace_context import read_trace

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.engine import Engine
    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project
    from asl_engine.resources import TaskCall
    from asl_engine.store.records import Record
    from asl_engine.store.run_options import RunOptions

__all__ = ["ProjectExecutions"]

LOOK_SECONDS = 0.2  # at an execution that another process drives
SUFFIXES = frozenset({".json", ".yaml", ".yml"})


class ProjectExecutions:
    """``Executions`` for the tasks of one execution; ``engine`` is given once there is one."""

    whole = False

    def __init__(self, how: RunOptions, project: Project) -> None:
        self.engine: Engine | None = None
        self._how = how
        self._project = project

    def serves(self, machine: str) -> bool:
        return self._file(machine) is not None

    def machine(self, machine: str) -> StateMachine | None:
        """The state machine with this ARN, None where the project has none.  Raises ``AslError``."""
        file = self._file(machine)
        return None if file is None else self._load(file)

    def _load(self, file: str) -> StateMachine:
        values = Substituting(values=self._how.substituted)
        return load_definition(read_definition(file, values, self._project, local=True))

    async def ask(self, operation: str, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        # What the task starts knows who has started it: it is not started twice.
        answer = partial(self._answer, operation, data, call)
        return await self._engine().retrying.insist(call.execution, answer)

    async def _answer(self, operation: str, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        engine = self._engine()
        if operation == "StartExecution":
            return await self._start(engine, data, call)
        record = await engine.store.record(str(data["executionArn"]))
        if record is None:
            raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{data['executionArn']}'")
        if operation == "StopExecution":
            await engine.stop(load(await engine.store.definition(record.definition)), record)
            return {}
        execution = await load_execution(engine.store, record)
        reason = not_redrivable(execution, engine.clock.now(), engine.limits)
        return describe_execution(execution, _seconds, reason)

    async def ended(self, execution: str) -> None:
        await self._engine().retrying.insist(execution, partial(self._ended, execution))

    async def _ended(self, execution: str) -> None:
        engine = self._engine()
        while True:
            run = engine.runs.get(execution)
            if run is not None:
                with suppress(ExecutionBusy):  # another process has taken it over: look on
                    await run.wait()
                    return
            record = await engine.store.record(execution)
            if record is None or record.status != "RUNNING":
                return
            with suppress(ExecutionBusy):  # another process drives it
                await engine.resume(load(await engine.store.definition(record.definition)), record)
                continue
            await asyncio.sleep(LOOK_SECONDS)

    def _engine(self) -> Engine:
        assert self.engine is not None, "the execution has begun"  # noqa: S101  for the type checker
        return self.engine

    def _file(self, machine: str) -> str | None:
        """What names the definition of the machine with this ARN."""
        arn = parse_arn(machine)
        name = machine if arn is None else arn.name
        if machine != state_machine_arn(self._project.region, self._project.account, name):
            return None
        if name in self._project.machines:
            return self._project.machines[name]
        folder = self._project.root / "statemachines"
        files = (str(file) for file in sorted(folder.glob("*")) if file.suffix in SUFFIXES)
        return next((file for file in files if machine_name(file) == name), None)

    async def _start(self, engine: Engine, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        file = self._file(str(data["stateMachineArn"]))
        assert file is not None, "it was looked for"  # noqa: S101  for the type checker
        started = Arn.of(str(data["stateMachineArn"])).name
        name = _checked_name(str(data["name"]))
        try:
            machine = self._load(file)
            text = str(data.get("input", "{}"))
            payload = Payload(loads(text), text)
        except JsonSyntaxError as error:
            raise Refused("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None
        except AslError as error:
            raise Refused("ValidationException", str(error)) from None
        how = self._how._replace(definition=Path(file), mock=None, faults=(), seed=None)
        options = how._replace(started_by=call.key)
        if (parent := read_trace(str(data.get("traceHeader", "")))) is not None:
            options = options._replace(trace=parent.w3c)
        try:
            run = await engine.start(machine, started, payload, name, options)
        except ExecutionAlreadyExists:
            arn = execution_arn(self._project.region, self._project.account, started, name)
            return start_execution((await self._again(engine, arn, call)).identity, _seconds)
        return start_execution(run.execution.identity, _seconds)

    async def _again(self, engine: Engine, arn: str, call: TaskCall) -> Record:
        """The execution that has the name, if it is the task's own, from before a crash."""
        record = await engine.store.record(arn)
        if record is None or record.options.started_by != call.key:
            raise Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return record


def _checked_name(name: str) -> str:
    """Refused as StartExecution refuses it."""
    if is_name(name):
        return name
    if 1 <= len(name) <= MAX_NAME_LENGTH:
        raise Refused("InvalidName", f"Invalid Name: '{name}'")
    bound = f"less than or equal to {MAX_NAME_LENGTH}" if name else "greater than or equal to 1"
    raise Refused(
        "ValidationException",
        f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
        f"Member must have length {bound}",
    )


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1000
