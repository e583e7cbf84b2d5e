"""Choice: go on where the first rule that matches says.  Specification: "Choice State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.fields import OBJECT, TEXT, each, required
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.state import ASSIGN_FIELDS, COMMON_FIELDS, INPUT_OUTPUT_FIELDS, State, StateType

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.scope import Scope
    from asl_engine.expressions.template import Template
    from asl_engine.states.compiling import Compiling
    from asl_engine.states.turn import Turn

__all__ = ["TYPE", "Choice"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **ASSIGN_FIELDS,
    "Choices": required(each(OBJECT)),
    "Default": TEXT,
}


class Rule(NamedTuple):
    """One entry of Choices, or what Default stands for: its rule always matches."""

    matches: Callable[[Scope], bool]
    next: str
    assign: Template | None


@dataclass(eq=False, repr=False)
class Choice(State):
    """``next`` is Default; None where there is none."""

    type: ClassVar[str] = "Choice"

    flow: DataFlow
    rules: tuple[Rule, ...]

    def enter(self, turn: Turn) -> None:
        given = self.flow.input(turn)
        scope = turn.scope(given.value)
        chosen = next((rule for rule in self.rules if rule.matches(scope)), None)
        if chosen is not None:
            flow = self.flow if chosen.assign is self.flow.assign else self.flow._replace(assign=chosen.assign)
            flow.exit(turn, given, chosen.next)
        elif self.next is not None:
            self.flow.exit(turn, given, self.next)
        else:
            # Not States.NoChoiceMatched, whatever the specification says: AWS reports it like this.
            raise turn.failure("Failed to transition out of the state. The state does not point to a next state.")


def compile_choice(compiling: Compiling) -> Choice:
    rules = [compile_one(compiling, index, rule) for index, rule in enumerate(compiling.source["Choices"])]
    default = compiling.source.get("Default")
    return Choice(
        name=compiling.name,
        next=None if default is None else compiling.target("Default", default),
        flow=compile_data_flow(compiling),
        rules=tuple(rule for rule in rules if rule is not None),
    )


def compile_one(compiling: Compiling, index: int, source: dict[str, Any]) -> Rule | None:
    place = f"Choices[{index}]"

    def report(sub_place: str, message: str) -> None:
        compiling.report(f"{place}{sub_place}", message)

    target = source.get("Next")
    if not isinstance(target, str):
        given = "was missing" if target is None else "must be a String"
        report("", f"The field 'Next' is required but {given}")
        return None
    matches = compile_rule(source, report)
    compiling.target(f"{place}/Next", target)
    assign = compiling.template_at(f"{place}/Assign", source["Assign"]) if "Assign" in source else None
    return None if matches is None else Rule(matches, target, assign)


TYPE = StateType(FIELDS, compile_choice)
