"""Turns the text of a definition into a state machine, or into a list of all its faults.

``check`` never stops at the first finding.  The codes and locations are those of AWS's
ValidateStateMachineDefinition; AWS says that its own messages may change, so ours say what to
do instead of repeating them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from asl_engine.core.machine import StateMachine
from asl_engine.errors import DefinitionError
from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import JsonSyntaxError, loads_strict
from asl_engine.language.tree import ScopeSource, machine_scope
from asl_engine.limits import AWS_LIMITS, Limits, utf8_length
from asl_engine.states import STATE_TYPES
from asl_engine.states.compiling import Compiling
from asl_engine.states.fields import (
    FILLED_OBJECT,
    MISSING_END_STATE,
    OBJECT,
    SCHEMA_VALIDATION_FAILED,
    TEXT,
    check_shape,
    integer,
    one_of,
    required,
)
from asl_engine.states.processor_config import PROCESSOR_CONFIG

if TYPE_CHECKING:
    from asl_engine.core.state import State
    from asl_engine.language.tree import StateSource
    from asl_engine.states.fields import Shape

__all__ = ["MISSING_TARGET", "check", "load"]

MISSING_TARGET = "MISSING_TRANSITION_TARGET"

MACHINE_FIELDS: Shape = {
    "Comment": TEXT,
    "QueryLanguage": one_of("JSONPath", "JSONata"),
    "StartAt": required(TEXT),
    "States": required(FILLED_OBJECT),
    "TimeoutSeconds": integer(1),
    "Version": one_of("1.0"),
}
INNER_FIELDS: Shape = {
    "Comment": TEXT,
    "StartAt": required(TEXT),
    "States": required(FILLED_OBJECT),
    "ProcessorConfig": OBJECT,
}


def load(text: str, source: str = "definition", limits: Limits = AWS_LIMITS) -> StateMachine:
    """The state machine that ``text`` defines; ``source`` is its name in messages.

    Raises ``DefinitionError`` with every finding of severity ERROR.
    """
    machine, findings = check(text, limits=limits)
    if machine is None:
        raise DefinitionError([finding for finding in findings if finding.severity == "ERROR"], source)
    return machine


def check(
    text: str, *, positions: bool = True, limits: Limits = AWS_LIMITS
) -> tuple[StateMachine | None, list[Finding]]:
    """The machine, or None if a finding is an ERROR, and all findings in the order of the text.

    Without ``positions`` they have no line and column: locating them reads the text once for each.
    """
    if limits.definition_bytes is not None and utf8_length(text) > limits.definition_bytes:
        message = f"The definition has more than {limits.definition_bytes} bytes"
        return None, [Finding("INVALID_JSON_DESCRIPTION", message)]
    if not text.strip():
        return None, [Finding(SCHEMA_VALIDATION_FAILED, "Definition must be a valid JSON object")]
    try:
        document = loads_strict(text)
    except JsonSyntaxError as error:
        return None, [Finding("INVALID_JSON_DESCRIPTION", error.message, None, "ERROR", error.line, error.column)]
    if not isinstance(document, dict):
        return None, [Finding(SCHEMA_VALIDATION_FAILED, "Definition must be a valid JSON object", "/")]
    try:
        machine, findings = compile_machine(document, text, limits)
    except RecursionError:
        return None, [Finding(SCHEMA_VALIDATION_FAILED, "The definition is nested too deeply", "/")]
    return machine, located(text, findings) if positions else findings


def compile_machine(
    document: dict[str, Any], text: str, limits: Limits
) -> tuple[StateMachine | None, list[Finding]]:
    scope = machine_scope(document)
    loader = Loader(limits.name_length, scope.language)
    start_at = loader.compile_scope(scope, MACHINE_FIELDS)
    if any(finding.severity == "ERROR" for finding in loader.findings):
        return None, loader.findings
    machine = StateMachine(
        text=text,
        digest=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        start_at=start_at,
        states=loader.states,
        timeout=document.get("TimeoutSeconds"),
        resources=tuple(dict.fromkeys(loader.resources)),
    )
    return machine, loader.findings


class Loader:
    """Gathers the states of a machine and of all its branches and item processors.

    State names are unique in the whole machine, so the states of every scope share one table.
    """

    def __init__(self, name_length: int | None, language: str) -> None:
        self.name_length = name_length
        self.language = language
        self.findings: list[Finding] = []
        self.states: dict[str, State] = {}
        self.resources: list[str] = []
        self.names: set[str] = set()
        self.labels: set[str] = set()

    def compile_scope(self, scope: ScopeSource, shape: Shape) -> str:
        """Compile the states of a machine, a branch or an item processor; returns the first one's name."""
        location, document = scope.location, scope.source
        self.findings += check_shape(shape, document, location)
        if not isinstance(document, dict) or not isinstance(document.get("States"), dict):
            return ""
        targets: Targets = {}
        states = [*scope.states()]
        for place, name, source, language, _ in states:
            compiling = Compiling(name, source, place, self.findings, self.compile_inner, language)
            compiling.name_length = self.name_length
            self.check_name(compiling)
            self.check_language(compiling)
            self.check_label(compiling)
            state = compile_state(compiling)
            targets[name] = compiling.targets
            if state is not None:
                self.states[name] = state
                if "Resource" in source:
                    self.resources.append(source["Resource"])
        check_targets(location, document.get("StartAt"), targets, self.findings)
        if not location:
            check_end(states, self.findings)
        check_reached(location, document.get("StartAt"), targets, self.findings)
        return str(document.get("StartAt"))

    def compile_inner(self, location: str, document: Any) -> str:
        config = document.get("ProcessorConfig") if isinstance(document, dict) else None
        if isinstance(config, dict):
            self.findings += check_shape(PROCESSOR_CONFIG, config, f"{location}/ProcessorConfig")
        return self.compile_scope(ScopeSource(location, document, self.language), INNER_FIELDS)

    def check_language(self, compiling: Compiling) -> None:
        if self.language == "JSONata" and compiling.language == "JSONPath":
            message = "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"
            compiling.report("", message)

    def check_label(self, compiling: Compiling) -> None:
        """The label of a Map state stands for it in the ARNs of its Map Runs."""
        source: Any = compiling.source
        label = source.get("Label") if isinstance(source, dict) else None
        if not isinstance(label, str):
            return
        if label in self.labels:
            compiling.report("Label", f"There are two Map states with the label '{label}'")
        self.labels.add(label)

    def check_name(self, compiling: Compiling) -> None:
        if self.name_length is not None and len(compiling.name) > self.name_length:
            compiling.report("", f"A state's name has at most {self.name_length} characters")
        if compiling.name in self.names:
            compiling.report("", f"There are two states '{compiling.name}'", "DUPLICATE_STATE_NAME")
        self.names.add(compiling.name)


