"""The two families of failure, which never mix.

``StatesError`` is the only failure that a definition can see: an error name and a cause, as in the
"Errors" section of the Amazon States Language.  Everything derived from ``AslError`` is addressed to
the person who called the engine: a bad file, a bad argument, an unusable database.  Whatever else is
raised is a defect of the engine and travels with its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.findings import Finding

__all__ = [
    "EXIT_ERROR",
    "MISSED_HEARTBEAT",
    "UNRECOVERABLE",
    "AslError",
    "Conflict",
    "DefinitionError",
    "EvaluationError",
    "ExecutionAlreadyExists",
    "ExecutionBusy",
    "ExecutionDoesNotExist",
    "ExecutionNotRedrivable",
    "InvalidInput",
    "Parameter",
    "ProjectError",
    "QueryFailure",
    "StatesError",
    "StoreError",
    "StoreUnavailable",
    "shown_error",
    "too_large",
]


class StatesError(Exception):
    """An error that Retry and Catch can see: ``error`` is its name, ``cause`` its human-readable text.

    Either may be None, as in a Fail state without an Error field.  ``location`` is the field whose evaluation has
    failed so; a JSONata state shows it in an EvaluationFailed event.
    """

    def __init__(self, error: str | None, cause: str | None = None, location: str | None = None) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause
        self.location = location

    def __str__(self) -> str:
        return f"{self.error}: {self.cause}"


def too_large(state: str) -> StatesError:
    """The error of a state whose result has more bytes than AWS allows."""
    return StatesError(
        "States.DataLimitExceeded",
        f"The state/task '{state}' returned a result with a size exceeding "
        "the maximum number of bytes service limit.",
    )


class EvaluationError(Exception):
    """A path, a template or a field could not be evaluated against the data at hand.

    ``detail`` is the text AWS gives after "An error occurred while executing the state '...'".  The
    interpreter turns it into the ``StatesError`` named ``error``, because only it knows the state.
    ``location`` is the field of a JSONata state, as in an EvaluationFailed event.
    """

    location: str | None = None

    def __init__(self, detail: str, error: str = "States.Runtime") -> None:
        super().__init__(detail)
        self.detail = detail
        self.error = error


class QueryFailure(EvaluationError):
    """A field of a JSONata state has no usable value; the history shows an EvaluationFailed event."""

    def __init__(self, detail: str, location: str | None = None) -> None:
        super().__init__(detail, "States.QueryEvaluationError")
        self.location = location


# Lambda's error for a function that ends its process.
EXIT_ERROR = "Runtime.ExitError"
MISSED_HEARTBEAT = "States.HeartbeatTimeout"
# Errors that AWS documents by one name and shows, in histories and error outputs, by another (recorded).
SHOWN_NAMES = {
    MISSED_HEARTBEAT: "States.Timeout",
    "States.ResultPathMatchFailure": "States.ReferencePathConflict",
}
# The execution cannot go on from these: no retrier and no catcher is asked.
UNRECOVERABLE = frozenset({"States.Runtime"})


def shown_error(error: str | None) -> str | None:
    """An error's name as AWS shows it."""
    return error if error is None else SHOWN_NAMES.get(error, error)


class Parameter(NamedTuple):
    """A parameter that a message speaks of, and what was given for it.

    Whoever called knows it by another name: an option of the command line, an argument of a Python function.
    ``str()`` writes it as Python does.
    """

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


class AslError(Exception):
    """Something the caller can put right.  ``exit_code`` is the CLI's.

    The message is made of ``parts``: text, and the parameters that it speaks of.  ``str()`` is the whole message
    as the Python API words it; ``worded`` is for those who name parameters otherwise.
    """

    exit_code = 2

    def __init__(self, *parts: str | Parameter) -> None:
        super().__init__(*parts)
        self.parts = parts

    def worded(self, word: Callable[[Parameter], str]) -> str:
        """The message, with each parameter as ``word`` writes it."""
        return "".join(word(part) if isinstance(part, Parameter) else part for part in self.parts)

    def __str__(self) -> str:
        return self.worded(str)


class DefinitionError(AslError):
    """A definition was refused.  ``findings`` lists every reason, each with its location."""

    def __init__(self, findings: Sequence[Finding], source: str = "definition") -> None:
        self.findings = list(findings)
        self.source = source
        super().__init__("\n".join(f"{source}{finding}" for finding in self.findings))


class InvalidInput(AslError):
    """An execution input is not JSON, or is larger than the language allows."""


class ProjectError(AslError):
    """The project's configuration or its task callables cannot be used as they are."""


class ExecutionDoesNotExist(AslError):
    """No execution, or more than one, goes by the given id, name or ARN."""


class ExecutionAlreadyExists(AslError):
    """The name is taken by an execution with another input, or by one that has ended."""


class ExecutionNotRedrivable(AslError):
    """The execution cannot be redriven.  ``reason`` says why in AWS's words."""

    def __init__(self, arn: str, reason: str) -> None:
        super().__init__(f"Execution {arn} invalid for redrive as: {reason}")
        self.reason = reason


class ExecutionBusy(AslError):
    """Another live process is driving the execution."""


class StoreError(AslError):
    """The database cannot be opened, read or written."""


class StoreUnavailable(StoreError):
    """The database cannot be read or written now: the disk is full, or another program has locked it.

    Nothing is wrong with what was asked for, so it may be tried again.  The first part of the message is what
    those need to know who see to that; what follows is for those who would ask again.
    """

    @property
    def reason(self) -> str:
        return str(self.parts[0])


class Conflict(StoreError):
    """The execution's log has grown since it was read: somebody else has written to it."""
