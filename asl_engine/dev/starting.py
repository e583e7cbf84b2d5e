"""What a project under development is before its server starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.dev.definitions import found_in
from asl_engine.dev.rules import project_rules
from asl_engine.project.declared import with_declared

if TYPE_CHECKING:
    from asl_engine.events.declared import DeclaredRule
    from asl_engine.project.configuration import Project

__all__ = ["whole_project"]


def whole_project(project: Project) -> tuple[Project, tuple[list[str], list[DeclaredRule]]]:
    """The project with what its files declare, and all buses and rules, those of its configuration among them.

    Rules have to be there when the server starts: what was to be delivered for one that is not would be given up.
    """
    whole = with_declared(project, found_in(project).templates)
    rules = project_rules(whole)
    return whole, (rules.buses, rules.rules)
