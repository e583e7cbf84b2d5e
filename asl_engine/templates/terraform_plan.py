"""The resources of a Terraform plan or state, and what their configuration refers to.

"JSON Output Format" in Terraform's documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "MACHINE",
    "Configurations",
    "PlannedResource",
    "at",
    "first",
    "listed",
    "resources",
    "resources_of",
    "table",
    "terraform_machines",
]

MACHINE: Final = "aws_sfn_state_machine"
INDEX: Final = re.compile(r"\[[^\]]*\]")


class PlannedResource(NamedTuple):
    """A resource of the plan, at ``location`` in it.  ``unknown`` is what is not known before it is applied."""

    address: str
    kind: str
    name: str
    values: dict[str, Any]
    location: str
    unknown: Mapping[str, Any] = {}

    @property
    def base(self) -> str:
        """The address without the indexes of count and for_each: that of its configuration."""
        return INDEX.sub("", self.address)


def resources(document: dict[str, Any]) -> Iterator[PlannedResource]:
    """All resources of a plan or a state, those of its modules too."""
    unknown: dict[str, Any] = {}
    for change in listed(document, "resource_changes"):
        if isinstance(change, dict):
            unknown[str(change.get("address"))] = table(table(change, "change"), "after_unknown")
    for section in ("planned_values", "values"):
        module = table(table(document, section), "root_module")
        for one in resources_of(module, f"/{section}/root_module"):
            yield one._replace(unknown=unknown.get(one.address, {}))


def resources_of(module: dict[str, Any], place: str) -> Iterator[PlannedResource]:
    """The resources of a module at a location, and of the modules in it."""
    for index, one in enumerate(listed(module, "resources")):
        if isinstance(one, dict) and isinstance(one.get("values"), dict):
            yield PlannedResource(
                str(one.get("address")),
                str(one.get("type")),
                str(one.get("name")),
                one["values"],
                f"{place}/resources[{index}]",
            )
    for index, child in enumerate(listed(module, "child_modules")):
        if isinstance(child, dict):
            yield from resources_of(child, f"{place}/child_modules[{index}]")


def terraform_machines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The addresses of the state machines, and where they are in the document."""
    for one in resources(document):
        if one.kind == MACHINE:
            yield one.address, one.location


class Configurations:
    """What the arguments of resources refer to, by the address of each resource."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._expressions: dict[str, tuple[dict[str, Any], str, Mapping[str, list[str]]]] = {}
        self._read(table(table(document, "configuration"), "root_module"), "", {})

    def references(self, one: PlannedResource, *path: str | int) -> list[str]:
        """The addresses that an argument refers to, the most exact first; a path leads into its blocks."""
        expressions, prefix, inputs = self._expressions.get(one.base, ({}, "", {}))
        return _references(at(expressions, *path), prefix, inputs)

    def _read(self, module: dict[str, Any], prefix: str, inputs: Mapping[str, list[str]]) -> None:
        """``inputs`` are what the variables of the module refer to."""
        for one in listed(module, "resources"):
            if isinstance(one, dict):
                self._expressions[f"{prefix}{one.get('address')}"] = table(one, "expressions"), prefix, inputs
        for name, call in table(module, "module_calls").items():
            given = table(call, "expressions").items()
            passed = {f"var.{variable}": _references(value, prefix, inputs) for variable, value in given}
            self._read(table(call, "module"), f"{prefix}module.{name}.", passed)


def _references(expression: Any, prefix: str, inputs: Mapping[str, list[str]]) -> list[str]:
    found: list[str] = []
    for name in map(str, listed(expression, "references")):
        found += inputs.get(name, [f"{prefix}{name}"])
    return found


def at(value: Any, *path: str | int) -> Any:
    """What a path of names and numbers leads to; None where it leads nowhere."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def first(value: Any) -> dict[str, Any]:
    """A nested block, of which there is at most one."""
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, dict) else {}


def listed(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def table(holder: Any, name: str) -> dict[str, Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}
