"""The scopes of a definition: the machine's own states, and those of its branches and item processors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["all_states", "inner_states"]


def all_states(scope: Any) -> Iterator[tuple[str, Any]]:
    """The names and the sources of a scope's states, each followed by those within it.

    Whatever is not of the right shape is passed over: to report it is the loader's part.
    """
    states = scope.get("States") if isinstance(scope, dict) else None
    for name, state in states.items() if isinstance(states, dict) else ():
        yield name, state
        yield from inner_states(state)


def inner_states(state: Any) -> Iterator[tuple[str, Any]]:
    """The names and the sources of all states within a Parallel or a Map state."""
    if not isinstance(state, dict):
        return
    branches = state.get("Branches")
    for scope in [
        *(branches if isinstance(branches, list) else ()),
        state.get("ItemProcessor"),
        state.get("Iterator"),
    ]:
        yield from all_states(scope)
