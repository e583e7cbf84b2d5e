"""How many calls of a function run at a time: its reserved concurrency, whoever calls it in this process.

"Understanding Lambda function scaling" in Lambda's Developer Guide: a call beyond the limit does not wait, it is
throttled.  Who has called decides what follows: a state machine may retry it, a poller and a bus come again later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from asl_engine.errors import StatesError
from asl_engine.resources.python.callables import canonical
from asl_engine.resources.python.context import request_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from asl_engine.resources import TaskCall

__all__ = ["THROTTLED", "Reserved", "Slots"]

THROTTLED: Final = "Lambda.TooManyRequestsException"


class Slots:
    """The calls of one function that are under way, and how many may be.  Any thread may ask."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self._lock = Lock()
        self._waiting: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()

    @contextmanager
    def taken(self, call: TaskCall) -> Iterator[None]:
        """While a call runs.  Raises the ``StatesError`` that Step Functions shows if there is no room for it."""
        with self._lock:
            if self.running >= self.limit:
                raise _throttled(call)
            self.running += 1
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1
                woken = self._waiting.popleft() if self._waiting else None
            if woken is not None:
                loop, turn = woken
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_resolve, turn)

    async def room(self) -> None:
        """Wait until a call may be tried again, unless none ever may."""
        with self._lock:
            if self.running < self.limit or self.limit == 0:
                return
            loop = asyncio.get_running_loop()
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.append((loop, turn))
        await turn


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _throttled(call: TaskCall) -> StatesError:
    meta = f"Status Code: 429; Error Code: TooManyRequestsException; Request ID: {request_id(call.key)}"
    return StatesError(THROTTLED, f"Rate Exceeded. (Service: AWSLambda; {meta}; Proxy: null)")


# By a project's root and a function's name: all engines of this process have them in common.
_SLOTS: dict[tuple[Path, str], Slots] = {}


class Reserved:
    """The reserved concurrency of a project's functions, by their names in any of their forms."""

    def __init__(self, root: Path, limits: Mapping[str, int]) -> None:
        self._root = root
        self._limits = {canonical(name): limit for name, limit in limits.items()}

    def slots(self, name: str, own: int | None = None) -> Slots | None:
        """Those of a function; None where nothing is reserved.  ``own`` is what its code says of itself."""
        key = canonical(name)
        limit = self._limits.get(key, own)
        if limit is None:
            return None
        slots = _SLOTS.setdefault((self._root, key), Slots(limit))
        slots.limit = limit  # the configuration may have changed meanwhile
        return slots
