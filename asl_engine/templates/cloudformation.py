"""The state machines and functions of a CloudFormation template, SAM's among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import Finding
from asl_engine.json_values import MISSING
from asl_engine.templates.declarations import Declarations, DeclaredFunction, DeclaredMachine
from asl_engine.templates.evaluation import TemplateEvaluation
from asl_engine.templates.functions import as_text
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.resource_names import FUNCTIONS, MACHINES
from asl_engine.templates.sam import generated, is_serverless, shared
from asl_engine.templates.settings import MAX_MEGABYTES, MAX_SECONDS, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import Locate, Surroundings

__all__ = ["CloudFormation"]

LAYERS: Final = ("AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion")
INLINE: Final = ("Definition", "DefinitionString")
ASSET: Final = "aws:asset:path"
CONSTRUCT: Final = "aws:cdk:path"


class CloudFormation:
    """Reads one template.  ``also`` are other names of its resources, which only references use."""

    def __init__(
        self,
        document: dict[str, Any],
        locate: Locate,
        around: Surroundings,
        also: dict[str, str] | None = None,
    ) -> None:
        resources = document.get("Resources")
        self._written = resources if isinstance(resources, dict) else {}
        if is_serverless(document):
            document = {**document, "Resources": {**generated(document), **self._written}}
        self._document = document
        self._locate = locate
        self._around = around
        self._evaluation = TemplateEvaluation(document, locate, around, also)

    def declarations(self) -> Declarations:
        machines, functions = [], []
        for logical, resource in self._written.items():
            kind = resource.get("Type") if isinstance(resource, dict) else None
            if kind in MACHINES and self._exists(logical, resource):
                machines.append(self._machine(logical, resource))
            elif kind in FUNCTIONS and self._exists(logical, resource):
                functions.append(self._function(logical, resource))
        names = (*self._evaluation.asked, *self._evaluation.section("Parameters"))
        return Declarations(tuple(machines), tuple(functions), tuple(dict.fromkeys(names)))

    def exported(self, name: str) -> Json | None:
        return self._evaluation.exported(name)

    def _exists(self, logical: str, resource: dict[str, Any]) -> bool:
        return self._evaluation.exists(resource, f"/Resources/{logical}")

    # -- state machines -------------------------------------------------------------------------------

    def _machine(self, logical: str, resource: dict[str, Any]) -> DeclaredMachine:
        properties = _Properties(self._document, logical, resource)
        findings: list[Finding] = []
        substitutions = self._value(properties, "DefinitionSubstitutions", findings, {})
        machine = DeclaredMachine(
            logical=logical,
            name=self._name(logical, resource, properties, findings),
            location=f"/Resources/{logical}",
            substitutions=_texts(substitutions),
            express=self._value(properties, "Type", [], None) == "EXPRESS"
            or self._value(properties, "StateMachineType", [], None) == "EXPRESS",
            also=_constructs(resource),
        )
        field = next((one for one in INLINE if one in properties), None)
        if field is not None:
            definition = self._value(properties, field, findings, None)
            return machine._replace(
                location=properties.place(field), definition=definition, findings=tuple(findings)
            )
        file = self._file(properties, findings)
        where = next((one for one in ("DefinitionUri", "DefinitionS3Location") if one in properties), None)
        location = machine.location if where is None else properties.place(where)
        if file is None and not findings:
            findings.append(self._fault(_NO_DEFINITION, location))
        return machine._replace(location=location, file=file, findings=tuple(findings))

    def _file(self, properties: _Properties, findings: list[Finding]) -> str | None:
        for field in ("DefinitionUri", "DefinitionS3Location"):
            value = self._value(properties, field, findings, None)
            if isinstance(value, str):
                if "://" not in value:
                    return value
                value = {"Key": value.rpartition("/")[2], "Bucket": value}
            if isinstance(value, dict):
                found = self._around.asset(str(value.get("Key")))
                if found is None and not findings:
                    message = f"The definition is in S3 ({value.get('Bucket')}, {value.get('Key')}), and not here"
                    findings.append(self._fault(message, properties.place(field)))
                return found
        return None

    # -- functions ------------------------------------------------------------------------------------

    def _function(self, logical: str, resource: dict[str, Any]) -> DeclaredFunction:
        properties = _Properties(self._document, logical, resource)
        findings: list[Finding] = []
        environment = self._value(properties, "Environment", findings, {})
        variables = environment.get("Variables") if isinstance(environment, dict) else None
        function = DeclaredFunction(
            logical=logical,
            name=self._name(logical, resource, properties, findings),
            location=f"/Resources/{logical}",
            runtime=str(self._value(properties, "Runtime", findings, "")),
            handler=str(self._value(properties, "Handler", findings, "")),
            environment=_texts(variables),
            timeout=number(self._value(properties, "Timeout", findings, 3), MAX_SECONDS, 3),
            memory=int(number(self._value(properties, "MemorySize", findings, 128), MAX_MEGABYTES, 128)),
            layers=tuple(self._layers(properties)),
        )
        function = self._with_code(function, resource, properties, findings)
        return function._replace(findings=tuple(findings))

    def _with_code(
        self,
        function: DeclaredFunction,
        resource: dict[str, Any],
        properties: _Properties,
        findings: list[Finding],
    ) -> DeclaredFunction:
        if self._value(properties, "PackageType", findings, "Zip") == "Image" or "ImageUri" in properties:
            return function._replace(elsewhere="is a container image")
        if (asset := _asset(resource)) is not None:
            return function._replace(code=asset)
        inline = self._value(properties, "InlineCode", findings, None)
        code = self._value(properties, "Code", findings, None)
        uri = self._value(properties, "CodeUri", findings, "." if _is_sam(resource) else None)
        if isinstance(code, dict) and "ZipFile" in code:
            inline = code["ZipFile"]
        if isinstance(inline, str):
            return function._replace(source=inline)
        for given in (code, uri):
            if isinstance(given, str) and "://" not in given:
                return function._replace(code=given)
            if isinstance(given, dict) and "ImageUri" in given:
                return function._replace(elsewhere="is a container image")
            key = given.get("S3Key", given.get("Key")) if isinstance(given, dict) else None
            if (found := None if key is None else self._around.asset(str(key))) is not None:
                return function._replace(code=found)
            if given is not None:
                return function._replace(elsewhere="has its code in S3")
        return function._replace(elsewhere="has no code here")

    def _layers(self, properties: _Properties) -> Iterator[str]:
        """The folders of those layers that are in the template."""
        given = properties.get("Layers")
        for one in given if isinstance(given, list) else ():
            logical = one.get("Ref") if isinstance(one, dict) else None
            resource = self._written.get(str(logical))
            if not isinstance(resource, dict) or resource.get("Type") not in LAYERS:
                continue
            own = _Properties(self._document, str(logical), resource)
            content = self._value(own, "ContentUri", [], None) or self._value(own, "Content", [], None)
            asset = _asset(resource)
            if asset is None and isinstance(content, dict):
                asset = self._around.asset(str(content.get("S3Key", content.get("Key"))))
            if asset is not None or isinstance(content, str):
                yield str(asset or content)

    # -- both -----------------------------------------------------------------------------------------

    def _value(self, properties: _Properties, field: str, findings: list[Finding], default: Json) -> Json:
        if field not in properties:
            return default
        value, found = self._evaluation.evaluate(properties.get(field), properties.place(field))
        findings += found
        return default if value is MISSING else value

    def _name(
        self, logical: str, resource: dict[str, Any], properties: _Properties, findings: list[Finding]
    ) -> str:
        found: list[Finding] = []
        for field in ("FunctionName", "StateMachineName", "Name"):
            self._value(properties, field, found, None)
        findings += found
        return logical if found else self._evaluation.name_of(logical, resource, f"/Resources/{logical}")

    def _fault(self, message: str, location: str) -> Finding:
        return Finding(BROKEN_TEMPLATE, message, location, "ERROR", *(self._locate(location) or ()))


class _Properties:
    """The properties of a resource, with those that SAM's Globals give it, and where each is written."""

    def __init__(self, document: dict[str, Any], logical: str, resource: dict[str, Any]) -> None:
        own = resource.get("Properties")
        self._own: dict[str, Any] = own if isinstance(own, dict) else {}
        self._kind = str(resource.get("Type"))
        self._shared = shared(document, self._kind)
        self._logical = logical

    def __contains__(self, field: str) -> bool:
        return field in self._own or field in self._shared

    def get(self, field: str) -> Any:
        """Objects are merged, and lists put together, the shared ones first."""
        if field not in self._shared:
            return self._own.get(field)
        return _merged(self._shared[field], self._own[field]) if field in self._own else self._shared[field]

    def place(self, field: str) -> str:
        section = "StateMachine" if self._kind in MACHINES else "Function"
        return (
            f"/Resources/{self._logical}/Properties/{field}"
            if field in self._own
            else f"/Globals/{section}/{field}"
        )


def _merged(shared: Any, own: Any) -> Any:
    if isinstance(shared, list) and isinstance(own, list):
        return [*shared, *own]
    if isinstance(shared, dict) and isinstance(own, dict) and not _is_function(own):
        return shared | {name: _merged(shared[name], own[name]) if name in shared else own[name] for name in own}
    return own


def _is_function(value: dict[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


_NO_DEFINITION: Final = (
    "The state machine has no definition: give it one of Definition, DefinitionString and DefinitionUri"
)


def _is_sam(resource: dict[str, Any]) -> bool:
    return str(resource.get("Type")).startswith("AWS::Serverless::")


def _metadata(resource: Mapping[str, Any], name: str) -> str | None:
    metadata = resource.get("Metadata")
    found = metadata.get(name) if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else None


def _asset(resource: Mapping[str, Any]) -> str | None:
    """Where the CDK has put the code of a function or a layer."""
    return _metadata(resource, ASSET)


def _constructs(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The path of a construct of the CDK, and its last name: ``Stack/Order/Resource`` is called Order."""
    path = (_metadata(resource, CONSTRUCT) or "").removesuffix("/Resource")
    return (path, path.rpartition("/")[2]) if path else ()


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: as_text(one) for name, one in value.items() if one is not None}
