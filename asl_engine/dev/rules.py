"""The rules that templates declare, beside those of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.emulation.settings import declared_buses
from asl_engine.errors import AslError
from asl_engine.events.alert_rules import with_alerts
from asl_engine.events.declared import DeclaredRule, checked_target, read_declared
from asl_engine.events.entries import DEFAULT_BUS
from asl_engine.templates.declarations import is_usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project
    from asl_engine.templates.declarations import DeclaredEventRule

__all__ = ["ProjectRules", "project_rules"]


class ProjectRules(NamedTuple):
    """The buses and rules of a project, and what is wrong with those of templates."""

    buses: list[str]
    rules: list[DeclaredRule]
    faults: list[str]


def project_rules(project: Project) -> ProjectRules:
    """What the configuration declares, and then what templates do.  Raises ``InvalidInput`` for the former."""
    source = str(project.source)
    declared_rules = read_declared(project.events, source, declared_buses(project))
    buses, configured = with_alerts(declared_rules, project.alerts, source)
    rules = [*configured]
    seen = {(rule.bus, rule.name): "the configuration" for rule in rules}
    faults: list[str] = []
    for declared in project.rules:
        faults += [f"{declared.location}: {one.message}" for one in declared.findings]
        if not is_usable(declared):
            continue
        place = (declared.bus, declared.name)
        if place in seen:
            faults.append(f"{declared.location}: {seen[place]} declares a rule {declared.name} too")
            continue
        if declared.bus not in (DEFAULT_BUS, *buses):
            known = ", ".join((DEFAULT_BUS, *buses))
            faults.append(f"{declared.location}: there is no bus {declared.bus!r}; there are {known}")
            continue
        seen[place] = declared.location
        rules.append(DeclaredRule(declared.name, declared.bus, declared.configuration, _targets(declared, faults)))
    return ProjectRules(list(dict.fromkeys(buses)), rules, faults)


def _targets(declared: DeclaredEventRule, faults: list[str]) -> dict[str, Mapping[str, Json]]:
    """Those that can be targets here; of the others is told."""
    kept: dict[str, Mapping[str, Json]] = {}
    for identifier, target in declared.targets.items():
        try:
            checked_target(target)
        except AslError as error:
            faults.append(f"{declared.location}: the target {identifier} of {declared.name}: {error}")
        else:
            kept[identifier] = target
    return kept
