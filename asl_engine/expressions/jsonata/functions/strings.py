"""The functions on strings.  JSONata documentation: "String functions"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asl_engine.expressions.jsonata.callables import apply
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.runtime import Sequence
from asl_engine.expressions.jsonata.values import text, truncated, truth
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["FUNCTIONS"]

T = TypeVar("T")

BLANKS: Final = re.compile(r"[ \t\n\r]+")
MAX_PADDING: Final = 262_144  # characters (recorded from AWS)
MATCH_MEMBERS: Final = {"start", "end", "groups", "next"}


def string(evaluation: Evaluation, value: Any, prettify: Any = MISSING) -> Any:
    return MISSING if value is MISSING else text(value, evaluation, pretty=truth(prettify, evaluation))


def length(_: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else len(value)


def substring(_: Evaluation, value: Any, start: Any, count: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    first = 0 if start is MISSING else start
    if len(value) + first < 0:
        first = 0
    if count is MISSING:
        return value[truncated(first) :]
    if count <= 0:
        return ""
    end = first + count if first >= 0 else len(value) + first + count
    return value[truncated(first) : truncated(end)]


def substring_before(_: Evaluation, value: Any, mark: Any) -> Any:
    if value is MISSING:
        return MISSING
    place = value.find(_searched(mark))
    return value if place < 0 else value[:place]


def substring_after(_: Evaluation, value: Any, mark: Any) -> Any:
    if value is MISSING:
        return MISSING
    place = value.find(_searched(mark))
    return value if place < 0 else value[place + len(_searched(mark)) :]


def _searched(mark: Any) -> str:
    """JavaScript searches for the word "undefined" if it gets no search text."""
    return "undefined" if mark is MISSING else mark


def lowercase(_: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else value.lower()


def uppercase(_: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else value.upper()


def trim(_: Evaluation, value: Any) -> Any:
    return MISSING if value is MISSING else BLANKS.sub(" ", value).removeprefix(" ").removesuffix(" ")


def pad(evaluation: Evaluation, value: Any, width: Any, filling: Any = MISSING) -> Any:
    """A negative width pads on the left."""
    if value is MISSING or width is MISSING:
        return value
    if abs(width) <= len(value):
        return value
    missing = truncated(abs(width)) - len(value)
    if abs(width) != missing + len(value):
        raise JsonataError("D1001", value=width)  # in 2.0.6 no array has a fraction of an item
    if missing > MAX_PADDING:
        raise JsonataError("memory")
    evaluation.spend_text(missing)
    characters = " " if filling is MISSING or not filling else filling
    padding = (characters * (missing // len(characters) + 1))[:missing]
    return value + padding if width > 0 else padding + value


def contains(evaluation: Evaluation, value: Any, searched: Any) -> Any:
    if value is MISSING or searched is MISSING:
        return MISSING
    if isinstance(searched, str):
        return searched in value
    return _first_match(evaluation, searched, value) is not MISSING


def _first_match(evaluation: Evaluation, matcher: Any, value: str) -> Any:
    return _checked(apply(matcher, [value], None, evaluation))


def _checked(match: Any) -> Any:
    if match is MISSING or match is None:
        return MISSING
    if match.__class__ is not dict or not MATCH_MEMBERS.intersection(match):
        raise JsonataError("T1010")
    return match


def _member(match: dict[str, Any], name: str, kind: type[T]) -> T:
    """The result of a matcher, which may be a lambda of the expression."""
    value = match.get(name)
    if value.__class__ is not kind:
        raise JsonataError("T1010")
    return value


def _matches(evaluation: Evaluation, matcher: Any, value: str, limit: Any) -> Iterator[dict[str, Any]]:
    """The matches up to the limit.  As in the reference, one more is searched for."""
    match = _first_match(evaluation, matcher, value)
    count = 0
    while match is not MISSING and (limit is MISSING or count < limit):
        yield match
        match = _checked(apply(match.get("next", MISSING), [], None, evaluation))
        count += 1


def match(evaluation: Evaluation, value: Any, matcher: Any, limit: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    _check_limit(limit, "D3040")
    found = Sequence()
    if limit is MISSING or limit > 0:
        for one in _matches(evaluation, matcher, value, limit):
            members = {"match": one.get("match"), "index": one.get("start"), "groups": one.get("groups")}
            found.append(members)
    return found


def _check_limit(limit: Any, code: str) -> None:
    if limit is not MISSING and limit < 0:
        raise JsonataError(code, value=limit)


def replace(evaluation: Evaluation, value: Any, searched: Any, replacement: Any, limit: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    if searched == "":
        raise JsonataError("D3010", value=searched)
    _check_limit(limit, "D3011")
    if limit is not MISSING and limit <= 0:
        return value
    if isinstance(searched, str):
        return _replace_text(evaluation, value, searched, replacement, limit)
    return _replace_matches(evaluation, value, searched, replacement, limit)


def _replace_text(evaluation: Evaluation, value: str, searched: str, replacement: Any, limit: Any) -> str:
    if not isinstance(replacement, str):
        raise JsonataError("D3012")
    count = value.count(searched)
    if limit is not MISSING:
        count = min(count, -truncated(-limit // 1))
    evaluation.spend_text(len(value) + count * len(replacement))
    return value.replace(searched, replacement, count)


def _replace_matches(evaluation: Evaluation, value: str, matcher: Any, replacement: Any, limit: Any) -> str:
    pieces = []
    position = 0
    for one in _matches(evaluation, matcher, value, limit):
        start, found = _member(one, "start", int), _member(one, "match", str)
        pieces.append(value[position:start])
        if isinstance(replacement, str):
            new = _expanded(replacement, found, _member(one, "groups", list))
        else:
            new = apply(replacement, [one], None, evaluation)
        if not isinstance(new, str):
            raise JsonataError("D3012", value=new)
        evaluation.spend_text(len(new) + abs(start - position))
        pieces.append(new)
        position = start + len(found)
    pieces.append(value[position:])
    return "".join(pieces)


REFERENCE: Final = re.compile(r"\$(\$|0|[0-9]*)")


def _expanded(template: str, whole: str, groups: list[Any]) -> str:
    """``$1`` ... stand for the groups, ``$0`` for the match, ``$$`` for ``$``."""
    digits = len(str(len(groups)))

    def reference(found: re.Match[str]) -> str:
        name = found[1]
        if name in {"", "$"}:
            return "$"
        if name == "0":
            return whole
        number = name[:digits]
        if digits > 1 and int(number) > len(groups):
            number = number[:-1]
        group = groups[int(number) - 1] if 0 < int(number) <= len(groups) else ""
        return (group if isinstance(group, str) else "") + name[len(str(int(number))) :]

    return REFERENCE.sub(reference, template)


def split(evaluation: Evaluation, value: Any, separator: Any, limit: Any = MISSING) -> Any:
    if value is MISSING:
        return MISSING
    _check_limit(limit, "D3020")
    if limit is not MISSING and limit <= 0:
        return []
    if separator is MISSING:
        return [value]
    if isinstance(separator, str):
        pieces = value.split(separator) if separator else list(value)
        evaluation.spend(len(pieces))
        return pieces if limit is MISSING else pieces[: truncated(limit)]
    return _split_at_matches(evaluation, value, separator, limit)


def _split_at_matches(evaluation: Evaluation, value: str, matcher: Any, limit: Any) -> list[str]:
    pieces = []
    start = 0
    for one in _matches(evaluation, matcher, value, limit):
        pieces.append(value[start : _member(one, "start", int)])
        start = _member(one, "end", int)
    if limit is MISSING or len(pieces) < limit:
        pieces.append(value[start:])
    return pieces


def join(evaluation: Evaluation, strings: Any, separator: Any = MISSING) -> Any:
    if strings is MISSING:
        return MISSING
    between = "" if separator is MISSING else separator
    evaluation.spend_text(sum(map(len, strings)) + len(between) * len(strings))
    return between.join(strings)


# name: (implementation, signature, the number of parameters that higher-order functions see)
FUNCTIONS: Final = {
    "string": (string, "<x-b?:s>", 1),
    "length": (length, "<s-:n>", 1),
    "substring": (substring, "<s-nn?:s>", 3),
    "substringBefore": (substring_before, "<s-s:s>", 2),
    "substringAfter": (substring_after, "<s-s:s>", 2),
    "lowercase": (lowercase, "<s-:s>", 1),
    "uppercase": (uppercase, "<s-:s>", 1),
    "trim": (trim, "<s-:s>", 1),
    "pad": (pad, "<s-ns?:s>", 3),
    "contains": (contains, "<s-(sf):b>", 2),
    "match": (match, "<s-f<s:o>n?:a<o>>", 3),
    "replace": (replace, "<s-(sf)(sf)n?:s>", 4),
    "split": (split, "<s-(sf)n?:a<s>>", 3),
    "join": (join, "<a<s>s?:s>", 2),
}
