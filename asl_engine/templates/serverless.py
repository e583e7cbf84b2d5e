"""The state machines and functions of a serverless.yml, with those of the plugin serverless-step-functions.

"AWS Lambda Functions" in the User Guide of the Serverless Framework, and the plugin's README.  Both make resources
of CloudFormation of what they are told, and so does this: references are those of a template then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.serverless_variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.findings import Finding
    from asl_engine.templates.declarations import Declarations, Locate, Surroundings
    from asl_engine.templates.serverless_variables import Outside

__all__ = ["serverless_declarations"]

DEFAULT_SECONDS: Final = 6
DEFAULT_MEGABYTES: Final = 1024
WHOLE_FILE: Final = re.compile(r"\$\{file\(([^)]+)\)\}")
NAME: Final = re.compile(r"/functions/[^/]+/name")  # of a function, which others refer to
# What has a value only when the file is read as a part of the configuration.
TO_FILL: Final = re.compile(r"\$\{|Fn::|\bRef\b|!\w")


def serverless_declarations(
    document: dict[str, Any], locate: Locate, around: Surroundings, outside: Outside
) -> Declarations:
    """What the configuration declares."""
    return _Configuration(document, locate, around, outside).declarations()


class _Configuration:
    def __init__(self, document: dict[str, Any], locate: Locate, around: Surroundings, outside: Outside) -> None:
        self._document = document
        self._locate = locate
        self._variables = Variables(document, locate, outside)
        self._around = around
        self._outside = outside
        self._resources: dict[str, Any] = {}
        self._also: dict[str, str] = {}
        self._places: dict[str, str] = {}  # where the resources are written, by their location as such
        self._files: dict[str, str] = {}  # of definitions, by logical id
        self._parts: dict[str, str] = {}  # of definitions that only here have all their values

    def declarations(self) -> Declarations:
        self._own_resources()
        self._layers()
        self._functions()
        self._machines()
        reader = CloudFormation(
            {"Resources": self._resources},
            lambda place: self._locate(self._written(place)),
            self._around,
            self._also,
        )
        found = reader.declarations()
        return found._replace(
            machines=tuple(
                one._replace(
                    location=self._written(one.location),
                    file=self._files.get(one.logical),
                    definition=None if one.logical in self._files else one.definition,
                    parts=(self._parts[one.logical],) if one.logical in self._parts else (),
                    also=(self._key(one.logical),),
                    findings=self._placed(one.findings, self._written(f"/Resources/{one.logical}")),
                )
                for one in found.machines
            ),
            functions=tuple(
                one._replace(
                    logical=self._key(one.logical),
                    location=self._written(one.location),
                    findings=self._placed(one.findings, self._written(one.location)),
                )
                for one in found.functions
            ),
            names=(*found.names, *self._variables.asked),
        )

    def _key(self, logical: str) -> str:
        """What the file itself calls a resource that was made of something else."""
        return next((key for key, one in self._also.items() if one == logical), logical)

    def _placed(self, findings: tuple[Finding, ...], within: str) -> tuple[Finding, ...]:
        """The findings, with those about variables in the same part of the file, or in what all share."""
        own = [one._replace(location=self._written(one.location or "")) for one in findings]
        there = (f"{within}/", "/provider/environment", "/provider/runtime", "/service")
        told = self._variables.findings
        shared = [
            one for one in told if f"{one.location}/".startswith(there) or NAME.fullmatch(one.location or "")
        ]
        return tuple(dict.fromkeys((*own, *shared)))

    def _written(self, place: str) -> str:
        """The location in the file of one in the resources that were made of it."""
        best = max((made for made in self._places if f"{place}/".startswith(f"{made}/")), key=len, default=None)
        return place if best is None else self._places[best] + place[len(best) :]

    # -- what becomes a resource ----------------------------------------------------------------------

    def _own_resources(self) -> None:
        given = self._variables.filled(self._document.get("resources"), "/resources")
        for index, one in enumerate(given if isinstance(given, list) else [given]):
            place = f"/resources[{index}]" if isinstance(given, list) else "/resources"
            found = one.get("Resources") if isinstance(one, dict) else None
            for logical, resource in found.items() if isinstance(found, dict) else ():
                self._resources[logical] = resource
                self._places[f"/Resources/{logical}"] = f"{place}/Resources/{logical}"

    def _layers(self) -> None:
        for key, layer in self._entries("layers"):
            if isinstance(layer, dict):
                self._add(f"{_normal(key)}LambdaLayer", "AWS::Lambda::LayerVersion", f"/layers/{key}", {
                    "LayerName": layer.get("name", key),
                    "Content": layer.get("path", "."),
                })  # fmt: skip

    def _functions(self) -> None:
        provider = self._part("provider")
        for key, function in self._entries("functions"):
            if not isinstance(function, dict):
                continue
            place = f"/functions/{key}"
            logical = f"{_normal(key)}LambdaFunction"
            self._also[key] = logical
            variables = {**_table(provider, "environment"), **_table(function, "environment")}
            properties = {
                "FunctionName": function.get("name", f"{self._service()}-{self._variables.stage}-{key}"),
                "Runtime": function.get("runtime", provider.get("runtime", "")),
                "Timeout": function.get("timeout", provider.get("timeout", DEFAULT_SECONDS)),
                "MemorySize": function.get("memorySize", provider.get("memorySize", DEFAULT_MEGABYTES)),
                "Environment": {"Variables": {name: one for name, one in variables.items() if one is not None}},
                "Layers": function.get("layers", provider.get("layers", [])),
                "Code": function.get("module", "."),
            }
            if "image" in function:
                properties |= {"PackageType": "Image"}
            self._add(
                logical, "AWS::Lambda::Function", place, properties | {"Handler": function.get("handler", "")}
            )
            made = f"/Resources/{logical}/Properties"
            for name, written in (("Handler", "handler"), ("Environment/Variables", "environment")):
                self._places[f"{made}/{name}"] = f"{place}/{written}"
            self._places[made] = place

    def _machines(self) -> None:
        steps = self._part("stepFunctions")
        for name in steps.get("activities") or ():
            text = str(self._variables.filled(name, "/stepFunctions/activities"))
            logical = f"{_normal(text)}StepFunctionsActivity"
            self._add(logical, "AWS::StepFunctions::Activity", "/stepFunctions/activities", {"Name": text})
        for key, machine in self._included(steps.get("stateMachines"), "/stepFunctions/stateMachines"):
            place = f"/stepFunctions/stateMachines/{key}"
            raw = machine.get("definition") if isinstance(machine, dict) else None
            own = self._variables.filled(machine, place)
            if not isinstance(own, dict):
                continue
            named = own.get("id") or own.get("name")
            logical = _normal(str(named)) if named else f"{_normal(key)}StepFunctionsStateMachine"
            properties = {
                "StateMachineName": own.get("name", key),
                "StateMachineType": own.get("type", "STANDARD"),
            }
            if "definition" in own:
                properties["Definition"] = own["definition"]
            self._also[key] = logical
            self._add(logical, "AWS::StepFunctions::StateMachine", place, properties)
            self._places[f"/Resources/{logical}/Properties/Definition"] = f"{place}/definition"
            self._places[f"/Resources/{logical}/Properties"] = place
            whole = WHOLE_FILE.fullmatch(raw.strip()) if isinstance(raw, str) else None
            if whole is not None:
                alone = self._stands_alone(own.get("definition"))
                (self._files if alone else self._parts)[logical] = whole[1].strip()

    def _stands_alone(self, definition: Any) -> bool:
        """Whether an included definition says the same when it is read by itself; findings have its lines then."""
        return isinstance(definition, dict) and TO_FILL.search(str(definition)) is None

    # -- sections -------------------------------------------------------------------------------------

    def _add(self, logical: str, kind: str, place: str, properties: dict[str, Any]) -> None:
        self._resources[logical] = {"Type": kind, "Properties": properties}
        self._places[f"/Resources/{logical}"] = place

    def _service(self) -> str:
        service = self._variables.part("service")
        return str(service.get("name") if isinstance(service, dict) else service)

    def _part(self, name: str) -> dict[str, Any]:
        """A section, of which only what holds it together is filled: each member may have variables."""
        found = self._document.get(name)
        if isinstance(found, str):
            found = self._variables.filled(found, f"/{name}")
        if name == "provider":
            found = self._variables.filled(found, f"/{name}")
        return found if isinstance(found, dict) else {}

    def _entries(self, name: str) -> Iterator[tuple[str, Any]]:
        for key, one in self._included(self._document.get(name), f"/{name}"):
            yield key, self._variables.filled(one, f"/{name}/{key}")

    def _included(self, given: Any, place: str) -> Iterator[tuple[str, Any]]:
        """The members of a section that may be an included file, or a list of those."""
        if isinstance(given, str):
            given = self._variables.filled(given, place)
        for one in given if isinstance(given, list) else [given]:
            found = self._variables.filled(one, place) if isinstance(one, str) else one
            if isinstance(found, dict):
                yield from found.items()


def _table(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _normal(name: str) -> str:
    """A name as a part of a logical id, as the framework makes it."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")
