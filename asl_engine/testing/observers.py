"""Who hears of the executions that tests have run, such as a report of what they cover.

Add a function to ``OBSERVERS`` to hear of each execution when its run ends: those that it started, the children
of its Map Runs and nested executions, each by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity

__all__ = ["OBSERVERS", "ObservedDefinition", "RunObserver", "tell"]


class ObservedDefinition(NamedTuple):
    """The definition of an execution, as JSON text with its placeholders filled in.

    ``name`` is the state machine's, ``path`` the absolute path of its file, None where it was given as text or as
    an object.  The child of a Map Run has the definition of the execution with the Map state, whole.
    ``execution`` is who ran it, None where that is not known.
    """

    name: str
    path: Path | None
    text: str
    execution: Identity | None = None


class RunObserver(Protocol):
    """``events`` are all of the execution, in order; ``test_id`` is pytest's node id, None outside of pytest.

    An execution that was still running when its test ended has the events up to there.  One that is redriven is
    told of once more when it has ended again, with all of its events.
    """

    def __call__(
        self, definition: ObservedDefinition, events: Sequence[Event], test_id: str | None, /
    ) -> None: ...


OBSERVERS: list[RunObserver] = []


def tell(definition: ObservedDefinition, events: Sequence[Event], test_id: str | None) -> None:
    for observer in OBSERVERS:
        observer(definition, events, test_id)
