"""What the console is told of the project and of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.resources.python.registry import Registry

__all__ = ["ConsoleSettings"]


class ConsoleSettings(NamedTuple):
    """``folder`` is the project's, which may have sample inputs and a report of coverage.

    ``token`` is what a person signs in with where requests to the API have to be signed; it is printed when the
    server starts.  ``registry`` has the project's own tasks.  ``version`` is the program's.
    """

    folder: Path
    registry: Registry
    version: str
    token: str = ""