def compile_state(compiling: Compiling) -> State | None:
    """The state, or None if its shape is wrong: an ill-formed field is not examined further."""
    source: Any = compiling.source
    if not isinstance(source, dict):
        compiling.report("", "Expected value of type Object")
        return None
    given = source.get("Type")
    if not isinstance(given, str) or given not in STATE_TYPES:
        compiling.report("Type", type_remedy(given))
        return None
    kind = STATE_TYPES[given]
    fields = kind.jsonata_fields if compiling.language == "JSONata" else kind.fields
    foreign = kind.fields if compiling.language == "JSONata" else kind.jsonata_fields
    misplaced = [name for name in source if name not in fields and name in foreign]
    other = "JSONPath" if compiling.language == "JSONata" else "JSONata"
    for name in misplaced:
        compiling.report(
            "",
            f"The QueryLanguage is set to '{compiling.language}', but field '{name}' is only supported for the "
            f"'{other}' QueryLanguage",
        )
    known = {name: value for name, value in source.items() if name not in misplaced} if misplaced else source
    found = check_shape(fields, known, compiling.location)
    compiling.findings.extend(found)
    if found or misplaced:
        return None
    return kind.compile(compiling)


def type_remedy(given: object) -> str:
    hint = did_you_mean(given, STATE_TYPES) if isinstance(given, str) else ""
    return f"Expected one of {', '.join(sorted(STATE_TYPES))}{hint}"


Targets: TypeAlias = dict[str, list[tuple[str, str]]]


def check_targets(scope: str, start_at: object, targets: Targets, findings: list[Finding]) -> None:
    """Check that every transition leads to a state."""
    transitions = [(f"{scope}/StartAt", start_at), *(target for leaving in targets.values() for target in leaving)]
    for location, state in transitions:
        if isinstance(state, str) and state not in targets:
            field = "StartAt" if location == f"{scope}/StartAt" else "Next"
            message = f"Missing '{field}' target: {state}{did_you_mean(state, targets)}"
            findings.append(Finding(MISSING_TARGET, message, location))


def check_end(states: list[StateSource], findings: list[Finding]) -> None:
    """Check that the machine can end.  A state without any transition has a finding of its own."""
    if not states or any(finding.code == MISSING_END_STATE for finding in findings):
        return
    if not any(may_end(state) for state in states):
        findings.append(Finding(MISSING_END_STATE, "Workflow has no terminal state"))


def may_end(state: StateSource) -> bool:
    if state.type not in STATE_TYPES:
        return True  # nobody knows
    # An End that is not a boolean has a finding of its own.
    return state.source.get("End", False) is not False or state.type in {"Succeed", "Fail"}


def check_reached(scope: str, start_at: object, targets: Targets, findings: list[Finding]) -> None:
    """Check that every state is reachable."""
    # The transitions of a state that did not compile are unknown: they may lead to seemingly unreachable states.
    if any(finding.severity == "ERROR" for finding in findings):
        return
    reached: set[str] = set()
    ahead = [str(start_at)]
    while ahead:
        state = ahead.pop()
        if state not in reached:
            reached.add(state)
            ahead.extend(name for _, name in targets[state])
    for name in targets:
        if name not in reached:
            message = f'State "{name}" is not reachable.'
            findings.append(Finding(MISSING_TARGET, message, f"{scope}/States/{name}"))


def located(text: str, findings: list[Finding]) -> list[Finding]:
    """The findings with the line and column of their location."""
    if not findings:
        return findings
    from asl_engine.language.positions import locate

    result = []
    for finding in findings:
        position = None if finding.location is None else locate(text, finding.location)
        result.append(finding if position is None else finding._replace(line=position[0], column=position[1]))
    return sorted(result, key=lambda finding: (finding.line or 0, finding.column or 0))
