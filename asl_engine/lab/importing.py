"""An execution of AWS brought here: its answers read, its history followed, its log kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, parse_arn, unqualified
from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.core.execution import Identity
from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import canonical_text
from asl_engine.lab.following import Told, follow
from asl_engine.states.distributed_map import processor_of
from asl_engine.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asl_engine.core.machine import StateMachine
    from asl_engine.payload import Payload
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Child
    from asl_engine.store.run_options import RunOptions

__all__ = ["BroughtHome", "brought_home", "check_described", "identity_of", "keep_imported", "told_history"]

ENDS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted"})


class BroughtHome(NamedTuple):
    """``differing`` counts the events whose data AWS has made otherwise than the engine would."""

    record: Record
    log: list[ev.Event]
    differing: int
    child: Child | None = None


def told_history(events: Iterable[Mapping[str, Any]], name: str) -> list[Told]:
    """The events of GetExecutionHistory's answer, in the order of their ids.

    Timestamps are those of boto3, of the AWS CLI, or of AWS JSON.  Raises ``InvalidInput`` where it is no whole
    history of an execution that has ended; ``name`` is where it comes from.
    """
    told: list[Told] = []
    for position, event in enumerate(events, 1):
        try:
            told.append(Told.of(dict(event), milliseconds(event["timestamp"])))
        except KeyError as error:
            raise _no_event(name, position, f"it has no {error.args[0]}") from None
        except (TypeError, ValueError) as error:
            reason = str(error) if isinstance(event, dict) else "it is no JSON object"
            raise _no_event(name, position, reason) from None
    told.sort(key=lambda one: one.id)
    if not told:
        raise InvalidInput(f"{name}: the history has no events")
    wrong = next((place for place, one in enumerate(told, 1) if one.id != place), None)
    if wrong is not None:
        raise InvalidInput(f"{name}: the history is not whole: event {wrong} is missing")
    if told[0].type != "ExecutionStarted":
        raise InvalidInput(f"{name}: the history does not begin with ExecutionStarted, but with {told[0].type}")
    if told[-1].type not in ENDS:
        raise InvalidInput(
            f"{name}: the history stops with {told[-1].type}: it was cut short, or the execution has not ended"
        )
    return told


def _no_event(name: str, position: int, reason: str) -> InvalidInput:
    return InvalidInput(f"{name}: event {position} is no event of an execution's history: {reason}")


def milliseconds(moment: Any) -> int:
    """A moment as boto3, the AWS CLI or AWS JSON writes it.  Raises ``ValueError``, ``TypeError``."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise ValueError(f"{moment!r} is no timestamp") from None
    if isinstance(moment, datetime):
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise TypeError(f"{moment!r} is no timestamp")
    return round(moment * 1000)


def identity_of(described: Mapping[str, Any], started: Told) -> Identity:
    """Who the execution is, by DescribeExecution's answer and its first event.  Raises ``InvalidInput``."""
    arn, machine = str(described.get("executionArn", "")), str(described.get("stateMachineArn", ""))
    known, named = parse_arn(arn), parse_arn(machine)
    if known is None or named is None:
        raise InvalidInput("the description of the execution has no executionArn and stateMachineArn")
    version, alias = described.get("stateMachineVersionArn"), described.get("stateMachineAliasArn")
    return Identity(
        arn=arn,
        name=str(described.get("name") or known.name),
        machine_arn=unqualified(machine)[0],
        machine_name=Arn.of(unqualified(machine)[0]).name,
        role_arn=str(started.details.get("roleArn") or ""),
        started_at=started.at,
        version_arn=version,
        alias_arn=alias,
    )


def check_described(described: Mapping[str, Any], imported: BroughtHome, name: str) -> None:
    """Raises ``InvalidInput`` where the description is that of another execution than the history.

    It may have been made while the execution ran.  An input that is too large is in neither.
    """
    execution = fold(imported.record.identity, imported.log)
    status = described.get("status", execution.status)
    if status not in {execution.status, "RUNNING", "PENDING_REDRIVE"}:
        raise InvalidInput(
            f"{name} describes another execution than the history: it is {status} there, {execution.status} here"
        )
    given = described.get("input")
    if isinstance(given, str) and execution.input is not None and not _same(given, execution.input):
        raise InvalidInput(f"{name} describes another execution than the history: its input is another")


def _same(text: str, payload: Payload) -> bool:
    try:
        return text == payload.text or canonical_text(loads(text)) == canonical_text(payload.value)
    except JsonSyntaxError:
        return False


def brought_home(
    machine: StateMachine,
    identity: Identity,
    history: Sequence[Told],
    options: RunOptions,
    child: Child | None = None,
) -> BroughtHome:
    """What the store is to keep.  Raises ``Deviation`` where the definition does not lead to the history."""
    followed = follow(processor_of(machine, identity.machine_name), identity, history, options.limits)
    record = Record(identity, machine.digest, options=options._replace(imported=True))
    return BroughtHome(record, followed.log, len(followed.differing), child)


async def keep_imported(store: Store, machine: StateMachine, imported: Sequence[BroughtHome]) -> None:
    """Keep executions: a parent before the children of its Map Runs.

    Raises ``ExecutionAlreadyExists`` for one that is here already.
    """
    for one in imported:
        first, *redrives = _rounds(one.log)
        await store.create(one.record, machine.text, first, one.child)
        for again in redrives:
            await store.append(one.record.identity.arn, again)


def _rounds(log: Sequence[ev.Event]) -> list[list[ev.Event]]:
    """The events up to the first redrive, and those of each redrive."""
    rounds: list[list[ev.Event]] = [[]]
    for event in log:
        if isinstance(event, ev.ExecutionRedriven):
            rounds.append([])
        rounds[-1].append(event)
    return rounds
