"""State machines that only their runs know: `asl run` registers none.

Such a machine is what the definition of one of its runs says: of the run that is named, else of the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import Arn, execution_arn
from asl_engine.console.refusals import ConsoleError
from asl_engine.console.shown import OF_A_MAP_RUN
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.server.protocol.request import checked_name
from asl_engine.server.targets import EXECUTION_KINDS, parsed, resolved, target
from asl_engine.store.records import ExecutionSearch, MachineRecord

if TYPE_CHECKING:
    from asl_engine.console.asked import Asked
    from asl_engine.store.records import Record, VersionRecord

__all__ = ["Known", "known", "machines_of_runs", "start"]

LOOKED_AT: Final = 500  # runs, the newest: a machine without one among them is not offered


class Known(NamedTuple):
    """What an ARN leads to.  ``run`` is the run whose definition this is, None where the machine is registered."""

    arn: str
    record: MachineRecord
    version: VersionRecord | None = None
    run: Record | None = None


async def known(asked: Asked, arn: str) -> Known:
    """A machine, one of its versions, what an alias leads to, or the machine of a run.

    Raises InvalidArn, StateMachineDoesNotExist and ExecutionDoesNotExist.
    """
    asked.body["stateMachineArn"] = arn
    run = await _run(asked, arn)
    if run is not None:
        return Known(arn, _machine(run), None, run)
    wanted = target(asked.api, "stateMachineArn", "machine", "version", "alias")
    record, version, _ = await resolved(asked.api, asked.service, wanted)
    return Known(wanted.arn, record, version)


async def _run(asked: Asked, arn: str) -> Record | None:
    """The run that is named, or the newest of a machine that is not registered."""
    service = asked.service
    if Arn.of(asked.api.arn("stateMachineArn", "stateMachine", *EXECUTION_KINDS)).kind in EXECUTION_KINDS:
        return await service.execution(asked.api, arn)
    machine = parsed(arn).machine
    if not asked.api.owns(machine) or await service.find_machine(machine) is not None:
        return None
    wanted = ExecutionSearch(home=asked.desk.caller.prefix, machine_arn=machine)
    found = (await service.store.search(wanted, limit=1)).found
    return found[0].record if found else None


def _machine(run: Record) -> MachineRecord:
    who = run.identity
    return MachineRecord(
        who.machine_arn, who.machine_name, who.type, who.role_arn, run.definition, who.started_at, {}
    )


async def machines_of_runs(asked: Asked) -> list[MachineRecord]:
    """Those of the newest runs that are not registered, by name."""
    wanted = ExecutionSearch(home=asked.desk.caller.prefix)
    page = await asked.service.store.search(wanted, limit=LOOKED_AT, window=LOOKED_AT)
    newest: dict[str, Record] = {}
    for one in page.found:
        newest.setdefault(one.record.identity.machine_arn, one.record)
    found = [_machine(record) for arn, record in newest.items() if await asked.service.find_machine(arn) is None]
    return sorted(found, key=lambda one: one.name)


async def start(asked: Asked) -> dict[str, Any]:
    """Start an execution of whatever ``known`` finds.  A machine that is not registered is registered first.

    Nothing is registered for a start that would be refused.
    """
    arn, name = asked.given("arn"), asked.optional_given("name")
    members: dict[str, Any] = {"input": asked.optional_given("input") or "{}"} | ({"name": name} if name else {})
    asked.body["stateMachineArn"] = arn
    run = await _run(asked, arn)
    if run is None:
        return await asked.perform("StartExecution", {"stateMachineArn": arn, **members})
    who = run.identity
    if who.map_run is not None:
        raise ConsoleError(400, "NotStartable", OF_A_MAP_RUN)
    registered = await asked.service.find_machine(who.machine_arn)
    if registered is None:
        await _check(asked, who.machine_name, **members)
        made = {
            "name": who.machine_name,
            "definition": await asked.service.store.definition(run.definition),
            "roleArn": who.role_arn,
            "type": who.type,
        }
        await asked.perform("CreateStateMachine", made)
    return await asked.perform("StartExecution", {"stateMachineArn": who.machine_arn, **members})


async def _check(asked: Asked, machine: str, input: str, name: str | None = None) -> None:  # noqa: A002  the member
    """Raises ``ConsoleError`` for what StartExecution would refuse."""
    try:
        loads(input)
    except JsonSyntaxError as error:
        raise ConsoleError(400, "InvalidRequest", f"The input is not JSON: {error}") from None
    if name is None:
        return
    checked_name(name, asked.service.engine.limits.name_length)
    arn = execution_arn(*asked.desk.caller, machine, name)
    if await asked.service.store.record(arn) is not None:
        raise ConsoleError(409, "ExecutionAlreadyExists", f"There is a run with the name {name}", "Give another.")
