"""What the console is told of the project and of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ConsoleSettings"]


class ConsoleSettings(NamedTuple):
    """``folder`` is the project's, which may have sample inputs and a report of coverage.

    ``token`` is what a person signs in with where requests to the API have to be signed; it is printed when the
    server starts.  ``version`` is the program's.
    """

    folder: Path
    version: str
    token: str = ""
