"""The state machines and functions of a serverless.yml, with those of the plugin serverless-step-functions.

"AWS Lambda Functions" in the User Guide of the Serverless Framework, and the plugin's README.  Both make resources
of CloudFormation of what they are told, and so does this: references are those of a template then.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.expansion import EventOwner, Expansion
from asl_engine.templates.sam import table_of
from asl_engine.templates.serverless_apis import ServerlessApis
from asl_engine.templates.serverless_events import FunctionEvents
from asl_engine.templates.serverless_machine_events import add_machine_events
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
EVENTS: Final = re.compile(r"/events\[")  # of a function or a state machine
ALL_FUNCTIONS: Final = ("/provider/environment", "/provider/runtime", "/service")
NAMES: Final = ("/service",)  # of all functions
NAME: Final = re.compile(r"/functions/[^/]+/name")  # of a function, which others refer to
# The properties of a function's resource, with what they are called in the file.
FUNCTION_NAMES: Final = {
    "Architectures[0]": "architecture",
    "Architectures": "architecture",
    "Environment/Variables": "environment",
    "Handler": "handler",
    "MemorySize": "memorySize",
    "ReservedConcurrentExecutions": "reservedConcurrency",
    "Runtime": "runtime",
    "Timeout": "timeout",
}
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
        self._into = Expansion()
        self._also: dict[str, str] = {}
        self._files: dict[str, str] = {}  # of definitions, by logical id
        self._parts: dict[str, str] = {}  # of definitions that only here have all their values
        provider = self._part("provider")
        self._apis = ServerlessApis(self._into, provider, self._variables.stage)
        self._events = FunctionEvents(self._into, self._apis, f"{self._service()}-{self._variables.stage}")

    def declarations(self) -> Declarations:
        self._own_resources()
        self._layers()
        self._functions()
        self._machines()
        self._apis.finish()
        document = {"Resources": self._into.resources}
        reader = CloudFormation(document, self._locate, self._around, self._also, self._into)
        found = reader.declarations()
        declared = found._replace(
            machines=tuple(
                one._replace(
                    file=self._files.get(one.logical),
                    definition=None if one.logical in self._files else one.definition,
                    parts=(self._parts[one.logical],) if one.logical in self._parts else (),
                    also=(self._key(one.logical),),
                    findings=self._placed(
                        one.findings, self._into.places.written(f"/Resources/{one.logical}"), ALL_FUNCTIONS
                    ),
                )
                for one in found.machines
            ),
            functions=tuple(
                one._replace(
                    logical=self._key(one.logical),
                    findings=self._placed(one.findings, one.location, ALL_FUNCTIONS),
                )
                for one in found.functions
            ),
            routes=tuple(
                one._replace(findings=self._placed(one.findings, one.location, NAMES)) for one in found.routes
            ),
            rules=tuple(
                one._replace(findings=self._placed(one.findings, one.location, NAMES)) for one in found.rules
            ),
            mappings=tuple(
                one._replace(findings=self._placed(one.findings, one.location, NAMES)) for one in found.mappings
            ),
            resources=tuple(
                one._replace(findings=self._placed(one.findings, one.location)) for one in found.resources
            ),
            names=(*found.names, *self._variables.asked),
        )
        told = {*declared.told()}
        others = (one for one in self._variables.findings if one not in told and EVENTS.search(one.location or ""))
        return declared._replace(findings=(*found.findings, *others))

    def _key(self, logical: str) -> str:
        """What the file itself calls a resource that was made of something else."""
        return next((key for key, one in self._also.items() if one == logical), logical)

    def _placed(
        self, findings: tuple[Finding, ...], within: str, shared: tuple[str, ...] = ()
    ) -> tuple[Finding, ...]:
        """The findings, with those about variables in the same part of the file, or in what all share.

        Those about the events of a function are not the function's own.
        """
        found = [*findings]
        for one in self._variables.findings:
            place = f"{one.location}/"
            inside = place.startswith(f"{within}/") and not EVENTS.match(place.removeprefix(within))
            if inside or (shared and (place.startswith(shared) or NAME.fullmatch(one.location or ""))):
                found.append(one)
        return tuple(dict.fromkeys(found))

    # -- what becomes a resource ----------------------------------------------------------------------

    def _own_resources(self) -> None:
        given = self._variables.filled(self._document.get("resources"), "/resources")
        for index, one in enumerate(given if isinstance(given, list) else [given]):
            place = f"/resources[{index}]" if isinstance(given, list) else "/resources"
            found = one.get("Resources") if isinstance(one, dict) else None
            for logical, resource in found.items() if isinstance(found, dict) else ():
                self._into.resources[logical] = resource
                self._into.places.put(f"/Resources/{logical}", f"{place}/Resources/{logical}")

    def _layers(self) -> None:
        for key, layer in self._entries("layers"):
            if isinstance(layer, dict):
                properties = {"LayerName": layer.get("name", key), "Content": layer.get("path", ".")}
                place = f"/layers/{key}"
                self._into.add(f"{_normal(key)}LambdaLayer", "AWS::Lambda::LayerVersion", properties, place)

    def _functions(self) -> None:
        provider = self._part("provider")
        for key, function in self._entries("functions"):
            if not isinstance(function, dict):
                continue
            place = f"/functions/{key}"
            logical = f"{_normal(key)}LambdaFunction"
            self._also[key] = logical
            variables = {**table_of(provider, "environment"), **table_of(function, "environment")}
            properties = {
                "FunctionName": function.get("name", f"{self._service()}-{self._variables.stage}-{key}"),
                "Runtime": function.get("runtime", provider.get("runtime", "")),
                "Timeout": function.get("timeout", provider.get("timeout", DEFAULT_SECONDS)),
                "MemorySize": function.get("memorySize", provider.get("memorySize", DEFAULT_MEGABYTES)),
                "Environment": {"Variables": {name: one for name, one in variables.items() if one is not None}},
                "Layers": function.get("layers", provider.get("layers", [])),
                "Code": function.get("module", "."),
                "Handler": function.get("handler", ""),
                "ReservedConcurrentExecutions": function.get("reservedConcurrency"),
                "PackageType": "Image" if "image" in function else None,
            }
            architecture = function.get("architecture", provider.get("architecture"))
            if architecture is not None:
                properties["Architectures"] = [architecture]
            self._into.add(logical, "AWS::Lambda::Function", properties, place, FUNCTION_NAMES)
            arn = {"Fn::GetAtt": [logical, "Arn"]}
            self._events.add(function, EventOwner(logical, arn, name=key), place)

    def _machines(self) -> None:
        steps = self._part("stepFunctions")
        for name in steps.get("activities") or ():
            text = str(self._variables.filled(name, "/stepFunctions/activities"))
            logical = f"{_normal(text)}StepFunctionsActivity"
            self._into.add(logical, "AWS::StepFunctions::Activity", {"Name": text}, "/stepFunctions/activities")
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
            names = {"Definition": "definition"}
            self._into.add(logical, "AWS::StepFunctions::StateMachine", properties, place, names)
            owner = EventOwner(logical, {"Ref": logical}, name=key)
            add_machine_events(own, owner, place, into=self._into, rules=self._events, apis=self._apis)
            whole = WHOLE_FILE.fullmatch(raw.strip()) if isinstance(raw, str) else None
            if whole is not None:
                alone = self._stands_alone(own.get("definition"))
                (self._files if alone else self._parts)[logical] = whole[1].strip()

    def _stands_alone(self, definition: Any) -> bool:
        """Whether an included definition says the same when it is read by itself; findings have its lines then."""
        return isinstance(definition, dict) and TO_FILL.search(str(definition)) is None

    # -- sections -------------------------------------------------------------------------------------

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


def _normal(name: str) -> str:
    """A name as a part of a logical id, as the framework makes it."""
    return f"{name[:1].upper()}{name[1:]}".replace("-", "Dash").replace("_", "Underscore")
