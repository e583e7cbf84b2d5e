"""A state machine ready to run: its states compiled, its definition kept to the letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.states.state import State

__all__ = ["StateMachine"]


@dataclass(frozen=True, slots=True)
class StateMachine:
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
