"""The logs that are priced, from the store, or a definition that is run for it; and what functions take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import starts_executions
from asl_engine.cloud.deploy.settings import function_settings, read_settings
from asl_engine.core import events as ev
from asl_engine.costing.usage import FunctionFigures, FunctionTable, called_function
from asl_engine.engine.durations import milliseconds
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean
from asl_engine.testing.executions import ExecutionLog, with_children

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asl_engine.api import Definition
    from asl_engine.cloud.deploy.settings import Settings
    from asl_engine.json_values import Json, Missing
    from asl_engine.project.configuration import Project
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["DefinitionRun", "function_table", "logs_of", "run_definition"]

EVERY: Final = "*"
FORM: Final = "NAME=DURATION or NAME=DURATION,MB, such as pay=300ms,512; NAME is * for every other function"


async def logs_of(store: Store, record: Record) -> list[ExecutionLog]:
    """An execution, the children of its Map Runs, and the executions that its tasks have started, at any depth."""
    logs: list[ExecutionLog] = []
    known: set[str] = set()
    waiting = [record]
    while waiting:
        async for one, events in with_children(store, waiting.pop()):
            if one.identity.arn in known:
                continue
            known.add(one.identity.arn)
            text = await store.definition(one.definition)
            logs.append(ExecutionLog(one.identity, text, events, one.stopped_at))
            for arn in started_in(events):
                started = await store.record(arn)
                if started is not None:
                    waiting.append(started)
    return logs


def started_in(events: Iterable[ev.Event]) -> list[str]:
    """The ARNs of the executions that tasks have started."""
    tasks = {event.seq for event in events if isinstance(event, ev.TaskScheduled) and _starts(event)}
    found: dict[str, None] = {}
    for event in events:
        if isinstance(event, ev.TaskSubmitted | ev.TaskSucceeded) and event.task in tasks:
            answer: Any = event.output.value
            arn = answer.get("ExecutionArn") if isinstance(answer, dict) else None
            if isinstance(arn, str):
                found[arn] = None
    return [*found]


def _starts(event: ev.TaskScheduled) -> bool:
    return starts_executions(event.resource)


class DefinitionRun(NamedTuple):
    """What a definition did when it was run; ``note`` is why it has not succeeded, None where it has."""

    logs: list[ExecutionLog]
    status: str
    note: str | None = None


def run_definition(
    definition: Definition,
    given: Json | Missing,
    tasks: Mapping[str, object],
    *,
    case: str | None = None,
    project: str | None = None,
    substitutions: Mapping[str, str] | None = None,
) -> DefinitionRun:
    """Run a definition in virtual time and in memory, with stand-ins; nothing outside is called.

    The arguments are those of ``Workflow``.  Raises ``AslError``.
    """
    from asl_engine.testing.workflow import Workflow
    from asl_engine.testing.workflow_run import StillWaiting

    workflow = Workflow(
        definition, tasks, case=case, project=project, substitutions=substitutions, validation="NONE"
    )
    with workflow:
        run = workflow.start(given)
        try:
            run.finish()
        except StillWaiting:
            waits = "; ".join(map(str, run.waits_for))
            return DefinitionRun(run.logs, run.status, f"it does not end by itself: {waits}")
        if run.status == "SUCCEEDED":
            return DefinitionRun(run.logs, run.status)
        told = ": ".join(part for part in (run.error, run.cause) if part)
        return DefinitionRun(run.logs, run.status, f"it ended as {run.status}{f' with {told}' if told else ''}")


def function_table(
    project: Project, given: Sequence[str], logs: Sequence[ExecutionLog], *, measured: bool, local: bool = True
) -> FunctionTable:
    """What is known of the functions that were called: as given, or from the settings that deploy them.

    Raises ``InvalidInput`` and ``ProjectError``.
    """
    settings = read_settings(project)
    called = {
        name
        for log in logs
        for event in log.events
        if isinstance(event, ev.TaskScheduled)
        and (name := called_function(event.resource, event.parameters.value)) is not None
    }
    named = {name: _configured(settings, name) for name in sorted(called)}
    for text in given:
        name, figures = _read(text)
        if name != EVERY and name not in called:
            there = ", ".join(sorted(called))
            raise InvalidInput(
                Parameter("function", text),
                f": no task called a function {name!r}{did_you_mean(name, called)}"
                f" ({f'there are {there}' if there else 'there was no call of a function'})",
            )
        for one in sorted(called) if name == EVERY else [name]:
            known = named[one]
            if name == EVERY and known.milliseconds is not None:
                continue  # it has its own
            memory = known.memory if figures.memory is None else figures.memory
            named[one] = known._replace(milliseconds=figures.milliseconds, memory=memory)
    return FunctionTable(named, measured=measured, local=local)


def _configured(settings: Settings, name: str) -> FunctionFigures:
    own = function_settings(settings, name)
    return FunctionFigures(None, own.memory, own.architecture == "arm64")


def _read(text: str) -> tuple[str, FunctionFigures]:
    name, equals, rest = text.partition("=")
    duration, comma, memory = rest.partition(",")
    if not equals or not name or not duration or (comma and not memory.isdecimal()):
        raise InvalidInput(Parameter("function", text), f": it is {FORM}")
    try:
        took = milliseconds(duration, name)
    except InvalidInput:
        raise InvalidInput(Parameter("function", text), f": {duration!r} is no duration: it is {FORM}") from None
    return name, FunctionFigures(took, int(memory) if comma else None)
