"""Which calls of a project's tasks run in a process of their own, and what the death of one means.

A task that takes its process down (``os._exit``, a segmentation fault, no memory left) takes the engine with it
where it runs in the engine's process.  The engine that comes next finds in the log which tasks were running
then, and how often this has happened to each: all of them are suspects, and one of them may be the culprit.
A suspect gets a process of its own as soon as its next death would be the last that it may have.  If that
process dies, it was the culprit and its attempt fails, with Lambda's ``Runtime.ExitError``; if not, it was
innocent, and nothing has happened to it.  So no task ever fails for what another one did.
"""

from __future__ import annotations

import json
import logging
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import StatesError
from asl_engine.payload import Payload
from asl_engine.resources.log_subjects import about
from asl_engine.resources.processes import ProcessEnded, ProcessPool
from asl_engine.resources.python.callables import canonical
from asl_engine.resources.python.reports import exited

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.resources import TaskCall
    from asl_engine.resources.python.callables import TaskFunction
    from asl_engine.resources.python.context import InvokeOptions

__all__ = ["MODES", "Isolation", "TaskOptions", "isolation_of", "options_of"]

HERE, PROCESS = MODES = ("none", "process")
MAX_TOLD = 10  # suspects that are told one by one
START = "from asl_engine.resources.python.worker import main; main()"

log = logging.getLogger("asl_engine.tasks")


class TaskOptions(NamedTuple):
    """What ``@task`` says of one task; None for the project's setting."""

    isolation: str | None = None
    max_deaths: int | None = None
    concurrency: int | None = None


def options_of(function: TaskFunction) -> TaskOptions:
    options = getattr(function, "__asl_options__", None)
    return options if isinstance(options, TaskOptions) else TaskOptions()


def isolation_of(places: tuple[Path, ...], root: Path, mode: str, max_deaths: int) -> Isolation:
    """The isolation of a project's tasks, which are loaded from ``places`` and ``root``.

    All engines of this process share it: they have its processes in common, and what it knows of culprits.
    """
    return _isolation(places, root, mode, max_deaths, tuple(sys.path))


@lru_cache(maxsize=8)
def _isolation(
    places: tuple[Path, ...], root: Path, mode: str, max_deaths: int, path: tuple[str, ...]
) -> Isolation:
    return Isolation(_command(places, root, path), mode, max_deaths)


class Isolation:
    """Processes for tasks, started by ``command``, and what is known of the tasks that ended theirs."""

    def __init__(self, command: list[str], mode: str, max_deaths: int) -> None:
        self._mode = mode
        self._max_deaths = max_deaths
        self._culprits: set[str] = set()
        self._suspects = 0
        self._processes = ProcessPool(command)

    def wants_apart(self, name: str, options: TaskOptions, call: TaskCall) -> bool:
        """Whether a call is to have a process of its own."""
        if (options.isolation or self._mode) == PROCESS or canonical(name) in self._culprits:
            return True
        most = options.max_deaths or self._max_deaths
        if call.deaths:
            self._tell_of_suspect(name, call, most)
        return call.deaths + 1 >= most

    def _tell_of_suspect(self, name: str, call: TaskCall, most: int) -> None:
        self._suspects += 1
        if self._suspects <= MAX_TOLD:
            told = "%s: the process ended while the task %s of the state %s ran (%d of at most %d times)"
            log.warning(told, call.execution, name, call.state, call.deaths, most, extra=about(call.execution))
        elif self._suspects == MAX_TOLD + 1:
            log.warning("more tasks ran when the process ended: `asl show` tells of each execution")

    async def call(self, name: str, call: TaskCall, invoked: InvokeOptions) -> Payload:
        """Call a task in a process of its own.  Raises ``StatesError`` if it fails, or ends that process."""
        try:
            answer = await self._processes.ask(_request(name, call, invoked), lambda _: call.heartbeat())
        except ProcessEnded as ended:
            self._culprits.add(canonical(name))  # no execution runs it in this process from now on
            log.error(  # noqa: TRY400  a traceback would show our own code only
                "%s: the task %s of the state %s ended its process: %s",
                call.execution,
                name,
                call.state,
                ended,
                extra=about(call.execution),
            )
            raise exited(ended.status, call) from None
        except OSError as error:
            raise StatesError("Lambda.ServiceException", f"Cannot run {sys.executable}: {error}") from error
        if "text" in answer:
            return Payload.of_text(answer["text"])
        raise StatesError(answer["error"], answer["cause"])

    def close(self) -> None:
        """End the idle processes."""
        self._processes.close()


def _command(places: tuple[Path, ...], root: Path, path: tuple[str, ...]) -> list[str]:
    """The command of a process: this Python, which finds the same modules on ``path``."""
    settings = json.dumps({"path": path, "places": [*map(str, places)], "root": str(root)})
    start = f"import json, sys; sys.path[:] = json.loads(sys.argv[1])['path']; {START}"
    return [sys.executable, "-c", start, settings]


def _request(name: str, call: TaskCall, invoked: InvokeOptions) -> dict[str, Any]:
    return {
        "name": name,
        "input": call.input.text,
        "invoked": [*invoked],
        "call": {
            "resource": call.resource,
            "key": call.key,
            "attempt": call.attempt,
            "deadline": call.deadline,
            "execution": call.execution,
            "state": call.state,
            "execution_id": call.execution_id,
            "trace_parent": call.trace_parent,
        },
    }
