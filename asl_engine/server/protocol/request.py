"""A request: its body and its caller."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import Arn, activity_arn, is_arn, is_name, parse_arn, state_machine_arn
from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.server.protocol.errors import ApiError, breach, invalid_arn, unreadable, unsatisfied

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from asl_engine.json_values import Json

__all__ = ["Caller", "Request", "caller_of", "caller_with", "checked_name", "checked_role"]

# Signature Version 4: Credential=ACCESS_KEY/DATE/REGION/SERVICE/aws4_request
_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)/[^/,\s]*/([^/,\s]+)/[^/,\s]+/aws4_request")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
MAX_PAGE = 1000  # of the results of a list


class Caller(NamedTuple):
    """The region and the account of a request.  Resources of others are invisible to it."""

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
    """The caller by the signature: its region, and the access key as the account if it has 12 digits."""
    match = _CREDENTIAL.search(authorization)
    if match is None:
        return default
    return caller_with(match[1], match[2], default)


def caller_with(key: str, region: str, default: Caller) -> Caller:
    """The caller with this access key, in this region."""
    return Caller(
        region if _REGION.fullmatch(region) else default.region,
        key if _ACCOUNT.fullmatch(key) else default.account,
    )


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


class Request(NamedTuple):
    """``data`` is the body; ``gone`` returns when the client has hung up.

    ``started_by`` is the key of the task that makes the request, ``mock_case`` the test case to run; each is None
    without one.
    """

    data: dict[str, Json]
    caller: Caller
    gone: Callable[[], Coroutine[None, None, None]] = _never
    started_by: str | None = None
    mock_case: str | None = None

    def text(self, member: str) -> str:
        """A required string."""
        value = self.optional_text(member)
        if value is None:
            raise unsatisfied(breach(member, "Member must not be null", "null"))
        return value

    def optional_text(self, member: str) -> str | None:
        value = self.data.get(member)
        if value is None or isinstance(value, str):
            return value
        raise unreadable("string", value, member)

    def flag(self, member: str, *, default: bool) -> bool:
        value = self.data.get(member)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        raise unreadable("boolean", value, member)

    def optional_integer(self, member: str) -> int | None:
        value = self.data.get(member)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise unreadable("integer", value, member)

    def page_size(self) -> int:
        """maxResults; 100 if it is missing or 0."""
        value = self.optional_integer("maxResults")
        if value is not None and not 0 <= value <= MAX_PAGE:
            bound = "greater than or equal to 0" if value < 0 else f"less than or equal to {MAX_PAGE}"
            raise unsatisfied(breach("maxResults", f"Member must have value {bound}", f"'{value}'"))
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
    """Raises InvalidName for a forbidden character, ValidationException for the length."""
    if not name:
        raise unsatisfied(breach("name", "Member must have length greater than or equal to 1", "''"))
    if longest is not None and len(name) > longest:
        raise unsatisfied(breach("name", f"Member must have length less than or equal to {longest}", f"'{name}'"))
    if not is_name(name, None):
        raise ApiError("InvalidName", f"Invalid Name: '{name}'")
    return name


def checked_role(role: str) -> str:
    """Raises InvalidArn."""
    if not is_arn(role):
        raise ApiError("InvalidArn", f"Invalid Role Arn: '{role}'")
    return role
