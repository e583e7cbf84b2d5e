"""Choice: go on where the first rule that matches says.  Specification: "Choice State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from asl_engine.events import StateExited
from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.fields import OBJECT, TEXT, each, required
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.state import COMMON_FIELDS, INPUT_OUTPUT_FIELDS, State, StateType

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.scope import Scope
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = ["TYPE", "Choice"]

FIELDS = {**COMMON_FIELDS, **INPUT_OUTPUT_FIELDS, "Choices": required(each(OBJECT)), "Default": TEXT}


@dataclass(eq=False, repr=False)
class Choice(State):
    """``next`` is Default; None where there is none."""

    type: ClassVar[str] = "Choice"

    flow: DataFlow
    rules: tuple[tuple[Callable[[Scope], bool], str], ...]

    def enter(self, turn: Turn) -> None:
        given = self.flow.input(turn)
        scope = turn.scope(given.value)
        chosen = next((target for matches, target in self.rules if matches(scope)), self.next)
        if chosen is None:
            # Not States.NoChoiceMatched, whatever the specification says: AWS reports it like this.
            raise turn.failure("Failed to transition out of the state. The state does not point to a next state.")
        turn.emit(StateExited, self.name, self.type, self.flow.output(turn, given), chosen)


def compile_choice(compiling: Compiling) -> Choice:
    rules = [compile_one(compiling, index, rule) for index, rule in enumerate(compiling.source["Choices"])]
    default = compiling.source.get("Default")
    return Choice(
        name=compiling.name,
        next=None if default is None else compiling.target("Default", default),
        flow=compile_data_flow(compiling),
        rules=tuple(rule for rule in rules if rule is not None),
    )


def compile_one(
    compiling: Compiling, index: int, source: dict[str, Any]
) -> tuple[Callable[[Scope], bool], str] | None:
    place = f"Choices[{index}]"

    def report(sub_place: str, message: str) -> None:
        compiling.report(f"{place}{sub_place}", message)

    target = source.get("Next")
    if not isinstance(target, str):
        given = "was missing" if target is None else "must be a String"
        report("", f"The field 'Next' is required but {given}")
        return None
    matches = compile_rule({key: value for key, value in source.items() if key != "Next"}, report)
    compiling.target(f"{place}/Next", target)
    return None if matches is None else (matches, target)


TYPE = StateType(FIELDS, compile_choice)
