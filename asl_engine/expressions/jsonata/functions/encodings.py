"""Base64 and URLs.  JSONata documentation: "String functions"; ECMAScript: encodeURI and its family."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_to_bytes

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

COMPONENT: Final = "!*'()"  # what quote() would escape and encodeURIComponent does not
RESERVED: Final = ";/?:@&=+$,#"
PERCENT: Final = re.compile("(?:%[0-9A-Fa-f]{2})+|%")
NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")


def base64encode(evaluation: Evaluation, value: Any) -> Any:
    """One byte per UTF-16 unit, of which only the low eight bits count."""
    if value is MISSING:
        return MISSING
    evaluation.spend_text(len(value))
    return base64.b64encode(value.encode("utf-16-le", "surrogatepass")[::2]).decode("ascii")


def base64decode(evaluation: Evaluation, value: Any) -> Any:
    if value is MISSING:
        return MISSING
    evaluation.spend_text(len(value))
    digits = NOT_BASE64.sub("", value.partition("=")[0].replace("-", "+").replace("_", "/"))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "=" * (-len(digits) % 4)).decode("latin-1")


def encoder(name: str, unescaped: str) -> Callable[[Evaluation, Any], Any]:
    def encode(evaluation: Evaluation, value: Any) -> Any:
        if value is MISSING:
            return MISSING
        evaluation.spend_text(3 * len(value))
        try:
            return quote(value, unescaped)
        except UnicodeEncodeError:
            raise JsonataError("D3140", value=value, functionName=name) from None

    return encode


def decoder(name: str, kept: str) -> Callable[[Evaluation, Any], Any]:
    """``kept`` are the characters whose escapes stay."""

    def decode(evaluation: Evaluation, value: Any) -> Any:
        if value is MISSING:
            return MISSING
        evaluation.spend_text(len(value))

        def replace(match: re.Match[str]) -> str:
            escapes = re.split("(?=%)", match[0])[1:]
            keep = [chr(int(escape[1:], 16)) in kept if len(escape) == 3 else None for escape in escapes]
            if None in keep:
                raise UnicodeDecodeError("utf-8", b"%", 0, 1, "no digits")
            if not any(keep):
                return unquote_to_bytes(match[0]).decode("utf-8")
            pieces = [f"%25{escape[1:]}" if kept_ else escape for escape, kept_ in zip(escapes, keep, strict=True)]
            return unquote_to_bytes("".join(pieces)).decode("utf-8")

        try:
            return PERCENT.sub(replace, value)
        except UnicodeDecodeError:
            raise JsonataError("D3140", value=value, functionName=name) from None

    return decode


FUNCTIONS: Final = {
    "base64encode": (base64encode, "<s-:s>", 1),
    "base64decode": (base64decode, "<s-:s>", 1),
    "encodeUrlComponent": (encoder("encodeUrlComponent", COMPONENT), "<s-:s>", 1),
    "encodeUrl": (encoder("encodeUrl", COMPONENT + RESERVED), "<s-:s>", 1),
    "decodeUrlComponent": (decoder("decodeUrlComponent", ""), "<s-:s>", 1),
    "decodeUrl": (decoder("decodeUrl", RESERVED), "<s-:s>", 1),
}
