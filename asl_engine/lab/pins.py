"""Which executions can be pinned, and which of their tasks are then left to the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.arn import function_name
from asl_engine.core.events import StateEntered
from asl_engine.errors import InvalidInput
from asl_engine.json_text import loads
from asl_engine.lab.chance import certain_output
from asl_engine.lab.pinning import Pinned, pinned_test
from asl_engine.lab.whereabouts import where_failed
from asl_engine.language.tree import tasks
from asl_engine.project.inputs import is_there
from asl_engine.project.lookup import project_of
from asl_engine.project.setup import project_tasks

if TYPE_CHECKING:
    from asl_engine.lab.recalling import Recalled
    from asl_engine.project.configuration import Project
    from asl_engine.testing.recordings import RecordedCall

__all__ = ["pin"]


def pin(past: Recalled, definition: str, *, mock_all: bool = False) -> str:
    """A pytest file that runs an execution again; ``definition`` is the text that it ran.

    Unless ``mock_all``, the project's own callable does the task that has failed it.  Raises ``InvalidInput`` for
    an execution that has not ended, a child of a Map Run, and a fork with edited data.
    """
    name = past.record.identity.name
    if past.execution.status == "RUNNING":
        raise InvalidInput(f"the execution {name} has not ended: pin it when it has")
    if past.record.identity.map_run is not None:
        raise InvalidInput(f"{name} belongs to a Map Run: pin the execution that started it")
    if past.edited:
        raise InvalidInput(
            f"{name} is a fork with edited data: a test begins at the beginning, and cannot end as it did; "
            "pin its origin"
        )
    found = where_failed(past.events)
    place = None if found is None else found.state
    failed = _failed_call(past, place)
    left = frozenset() if mock_all or failed is None else _own_failure(past, failed)
    pinned = Pinned(past.execution, past.events, _definition(past, definition), past.calls, left, place)
    return pinned_test(
        pinned._replace(
            output=certain_output(past, definition),
            mocked=None if failed is None or left else failed.state,
            unreached=_unreached(past, definition),
        )
    )


def _unreached(past: Recalled, definition: str) -> list[str]:
    """The Task states that an execution which has not succeeded never entered."""
    if past.execution.status == "SUCCEEDED":
        return []
    reached = {event.name for event in past.events if isinstance(event, StateEntered)}
    reached |= {call.state for call in past.calls}  # those of child executions, too
    return [task.name for task in tasks(loads(definition)) if task.name not in reached]


def _definition(past: Recalled, text: str) -> str | dict[str, Any]:
    """The file, as a path from here; the definition itself where there is no file of it."""
    file = past.record.options.definition
    if not is_there(file):
        document: Any = loads(text)
        return document if isinstance(document, dict) else text
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def _failed_call(past: Recalled, place: str | None) -> RecordedCall | None:
    """The call that has failed the execution, None where none has.

    That is of ``place``; or where a state without a task has failed, such as a Fail state, the last call.
    """
    of_place = [call for call in past.calls if call.state == place and call.answer.error is not None]
    last: RecordedCall | None = next(reversed(of_place or past.calls), None)
    if last is None or last.answer.error is None or past.execution.status == "SUCCEEDED":
        return None
    return last


def _own_failure(past: Recalled, last: RecordedCall) -> frozenset[str]:
    """The state of this call, where a callable of the project does its task."""
    function = function_name(last.resource)
    found = None if function is None else project_tasks(_project(past)).find(function)
    return frozenset() if found is None else frozenset({last.state})


def _project(past: Recalled) -> Project:
    file = past.record.options.definition
    return project_of(file if is_there(file) else Path.cwd())
