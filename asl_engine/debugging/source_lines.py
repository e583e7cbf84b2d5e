"""Which lines of a definition's file are which state's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import AslError
from asl_engine.json_text import loads
from asl_engine.language.document import DefinitionSource
from asl_engine.language.tree import all_states
from asl_engine.project.definitions import Substituting, read_definition
from asl_engine.project.inputs import is_there

if TYPE_CHECKING:
    from asl_engine.project.setup import Setup

__all__ = ["SourceLines", "StateLines", "changed_since", "source_of"]


class StateLines(NamedTuple):
    """Lines count from 1; ``end`` is the last one."""

    state: str
    begin: int
    end: int


class SourceLines:
    """The lines of the states in a definition's text."""

    def __init__(self, source: DefinitionSource) -> None:
        self.text = source.text if source.origin is None else source.origin.written
        states = [(state.name, state.location) for state in all_states(loads(source.text))]
        begins = [(name, _line(source, location)) for name, location in states]
        self.states = [
            StateLines(name, begin, _end(source, location, begin))
            for (name, begin), (_, location) in zip(begins, states, strict=True)
        ]
        self._begins = {one.state: one.begin for one in self.states}

    def line_of(self, state: str) -> int:
        """The line in which a state begins; the first where there is no such state."""
        return self._begins.get(state, 1)

    def state_at(self, line: int) -> str | None:
        """The innermost state that a line belongs to, None where it is none's."""
        around = [one for one in self.states if one.begin <= line <= one.end]
        return min(around, key=lambda one: one.end - one.begin).state if around else None


def _line(source: DefinitionSource, location: str) -> int:
    from asl_engine.language.positions import locate

    place = locate(source.text, location) if source.origin is None else source.origin.locate(location)
    return 1 if place is None else place[0]


def _end(source: DefinitionSource, location: str, begin: int) -> int:
    if source.origin is None:
        from asl_engine.language.positions import span

        found = span(source.text, location)
        return begin if found is None else source.text.count("\n", 0, found[1]) + 1
    # In YAML, and in a template, a state ends where the next line with less indentation begins.
    lines = source.origin.written.splitlines()
    indent = len(lines[begin - 1]) - len(lines[begin - 1].lstrip())
    for number, line in enumerate(lines[begin:], begin + 1):
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return number - 1
    return len(lines)


def source_of(setup: Setup) -> DefinitionSource:
    """The definition as it is in its file, where it is what runs; else as it was recorded."""
    recorded = DefinitionSource(setup.machine.text, f"{setup.name}.asl.json")
    try:
        values = Substituting(values=setup.how.substituted)
        source = read_definition(str(setup.how.definition), values, setup.project, local=True)
    except AslError:
        return recorded
    return source if source.text == setup.machine.text else recorded


def changed_since(setup: Setup) -> str | None:
    """What is to be told where the file has another definition than the one that runs."""
    path = setup.how.definition
    if not is_there(path):
        return None if path.name == "" else f"there is no file {path} any more: the recorded definition counts"
    if source_of(setup).name == str(path):
        return None
    return f"{path} has changed since, or was filled in otherwise: the recorded definition counts"
