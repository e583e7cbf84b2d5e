"""Which tests are possible; the messages are those recorded from AWS, where there are recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import names_activity
from asl_engine.inspection.question import Refusal
from asl_engine.language.tree import inner_states

if TYPE_CHECKING:
    from asl_engine.inspection.question import StateConfiguration, StateMock
    from asl_engine.inspection.subject import Subject

__all__ = ["check_mock", "check_request"]

MOCKED_TYPES: Final = frozenset({"Task", "Map", "Parallel"})
# Integrations whose result comes from another party, or later.
NEEDS_MOCK: Final = (".sync", ".sync:2", ".waitForTaskToken")
CONFIGURED: Final = {
    "retrier_retry_count": "RetrierRetryCount",
    "error_caused_by_state": "ErrorCausedByState",
    "map_iteration_failure_count": "MapIterationFailureCount",
    "map_item_reader_data": "MapItemReaderData",
}


def check_request(
    mock: StateMock | None, configuration: StateConfiguration, *, context: bool, reveal_secrets: bool
) -> None:
    """Check what does not depend on the state.  ``context``: one was given.  Raises ``Refusal``."""
    if mock is None:
        given = {"Context": context or None} | {
            name: getattr(configuration, member) for member, name in CONFIGURED.items()
        }
        for name, value in given.items():
            if value is not None:
                raise Refusal(f"TestState does not support {name} when a mock is not specified.")
    elif reveal_secrets:  # nothing is sent, so nothing can be revealed
        raise Refusal("TestState does not support RevealSecrets when a mock is specified.")


def check_mock(
    subject: Subject, mock: StateMock | None, configuration: StateConfiguration, role: str | None
) -> None:
    """Check that this state can be tested with this mock, or without one.  Raises ``Refusal``."""
    if mock is None:
        _check_unmocked(subject, role)
        return
    if subject.type not in MOCKED_TYPES:
        raise Refusal(f"State type '{subject.type}' is not supported when a mock is specified")
    _check_configuration(subject, mock, configuration)
    if mock.result is not None and subject.type != "Task":
        _check_result(subject, mock.result.value)


def _check_unmocked(subject: Subject, role: str | None) -> None:
    if subject.type in {"Map", "Parallel"}:
        raise Refusal(
            "TestState API does not support Map or Parallel states. Supported state types include: "
            "[Task, Wait, Pass, Succeed, Fail, Choice]",
            "InvalidDefinition",
        )
    if subject.type != "Task":
        return
    resource: str = subject.source["Resource"]
    if names_activity(resource) or resource.endswith(NEEDS_MOCK):
        raise Refusal(
            f"TestState API does not support the resource '{resource}' when a mock is not specified",
            "InvalidDefinition",
        )
    if role is None:
        raise Refusal("RoleArn must be specified when testing a Task state")


def _check_configuration(subject: Subject, mock: StateMock, configuration: StateConfiguration) -> None:
    culprit = configuration.error_caused_by_state
    if culprit is not None:
        if mock.result is not None or subject.type == "Task":
            raise Refusal("ErrorCausedByState requires a mocked error of a Map or Parallel state.")
        if all(state.name != culprit for state in inner_states(subject.written)):
            raise Refusal(f"ErrorCausedByState '{culprit}' does not exist in the tested state.")
    if subject.type == "Map":
        if configuration.map_item_reader_data is not None and "ItemReader" not in subject.source:
            raise Refusal("MapItemReaderData requires a Map state with an ItemReader.")
        return
    for name, value in (
        ("MapIterationFailureCount", configuration.map_iteration_failure_count),
        ("MapItemReaderData", configuration.map_item_reader_data),
    ):
        if value is not None:
            raise Refusal(f"{name} is only supported when testing a Map state.")


def _check_result(subject: Subject, result: Any) -> None:
    """A Parallel returns one result per branch, a Map a list, or with a ResultWriter the writer's object."""
    if subject.type == "Map" and "ResultWriter" in subject.source:
        if not isinstance(result, dict):
            raise Refusal("Mocked result must be a JSON object when the Map state has a ResultWriter.")
        return
    if not isinstance(result, list):
        raise Refusal("Mocked result must be an array.")
    if subject.type == "Parallel" and len(result) != len(subject.source["Branches"]):
        raise Refusal("Mocked result must contain the same number of items as number of Parallel branches.")
