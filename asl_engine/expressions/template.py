"""Payload templates: Parameters, ResultSelector, ItemSelector (specification, "Payload Template").

A member whose name ends in ``.$`` takes its value from a path or an intrinsic function; everything else
is constant.  Templates are searched at all depths, arrays included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import NO_INPUT, ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.expressions.jsonpath.syntax import DATA, read_root
from asl_engine.json_text import FEW, dumps, is_enormous
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.scope import Scope

__all__ = ["Report", "Template", "compile_template"]

# Takes the place of a fault, relative to the field ("/a/b[0]/c.$"; "" is the field itself), and the message.
Report: TypeAlias = "Callable[[str, str], None]"
Intrinsic: TypeAlias = "Callable[[str], Callable[[Scope], Json]]"
# Gives a value, or MISSING if a path leads nowhere.
Part: TypeAlias = "Callable[[Scope], Json | Missing]"

DYNAMIC_SUFFIX: Final = ".$"


class Template:
    """A compiled template.  ``evaluate(scope)`` gives its value; if ``static``, always the same object.

    It raises ``EvaluationError`` if a path leads nowhere, and what the intrinsic functions raise.
    """

    __slots__ = ("evaluate", "static")

    def __init__(self, evaluate: Callable[[Scope], Json], *, static: bool) -> None:
        self.evaluate = evaluate
        self.static = static


def compile_template(source: Json, report: Report, intrinsic: Intrinsic) -> Template:
    """Compile a template.  Every fault is reported; a faulty template must not be used.

    ``intrinsic`` compiles the text of an intrinsic function's call, or raises ``ExpressionSyntaxError``.
    """
    evaluate = _compile(source, "", report, intrinsic)
    if evaluate is None:
        return Template(lambda _: source, static=True)
    if _references(source) > FEW:
        evaluate = _bounded(evaluate)
    return Template(evaluate, static=False)


def _references(source: Json) -> int:
    """How often a template takes values from outside, at most."""
    if isinstance(source, list):
        return sum(map(_references, source))
    if not isinstance(source, dict):
        return 0
    return sum(
        1 + str(value).count(",") if key.endswith(DYNAMIC_SUFFIX) else _references(value)
        for key, value in source.items()
    )


def _bounded(evaluate: Callable[[Scope], Json]) -> Callable[[Scope], Json]:
    """The same, failing where what it takes over and over again comes to too much."""

    def evaluate_bounded(scope: Scope) -> Json:
        value = evaluate(scope)
        if is_enormous(value):
            raise EvaluationError(
                "The value has a size exceeding the maximum number of bytes service limit.",
                "States.DataLimitExceeded",
            )
        return value

    return evaluate_bounded


def _compile(source: Json, place: str, report: Report, intrinsic: Intrinsic) -> Callable[[Scope], Json] | None:
    """The closure that evaluates a part of the template, or None if the part is constant."""
    if isinstance(source, dict):
        return _compile_object(source, place, report, intrinsic)
    if isinstance(source, list):
        return _compile_array(source, place, report, intrinsic)
    return None


def _compile_array(
    source: list[Json], place: str, report: Report, intrinsic: Intrinsic
) -> Callable[[Scope], Json] | None:
    compiled = [_compile(item, f"{place}[{index}]", report, intrinsic) for index, item in enumerate(source)]
    dynamic = [(index, evaluate) for index, evaluate in enumerate(compiled) if evaluate is not None]
    if not dynamic:
        return None

    def evaluate_array(scope: Scope) -> Json:
        items = source.copy()
        for index, evaluate in dynamic:
            items[index] = evaluate(scope)
        return items

    return evaluate_array


def _compile_object(
    source: dict[str, Json], place: str, report: Report, intrinsic: Intrinsic
) -> Callable[[Scope], Json] | None:
    # Every member has its place in this object, so the result keeps the order of the source.
    members: dict[str, Json] = {}
    dynamic: list[tuple[str, Part, str]] = []
    for key, value in source.items():
        part: Part | None
        if key.endswith(DYNAMIC_SUFFIX):
            name = key.removesuffix(DYNAMIC_SUFFIX)
            part = _compile_dynamic(key, value, f"{place}/{key}", report, intrinsic)
            if name in source:
                report(f"{place}/{key}", f"The field '{name}' is given twice: as '{name}' and as '{key}'")
        else:
            name = key
            part = _compile(value, f"{place}/{key}", report, intrinsic)
        members[name] = value
        if part is not None:
            dynamic.append((name, part, key))
    return _evaluate_object(members, dynamic, source) if dynamic else None


def _evaluate_object(
    members: dict[str, Json], dynamic: list[tuple[str, Part, str]], source: dict[str, Json]
) -> Callable[[Scope], Json]:
    def evaluate_object(scope: Scope) -> Json:
        result = members.copy()
        for name, part, key in dynamic:
            value = part(scope)
            if value is MISSING:
                raise _not_found(key, source[key], scope)
            result[name] = value
        return result

    return evaluate_object


def _compile_dynamic(key: str, value: Json, place: str, report: Report, intrinsic: Intrinsic) -> Part | None:
    try:
        if isinstance(value, str) and value.startswith("$"):
            return _whole_input if value == DATA else compile_path(value).find
        if isinstance(value, str) and value.startswith("States."):
            return intrinsic(value)
    except ExpressionSyntaxError as error:
        report(place, str(error))
        return None
    report(
        place,
        f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call",
    )
    return None


def _whole_input(scope: Scope) -> Json:
    if scope.data is None:
        raise EvaluationError(NO_INPUT)
    return scope.data


def _not_found(key: str, path: Any, scope: Scope) -> EvaluationError:
    if scope.data is None and read_root(path) == DATA:
        return EvaluationError(NO_INPUT)
    # AWS names the member alone, not its place, and shows the context object for a path into it (recorded).
    searched = scope.context if isinstance(path, str) and path.startswith("$$") else scope.data
    return EvaluationError(
        f"The JSONPath '{path}' specified for the field '{key}' "
        f"could not be found in the input '{dumps(searched)}'"
    )
