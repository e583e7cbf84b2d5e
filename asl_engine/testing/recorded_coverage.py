"""Coverage by the executions of a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import AslError, InvalidInput
from asl_engine.language.document import load_source
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.project.definitions import read_definition
from asl_engine.project.inputs import is_there, machine_name
from asl_engine.testing.coverage import NotOfDefinition, points_taken
from asl_engine.testing.coverage_data import DefinitionCoverage
from asl_engine.testing.executions import ALL, with_children

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine
    from asl_engine.language.document import DefinitionSource
    from asl_engine.store.records import Record
    from asl_engine.store.sqlite.store import SqliteStore

__all__ = ["RecordedCoverage", "recorded_coverage"]


class _Kept(NamedTuple):
    """What is known of a definition while its executions are read."""

    machine: StateMachine
    coverage: DefinitionCoverage


class RecordedCoverage(NamedTuple):
    """``earlier`` is how many executions ran other definitions than the newest of their machines."""

    coverage: list[DefinitionCoverage]
    earlier: int = 0


async def recorded_coverage(
    store: SqliteStore, source: DefinitionSource | None = None, machine: str | None = None
) -> RecordedCoverage:
    """What the executions of each machine took, of the newest definition that each has run; or of that one alone.

    Raises ``InvalidInput`` where there is no such execution.
    """
    records = await store.executions(machine, None, ALL)
    if source is None:
        wanted = {record.identity.machine_name: record.definition for record in reversed(records)}
    else:
        given = load_source(source, NO_LIMITS)
        wanted = dict.fromkeys((record.identity.machine_name for record in records), given.digest)
    fitting = [record for record in records if wanted[record.identity.machine_name] == record.definition]
    if not fitting:
        raise InvalidInput(_nothing(store, source, records, machine))
    kept: dict[str, _Kept] = {}
    for record in fitting:
        if record.definition not in kept:
            text = await store.definition(record.definition)
            kept[record.definition] = _begin(text, record, source)
        await _add(store, record, kept[record.definition])
    earlier = len(records) - len(fitting) if source is None else 0
    return RecordedCoverage(sorted((one.coverage for one in kept.values()), key=lambda one: one.name), earlier)


def _nothing(
    store: SqliteStore, source: DefinitionSource | None, records: list[Record], machine: str | None
) -> str:
    of = "" if machine is None else f" of {machine}"
    if source is None:
        return f"there is no execution{of} in {store.path}"
    name = machine_name(source.name)
    before = sum(1 for record in records if record.identity.machine_name == name)
    if before:
        return (
            f"{source.name} has changed: its {before} execution{'s' if before > 1 else ''} in {store.path} ran "
            "another text of it; run it again"
        )
    return f"no execution{of} in {store.path} ran {source.name}"


def _begin(text: str, record: Record, source: DefinitionSource | None) -> _Kept:
    machine = load(text, "the recorded definition", NO_LIMITS)
    file = source or _file(record, machine)
    name = record.identity.machine_name if file is None else file.name
    return _Kept(machine, DefinitionCoverage.of(machine, name, file))


def _file(record: Record, machine: StateMachine) -> DefinitionSource | None:
    """The file of a recorded definition, where it still has the same text."""
    path = record.options.definition
    if not is_there(path):
        return None
    near = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    try:
        file = read_definition(str(near), local=True)
        return file if load_source(file, NO_LIMITS).digest == machine.digest else None
    except AslError:
        return None


async def _add(store: SqliteStore, record: Record, kept: _Kept) -> None:
    """Take in an execution, and the children of its Map Runs."""
    limits, covered = record.options.limits, kept.coverage
    async for one, events in with_children(store, record):
        name = one.identity.name
        try:
            taken = points_taken(kept.machine, events, one.identity, limits)
        except NotOfDefinition as error:
            covered.left_out.append(f"{name}: {error}")
        else:
            covered.add(name, taken)
