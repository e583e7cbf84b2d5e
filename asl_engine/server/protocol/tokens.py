"""Page tokens: where the next page begins, of which list it is a page, and until when it can be asked for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Any

from asl_engine.server.protocol.errors import invalid_token

__all__ = ["expiring", "page_token", "position_of", "unexpired"]

VALID_SECONDS = 24 * 3600
# What is signed with it was made here, so that nobody has to doubt what it says.  It is no secret: a token opens
# nothing that its caller could not list anyway, and has to be good after a restart.
KEY = b"asl-engine page tokens"


def page_token(query: tuple[Any, ...], position: str | int | tuple[int, str]) -> str:
    """``query`` is everything that must stay the same from page to page."""
    return urlsafe_b64encode(json.dumps([_digest(query), position]).encode()).decode()


def position_of(token: str | None, query: tuple[Any, ...]) -> Any:
    """The position in a token that ``unexpired`` has let through, None without one.

    Raises InvalidToken for one of another list.
    """
    if token is None:
        return None
    digest, position = json.loads(urlsafe_b64decode(token.encode()))
    if digest != _digest(query):
        raise invalid_token("The token belongs to another request")
    return position


def expiring(token: str, now: float) -> str:
    """The token as it is given to callers.  ``now``, here and below, is in seconds since the epoch."""
    text = f"{int(now):x}.{token}"
    return f"{text}.{_signature(text)}"


def unexpired(token: str, now: float) -> str:
    """The token as ``page_token`` has made it.  Raises InvalidToken where it is a day old, or none of ours."""
    text, _, signature = token.rpartition(".")
    if not compare_digest(_signature(text).encode(), signature.encode()):
        raise invalid_token("Invalid token")
    made, _, inner = text.partition(".")
    if not 0 <= now - int(made, 16) + 1 <= VALID_SECONDS + 1:
        raise invalid_token("The token has expired")
    return inner


def _signature(text: str) -> str:
    return blake2b(text.encode(), key=KEY, digest_size=12).hexdigest()


def _digest(query: tuple[Any, ...]) -> str:
    return sha256(json.dumps(query).encode()).hexdigest()[:16]
