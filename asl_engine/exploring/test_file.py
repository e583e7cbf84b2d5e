"""The runs of a walk as a pytest file: each with its input, what its tasks did, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.lab.chance import without_chance
from asl_engine.lab.literals import listed, literal
from asl_engine.lab.pinning import answers_in_turn, identifier, imports

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asl_engine.exploring.runs import Laboratory, Ran
    from asl_engine.testing.answers import Answer

__all__ = ["explored_tests", "worth_a_test"]

LONGEST_PATH = 30  # states that an assertion names
ASSERTIONS = {"FAILED": "assert_failed", "TIMED_OUT": "assert_timed_out", "ABORTED": "assert_aborted"}


def worth_a_test(ran: Ran) -> bool:
    """Whether a test of the run ends."""
    return not ran.endless and ran.status != "RUNNING"


def explored_tests(
    laboratory: Laboratory,
    runs: Sequence[Ran],
    definition: str | dict[str, Any],
    name: str,
    substitutions: Mapping[str, str],
) -> str:
    """The text of the file.  ``definition`` is the path of the definition's file, or the definition itself."""
    functions: list[str] = []
    names: set[str] = set()
    for ran in runs:
        called, number = identifier(ran.aim), 1
        while (numbered := called if number == 1 else f"{called}_{number}") in names:
            number += 1
        names.add(numbered)
        called = numbered
        functions.append(_function(called, ran, laboratory, substitutions))
    body = "\n\n".join(functions)
    tasks = [state for state, source in laboratory.states.items() if source.type == "Task"]
    never = f'NEVER = dict.fromkeys({literal(tasks)}, fails("NotCalled"))'
    return f'''"""What `asl explore` has found of {name}: the inputs and the answers of tasks that take its ways.

Each test says how the state machine behaves as it is, be that as it should or not.
"""

{imports(never + body)}DEFINITION = {literal(definition)}
# A task that a test does not name is not called in it.
{never}


{body}'''


def _function(called: str, ran: Ran, laboratory: Laboratory, substitutions: Mapping[str, str]) -> str:
    tasks = listed(
        "{", (f"{literal(state)}: {_answers(answers)}" for state, answers in ran.answers.items()), "}", 4
    )
    options = ['validation="NONE"', *([f"substitutions={literal(dict(substitutions))}"] if substitutions else [])]
    lines = [
        f"def test_{called}(asl):",
        f"    tasks = {tasks}",
        f"    workflow = asl(DEFINITION, NEVER, {', '.join(options)})",
        f"    run = {listed('workflow.run(', [literal(ran.input, 8), 'tasks'], ')', 4)}",
        "",
        f"    {_assertion(ran, laboratory)}",
    ]
    if 0 < len(ran.path) <= LONGEST_PATH:
        lines.append(f"    {listed('run.assert_path(', map(literal, ran.path), ')', 4)}")
    return "\n".join([*lines, ""])


def _answers(answers: Sequence[Answer]) -> str:
    """Of several answers that are the same, one is enough."""
    same = len({repr(answer) for answer in answers}) == 1 and answers[0].error is None
    return answers_in_turn(answers[:1] if same else answers, 8)


def _assertion(ran: Ran, laboratory: Laboratory) -> str:
    if ran.status != "SUCCEEDED":
        given = literal(ran.error) if ran.status == "FAILED" and ran.error is not None else ""
        return f"run.{ASSERTIONS[ran.status]}({given})"
    again = laboratory.run(ran.script._replace(docs=ran.docs))
    output = without_chance(ran.output, ran.output, again.output)
    return f"run.assert_succeeded({literal(output, 4)})"
