"""What the fields of a state read, and of which types it has to be: for a state that has failed for want of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.exploring.candidates import TIMESTAMP
from asl_engine.exploring.flows import evaluated_path, field_term, path_term, template_term
from asl_engine.exploring.terms import PutTerm
from asl_engine.expressions.delimiters import is_expression
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_reference_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.exploring.term_scope import TermScope
    from asl_engine.exploring.terms import GivenPlace, Term
    from asl_engine.json_values import Json

__all__ = ["ANY_VALUE", "Read", "places_read"]

ANY_VALUE: tuple[Json, ...] = ("text", 1, ["text"], [1], {}, TIMESTAMP, "1", '{"text": 1}', True, [])
# Fields that hold a path or an expression, and what it has to lead to.
OF_FIELDS: dict[str, tuple[Json, ...]] = {
    "ItemsPath": (["text"],),
    "Items": (["text"],),
    "SecondsPath": (1,),
    "Seconds": (1,),
    "TimestampPath": (TIMESTAMP,),
    "Timestamp": (TIMESTAMP,),
    "TimeoutSecondsPath": (60,),
    "TimeoutSeconds": (60,),
    "HeartbeatSecondsPath": (30,),
    "HeartbeatSeconds": (30,),
    "MaxConcurrencyPath": (1,),
    "MaxConcurrency": (1,),
    "ToleratedFailureCountPath": (0,),
    "ToleratedFailurePercentagePath": (0,),
}
NUMBERS, TEXTS, LISTS = (1, 2), ("text", "1"), (["text"], [1])
# What functions take, by words in their names.
OF_FUNCTIONS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    (r"States\.(?:MathAdd|MathRandom|ArrayRange)|\$(?:round|floor|ceil|abs|power|sqrt|fromMillis)", NUMBERS),
    (r"States\.(?:StringSplit|Hash|Base64)|\$(?:uppercase|lowercase|length|split|substring|trim|contains)", TEXTS),
    (r"States\.StringToJson|\$parse", ('{"text": 1}', "1")),
    (r"States\.Array(?:Length|GetItem|Contains|Partition|Unique)|\$(?:sum|max|min|average)", ([1, 2], ["text"])),
    (r"\$(?:count|map|filter|reduce|join|sort|append|distinct)", LISTS),
    (r"\$toMillis", (TIMESTAMP,)),
    (r"States\.JsonMerge|\$(?:merge|keys|lookup|spread|each)", ({"text": 1},)),
    (r"[-+*/%<>]\s*[\d$]|[\d\w]\s*[-+*/%<>]", NUMBERS),
)
# Fields that say nothing of data.
SKIPPED = frozenset({"Type", "Next", "End", "Comment", "QueryLanguage", "Resource", "ResultPath", "Result"}) | {
    *("Retry", "Catch", "Choices", "Default", "ItemProcessor", "Iterator", "Branches")
}


class Read(NamedTuple):
    """A place that a field reads, and values that the field may be able to do something with."""

    place: GivenPlace
    values: tuple[Json, ...]


def places_read(source: Mapping[str, Any], around: TermScope, result: Term | None) -> Iterator[Read]:
    """What the fields of a state read; ``result`` is that of its work, None where it did not come to that."""
    if result is not None and source.get("OutputPath") is not None and around.language != "JSONata":
        yield from _of_output(source, around, result)
    given = around
    if around.language != "JSONata":
        given = around.over(evaluated_path(source.get("InputPath", "$"), around))
    for field, value in source.items():
        if field in SKIPPED:
            continue
        try:
            term = _term(field, value, given, result)
        except (ExpressionSyntaxError, KeyError, IndexError, TypeError):
            continue
        values = OF_FIELDS.get(field, ()) or _values(value)
        for place in sorted(term.places()) if term is not None else ():
            yield Read(place, (*values, *(one for one in ANY_VALUE if one not in values)))


def _term(field: str, value: Any, around: TermScope, result: Term | None) -> Term | None:
    if around.language == "JSONata":
        return field_term(value, around) if _has_expression(value) else None
    if field in {"ResultSelector", "Assign"} and result is not None:
        return template_term(value, around.over(result))
    if field in {"OutputPath", "ResultSelector"}:  # those of the result, which there is none of
        return None
    if isinstance(value, str) and value.startswith("$"):
        return path_term(value, around)
    return template_term(value, around) if isinstance(value, dict | list) else None


def _of_output(source: Mapping[str, Any], around: TermScope, result: Term) -> Iterator[Read]:
    """What OutputPath reads of what ResultPath has put together."""
    combined, path = result, source.get("ResultPath", "$")
    if "ResultSelector" in source:
        combined = template_term(source["ResultSelector"], around.over(result))
    if path is None:
        combined = around.data
    elif steps := compile_reference_path(path).steps:
        combined = PutTerm(around.data, steps, combined)
    for place in sorted(path_term(source["OutputPath"], around.over(combined)).places()):
        yield Read(place, ANY_VALUE)


def _has_expression(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_expression, value.values()))
    if isinstance(value, list):
        return any(map(_has_expression, value))
    return is_expression(value)


def _values(source: Any) -> tuple[Json, ...]:
    """What the functions in a template take."""
    text = str(source)
    return next((values for pattern, values in OF_FUNCTIONS if re.search(pattern, text)), ())
