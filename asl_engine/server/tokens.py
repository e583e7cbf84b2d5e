"""Page tokens: where the next page begins, and of which list it is a page."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

from asl_engine.server.errors import invalid_token

__all__ = ["page_token", "position_of"]


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


def _digest(query: tuple[Any, ...]) -> str:
    return sha256(json.dumps(query).encode()).hexdigest()[:16]
