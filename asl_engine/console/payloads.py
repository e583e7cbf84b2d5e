"""Data as the console shows it: JSON text, cut where it is long, with the way to the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from asl_engine.json_text import TooDeep
from asl_engine.limits import utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["MAX_SHOWN", "cut_text", "shown", "shown_value", "whole"]

MAX_SHOWN: Final = 8_192  # characters
WHOLE: Final = "/console/api/payload"


def shown(payload: Payload | None, **where: str | int) -> dict[str, Any] | None:
    """A payload, and where the whole of it is; None for None."""
    if payload is None:
        return None
    try:
        text = payload.text
    except TooDeep as error:
        return {"text": f'"{error}"', "bytes": 0, "cut": False, "whole": None}
    return cut_text(text, **where)


def shown_value(value: Json, **where: str | int) -> dict[str, Any]:
    return shown(Payload(value), **where) or {}


def cut_text(text: str, most: int = MAX_SHOWN, /, **where: str | int) -> dict[str, Any]:
    """At most so many characters of a text."""
    if len(text) <= most:
        return whole(text)
    size = utf8_length(text)
    return {"text": text[:most], "bytes": size, "cut": True, "whole": f"{WHOLE}?{urlencode(where)}"}


def whole(text: str) -> dict[str, Any]:
    return {"text": text, "bytes": utf8_length(text), "cut": False, "whole": None}
