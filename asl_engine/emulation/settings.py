"""``emulation`` in ``asl.toml``: whether AWS's services are emulated, which, where, and what is in them.

It is ``true`` or ``false``, a list of services, or a table with ``services``, ``port`` and ``resources``: tables
``emulation.resources.NAME`` with a ``type`` of CloudFormation and its ``properties``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.emulation.surroundings import OURS
from asl_engine.errors import InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.resources.endpoints import endpoints
from asl_engine.templates.declarations import DeclaredResource
from asl_engine.templates.resource_names import RESOURCE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.project.configuration import Project

__all__ = ["BUS", "EmulationSettings", "declared_buses", "read_settings"]

BUS: Final = "AWS::Events::EventBus"  # it is made on the engine's own bus
KEYS: Final = ("services", "port", "resources")
RESOURCE_KEYS: Final = ("type", "properties")
MAX_PORT: Final = 65_535


class EmulationSettings(NamedTuple):
    """``wanted`` is None where nothing says so.  ``services`` by botocore's names are those emulated, None: all.

    ``resources`` are those of the configuration, before those that templates declare.
    """

    wanted: bool | None = None
    services: frozenset[str] | None = None
    port: int | None = None
    resources: tuple[DeclaredResource, ...] = ()


def read_settings(project: Project) -> EmulationSettings:
    """What the project says.  Raises ``InvalidInput`` with the file and the key."""
    given, where = project.emulation, f"{project.source}: emulation"
    if given is None or isinstance(given, bool):
        return EmulationSettings(given, resources=tuple(project.resources))
    if isinstance(given, list):
        return EmulationSettings(True, _services(given, where), resources=tuple(project.resources))
    for key in given:
        if key not in KEYS:
            raise InvalidInput(f"{where}: there is no key {key!r}{did_you_mean(key, KEYS)}: {', '.join(KEYS)}")
    services, port, resources = given.get("services"), given.get("port"), given.get("resources", {})
    if services is not None and not (isinstance(services, list) and all(isinstance(one, str) for one in services)):
        raise InvalidInput(f'{where}.services has to be a list of services, such as ["sqs", "dynamodb"]')
    if port is not None and not (type(port) is int and 0 < port <= MAX_PORT):
        raise InvalidInput(f"{where}.port has to be a number from 1 to {MAX_PORT}; it is {port!r}")
    if not isinstance(resources, dict):
        raise InvalidInput(f"{where}.resources has to be a table of tables by their names")
    own = [_resource(name, table, f"{where}.resources.{name}") for name, table in resources.items()]
    known = {(one.type, one.name) for one in own}
    declared = [one for one in project.resources if (one.type, one.name) not in known]
    return EmulationSettings(
        True, None if services is None else _services(services, f"{where}.services"), port, (*own, *declared)
    )


def declared_buses(project: Project) -> list[str]:
    """The event buses that the project declares: they are the engine's own.  Raises ``InvalidInput``."""
    return [one.name for one in read_settings(project).resources if one.type == BUS]


def _services(given: list[str], where: str) -> frozenset[str]:
    found: set[str] = set()
    for name in given:
        (service,) = endpoints(configured={name: "http://localhost"}, source=where)
        if service in OURS:
            raise InvalidInput(f"{where}: {name} is never emulated: it is answered by the engine itself")
        found.add(service)
    return frozenset(found)


def _resource(name: str, table: Any, where: str) -> DeclaredResource:
    if not isinstance(table, dict):
        raise InvalidInput(f"{where} has to be a table with {' and '.join(RESOURCE_KEYS)}")
    for key in table:
        if key not in RESOURCE_KEYS:
            hint = did_you_mean(key, RESOURCE_KEYS)
            raise InvalidInput(f"{where}: there is no key {key!r}{hint}: {', '.join(RESOURCE_KEYS)}")
    kind, properties = table.get("type"), table.get("properties", {})
    if not isinstance(kind, str) or "::" not in kind:
        raise InvalidInput(f'{where}.type has to be CloudFormation\'s name of a type, such as "AWS::SQS::Queue"')
    if not isinstance(properties, dict):
        raise InvalidInput(f"{where}.properties has to be a table")
    return DeclaredResource(name, kind, _name(kind, name, properties), properties, f"{where}")


def _name(kind: str, name: str, properties: Mapping[str, Any]) -> str:
    known = RESOURCE_TYPES.get(kind)
    given = properties.get(known.named_by) if known is not None else None
    return given if isinstance(given, str) else name
