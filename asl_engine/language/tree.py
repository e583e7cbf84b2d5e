"""The states of a definition: the machine's own, and those of its branches and item processors.

Whoever has to look at every state of a definition asks here.  Only a state's type says where further states
are: in the Branches of a Parallel, in the ItemProcessor (once Iterator) of a Map.  Everything else in a state
may hold a payload, and a payload is data, even if it looks like a state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "HOLDERS",
    "LANGUAGES",
    "ScopeSource",
    "StateSource",
    "all_scopes",
    "all_states",
    "inner_states",
    "machine_scope",
    "tasks",
]

LANGUAGES: Final = ("JSONPath", "JSONata")
# Where a state of a type holds further states: each field holds one scope, or a list of them.
HOLDERS: Final[dict[str, tuple[str, ...]]] = {"Parallel": ("Branches",), "Map": ("ItemProcessor", "Iterator")}


class ScopeSource(NamedTuple):
    """What has StartAt and States: a machine, a branch or an item processor.

    ``language`` is the machine's query language, which an inner state has too unless it names its own;
    ``holder`` is the Parallel or Map state that the scope belongs to, None for the machine.
    """

    location: str
    source: Any
    language: str
    holder: StateSource | None = None

    def states(self) -> Iterator[StateSource]:
        """The scope's own states, in the order of the text."""
        states = self.source.get("States") if isinstance(self.source, dict) else None
        for name, source in states.items() if isinstance(states, dict) else ():
            language = _language(source) or self.language
            yield StateSource(f"{self.location}/States/{name}", name, source, language, self)


class StateSource(NamedTuple):
    """A state as it is written.  ``source`` may be of any shape: to report that is the loader's part."""

    location: str
    name: str
    source: Any
    language: str
    scope: ScopeSource

    @property
    def type(self) -> str:
        """The state's Type, "" where it is none."""
        given = self.source.get("Type") if isinstance(self.source, dict) else None
        return given if isinstance(given, str) else ""

    def scopes(self) -> Iterator[ScopeSource]:
        """The scopes that a Parallel or Map state holds."""
        for field in HOLDERS.get(self.type, ()):
            held, place, language = self.source.get(field), f"{self.location}/{field}", self.scope.language
            if isinstance(held, list):
                for index, source in enumerate(held):
                    yield ScopeSource(f"{place}[{index}]", source, language, self)
            elif held is not None:
                yield ScopeSource(place, held, language, self)


def machine_scope(document: Any) -> ScopeSource:
    """The scope that a whole definition is."""
    return ScopeSource("", document, _language(document) or LANGUAGES[0])


def all_scopes(document: Any) -> Iterator[ScopeSource]:
    """The machine, and every scope within it, at any depth."""
    waiting = [machine_scope(document)]
    while waiting:  # without recursion: a definition may be nested more deeply than Python's stack
        scope = waiting.pop()
        yield scope
        waiting += reversed([inner for state in scope.states() for inner in state.scopes()])


def all_states(document: Any) -> Iterator[StateSource]:
    """Every state of a machine, each followed by those within it."""
    return _with_inner(machine_scope(document).states())


def inner_states(state: StateSource) -> Iterator[StateSource]:
    """Every state within a Parallel or Map state, each followed by those within it."""
    return _with_inner(_held(state))


def tasks(document: Any) -> Iterator[StateSource]:
    """The Task states whose Resource is a text."""
    for state in all_states(document):
        if state.type == "Task" and isinstance(state.source.get("Resource"), str):
            yield state


def _with_inner(states: Iterator[StateSource]) -> Iterator[StateSource]:
    waiting = [*states][::-1]
    while waiting:
        state = waiting.pop()
        yield state
        waiting += [*_held(state)][::-1]


def _held(state: StateSource) -> Iterator[StateSource]:
    return (inner for scope in state.scopes() for inner in scope.states())


def _language(source: Any) -> str | None:
    """The query language that a machine or a state names, None where it names none that there is."""
    given = source.get("QueryLanguage") if isinstance(source, dict) else None
    return given if given in LANGUAGES else None
