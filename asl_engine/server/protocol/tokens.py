"""Page tokens.  A token says where the next page begins, of which list it is, and when the token was made."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import Any

from asl_engine.server.protocol.errors import invalid_token

__all__ = ["expiring", "page_token", "position_of", "unexpired"]

VALID_SECONDS = 24 * 3600
# The signature shows that a token was made here, so its content needs no checks.  The key is no secret: a token
# gives access to nothing that its caller could not list anyway, and must survive a restart.
KEY = b"asl-engine page tokens"


def page_token(query: tuple[Any, ...], position: str | int | tuple[int, str]) -> str:
    """The token of the next page; ``query`` is everything that must be the same for all pages."""
    return urlsafe_b64encode(json.dumps([_digest(query), position]).encode()).decode()


def position_of(token: str | None, query: tuple[Any, ...]) -> Any:
    """The position in a token that ``unexpired`` has accepted; None without a token.

    Raises InvalidToken for a token of another list.
    """
    if token is None:
        return None
    digest, position = json.loads(urlsafe_b64decode(token.encode()))
    if digest != _digest(query):
        raise invalid_token("The token belongs to another request")
    return position


def expiring(token: str, now: float) -> str:
    """The token for the caller, signed and dated.  ``now``, here and below, is in seconds since the epoch."""
    text = f"{int(now):x}.{token}"
    return f"{text}.{_signature(text)}"


def unexpired(token: str, now: float) -> str:
    """The token that ``page_token`` has made.  Raises InvalidToken if it is older than a day or forged."""
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
