"""Choice: continue at the state that the first matching rule names.  Specification: "Choice State"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from asl_engine.core.state import State
from asl_engine.expressions.choice_rule import compile_rule
from asl_engine.states.dataflow import DataFlow, compile_data_flow
from asl_engine.states.fields import ANY, OBJECT, TEXT, check_shape, each, required
from asl_engine.states.jsonata_flow import JsonataFlow
from asl_engine.states.jsonpath_flow import compile_jsonpath_flow
from asl_engine.states.state import ASSIGN_FIELDS, COMMON_FIELDS, INPUT_OUTPUT_FIELDS, OUTPUT_FIELDS, StateType

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.core.decision import Decision
    from asl_engine.json_values import Json
    from asl_engine.states.compiling import Compiling

__all__ = ["TYPE", "Choice"]

FIELDS = {
    **COMMON_FIELDS,
    **INPUT_OUTPUT_FIELDS,
    **ASSIGN_FIELDS,
    "Choices": required(each(OBJECT)),
    "Default": TEXT,
}


JSONATA_FIELDS = {**COMMON_FIELDS, **OUTPUT_FIELDS, "Choices": required(each(OBJECT)), "Default": TEXT}
JSONATA_RULE_FIELDS = {
    "Condition": required(ANY),
    "Next": required(TEXT),
    "Output": ANY,
    "Assign": OBJECT,
    "Comment": TEXT,
}


class Rule(NamedTuple):
    """One entry of Choices: its test, and how it leaves the state."""

    matches: Callable[[Decision, Json], bool]
    next: str
    flow: DataFlow


@dataclass(eq=False, repr=False)
class Choice(State):
    """A compiled Choice.  ``next`` is Default, None if there is none."""

    type: ClassVar[str] = "Choice"

    flow: DataFlow
    rules: tuple[Rule, ...]

    def enter(self, decision: Decision) -> None:
        given = self.flow.input(decision)
        for rule in self.rules:
            if rule.matches(decision, given.value):
                rule.flow.exit(decision, given, rule.next)
                return
        if self.next is None:
            # Not States.NoChoiceMatched, whatever the specification says: AWS reports it like this.
            raise decision.failure(
                "Failed to transition out of the state. The state does not point to a next state."
            )
        self.flow.exit(decision, given, self.next)


def compile_choice(compiling: Compiling) -> Choice:
    compile_one = compile_jsonata_rule if compiling.language == "JSONata" else compile_jsonpath_rule
    rules = [compile_one(compiling, f"Choices[{i}]", rule) for i, rule in enumerate(compiling.source["Choices"])]
    default = compiling.source.get("Default")
    return Choice(
        name=compiling.name,
        next=None if default is None else compiling.target("Default", default),
        flow=compile_data_flow(compiling),
        rules=tuple(rule for rule in rules if rule is not None),
    )


def compile_jsonpath_rule(compiling: Compiling, place: str, source: dict[str, Any]) -> Rule | None:
    def report(sub_place: str, message: str) -> None:
        compiling.report(f"{place}{sub_place}", message)

    target = source.get("Next")
    if not isinstance(target, str):
        given = "was missing" if target is None else "must be a String"
        report("", f"The field 'Next' is required but {given}")
        return None
    matches = compile_rule(source, report)
    compiling.target(f"{place}/Next", target)
    flow = compile_jsonpath_flow(compiling)._replace(assign=compiling.assign(place, source))
    return None if matches is None else Rule(lambda decision, data: matches(decision.scope(data)), target, flow)


def compile_jsonata_rule(compiling: Compiling, place: str, source: dict[str, Any]) -> Rule | None:
    found = check_shape(JSONATA_RULE_FIELDS, source, f"{compiling.location}/{place}")
    compiling.findings += found
    if found:
        return None
    condition = source["Condition"]
    if not isinstance(condition, bool) and not compiling.is_expression(condition):
        compiling.report(f"{place}/Condition", "Expected a boolean or a JSONata expression")
    matches = compiling.expression(f"{place}/Condition", condition, "boolean")
    flow = JsonataFlow(
        None,
        compiling.expression(f"{place}/Output", source["Output"]) if "Output" in source else None,
        compiling.assign_expression(place, source),
    )
    target = compiling.target(f"{place}/Next", source["Next"])
    return Rule(lambda decision, _: matches.evaluate(decision.bindings()) is True, target, flow)


TYPE = StateType(FIELDS, JSONATA_FIELDS, compile_choice)
