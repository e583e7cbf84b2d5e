"""What an HTTP API answers a page from elsewhere: its own headers, never those of the integration."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from asl_engine.gateway.http import ApiAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.gateway.http import ApiRequest
    from asl_engine.json_values import Json

__all__ = ["preflight", "with_cors"]

PREFIX: Final = "access-control-"


def preflight(request: ApiRequest, settings: Mapping[str, Json]) -> ApiAnswer | None:
    """The answer to what a browser asks first; None for another request, and without settings."""
    asked = request.header("access-control-request-method")
    if not settings or request.method != "OPTIONS" or asked is None or request.header("origin") is None:
        return None
    headers = _shared(request, settings)
    if headers:
        for name, field in (("allow-methods", "AllowMethods"), ("allow-headers", "AllowHeaders")):
            if values := _values(settings.get(field)):
                headers[PREFIX + name] = ",".join(values)
        if settings.get("MaxAge") is not None:
            headers[f"{PREFIX}max-age"] = str(settings["MaxAge"])
    return ApiAnswer(204, tuple(headers.items()))


def with_cors(answer: ApiAnswer, request: ApiRequest, settings: Mapping[str, Json]) -> ApiAnswer:
    """The answer with the headers of the settings, where there are some."""
    if not settings:
        return answer
    kept = tuple(one for one in answer.headers if not one[0].lower().startswith(PREFIX))
    headers = _shared(request, settings)
    if headers and (exposed := _values(settings.get("ExposeHeaders"))):
        headers[f"{PREFIX}expose-headers"] = ",".join(exposed)
    return answer._replace(headers=kept).with_headers(headers)


def _shared(request: ApiRequest, settings: Mapping[str, Json]) -> dict[str, str]:
    """Whether the page's origin is allowed: {} if it is not."""
    origin = request.header("origin")
    allowed = _values(settings.get("AllowOrigins"))
    if origin is None or not any(_fits(origin, one) for one in allowed):
        return {}
    credentials = settings.get("AllowCredentials") in (True, "true")
    headers = {f"{PREFIX}allow-origin": "*" if "*" in allowed and not credentials else origin}
    if credentials:
        headers[f"{PREFIX}allow-credentials"] = "true"
    return headers


def _fits(origin: str, allowed: str) -> bool:
    """``https://*`` is any origin with that scheme."""
    return fnmatchcase(origin.lower(), allowed.lower().replace("[", "[[]"))


def _values(given: Any) -> list[str]:
    if isinstance(given, list):
        return [str(one) for one in given]
    return [] if given is None else [one.strip().strip("'") for one in str(given).split(",")]
