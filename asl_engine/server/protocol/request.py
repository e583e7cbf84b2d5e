"""One request: what its caller has asked for, and who the caller is."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import Arn, activity_arn, is_arn, is_name, parse_arn, state_machine_arn
from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.server.protocol.errors import ApiError, invalid_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from asl_engine.json_values import Json

__all__ = ["Caller", "Request", "caller_of", "checked_name"]

# Signature Version 4: Credential=ACCESS_KEY/DATE/REGION/SERVICE/aws4_request
_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)/[^/,\s]*/([^/,\s]+)/[^/,\s]+/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z0-9-]{1,40}")


class Caller(NamedTuple):
    """Whose resources a request is about: nothing of another region or account is ever seen."""

    region: str
    account: str

    @property
    def prefix(self) -> str:
        """The beginning of the caller's state machine ARNs."""
        return state_machine_arn(*self, "")

    @property
    def activities(self) -> str:
        """The beginning of the caller's activity ARNs."""
        return activity_arn(*self, "")


def caller_of(authorization: str, default: Caller) -> Caller:
    """The region of the signature, and the account: an access key of 12 digits names it."""
    match = _CREDENTIAL.search(authorization)
    if match is None:
        return default
    key, region = match.groups()
    return Caller(
        region if _REGION.fullmatch(region) else default.region,
        key if _ACCOUNT.fullmatch(key) else default.account,
    )


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


class Request(NamedTuple):
    """``data`` is the request's body; ``gone`` returns when its sender does not wait for the answer any more.

    ``started_by`` is the key of the task that asks, if one does; ``mock_case`` the test case to be run.
    """

    data: dict[str, Json]
    caller: Caller
    gone: Callable[[], Coroutine[None, None, None]] = _never
    started_by: str | None = None
    mock_case: str | None = None

    def text(self, member: str) -> str:
        """A string that the operation requires."""
        value = self.optional_text(member)
        if value is None:
            raise ApiError(
                "ValidationException",
                f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: "
                "Member must not be null",
            )
        return value

    def optional_text(self, member: str) -> str | None:
        value = self.data.get(member)
        if value is None or isinstance(value, str):
            return value
        raise ApiError("SerializationException", f"{member} has to be a string")

    def flag(self, member: str, *, default: bool) -> bool:
        value = self.data.get(member)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        raise ApiError("SerializationException", f"{member} has to be true or false")

    def optional_integer(self, member: str) -> int | None:
        value = self.data.get(member)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise ApiError("SerializationException", f"{member} has to be an integer")

    def page_size(self) -> int:
        """maxResults: 100 where there is none, or 0."""
        value = self.optional_integer("maxResults")
        if value is not None and not 0 <= value <= 1000:
            raise ApiError("ValidationException", "maxResults has to be from 0 to 1000")
        return value or 100

    def arn(self, member: str, *kinds: str) -> str:
        """An ARN of Step Functions whose resource is of one of these kinds.  Raises InvalidArn."""
        arn = self.text(member)
        parts = parse_arn(arn)
        if parts is None or parts.service != "states" or not (parts.kind and parts.name):
            raise invalid_arn(arn if is_arn(arn) else f"Invalid ARN prefix: {arn}")
        if parts.kind not in kinds:
            raise invalid_arn(f"Resource type not valid in this context: {parts.kind}")
        return arn

    def owns(self, arn: str) -> bool:
        return Arn.of(arn).home == self.caller


def checked_name(name: str, longest: int | None = MAX_NAME_LENGTH) -> str:
    """Raises InvalidName."""
    if not is_name(name, longest):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name
