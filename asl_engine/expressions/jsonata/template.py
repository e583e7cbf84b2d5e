"""Fields of a JSONata state: JSON in which every string that is ``{% ... %}`` is an expression.

AWS Step Functions Developer Guide, "Transforming data with JSONata"; the texts of the errors are those
recorded from AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.errors import QueryFailure
from asl_engine.expressions.delimiters import CLOSING, OPENING, is_expression
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonata.expression import UnsupportedResult, compile_jsonata
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.expressions.jsonata.expression import Bindings, Expression

__all__ = ["JsonataTemplate", "compile_template_jsonata"]

Evaluate: TypeAlias = "Callable[[Bindings], Json]"
# Takes the place, the message and the code of ValidateStateMachineDefinition.
Report: TypeAlias = "Callable[[str, str, str], None]"

INVALID: Final = "INVALID_JSONATA_EXPRESSION"
UNSUPPORTED: Final = "UNSUPPORTED_JSONATA_EXPRESSION"
CATCH: Final = "Catch["
# The names of types in AWS's messages; true is no number.
TYPE_NAMES: Final[dict[type, str]] = {
    dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number",
    type(None): "null",
}  # fmt: skip


class JsonataTemplate:
    """A compiled field.

    ``evaluate(bindings)`` gives its value and raises ``QueryFailure``; where ``static``, it is
    always the same object.  ``variables`` are the names that its expressions take from outside.
    """

    __slots__ = ("evaluate", "static", "variables")

    def __init__(self, evaluate: Callable[[Bindings], Json], variables: frozenset[str], *, static: bool) -> None:
        self.evaluate = evaluate
        self.variables = variables
        self.static = static


def compile_template_jsonata(source: Json, where: str, report: Report, *expected: str) -> JsonataTemplate:
    """Compile the field that is called ``where`` (``Output``).

    Faults are reported with their place, relative to the field ("/a/b[0]"; "" is the field itself), and
    their code; a faulty template must not be used.  ``expected`` are the types that an expression which is
    the whole field may give ("array", "object", "string", "number", "boolean", "null"); without any, all may be.
    """
    variables: set[str] = set()
    evaluate = _compile(source, "", _Compiling(where, report, expected, variables))
    if evaluate is None:
        return JsonataTemplate(lambda _: source, frozenset(), static=True)
    return JsonataTemplate(evaluate, frozenset(variables), static=False)


@dataclass(slots=True)
class _Compiling:
    where: str
    report: Report
    expected: tuple[str, ...]
    variables: set[str]


def _compile(source: Json, place: str, compiling: _Compiling) -> Evaluate | None:
    """The closure that evaluates a part of the field, or None if the part is constant."""
    if isinstance(source, dict):
        members = [(name, f"{place}/{name}", member) for name, member in source.items()]
        return _compile_members(source, members, compiling)
    if isinstance(source, list):
        items = [(index, f"{place}[{index}]", item) for index, item in enumerate(source)]
        return _compile_members(source, items, compiling)
    if not isinstance(source, str) or not is_expression(source):
        return None
    try:
        expression = compile_jsonata(source[len(OPENING) : -len(CLOSING)].strip())
    except ExpressionSyntaxError as error:
        compiling.report(place, str(error), INVALID)
        return None
    _report_references(expression, place, compiling)
    compiling.variables.update(expression.variables)
    return _checked(expression, compiling.where + place, () if place else compiling.expected)


def _report_references(expression: Expression, place: str, compiling: _Compiling) -> None:
    """Report what AWS refuses because it refers to nothing."""
    for name, is_bare in expression.out_of_place:
        if is_bare:
            compiling.report(place, f"Reference to '{name}' at the top level is not supported.", UNSUPPORTED)
        else:
            compiling.report(place, f"There is no {name}: the state's input is $states.input", INVALID)
    if expression.reads_error_output and not compiling.where.startswith(CATCH):
        compiling.report(place, "$states.errorOutput can only be read in the fields of a Catch", INVALID)


def _compile_members(
    source: Any, members: Sequence[tuple[Any, str, Json]], compiling: _Compiling
) -> Evaluate | None:
    """An object or an array: only the members that can change are evaluated, the others are shared."""
    compiled = [(key, _compile(member, place, compiling)) for key, place, member in members]
    dynamic = [(key, evaluate) for key, evaluate in compiled if evaluate is not None]
    if not dynamic:
        return None

    def evaluate_members(bindings: Bindings) -> Json:
        made = source.copy()
        for key, evaluate in dynamic:
            made[key] = evaluate(bindings)
        return made  # type: ignore[no-any-return]  # it is JSON

    return evaluate_members


def _checked(expression: Expression, location: str, expected: tuple[str, ...]) -> Callable[[Bindings], Json]:
    subject = f"The JSONata expression '{expression.text}' specified for the field '{location}'"

    def evaluate(bindings: Bindings) -> Json:
        try:
            value = expression(bindings)
        except JsonataError as error:
            raise QueryFailure(f"{subject} threw an error during evaluation{error.clause}", location) from None
        except UnsupportedResult:
            raise QueryFailure(f"{subject} returned an unsupported result type.", location) from None
        if value is MISSING:
            raise QueryFailure(f"{subject} returned nothing (undefined).", location)
        if expected and TYPE_NAMES[type(value)] not in expected:
            raise QueryFailure(f"{subject} {_unexpected(value, expected)}", location)
        return value

    return evaluate


def _unexpected(value: Json, expected: tuple[str, ...]) -> str:
    wanted = " or ".join(f"'{name}'" for name in expected)
    return (
        f"returned an unexpected result type. Expected {wanted}, but was '{TYPE_NAMES[type(value)]}' "
        f"for value: {dumps(value)}"
    )
