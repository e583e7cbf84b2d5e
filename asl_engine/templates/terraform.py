"""The state machines and functions of a Terraform plan or state, as ``terraform show -json`` writes it.

"JSON Output Format" in Terraform's documentation.  What a plan does not know before it is applied is not in it: a
definition that names the ARN of a function which is still to be made is such a thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import Finding
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.templates.declarations import Declarations, DeclaredFunction, DeclaredMachine
from asl_engine.templates.functions import as_text
from asl_engine.templates.settings import MAX_MEGABYTES, MAX_SECONDS, number, whole
from asl_engine.templates.terraform_plan import (
    MACHINE,
    Configurations,
    PlannedResource,
    at,
    first,
    resources,
    resources_of,
    table,
)
from asl_engine.templates.terraform_resources import with_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.templates.declarations import Locate, Surroundings

__all__ = ["terraform_declarations"]

FUNCTION: Final = "aws_lambda_function"
LAYER: Final = "aws_lambda_layer_version"
ARCHIVE: Final = "archive_file"


def terraform_declarations(document: dict[str, Any], locate: Locate, around: Surroundings) -> Declarations:
    """What the plan or the state declares."""
    own = _Plan(document, locate, around.given).declarations()
    return with_events(own, document, locate, around)


class _Plan:
    def __init__(self, document: dict[str, Any], locate: Locate, given: Mapping[str, str]) -> None:
        self._locate = locate
        self._given = given
        self._names: dict[str, None] = {}
        self._resources = [*resources(document)]
        self._sources = dict(_archives(document, self._resources))
        self._layers = {one.address: one.values.get("filename") for one in self._resources if one.kind == LAYER}
        self._configurations = Configurations(document)

    def declarations(self) -> Declarations:
        machines = tuple(self._machine(one) for one in self._resources if one.kind == MACHINE)
        functions = tuple(self._function(one) for one in self._resources if one.kind == FUNCTION)
        return Declarations(machines, functions, tuple(self._names))

    def _machine(self, one: PlannedResource) -> DeclaredMachine:
        place = f"{one.location}/values/definition"
        machine = DeclaredMachine(
            logical=one.address,
            name=str(one.values.get("name") or one.name),
            location=place,
            express=one.values.get("type") == "EXPRESS",
            also=(one.name, one.address),
        )
        definition = one.values.get("definition")
        if isinstance(definition, str):
            return machine._replace(definition=definition)
        name = f"{one.address}.definition"
        self._names[name] = None
        if name in self._given:
            return machine._replace(file=self._given[name])
        message = (
            f"The plan does not know the definition of {one.address} before it is applied, as it names what is "
            f"still to be made: apply it and give its state (terraform show -json), or substitute its file for "
            f"{name}"
        )
        return machine._replace(findings=(self._unknown(message, one.location),))

    def _function(self, one: PlannedResource) -> DeclaredFunction:
        values, findings = one.values, []
        variables = dict(table(first(values.get("environment")), "variables"))
        unknown = first(one.unknown.get("environment"))
        if unknown.get("variables") is True:
            message = f"The plan does not know the variables of {one.address}: apply it, and give its state"
            findings.append(self._unknown(message, one.location))
        for variable in table(unknown, "variables"):
            name = f"{one.address}.{variable}"
            self._names[name] = None
            if name in self._given:
                variables[variable] = self._given[name]
            elif variables.get(variable) is None:
                message = f"The plan does not know {variable} of {one.address}: substitute a value for {name}"
                findings.append(self._unknown(message, one.location))
        function = DeclaredFunction(
            logical=one.address,
            name=str(values.get("function_name") or one.name),
            location=one.location,
            runtime=str(values.get("runtime") or ""),
            handler=str(values.get("handler") or ""),
            environment={name: as_text(text) for name, text in variables.items() if text is not None},
            timeout=number(values.get("timeout"), MAX_SECONDS, 3),
            memory=int(number(values.get("memory_size"), MAX_MEGABYTES, 128)),
            architecture=str(at(values, "architectures", 0) or "x86_64"),
            reserved=_reserved(values.get("reserved_concurrent_executions")),
            layers=tuple(self._layers_of(one)),
            findings=tuple(findings),
        )
        if values.get("package_type") == "Image" or values.get("image_uri"):
            return function._replace(elsewhere="is a container image")
        file = values.get("filename")
        if not isinstance(file, str):
            return function._replace(elsewhere="has its code in S3")
        return function._replace(code=self._sources.get(_plain(file), file))

    def _layers_of(self, one: PlannedResource) -> Iterator[str]:
        """The layers that a function refers to: their ARNs are known only once they are there."""
        for layer in self._configurations.references(one, "layers"):
            file = self._layers.get(layer)
            if isinstance(file, str):
                yield self._sources.get(_plain(file), file)

    def _unknown(self, message: str, location: str) -> Finding:
        return Finding(UNFILLED_PLACEHOLDER, message, location, "ERROR", *(self._locate(location) or ()))


def _reserved(given: Any) -> int | None:
    """The reserved concurrency of a function: -1 stands for none."""
    found = whole(given)
    return None if found is None or found < 0 else found


def _archives(document: dict[str, Any], planned: list[PlannedResource]) -> Iterator[tuple[str, str]]:
    """The archives that Terraform makes, with the folder of what is in each."""
    read = table(table(table(document, "prior_state"), "values"), "root_module")
    for one in (*resources_of(read, ""), *planned):
        if one.kind != ARCHIVE:
            continue
        path, folder, file = (one.values.get(key) for key in ("output_path", "source_dir", "source_file"))
        if isinstance(path, str) and isinstance(folder, str):
            yield _plain(path), folder
        elif isinstance(path, str) and isinstance(file, str):
            yield _plain(path), file.rpartition("/")[0] or "."


def _plain(path: str) -> str:
    return path.removeprefix("./")
