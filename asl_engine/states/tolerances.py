"""ToleratedFailureCount and ToleratedFailurePercentage: how many items may fail before their Map does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import QueryFailure
from asl_engine.json_text import dumps
from asl_engine.states.fields import Field, integer, number
from asl_engine.states.jsonpath_flow import evaluate_path, shown
from asl_engine.states.path_numbers import integer_of, number_of

if TYPE_CHECKING:
    from asl_engine.core.decision import Decision
    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.json_values import Json
    from asl_engine.payload import Payload
    from asl_engine.states.compiling import Compiling

__all__ = ["Tolerances", "compile_tolerances", "exceeds"]


def exceeds(failed: int, count: int, percentage: float, total: int | None) -> bool:
    """Whether more items have failed than are tolerated; without a tolerance, whether any has.

    ``total`` is the number of items, None while it is unknown: the percentage is then unknown, too.
    """
    if not (count or percentage):
        return failed > 0
    too_large = total is not None and percentage > 0 and failed * 100 > percentage * total
    return too_large or (count > 0 and failed > count)


class Tolerance(NamedTuple):
    """One of the two fields: a literal, a path into the state's input, or an expression."""

    field: str
    literal: float | None
    path: Path | None = None
    expression: JsonataTemplate | None = None

    @property
    def is_given(self) -> bool:
        return self.literal is not None or self.path is not None or self.expression is not None

    def evaluate(self, decision: Decision, given: Payload) -> float:
        if self.expression is not None:
            value = self.expression.evaluate(decision.bindings())
            fault = self._fault(value)
            if fault is not None:
                raise QueryFailure(f"{fault} The value of {self.field} was {dumps(value)}.", self.field)
        elif self.path is not None:
            value = self._at(decision, self.path, given)
            fault = self._fault(value)
            if fault is not None:
                raise decision.failure(fault)
        else:
            return self.literal or 0
        assert isinstance(value, int | float)  # noqa: S101  neither has a fault
        return value

    def _at(self, decision: Decision, path: Path, given: Payload) -> float:
        whole = self.field == "ToleratedFailureCount"
        value = evaluate_path(decision, path, given.value)
        number_given = integer_of(value) if whole else number_of(value)
        if number_given is None:
            raise decision.failure(
                f'The {self.field}Path field refers to value "{shown(value)}" '
                f"which is not a valid {'integer' if whole else 'float'}: {path.text}"
            )
        return number_given

    def _is_number(self, value: Json) -> bool:
        whole = self.field == "ToleratedFailureCount"
        return isinstance(value, int if whole else int | float) and not isinstance(value, bool)

    def _fault(self, value: Json) -> str | None:
        """The fault of a value, with AWS's text."""
        if self.field == "ToleratedFailureCount":
            fault = "ToleratedFailureCount cannot be negative."
            sound = self._is_number(value) and isinstance(value, int) and value >= 0
        else:
            fault = "ToleratedFailurePercentage must be between 0 and 100."
            sound = self._is_number(value) and isinstance(value, int | float) and 0 <= value <= 100
        return None if sound else fault


class Tolerances(NamedTuple):
    by_count: Tolerance
    by_percentage: Tolerance

    def evaluate(self, decision: Decision, given: Payload) -> tuple[int, float]:
        """The number and the percentage of items that may fail; 0 where there is none of the kind."""
        return int(self.by_count.evaluate(decision, given)), float(self.by_percentage.evaluate(decision, given))


def compile_tolerances(compiling: Compiling) -> Tolerances:
    return Tolerances(
        _compile_tolerance(compiling, "ToleratedFailureCount", integer(0)),
        _compile_tolerance(compiling, "ToleratedFailurePercentage", number(0, 100)),
    )


def _compile_tolerance(compiling: Compiling, field: str, shape: Field) -> Tolerance:
    literal = compiling.source.get(field)
    if compiling.language == "JSONata":
        if compiling.is_expression(literal):
            return Tolerance(field, None, None, compiling.expression(field, literal, "number"))
        compiling.check(field, literal, shape)
        return Tolerance(field, literal if isinstance(literal, int | float) else None)
    compiling.only_one_of(field, f"{field}Path")
    return Tolerance(field, literal, compiling.path(f"{field}Path"))
