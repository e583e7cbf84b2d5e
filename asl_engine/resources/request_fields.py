"""What can be wrong with the fields of a task's parameters, in AWS's words.

The same is said when a state machine is created, where a value may be ``UNKNOWN`` yet, and when the task runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import StatesError
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asl_engine.json_values import Json

__all__ = [
    "ANYTHING",
    "ARRAY",
    "BOOLEAN",
    "JSON_TEXT",
    "OBJECT",
    "STRING",
    "UNKNOWN",
    "Kind",
    "RequestField",
    "checked_parameters",
    "field_faults",
    "missing",
    "refused_parameters",
    "unsupported",
    "wrong_format",
    "wrong_kind",
]

# The value of a field that only the state's input tells.
UNKNOWN: Final[Any] = object()


def unsupported(field: str) -> str:
    return f"The field '{field}' is not supported by Step Functions"


def missing(field: str) -> str:
    return f"The field '{field}' is required but was missing"


def wrong_kind(field: str, kind: str) -> str:
    return f"The value for the field '{field}' must be {kind}"


def wrong_format(field: str) -> str:
    return f"The value of the field '{field}' has an invalid format"


class Kind(NamedTuple):
    """Which JSON a field takes, and what AWS calls it."""

    name: str
    accepts: Callable[[Any], bool]

    def fits(self, value: Any) -> bool:
        return value is UNKNOWN or self.accepts(value)


def _of(name: str, *types: type) -> Kind:
    return Kind(name, lambda value: isinstance(value, types))


STRING = _of("a STRING", str)
# A text that may be given as the JSON that it stands for.  Reported of AWS: a number is refused for a Payload.
JSON_TEXT = _of("a STRING", str, dict, list)
OBJECT = _of("an OBJECT", dict)
ARRAY = _of("an ARRAY", list)
BOOLEAN = _of("a BOOLEAN", bool)
ANYTHING = _of("JSON", object)


class RequestField(NamedTuple):
    """A field of an integration that no service's model describes; ``allowed`` are its only values."""

    kind: Kind
    required: bool = False
    allowed: frozenset[str] | None = None


def field_faults(parameters: Mapping[str, Any], fields: Mapping[str, RequestField]) -> Iterator[str]:
    """What is wrong with the parameters, held against the fields that there are.  Null is as good as absent."""
    for name in parameters:
        if name not in fields:
            yield unsupported(name)
    for name, field in fields.items():
        value = parameters.get(name)
        if value is None:
            if field.required:
                yield missing(name)
        elif not field.kind.fits(value):
            yield wrong_kind(name, field.kind.name)
        elif value is not UNKNOWN and field.allowed is not None and value not in field.allowed:
            yield wrong_format(name)


def checked_parameters(parameters: Json, faults: Callable[[dict[str, Any]], list[str]]) -> dict[str, Any]:
    """The parameters of a task that runs, if ``faults`` finds nothing wrong with them.  Raises ``StatesError``."""
    if not isinstance(parameters, dict):
        raise refused_parameters(parameters, ["The Parameters must be an object"])
    if found := faults(parameters):
        raise refused_parameters(parameters, found)
    return parameters


def refused_parameters(parameters: Json, faults: list[str]) -> StatesError:
    listed = ", ".join(faults)
    return StatesError(
        "States.Runtime",
        f"The Parameters '{dumps(parameters)}' could not be used to start the Task: [{listed}]",
    )
