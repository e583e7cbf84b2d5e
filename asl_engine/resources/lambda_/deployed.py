"""Functions that a deployment has made of a project's callables: ``MACHINE-TASK`` is TASK of the machine MACHINE.

A definition that comes back from AWS names them so, and runs here with the callables that they were made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.arn import parse_arn, unlabelled

if TYPE_CHECKING:
    from asl_engine.resources.python.registry import Registry

__all__ = ["deployed_as", "machine_of", "may_be_deployed", "task_of"]


def deployed_as(machine: str, task: str) -> str:
    """What the function of a machine's task is called."""
    return f"{machine}-{task}"


def task_of(registry: Registry, function: str, machine: str) -> str | None:
    """The name of the task that a machine's function was made of; None where no callable has it.

    Two machines may have tasks of one name: a function of another machine's is never taken.
    """
    task = function.removeprefix(deployed_as(machine, ""))
    return task if task != function and registry.find(task) is not None else None


def may_be_deployed(registry: Registry, function: str) -> bool:
    """Whether a function can be some machine's: its name ends as a callable's, behind a hyphen."""
    parts = function.split("-")
    return any(registry.find("-".join(parts[index:])) is not None for index in range(1, len(parts)))


def machine_of(execution: str) -> str:
    """The machine's name in an execution's ARN; a Map Run's children have their parent's."""
    arn = parse_arn(execution)
    return "" if arn is None else unlabelled(arn.name)[0]
