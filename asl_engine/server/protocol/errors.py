"""The errors of the API, worded as AWS words them."""

from __future__ import annotations

from typing import Any

__all__ = [
    "ApiError",
    "breach",
    "conflict",
    "does_not_exist",
    "invalid_arn",
    "invalid_token",
    "not_found",
    "quota_exceeded",
    "unreadable",
    "unsatisfied",
]


class ApiError(Exception):
    """An error response: ``code`` is the name of its shape, ``members`` are those besides the message."""

    def __init__(self, code: str, message: str, status: int = 400, **members: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


# The names of AWS's deserializer for the types of members, by botocore's names.
_KINDS = {
    "string": "a String",
    "boolean": "a Boolean",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
}


def unreadable(kind: str, value: Any, place: str) -> ApiError:
    """SerializationException for a member of the wrong JSON type, in the words of AWS's deserializer."""
    if isinstance(value, dict):
        text = "Start of structure or map found where not expected."
    elif isinstance(value, list):
        text = "Start of list found where not expected"
    elif kind not in _KINDS:
        text = "Expected list or null" if kind == "list" else "Expected null"
    else:
        token = "STRING" if isinstance(value, str) else str(value).upper() if isinstance(value, bool) else "NUMBER"
        text = f"{token}_VALUE can not be converted to {_KINDS[kind]}"
    return ApiError("SerializationException", f"{text} (at '{place}')")


def breach(place: str, constraint: str, shown: str = "") -> str:
    """The text for one broken constraint; ``shown`` is the value, empty if it is sensitive."""
    return f"Value {f'{shown} ' if shown else ''}at '{place}' failed to satisfy constraint: {constraint}"


def unsatisfied(*breaches: str) -> ApiError:
    """ValidationException with every ``breach``."""
    number = f"{len(breaches)} validation error{'s' if len(breaches) > 1 else ''}"
    return ApiError("ValidationException", f"{number} detected: {'; '.join(breaches)}")


def invalid_arn(reason: str) -> ApiError:
    return ApiError("InvalidArn", f"Invalid Arn: '{reason}'")


def invalid_token(reason: str) -> ApiError:
    return ApiError("InvalidToken", f"Invalid Token: '{reason}'")


def does_not_exist(what: str, arn: str) -> ApiError:
    """``what`` is ``State Machine`` or ``Execution``."""
    return ApiError(f"{what.replace(' ', '')}DoesNotExist", f"{what} Does Not Exist: '{arn}'")


def not_found(arn: str) -> ApiError:
    return ApiError("ResourceNotFound", f"Resource not found: '{arn}'", resourceName=arn)


def conflict(message: str) -> ApiError:
    return ApiError("ConflictException", message, 409)


def quota_exceeded(message: str) -> ApiError:
    return ApiError("ServiceQuotaExceededException", message, 402)
