"""Regular expressions: those of ECMAScript, matched by the ``regex`` module, which has a timeout.

A matcher is a function: it takes a text and gives the first match as an object, whose member ``next`` is
a function that gives the next one (JSONata documentation: "Regular expressions").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.callables import Native
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.regex_limits import MAX_REPETITIONS, attempts, repetitions, timed
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = ["compile_regex"]

# Constructs with the same meaning but another notation: ``.`` stops at four kinds of line ends, ``$`` is
# the very end of the text, digits and word characters are ASCII.
LINE_ENDS: Final = r"\n\r\u2028\u2029"
TOKEN: Final = re.compile(r"\\[pP]\{[^}]*\}|\\.|\[\^?\]?|.", re.DOTALL)
OUTSIDE: Final = {".": f"[^{LINE_ENDS}]", "$": r"\Z", "[]": "(?!)", "[^]": "(?s:.)", r"\k": r"\g"}
MULTILINE: Final = {"^": rf"(?:\A|(?<=[{LINE_ENDS}]))", "$": rf"(?=[{LINE_ENDS}]|\Z)"}
CLASSES: Final = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
INVERSE_CLASSES: Final = {r"\D": "[^0-9]", r"\W": "[^A-Za-z0-9_]"}


def compile_regex(pattern: str, flags: str, *, position: int) -> Native:
    """The matcher.  Raises ``JsonataError`` S0303 if the pattern is not a regular expression."""
    import regex  # type: ignore[import-untyped]  # it comes without types

    if repetitions(pattern) > MAX_REPETITIONS:
        raise JsonataError("S0303", position, message="its counted repetitions are too many")
    try:
        compiled = regex.compile(
            _translated(pattern, multiline="m" in flags), regex.IGNORECASE if "i" in flags else 0
        )
    except (regex.error, RecursionError, OverflowError) as error:
        raise JsonataError("S0303", position, message=error) from None
    return _matcher(compiled, pattern)


def _translated(pattern: str, *, multiline: bool) -> str:
    outside = {**OUTSIDE, **MULTILINE} if multiline else OUTSIDE
    pieces = []
    in_class = False
    for word in TOKEN.findall(pattern):
        if in_class:
            in_class = word != "]"
            pieces.append(CLASSES.get(word, r"\[" if word == "[" else word))
        elif word in outside:
            pieces.append(outside[word])
        else:
            in_class = word.startswith("[")
            pieces.append(f"[{CLASSES[word]}]" if word in CLASSES else INVERSE_CLASSES.get(word, word))
    return "".join(pieces)


def _search(compiled: Any, text: str, start: int, evaluation: Evaluation) -> Any:
    times = attempts(len(text) - start, evaluation.limit, evaluation.regex_seconds)
    try:
        return timed(compiled.search, (text, start), times, evaluation.spend)
    except TimeoutError:
        raise JsonataError("D1012", value=evaluation.limit) from None


def _matcher(compiled: Any, source: str) -> Native:
    def search(evaluation: Evaluation, text: str, start: int) -> Any:
        found = _search(compiled, text, start, evaluation)
        if found is None:
            return MISSING
        return {
            "match": found[0],
            "start": found.start(),
            "end": found.end(),
            "groups": list(found.groups()),
            "next": Native(None, following(text, found.end()), None, 0),
        }

    def following(text: str, start: int) -> Any:
        def implementation(evaluation: Evaluation, *_: Any) -> Any:
            if start >= len(text):
                return MISSING
            found = search(evaluation, text, start)
            if found is not MISSING and found["match"] == "":
                raise JsonataError("D1004", value=source)
            return found

        return implementation

    def implementation(evaluation: Evaluation, text: Any = MISSING, *_: Any) -> Any:
        return search(evaluation, text, 0) if isinstance(text, str) else MISSING

    return Native(None, implementation, None, 2)
