"""The packages that ``asl dev`` needs, told at once: nobody wants to hear of one after the other."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from asl_engine.errors import ProjectError

__all__ = ["INSTALL", "check_needed", "missing_packages"]

INSTALL: Final = 'pip install "asl-engine[dev-server,emulation]"'
SERVER: Final = ("httptools", "starlette", "uvicorn", "watchfiles")
EMULATION: Final = ("boto3", "flask", "flask_cors", "moto")


def missing_packages(*, emulation: bool | None = None) -> list[str]:
    """Those that are not installed; ``emulation`` as the option says, False without AWS's other services."""
    needed = SERVER if emulation is False else (*SERVER, *EMULATION)
    return [name for name in needed if find_spec(name) is None]


def check_needed(*, emulation: bool | None = None) -> None:
    """Raises ``ProjectError`` that names all that is missing, if a server cannot start without it.

    Without the emulation, which nobody has asked for, it starts: services may be elsewhere.
    """
    missing = missing_packages(emulation=emulation)
    if missing and (emulation or not {*missing}.isdisjoint(SERVER)):
        raise ProjectError(f"asl dev needs {', '.join(missing)}: {INSTALL}")
