"""A state machine ready to run: its states compiled, its definition kept to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.core.state import State

__all__ = ["StateMachine"]


class StateMachine(NamedTuple):
    """``text`` is the definition's source and ``digest`` its address (SHA-256 in hexadecimal).

    ``timeout`` is TimeoutSeconds, None where there is none; ``resources`` are what its tasks name, in
    the order of the definition.
    """

    text: str
    digest: str
    start_at: str
    states: Mapping[str, State]
    timeout: int | None
    resources: tuple[str, ...]
