"""What of a test can be had on a target, and the definition as it runs there.

A target knows no stand-ins.  So each task that the test answers is an activity there, and the test's process is
its worker: it is scheduled with the same input, fails with the same errors and is retried and caught as the task
would be.  Tasks without an answer stay what they are.

(Rejected: a Lambda endpoint of the test's own, which the server would have to be started with.  It serves
functions only, and none on AWS.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import is_activity, waits_for_token
from asl_engine.json_text import dumps, loads
from asl_engine.language.loader import load
from asl_engine.language.tree import tasks
from asl_engine.project.stand_ins import called_tasks, closest
from asl_engine.testing.lacking import NotOnTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.core.machine import StateMachine
    from asl_engine.limits import Limits
    from asl_engine.project.stand_ins import CalledTask
    from asl_engine.testing.answers import Answers

__all__ = ["check_answers", "deployed", "stationed"]


def check_answers(answers: Mapping[str, Answers]) -> None:
    """Raises ``NotOnTarget`` for an answer that needs virtual time."""
    for key, given in answers.items():
        if given.takes_time:
            raise NotOnTarget(f"tasks: {key!r} answers after a while, and time is not the test's on a target")


def stationed(
    machine: StateMachine, answers: Mapping[str, Answers], home: tuple[str, str]
) -> dict[str, CalledTask]:
    """The tasks that the test answers, by their states.  Raises ``NotOnTarget`` for what cannot be answered there.

    ``home`` is the region and the account of the project.
    """
    found: dict[str, CalledTask] = {}
    used: set[str] = set()
    for task in called_tasks(machine, home):
        answer = closest(answers, task)
        if waits_for_token(task.resource):
            raise NotOnTarget(
                f"the state {task.state!r} sends its task token away ({task.resource}): on a target neither the "
                "test nor a stand-in gets it"
            )
        if answer is None and task.computed and answers:
            raise NotOnTarget(
                f"the state {task.state!r} computes what it calls: on a target no stand-in can be put there"
            )
        if answer is not None:
            used.add(answer[0])
        if answer is not None or is_activity(task.resource):
            found[task.state] = task
    unused = [key for key in answers if key not in used]
    if unused:
        raise NotOnTarget(
            f"tasks: {unused[0]!r} stands for a task of a machine that this one starts: that is the target's own"
        )
    return found


def deployed(machine: StateMachine, activities: Mapping[str, str], limits: Limits) -> StateMachine:
    """The machine with an activity, given by its ARN, for each of these states."""
    document = loads(machine.text)
    for state in tasks(document):
        if state.name in activities:
            state.source["Resource"] = activities[state.name]
            state.source.pop("Credentials", None)  # the test answers, whoever asks
    return load(dumps(document), "the definition on the target", limits)
