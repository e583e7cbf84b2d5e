"""Tags of state machines and activities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn, is_child
from asl_engine.server.protocol.errors import ApiError, breach, invalid_arn, not_found, unsatisfied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.server.protocol.request import Request
    from asl_engine.server.service import Service

    Lookup = Callable[[Service, str], Awaitable[object | None]]

__all__ = ["checked_tags", "list_tags_for_resource", "tag_resource", "untag_resource"]

MAX_TAGS = 50  # of one resource
# Letters, digits, white space and seven symbols, as the API reference lists them.
ALLOWED = re.compile(r"[\w\s.:/=+\-@]*")
RESERVED = "aws:"
SYMBOLS = "Tags may only contain Unicode letters, digits, white space, or these symbols: _ . : / = + - @"
EXTERNAL = "aws: prefixed tag key names are not allowed for external use"


async def tag_resource(request: Request, service: Service) -> dict[str, Any]:
    tags = checked_tags(request)
    async with service.changing:
        arn = await _resource(request, service)
        _check_number(len((await service.store.tags.get(arn)) | tags), arn)
        await service.store.tags.put(arn, tags)
    return {}


async def untag_resource(request: Request, service: Service) -> dict[str, Any]:
    """Ignores keys that the resource does not have."""
    keys: Any = request.data["tagKeys"]
    async with service.changing:
        arn = await _resource(request, service)
        await service.store.tags.remove(arn, keys)
    return {}


async def list_tags_for_resource(request: Request, service: Service) -> dict[str, Any]:
    arn = await _resource(request, service)
    tags = await service.store.tags.get(arn)
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def checked_tags(request: Request, arn: str | None = None) -> dict[str, str]:
    """The tags of a request; of two with the same key, the last counts.

    Raises ValidationException; TooManyTags where ``arn``, a new resource, would have too many.
    """
    given: Any = request.data.get("tags") or []
    tags: dict[str, str] = {}
    for number, tag in enumerate(given, 1):
        key, value = tag.get("key"), tag.get("value") or ""
        place = f"tags.{number}.member"
        if key is None:
            raise unsatisfied(breach(f"{place}.key", "Member must not be null", "null"))
        for member, text in (("key", key), ("value", value)):
            if not ALLOWED.fullmatch(text):
                raise unsatisfied(breach(f"{place}.{member}", SYMBOLS, f"'{text}'"))
            if text.lower().startswith(RESERVED) and member == "key":
                raise unsatisfied(breach(f"{place}.key", EXTERNAL, f"'{text}'"))
        tags[key] = value
    if arn is not None:
        _check_number(len(tags), arn)
    return tags


def _check_number(number: int, arn: str) -> None:
    if number > MAX_TAGS:
        raise ApiError(
            "TooManyTags", f"The number of tags exceeds the limit of {MAX_TAGS}: '{arn}'", resourceName=arn
        )


async def _resource(request: Request, service: Service) -> str:
    """The ARN of a state machine or an activity of the caller's.  Raises InvalidArn and ResourceNotFound."""
    arn = request.arn("resourceArn", *LOOKUPS)
    parts = Arn.of(arn)
    if parts.qualifier is not None or is_child(parts.name):
        raise invalid_arn(f"Resource type not valid in this context: {arn}")
    if not request.owns(arn) or await LOOKUPS[parts.kind](service, arn) is None:
        raise not_found(arn)
    return arn


async def _machine(service: Service, arn: str) -> object | None:
    return await service.find_machine(arn)


async def _activity(service: Service, arn: str) -> object | None:
    return await service.store.activities.get(arn)


# What can be tagged, by the word in its ARN.
LOOKUPS: dict[str, Lookup] = {"activity": _activity, "stateMachine": _machine}
