"""The subject of a test: a state, given by itself or within the definition of its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.errors import DefinitionError
from asl_engine.findings import Finding, did_you_mean
from asl_engine.inspection.question import Refusal
from asl_engine.json_text import JsonSyntaxError, dumps, loads, loads_strict
from asl_engine.language.loader import check, load
from asl_engine.language.tree import all_states
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.core.state import State
    from asl_engine.json_values import Json
    from asl_engine.language.tree import StateSource

__all__ = ["Subject", "load_subject"]

# AWS's name for a state that is given by itself.
LONE_STATE: Final = "StateName"
BEFORE: Final = f"{LONE_STATE} (before)"
AFTER: Final = f"{LONE_STATE} (after)"


class Subject(NamedTuple):
    """A compiled state, the one in the definition that it was compiled from, and the whole definition.

    A state that was given by itself is in a ``definition`` that was made for it.
    """

    state: State
    written: StateSource
    definition: Json

    @property
    def source(self) -> dict[str, Any]:
        source: dict[str, Any] = self.written.source
        return source

    @property
    def language(self) -> str:
        return self.written.language

    @property
    def type(self) -> str:
        return self.state.type


def load_subject(text: str, name: str | None = None, place: str = "definition") -> Subject:
    """The state that ``text`` defines, or the one of this name, at any depth of the machine it defines.

    The target of a state given by itself is not checked.  ``place`` is the text's name in messages.
    Raises ``DefinitionError``, and ``Refusal`` if the machine has no such state.
    """
    if name is None:
        return _lone_state(text, place)
    machine = load(text, place)
    if name not in machine.states:
        hint = did_you_mean(name, machine.states)
        raise Refusal(f"State '{name}' does not exist in the state machine definition{hint}")
    definition = loads(text)
    return Subject(machine.states[name], _written(definition, name), definition)


def _lone_state(text: str, place: str) -> Subject:
    try:
        source = loads_strict(text)
    except JsonSyntaxError as error:
        finding = Finding("INVALID_JSON_DESCRIPTION", error.message, None, "ERROR", error.line, error.column)
        raise DefinitionError([finding], place) from None
    if not isinstance(source, dict):
        message = "Definition must be a valid JSON object"
        raise DefinitionError([Finding(SCHEMA_VALIDATION_FAILED, message, "/")], place)
    ahead: dict[str, Json] = {target: {"Type": "Succeed"} for target in _targets(source) if target != LONE_STATE}
    states: dict[str, Json] = {LONE_STATE: source, **ahead}
    start = LONE_STATE
    if not ahead and source.get("Next") == LONE_STATE:  # it leads only to itself: a machine must end
        start = BEFORE
        states[BEFORE] = {
            "Type": "Choice",
            "Choices": [{"Variable": "$", "IsPresent": True, "Next": LONE_STATE}],
            "Default": AFTER,
        }
        states[AFTER] = {"Type": "Succeed"}
    document: Json = {"StartAt": start, "States": states}
    machine, findings = check(dumps(document), positions=False)
    if machine is None:
        raise DefinitionError([finding for finding in findings if finding.severity == "ERROR"], place)
    return Subject(machine.states[LONE_STATE], _written(document, LONE_STATE), document)


def _written(document: Json, name: str) -> StateSource:
    return next(state for state in all_states(document) if state.name == name)


def _targets(source: dict[str, Json]) -> Iterator[str]:
    """The states that a state leads to."""
    entries: list[Json] = [source]
    for field in ("Choices", "Catch"):
        given = source.get(field)
        entries += given if isinstance(given, list) else []
    for entry in entries:
        for field in ("Next", "Default"):
            target = entry.get(field) if isinstance(entry, dict) else None
            if isinstance(target, str):
                yield target
