"""Pin an execution: a pytest file that runs it again, with the answers that its tasks gave then."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.errors import StatesError
from asl_engine.lab.literals import listed, literal
from asl_engine.projections.moments import utc
from asl_engine.testing.recordings import by_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.core.execution import Execution
    from asl_engine.testing.answers import Answer
    from asl_engine.testing.recordings import RecordedCall

__all__ = ["Pinned", "answers_in_turn", "identifier", "imports", "pinned_test"]


NEVER_REACHED = "# Never reached, so nothing is known of what they would give:"


class Pinned(NamedTuple):
    """An execution to be pinned.

    ``definition`` is the file of its definition, or where there is none the definition itself.  ``calls`` are
    those of its tasks, without those of the states ``left``, which the project's own callables answer.
    ``place`` is the state that it has failed in, None where it has not.  ``output`` may have ``...`` in it.
    ``mocked`` is the state whose failure is among the answers, None where none is.  ``unreached`` are the Task
    states that were never entered.
    """

    execution: Execution
    events: Sequence[ev.Event]
    definition: str | dict[str, Any]
    calls: Sequence[RecordedCall]
    left: frozenset[str] = frozenset()
    place: str | None = None
    output: Any = None
    mocked: str | None = None
    unreached: Sequence[str] = ()


def identifier(name: str) -> str:
    """A name as Python's identifiers are, in the form that Python reads them in (NFKC).

    Letters of any script stay.  A name without any has its hash instead, so that two of them are not alike.
    """
    read = unicodedata.normalize("NFKC", name).lower()
    kept = "".join(one if f"_{one}".isidentifier() else "_" for one in read)
    return re.sub("_+", "_", kept).strip("_") or f"execution_{sha256(name.encode()).hexdigest()[:6]}"


def pinned_test(pinned: Pinned) -> str:
    """The text of the file."""
    who, tasks = pinned.execution.identity, _tasks(pinned)
    given = None if pinned.execution.input is None else pinned.execution.input.value
    return f'''"""The execution {who.name} of {who.machine_name}: {_how(pinned)}.

{_what(pinned)}
"""

{imports(tasks)}DEFINITION = {literal(pinned.definition)}
INPUT = {literal(given)}
# What its tasks gave, by state, in the order of their calls.
TASKS = {tasks}


def test_{identifier(who.name)}(asl):
    run = asl(DEFINITION, TASKS).run(INPUT)

    {_assertion(pinned)}
'''


def imports(source: str) -> str:
    """The line that imports what the source of answers uses, and an empty one; "" where that is nothing."""
    used = sorted({name for name in ("fails", "recorded", "returns") if f"{name}(" in source})
    return f"from asl_engine.testing import {', '.join(used)}\n\n" if used else ""


def _how(pinned: Pinned) -> str:
    execution = pinned.execution
    error = f" with {execution.error}" if execution.error else ""
    state = pinned.place or _last_state(pinned.events)
    place = f" at {state}" if state and execution.status != "SUCCEEDED" else ""
    return f"{execution.status} on {utc(execution.identity.started_at)[:16]} UTC{error}{place}"


def _what(pinned: Pinned) -> str:
    if pinned.execution.status == "SUCCEEDED":
        return "It is to end so again, whatever is changed."
    own = ", ".join(sorted(pinned.left))
    lines = ["The test fails as long as it ends so, and passes once that is mended."]
    if own:
        lines[0] += f"  The task of {own} is called as it is now."
    if pinned.mocked is not None:
        lines.append(f"The failure of {pinned.mocked} is mocked: the definition has to mend it, not the task.")
    if pinned.unreached:
        lines.append("States that were never reached have no answers: give them some in TASKS.")
    return "\n".join(lines)


def _last_state(events: Sequence[ev.Event]) -> str | None:
    entered = [event.name for event in events if isinstance(event, ev.StateEntered)]
    return entered[-1] if entered else None


def _assertion(pinned: Pinned) -> str:
    given = "" if pinned.execution.output is None else literal(pinned.output, 4)
    return f"run.assert_succeeded({given})"


def _tasks(pinned: Pinned) -> str:
    of_states = by_state(call for call in pinned.calls if call.state not in pinned.left)
    entries = [f"{literal(state)}: {_answers(calls)}" for state, calls in of_states.items()]
    if pinned.unreached:
        entries += [f"{NEVER_REACHED}\n    # {literal(pinned.unreached[0])}: ..."]
        entries += [f"# {literal(state)}: ..." for state in pinned.unreached[1:]]
    return "\n".join(["{", *(f"    {entry}," for entry in entries), "}"]) if entries else "{}"


def _answers(calls: Sequence[RecordedCall]) -> str:
    """One answer, or several in turn; those to different inputs go by the input."""
    if len({literal(call.input) for call in calls}) == 1:
        return answers_in_turn([call.answer for call in calls], 4)
    return listed("recorded(", (_pair(call) for call in calls), ")", 4)


def answers_in_turn(answers: Sequence[Answer], column: int) -> str:
    """The source of what one state's task does at one call after the other."""
    if len(answers) == 1 and answers[0].error is None:
        return _answer(answers[0], column)
    return listed("[", (_answer(answer, column + 4) for answer in answers), "]", column)


def _pair(call: RecordedCall) -> str:
    return listed("(", (literal(call.input, 12), _answer(call.answer, 12)), ")", 8)


def _answer(answer: Answer, column: int) -> str:
    if isinstance(answer.error, StatesError):
        cause = [] if answer.error.cause is None else [literal(answer.error.cause)]
        return listed("fails(", [literal(answer.error.error or ""), *cause], ")", column)
    return f"returns({literal(answer.value, column)})"
