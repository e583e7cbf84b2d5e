"""Messages as the command line words them: a parameter is an option."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asl_engine.errors import AslError, Parameter

__all__ = ["worded"]


def worded(error: AslError) -> str:
    """The message of an error, with options for its parameters: ``--db`` for ``db``."""
    return error.worded(_option)


def _option(parameter: Parameter) -> str:
    option = "--" + parameter.name.replace("_", "-")
    return option if parameter.value is None else f"{option} {parameter.value}"
