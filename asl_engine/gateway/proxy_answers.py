"""What API Gateway makes of what the function of a proxy integration returns."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

from asl_engine.gateway.http import JSON_TYPE, ApiAnswer, message

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["integration_failed", "proxy_answer"]

MIN_STATUS, MAX_STATUS = 100, 599
# What the connection is for, and not the function.
OWN_HEADERS: Final = frozenset({"connection", "content-length", "transfer-encoding"})


class _Malformed(Exception):
    """The answer is none; says why."""


def integration_failed(*, rest: bool, why: str) -> ApiAnswer:
    """The answer where a function failed, or returned what is no answer."""
    return message(502 if rest else 500, "Internal server error" if rest else "Internal Server Error", why)


def proxy_answer(returned: Json, *, payload: str, rest: bool) -> ApiAnswer:
    """The answer that a function has given."""
    try:
        if payload == "2.0":
            return _answer_2(returned)
        return _answer_1(returned)
    except _Malformed as malformed:
        return integration_failed(rest=rest, why=f"malformed proxy response: {malformed}")


def _answer_1(returned: Json) -> ApiAnswer:
    if not isinstance(returned, dict):
        raise _Malformed(f"it has to be an object with statusCode, and is {_brief(returned)}")
    if "statusCode" not in returned:
        raise _Malformed("it has no statusCode")
    return _answer(returned)


def _answer_2(returned: Json) -> ApiAnswer:
    """Whatever has no status code is the body of an answer with the status 200."""
    if isinstance(returned, dict) and "statusCode" in returned:
        answer = _answer(returned)
        cookies = returned.get("cookies") or []
        if not (isinstance(cookies, list) and all(isinstance(one, str) for one in cookies)):
            raise _Malformed(f"cookies has to be a list of texts, and is {_brief(cookies)}")
        headers = [*answer.headers, *(("set-cookie", str(one)) for one in cookies)]
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.insert(0, ("content-type", JSON_TYPE))
        return answer._replace(headers=tuple(headers))
    text = returned if isinstance(returned, str) else json.dumps(returned, ensure_ascii=False)
    return ApiAnswer(200, (("content-type", JSON_TYPE),), text.encode())


def _answer(returned: dict[str, Json]) -> ApiAnswer:
    status = _status(returned["statusCode"])
    single, several = returned.get("headers") or {}, returned.get("multiValueHeaders") or {}
    if not isinstance(single, dict):
        raise _Malformed(f"headers has to be an object, and is {_brief(single)}")
    if not isinstance(several, dict) or not all(isinstance(values, list) for values in several.values()):
        raise _Malformed("multiValueHeaders has to be an object of lists")
    headers: list[tuple[str, str]] = []
    for name, value in single.items():
        if isinstance(value, (dict, list)):
            raise _Malformed(f"the header {name} has to be a text, and is {_brief(value)}")
        if value is not None:
            headers.append((name, _text(value)))
    for name, values in several.items():
        assert isinstance(values, list), "it was looked at"  # noqa: S101  for the type checker
        given = [_text(value) for value in values]
        headers = [one for one in headers if one[0].lower() != name.lower() or one[1] not in given]
        headers += [(name, value) for value in given]
    _check_headers(headers)
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.insert(0, ("content-type", JSON_TYPE))
    kept = tuple(one for one in headers if one[0].lower() not in OWN_HEADERS)
    return ApiAnswer(status, kept, _body(returned))


def _status(given: Json) -> int:
    try:
        status = int(given) if isinstance(given, (int, str)) and not isinstance(given, bool) else 0
    except ValueError:
        status = 0
    if not MIN_STATUS <= status <= MAX_STATUS:
        raise _Malformed(f"statusCode has to be a number from 100 to 599, and is {_brief(given)}")
    return status


def _body(returned: dict[str, Json]) -> bytes:
    body = returned.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise _Malformed(f"body has to be a text (json.dumps makes one), and is {_brief(body)}")
    if not returned.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise _Malformed("isBase64Encoded is true, and body is not Base64") from None


def _check_headers(headers: list[tuple[str, str]]) -> None:
    for name, value in headers:
        if (
            not name
            or not name.isascii()
            or any(sign in name for sign in "\r\n: ")
            or "\n" in value
            or "\r" in value
        ):
            raise _Malformed(f"{name!r} cannot be a header with the value {_brief(value)}")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _brief(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}..."
