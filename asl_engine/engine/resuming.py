"""Takes up the executions that a process has left unfinished, many at a time.

There may be a hundred thousand of them, most of which only wait.  One transaction claims many of them, one query
reads their logs, and the events that follow share their commits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asl_engine.core.stimuli import Resumed
from asl_engine.engine.effects import readable
from asl_engine.errors import AslError, Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine
    from asl_engine.engine.host import Host
    from asl_engine.engine.run import Run
    from asl_engine.store.records import Record

__all__ = ["resume_many"]


async def resume_many(host: Host, unfinished: Sequence[tuple[StateMachine, Record]]) -> dict[str, Run | AslError]:
    """Go on with those of the executions that run and that no other process drives.

    For each of them the run, or what keeps it from being driven.  None of them is driven here.
    """
    free = [record.identity.arn for _, record in unfinished if record.identity.arn not in host.given_up.leaving]
    died = await host.store.claim_many(free)
    logs = await host.store.logs([*died])
    found: dict[str, Run | AslError] = {}
    to_store: list[tuple[StateMachine, Record, Run, list[Event]]] = []
    for machine, record in unfinished:
        arn = record.identity.arn
        if arn not in logs:
            continue
        stimulus = Resumed(host.clock.now(), restarted=True, died=died[arn])
        try:
            with readable(arn):
                run, events = await host.decided(machine, record, stimulus, logs.pop(arn))
        except AslError as error:
            found[arn] = error
            continue
        if events:
            to_store.append((machine, record, run, events))
        else:
            found[arn] = host.go_on(run, [])
    stored = await asyncio.gather(*(_stored(host, *one) for one in to_store))
    found.update(zip((run.arn for _, _, run, _ in to_store), stored, strict=True))
    for machine, record in unfinished:  # long logs, one after the other, and what is just being given up
        arn = record.identity.arn
        if arn not in found and (arn in died or arn in host.given_up.leaving):
            found[arn] = await _alone(host, machine, record)
    return found


async def _stored(
    host: Host, machine: StateMachine, record: Record, run: Run, events: list[Event]
) -> Run | AslError:
    try:
        await host.store.append(run.arn, events)
    except Conflict:  # somebody has stopped it meanwhile
        return await _alone(host, machine, record)
    except AslError as error:
        return error
    return host.go_on(run, events)


async def _alone(host: Host, machine: StateMachine, record: Record) -> Run | AslError:
    try:
        return await host.resume(machine, record)
    except AslError as error:
        return error
