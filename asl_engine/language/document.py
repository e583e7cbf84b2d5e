"""A definition as its author wrote it: JSON or YAML, with or without placeholders.

The engine runs, stores and deploys its text in JSON, with the placeholders filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from asl_engine.arn import function_arn
from asl_engine.errors import DefinitionError
from asl_engine.findings import Finding
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.language.loader import MISSING_TARGET, check
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER, placeholders, substitute
from asl_engine.language.tree import all_states, tasks
from asl_engine.limits import AWS_LIMITS, Limits
from asl_engine.states.fields import SCHEMA_VALIDATION_FAILED

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from asl_engine.core.machine import StateMachine
    from asl_engine.findings import Severity

__all__ = [
    "OUTSIDE",
    "DefinitionSource",
    "Origin",
    "check_source",
    "load_source",
    "read_source",
]

YAML_ENDINGS: Final = (".yaml", ".yml")
SOME_FUNCTION: Final = function_arn("us-east-1", "123456789012", "name")
JSON_BEGINS: Final = ("{", "[", '"')

OUTSIDE: Final = (
    "it is a state outside of this scope, and a transition stays within its machine, branch or item processor"
)


class Origin(Protocol):
    """What a definition was read from, where its own text is not what somebody has written."""

    @property
    def written(self) -> str:
        """The text that was written."""

    def locate(self, location: str) -> tuple[int, int] | None:
        """The line and column in it of a location in the definition."""

    def moved(self, line: int, column: int) -> tuple[int, int]:
        """The line and column in it of those in the definition's text."""


class DefinitionSource(NamedTuple):
    """``text`` is the definition in JSON, ``name`` is its name in messages.

    ``origin`` is the YAML or the template that it was read from, None for JSON: a JSON text is kept exactly.
    """

    text: str
    name: str
    origin: Origin | None = None


def read_source(text: str, name: str, values: Mapping[str, str] | None = None) -> DefinitionSource:
    """Read the definition ``text``, with these values for its placeholders.

    It is YAML if the ending of ``name`` says so, or if there is no such ending and the text does not begin like
    JSON.  Raises ``DefinitionError`` for YAML that cannot be read.
    """
    filled = substitute(text, values or {})
    if not _is_yaml(filled, name):
        return DefinitionSource(filled, name)
    from asl_engine.language.yaml import read_yaml

    read = read_yaml(filled, name, values or {})
    return DefinitionSource(read.text, name, read)


def _is_yaml(text: str, name: str) -> bool:
    if name.endswith(YAML_ENDINGS):
        return True
    begin = text.lstrip()[:1]
    return not name.endswith(".json") and begin != "" and begin not in JSON_BEGINS


def load_source(source: DefinitionSource, limits: Limits = AWS_LIMITS) -> StateMachine:
    """The state machine.  Raises ``DefinitionError`` with every finding of severity ERROR."""
    machine, findings = check_source(source, limits)
    if machine is None:
        raise DefinitionError([finding for finding in findings if finding.severity == "ERROR"], source.name)
    return machine


def check_source(
    source: DefinitionSource, limits: Limits = AWS_LIMITS, *, unfilled: Severity = "ERROR"
) -> tuple[StateMachine | None, list[Finding]]:
    """Like ``loader.check``, with lines in the original text, and findings for Resources with placeholders.

    Nothing can serve such a task, hence the ERROR.  As a WARNING it lets the rest be looked at.
    """
    machine, findings = check(source.text, positions=False, limits=limits)
    left = [*_unfilled(source, unfilled)]
    if left:
        places = {one.location for one in left}
        others = [one for one in findings if one.location not in places]
        if unfilled == "WARNING" and machine is None and all(one.severity != "ERROR" for one in others):
            machine, findings = check(_served(source.text, places), positions=False, limits=limits)
            machine = machine and machine._replace(text=source.text)
            others = [one for one in findings if one.location not in places]
        machine = machine if unfilled == "WARNING" else None
        findings = [*others, *left]
    explained = [_explained(source, one) for one in findings]
    return machine, located(source, [*_told_of_scopes(source, explained)])


def _told_of_scopes(source: DefinitionSource, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings; of a target that is missing, whether it is a state of another scope."""
    names: set[str] | None = None
    for finding in findings:
        if finding.code != MISSING_TARGET:
            yield finding
            continue
        if names is None:  # a name is unique in the whole machine
            names = {state.name for state in all_states(loads(source.text))}
        told, _, rest = finding.message.partition(" target: ")
        target = next((name for name in names if rest == name or rest.startswith(f"{name}; ")), None)
        message = finding.message if target is None else f"{told} target: {target}; {OUTSIDE}"
        yield finding._replace(message=message)


def _explained(source: DefinitionSource, finding: Finding) -> Finding:
    """A finding about a text that is no JSON, with what has probably been done."""
    if finding.code != "INVALID_JSON_DESCRIPTION" or finding.line is None:
        return finding
    from asl_engine.language.json_mistakes import definition_hint

    hint = definition_hint(source.text, finding.line, finding.column or 1)
    return finding._replace(message=finding.message + hint)


def _served(text: str, places: Container[str | None]) -> str:
    """The definition with some ARN for the Resources at these places."""
    document = loads(text)
    for task in tasks(document):
        if f"{task.location}/Resource" in places:
            task.source["Resource"] = SOME_FUNCTION
    return dumps(document)


def located(source: DefinitionSource, findings: list[Finding]) -> list[Finding]:
    """The findings with the line and column of their location, in the order of the text."""
    found = [_placed(source, one) for one in findings]
    return sorted(found, key=lambda one: (one.line or 0, one.column or 0))


def _placed(source: DefinitionSource, finding: Finding) -> Finding:
    if finding.location is None:
        if source.origin is None or finding.line is None:
            return finding
        line, column = source.origin.moved(finding.line, finding.column or 1)
        return finding._replace(line=line, column=column)
    text, place = source.text, None
    if source.origin is not None:
        text, place = source.origin.written, source.origin.locate(finding.location)
    elif finding.line is None:
        from asl_engine.language.positions import locate

        place = locate(text, finding.location)
    if place is None:
        return finding
    if finding.word is not None:
        from asl_engine.language.positions import word_after

        place = word_after(text, place, finding.word)
    return finding._replace(line=place[0], column=place[1])


def _unfilled(source: DefinitionSource, severity: Severity) -> Iterator[Finding]:
    """The tasks whose Resource is still a placeholder."""
    if "${" not in source.text:
        return
    try:
        document = loads(source.text)
    except JsonSyntaxError:
        return
    code = SCHEMA_VALIDATION_FAILED if severity == "ERROR" else UNFILLED_PLACEHOLDER
    for task in tasks(document):
        for name in placeholders(task.source["Resource"]):
            message = f"The placeholder ${{{name}}} has no value: substitute one for it"
            if severity == "WARNING":
                message = f"{message} to run the task"
            yield Finding(code, message, f"{task.location}/Resource", severity)
