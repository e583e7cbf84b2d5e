"""``Transform.RequestBodyEncoding: URL_ENCODED``: JSON as a form.  "Call HTTPS APIs" in the Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.json_values import Json

__all__ = ["ARRAY_FORMATS", "form", "query"]

# How to name the items of an array; COMMAS puts them into one value.
ARRAY_FORMATS: Final = ("INDICES", "REPEAT", "COMMAS", "BRACKETS")


def form(value: Json, arrays: str = "INDICES") -> str:
    """``{"a": [1, 2], "b": {"c": true}}`` -> ``a[0]=1&a[1]=2&b[c]=true``, percent-encoded."""
    return "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in _pairs(value, "", arrays))


def _pairs(value: Json, name: str, arrays: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _pairs(inner, f"{name}[{key}]" if name else key, arrays)
    elif isinstance(value, list) and arrays == "COMMAS":
        yield name, ",".join(map(_text, value))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            place = {"INDICES": f"{name}[{index}]", "BRACKETS": f"{name}[]", "REPEAT": name}[arrays]
            yield from _pairs(inner, place, arrays)
    else:
        yield name, _text(value)


def _text(value: Json) -> str:
    return "" if value is None else value if isinstance(value, str) else dumps(value)


def query(value: dict[str, Json]) -> str:
    """QueryParameters: an array repeats its name."""
    pairs = (
        (name, item) for name, inner in value.items() for item in (inner if isinstance(inner, list) else [inner])
    )
    return "&".join(f"{quote(name, safe='')}={quote(_text(item), safe='')}" for name, item in pairs)
