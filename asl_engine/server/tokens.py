"""Page tokens: where the next page begins, of which list it is a page, and until when it can be asked for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from asl_engine.server.errors import invalid_token

__all__ = ["expiring", "page_token", "position_of", "unexpired"]

VALID_SECONDS = 24 * 3600


def page_token(query: tuple[Any, ...], position: str | int) -> str:
    """``query`` is everything that must stay the same from page to page."""
    return urlsafe_b64encode(json.dumps([_digest(query), position]).encode()).decode()


def position_of(token: str | None, query: tuple[Any, ...]) -> Any:
    """The position in a token, None without one.  Raises InvalidToken for one of another list."""
    if token is None:
        return None
    try:
        digest, position = json.loads(urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError):
        raise invalid_token("Invalid token") from None
    if digest != _digest(query) or not isinstance(position, str | int):
        raise invalid_token("The token belongs to another request")
    return position


def expiring(token: str, now: float) -> str:
    """The token as it is given to callers.  ``now``, here and below, is in seconds since the epoch."""
    return f"{int(now):x}.{token}"


def unexpired(token: str, now: float) -> str:
    """The token as ``page_token`` has made it.  Raises InvalidToken where it is a day old, or none of ours."""
    made, _, inner = token.partition(".")
    try:
        age = now - int(made, 16)
    except ValueError:
        raise invalid_token("Invalid token") from None
    if not 0 <= age + 1 <= VALID_SECONDS + 1:
        raise invalid_token("The token has expired")
    return inner


def _digest(query: tuple[Any, ...]) -> str:
    return sha256(json.dumps(query).encode()).hexdigest()[:16]
