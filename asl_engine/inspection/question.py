"""What a test is asked besides its state: the mock, what is supposed to have happened, and the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import AslError

if TYPE_CHECKING:
    from asl_engine.payload import Payload

__all__ = ["Refusal", "StateConfiguration", "StateMock"]


class Refusal(AslError):
    """A test that is not possible; ``code`` is the name of the API's error."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StateMock(NamedTuple):
    """The mock of the state's work: a result, or an error if the result is None."""

    result: Payload | None = None
    error: str | None = None
    cause: str | None = None


class StateConfiguration(NamedTuple):
    """stateConfiguration: what is supposed to have happened before.

    ``map_item_reader_data`` is the text that the state's ItemReader would read.
    """

    retrier_retry_count: int | None = None
    error_caused_by_state: str | None = None
    map_iteration_failure_count: int | None = None
    map_item_reader_data: str | None = None
