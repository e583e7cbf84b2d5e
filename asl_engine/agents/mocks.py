"""Stand-ins as tools take them: JSON that says what a task answers, or what it fails with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from asl_engine.agents.replies import ToolFailure, step
from asl_engine.arn import starts_executions
from asl_engine.errors import StatesError
from asl_engine.json_text import loads
from asl_engine.language.tree import all_states, inner_states

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from asl_engine.agents.home import AgentProject
    from asl_engine.api import Prepared
    from asl_engine.core.machine import StateMachine
    from asl_engine.project.stand_ins import CalledTask

__all__ = ["FORM", "Mocks", "Preparation", "Real", "ahead_of", "check_mocked", "prepare", "stand_ins"]

# What a call may reach: nothing but mocks, the project's own callables too, AWS and HTTP APIs too.
Real: TypeAlias = Literal["none", "callables", "aws"]
Mocks: TypeAlias = dict[str, Any]
FORM: Final = '{"return": VALUE}, {"error": NAME, "cause": TEXT}, or a list of them, one for each call'
MEMBERS: Final = ({"return"}, {"error"}, {"error", "cause"})


def stand_ins(mocks: Mapping[str, Any] | None) -> dict[str, Callable[[Any], Any]]:
    """Callables by the names of states, functions or resources.  Raises ``ToolFailure`` for another form."""
    return {name: _stand_in(name, given) for name, given in (mocks or {}).items()}


def _stand_in(name: str, given: Any) -> Callable[[Any], Any]:
    turns = given if isinstance(given, list) else [given]
    for turn in turns or [None]:
        if not isinstance(turn, dict) or set(turn) not in MEMBERS:
            raise ToolFailure(f"mocks: {name}: {turn!r} is no mock: give {FORM}")
    calls = 0

    def answer(event: Any) -> Any:
        """The next answer; the last one is given again."""
        nonlocal calls
        del event
        turn = turns[min(calls, len(turns) - 1)]
        calls += 1
        if "error" in turn:
            raise StatesError(str(turn["error"]), turn.get("cause"))
        return turn["return"]

    return answer


class Preparation(NamedTuple):
    """What would run, and its tasks that would call something real though nothing real may be called."""

    start: Prepared
    left: list[CalledTask]


def prepare(
    home: AgentProject,
    definition: str,
    answers: Mapping[str, Callable[..., Any]],
    real: Real,
    *,
    mocked: frozenset[str] = frozenset(),
    substitutions: Mapping[str, str] | None = None,
) -> Preparation:
    """Check a definition and its stand-ins; ``mocked`` are states that something else answers.

    Raises ``AslError`` for a definition that does not load, and for a stand-in that no task would call.
    """
    from asl_engine.api import prepared

    left: list[CalledTask] = []

    def answered(_machine: StateMachine, task: CalledTask) -> bool:
        if task.state in mocked:
            return True
        if real != "none" or (starts_executions(task.resource) and not task.computed):
            return False
        left.append(task)
        return True

    start = prepared(
        definition,
        {},
        tasks=answers,
        aws=real == "aws",
        project=home.root,
        substitutions=substitutions,
        answered=answered,
    )
    return Preparation(start, left)


def ahead_of(definition: str, start: str) -> set[str]:
    """The states that an execution may come to from one of them on, that one too."""
    states = {state.name: state for state in all_states(loads(definition))}
    found: set[str] = set()
    waiting = [start]
    while waiting:
        state = states.get(waiting.pop())
        if state is None or state.name in found:
            continue
        found.add(state.name)
        waiting += [*_targets(state.source), *(inner.name for inner in inner_states(state))]
        if state.scope.holder is not None:  # when its branch or iteration has ended
            waiting.append(state.scope.holder.name)
    return found


def _targets(source: dict[str, Any]) -> Iterator[str]:
    """Where a state leads."""
    for one in (source, *(source.get("Choices") or ()), *(source.get("Catch") or ())):
        for field in ("Next", "Default"):
            if isinstance(one.get(field), str):
                yield one[field]


def check_mocked(left: Sequence[CalledTask], tool: str, arguments: dict[str, Any]) -> None:
    """Raises ``ToolFailure`` for tasks without a mock, where nothing real is to be called."""
    if not left:
        return
    names = {task.state: task.function.name if task.function else task.integration for task in left}
    mocks = dict(arguments.get("mocks") or {}) | {state: {"return": {}} for state in names}
    raise ToolFailure(
        f"{', '.join(names)} would call something real: mock {'them' if len(names) > 1 else 'it'}, or say what "
        "may be called with real='callables' (the project's own functions) or real='aws'",
        calls=names,
        next=step(tool, "with a mock for each", **(arguments | {"mocks": mocks})),
    )
