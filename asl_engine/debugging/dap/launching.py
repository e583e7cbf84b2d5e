"""What an editor can ask to be debugged, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from asl_engine.debugging.given import GivenAnswer
from asl_engine.errors import InvalidInput
from asl_engine.json_text import dumps
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from asl_engine.debugging.dap.arguments import Arguments
    from asl_engine.debugging.places import FreshStart
    from asl_engine.project.setup import Setup
    from asl_engine.store.protocol import Store
    from asl_engine.store.records import Record

__all__ = ["Debuggee", "Launcher", "given_answers"]


class Debuggee(NamedTuple):
    """What a session is made of.  It begins with ``fresh``, or else with ``record``, which is in the store.

    ``kept``: the store outlives this process.
    """

    store: Store
    setup: Setup
    fresh: FreshStart | None = None
    record: Record | None = None
    kept: bool = True


class Launcher(Protocol):
    """Reads definitions and opens databases.  What it opens is closed with the stack.  Raises ``AslError``."""

    async def launch(self, arguments: Arguments, stack: AsyncExitStack) -> Debuggee: ...

    async def attach(self, arguments: Arguments, stack: AsyncExitStack) -> Debuggee: ...


def given_answers(arguments: Arguments) -> dict[str, GivenAnswer]:
    """The member ``mocks``: by state an output, or an object of ``Error`` and ``Cause`` alone."""
    found: dict[str, GivenAnswer] = {}
    for state, given in arguments.object("mocks").items():
        if isinstance(given, dict) and "Error" in given and set(given) <= {"Error", "Cause"}:
            error, cause = given["Error"], given.get("Cause")
            if not isinstance(error, str) or not isinstance(cause, str | None):
                raise InvalidInput(f'"mocks": the Error and the Cause of {state} have to be texts')
            found[state] = GivenAnswer(None, error, cause)
        else:
            found[state] = GivenAnswer(Payload.of_text(dumps(given)))
    return found
