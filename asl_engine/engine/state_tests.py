"""Driving a trial: what the state under test asks of the world is done here, as the engine does it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from asl_engine.arn import express_arn, role_arn, state_machine_arn
from asl_engine.core.execution import Identity, OpenTask
from asl_engine.core.interpreter import MACHINE_TIMER
from asl_engine.core.stimuli import TaskReported, TimerReported
from asl_engine.engine.deciding import at_length
from asl_engine.errors import StatesError
from asl_engine.inspection.map_stages import Datasets
from asl_engine.inspection.trial import MAX_SECONDS
from asl_engine.resources import PENDING, TaskCall, Trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.clock import Clock
    from asl_engine.inspection.map_stages import DatasetItem
    from asl_engine.inspection.trial import Trial
    from asl_engine.json_values import Json
    from asl_engine.resources import Resource
    from asl_engine.states.item_flow import Batching, Reading

__all__ = ["datasets_of", "run_trial", "trial_identity"]


def trial_identity(region: str, account: str, at: int, role: str | None = None) -> Identity:
    """Who a trial is, as AWS shows it in the context object: an Express execution of a machine without a name.

    ``at`` is in milliseconds since the epoch.
    """
    machine, name = str(uuid4()), str(uuid4())
    return Identity(
        arn=express_arn(region, account, machine, name),
        name=name,
        machine_arn=state_machine_arn(region, account, machine),
        machine_name=machine,
        role_arn=role or role_arn(region, account),
        started_at=at,
    )


def datasets_of(data: str | None) -> Datasets:
    """Those of a trial; ``data`` is the text that the state's ItemReader has read, None where it is not given."""

    def read(reading: Reading) -> list[DatasetItem]:
        from asl_engine.datasets import read_given

        assert data is not None  # noqa: S101  else nothing is read
        return [(item.context(index), item.input) for index, item in enumerate(read_given(data, *reading))]

    def batch(inputs: Iterable[Json], batching: Batching) -> Iterator[Json]:
        from asl_engine.datasets import batches

        return (made.input.value for made in batches(inputs, *batching))

    return Datasets(None if data is None else read, batch)


async def run_trial(
    trial: Trial, resources: Mapping[str, Resource], clock: Clock, *, reveal_secrets: bool = False
) -> None:
    """Run a trial to its end; ``clock`` says how waits are waited, and the shared time is left as it is.

    ``reveal_secrets``: what a connection adds to the request of an HTTP Task is shown.

    Raises ``Refusal`` where its configuration does not fit what the state makes of its input.
    """
    await at_length(trial.begin)
    began = trial.execution.identity.started_at
    passing = clock.passing(began)  # setting the clock means nothing for a test: no moment is waited for so long
    last = began + MAX_SECONDS * 1000
    while not trial.over:
        work = trial.open
        assert work is not None  # noqa: S101  a trial that is not over waits for something
        due = last if work.due is None else min(work.due, last)
        if isinstance(work, OpenTask):
            trace = Trace(trial.record.exchange.__setitem__, reveal_secrets)
            seconds = MAX_SECONDS if clock.skips else _seconds_until(due, clock, passing)
            stimulus = await _perform(_call(trial, work, due, trace), work.key, seconds, resources, passing)
        else:
            if not clock.skips:  # a wait that the test has time for, or a part of one
                await asyncio.sleep(_seconds_until(due, clock, passing))
            stimulus = TimerReported(due, work.key) if work.due == due else None
        taken = stimulus or TimerReported(due, MACHINE_TIMER if due == last else work.key)
        await at_length(partial(trial.take, taken))


def _seconds_until(due: int, clock: Clock, passing: Callable[[], int]) -> float:
    return clock.seconds_until(clock.now() + due - passing())


def _call(trial: Trial, task: OpenTask, due: int, trace: Trace) -> TaskCall:
    who = trial.execution.identity
    return TaskCall(
        resource=task.resource,
        input=task.parameters,
        key=f"{who.arn}:{task.key}",
        attempt=task.attempt,
        deadline=due,
        execution=who.arn,
        state=task.frame.state,
        heartbeat=lambda: None,
        role=task.role,
        trace=trace,
        payload_bytes=trial.limits.payload_bytes,
    )


async def _perform(
    call: TaskCall, task: int, seconds: float, resources: Mapping[str, Resource], passing: Callable[[], int]
) -> Stimulus | None:
    """What the resource reports, None where it takes too long."""
    try:
        async with asyncio.timeout(seconds):
            output = await resources[call.resource](call)
    except TimeoutError:
        return None
    except StatesError as error:
        return TaskReported(passing(), task, None, error.error, error.cause)
    if output is PENDING:  # and nobody is there to answer
        return None
    return TaskReported(passing(), task, output)
