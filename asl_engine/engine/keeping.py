"""What is done with events that could not be stored: the execution is stuck until they are.

The events wait as they were decided, and so does everything that comes after them.  Nothing is done about them
before they are on disk, and nothing that is under way is begun again.

Whoever has asked for something, such as a worker with its result, is told at once that it could not be kept.
So it must not be kept later either, or whoever asks again would hear that the task is closed: the execution is
read from its log, and what else had come is decided once more.  It comes to the same, since a decision knows
nothing but the execution and what has come.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.core.stimuli import Heartbeat
from asl_engine.engine.deciding import folded
from asl_engine.engine.effects import resolve
from asl_engine.errors import Conflict, StoreUnavailable

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from asl_engine.core.events import Event
    from asl_engine.core.stimuli import Stimulus
    from asl_engine.engine.deciding import Deciding
    from asl_engine.engine.retrying import Attempts, Retrying
    from asl_engine.engine.run import Run
    from asl_engine.store.protocol import Store

__all__ = ["Keeping", "Reply"]


class Reply(NamedTuple):
    """What whoever has put a stimulus to an execution is to hear: the events that it has led to."""

    stimulus: Stimulus
    heard: asyncio.Future[list[Event]]
    made: list[Event]


class Keeping:
    """Stores events that could not be stored at first."""

    def __init__(self, store: Store, deciding: Deciding, retrying: Retrying) -> None:
        self._store = store
        self._deciding = deciding
        self._retrying = retrying

    async def keep(
        self,
        run: Run,
        stimuli: Sequence[Stimulus],
        answers: list[Reply],
        events: list[Event],
        error: StoreUnavailable,
    ) -> list[Event]:
        """Try again until the events that follow from the stimuli are on disk; returns those.

        They are fewer where somebody had asked for some of them: the ``answers`` are given, and gone.
        Raises ``Conflict`` if another process has written to the log.
        """
        self._retrying.stuck[run.arn] = error
        try:
            with self._retrying.attempts(run.arn) as attempts:
                if refused := _refuse(run, answers, error):
                    left = [stimulus for stimulus in stimuli if id(stimulus) not in refused]
                    found, events = await self._decide_again(run, left, events, attempts)
                    if found:
                        return events
                else:
                    await attempts.pause(error)
                return await self._append(run, events, attempts)
        finally:
            del self._retrying.stuck[run.arn]

    async def _decide_again(
        self, run: Run, stimuli: Sequence[Stimulus], events: list[Event], attempts: Attempts
    ) -> tuple[bool, list[Event]]:
        """Whether the events are in the log after all, and the events that follow from the stimuli."""
        stored = await attempts.insist(partial(self._store.events, run.arn))
        if stored[run.told :] == events:
            return True, events
        if len(stored) > run.told:
            raise Conflict(f"The execution {run.arn} was taken over by another process")
        run.execution = await folded(run.execution.identity, stored)
        made: list[Event] = []
        for stimulus in stimuli:
            made += await self._deciding.decide(run, stimulus, made)
        return False, made

    async def _append(self, run: Run, events: list[Event], attempts: Attempts) -> list[Event]:
        while events and not run.done.done():
            try:
                await self._store.append(run.arn, events)
            except Conflict:
                # A commit that was said to have failed may be on disk.
                if await attempts.insist(partial(self._store.events, run.arn, run.told)) != events:
                    raise
            except StoreUnavailable as error:
                self._retrying.stuck[run.arn] = error
                await attempts.pause(error)
                continue
            return events
        return []


def _refuse(run: Run, answers: list[Reply], error: StoreUnavailable) -> set[int]:
    """Tell all who have asked that nothing was kept, and forget what they have asked for.

    Returns what of it had been decided: the stimuli, by their id.  A heartbeat that was heard counts all the same:
    its task is alive.
    """
    refused = {id(answer.stimulus) for answer in answers if not isinstance(answer.stimulus, Heartbeat)}
    while answers:
        resolve(answers.pop().heard, StoreUnavailable(*error.parts))
    if run.asked:
        waiting = [one for one in run.inbox if id(one) not in run.asked or isinstance(one, Heartbeat)]
        run.inbox.clear()
        run.inbox.extend(waiting)
        while run.asked:
            resolve(run.asked.popitem()[1], StoreUnavailable(*error.parts))
    return refused
