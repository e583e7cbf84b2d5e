"""The state machines and functions of a Terraform plan or state, as ``terraform show -json`` writes it.

"JSON Output Format" in Terraform's documentation.  What a plan does not know before it is applied is not in it: a
definition that names the ARN of a function which is still to be made is such a thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.findings import Finding
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.templates.declarations import Declarations, DeclaredFunction, DeclaredMachine
from asl_engine.templates.functions import as_text
from asl_engine.templates.settings import MAX_MEGABYTES, MAX_SECONDS, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.templates.declarations import Locate

__all__ = ["MACHINE", "terraform_declarations", "terraform_machines"]

MACHINE: Final = "aws_sfn_state_machine"
FUNCTION: Final = "aws_lambda_function"
LAYER: Final = "aws_lambda_layer_version"
ARCHIVE: Final = "archive_file"


class _Resource(NamedTuple):
    """A resource of the plan, at ``location`` in it.  ``unknown`` is what is not known before it is applied."""

    address: str
    kind: str
    name: str
    values: dict[str, Any]
    location: str
    unknown: Mapping[str, Any] = {}


def terraform_machines(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The addresses of the state machines, and where they are in the document."""
    for one in _resources(document):
        if one.kind == MACHINE:
            yield one.address, one.location


def terraform_declarations(document: dict[str, Any], locate: Locate, given: Mapping[str, str]) -> Declarations:
    """What the plan or the state declares; ``given`` has values for what it does not know."""
    return _Plan(document, locate, given).declarations()


class _Plan:
    def __init__(self, document: dict[str, Any], locate: Locate, given: Mapping[str, str]) -> None:
        self._locate = locate
        self._given = given
        self._names: dict[str, None] = {}
        self._resources = [*_resources(document)]
        self._sources = dict(_archives(document, self._resources))
        self._layers = {one.address: one.values.get("filename") for one in self._resources if one.kind == LAYER}
        self._references = dict(
            _layer_references(_table(_table(document, "configuration"), "root_module"), "", {})
        )

    def declarations(self) -> Declarations:
        machines = tuple(self._machine(one) for one in self._resources if one.kind == MACHINE)
        functions = tuple(self._function(one) for one in self._resources if one.kind == FUNCTION)
        return Declarations(machines, functions, tuple(self._names))

    def _machine(self, one: _Resource) -> DeclaredMachine:
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

    def _function(self, one: _Resource) -> DeclaredFunction:
        values, findings = one.values, []
        variables = dict(_table(_first(values.get("environment")), "variables"))
        unknown = _first(one.unknown.get("environment"))
        if unknown.get("variables") is True:
            message = f"The plan does not know the variables of {one.address}: apply it, and give its state"
            findings.append(self._unknown(message, one.location))
        for variable in _table(unknown, "variables"):
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
            layers=tuple(self._layers_of(one.address)),
            findings=tuple(findings),
        )
        if values.get("package_type") == "Image" or values.get("image_uri"):
            return function._replace(elsewhere="is a container image")
        file = values.get("filename")
        if not isinstance(file, str):
            return function._replace(elsewhere="has its code in S3")
        return function._replace(code=self._sources.get(_plain(file), file))

    def _layers_of(self, address: str) -> Iterator[str]:
        for layer in self._references.get(address, ()):
            file = self._layers.get(layer)
            if isinstance(file, str):
                yield self._sources.get(_plain(file), file)

    def _unknown(self, message: str, location: str) -> Finding:
        return Finding(UNFILLED_PLACEHOLDER, message, location, "ERROR", *(self._locate(location) or ()))


# -- the document ---------------------------------------------------------------------------------------


def _resources(document: dict[str, Any]) -> Iterator[_Resource]:
    unknown: dict[str, Any] = {}
    for change in _list(document, "resource_changes"):
        if isinstance(change, dict):
            unknown[str(change.get("address"))] = _table(_table(change, "change"), "after_unknown")
    for section in ("planned_values", "values"):
        module = _table(_table(document, section), "root_module")
        for one in _of_module(module, f"/{section}/root_module"):
            yield one._replace(unknown=unknown.get(one.address, {}))


def _of_module(module: dict[str, Any], place: str) -> Iterator[_Resource]:
    for index, one in enumerate(_list(module, "resources")):
        if isinstance(one, dict) and isinstance(one.get("values"), dict):
            yield _Resource(
                str(one.get("address")),
                str(one.get("type")),
                str(one.get("name")),
                one["values"],
                f"{place}/resources[{index}]",
            )
    for index, child in enumerate(_list(module, "child_modules")):
        if isinstance(child, dict):
            yield from _of_module(child, f"{place}/child_modules[{index}]")


def _archives(document: dict[str, Any], planned: list[_Resource]) -> Iterator[tuple[str, str]]:
    """The archives that Terraform makes, with the folder of what is in each."""
    read = _table(_table(_table(document, "prior_state"), "values"), "root_module")
    for one in (*_of_module(read, ""), *planned):
        if one.kind != ARCHIVE:
            continue
        path, folder, file = (one.values.get(key) for key in ("output_path", "source_dir", "source_file"))
        if isinstance(path, str) and isinstance(folder, str):
            yield _plain(path), folder
        elif isinstance(path, str) and isinstance(file, str):
            yield _plain(path), file.rpartition("/")[0] or "."


def _layer_references(
    module: dict[str, Any], prefix: str, inputs: Mapping[str, list[str]]
) -> Iterator[tuple[str, list[str]]]:
    """The layers that functions refer to: their ARNs are known only once they are there.

    ``inputs`` are what the variables of the module refer to.
    """
    for one in _list(module, "resources"):
        if isinstance(one, dict) and one.get("type") == FUNCTION:
            yield (
                f"{prefix}{one.get('address')}",
                _references(_table(one, "expressions").get("layers"), prefix, inputs),
            )
    for name, call in _table(module, "module_calls").items():
        given = _table(call, "expressions").items()
        passed = {f"var.{variable}": _references(value, prefix, inputs) for variable, value in given}
        yield from _layer_references(_table(call, "module"), f"{prefix}module.{name}.", passed)


def _references(expression: Any, prefix: str, inputs: Mapping[str, list[str]]) -> list[str]:
    """The addresses that an expression refers to."""
    found: list[str] = []
    for name in map(str, _list(expression, "references")):
        found += inputs.get(name, [f"{prefix}{name}"])
    return found


def _plain(path: str) -> str:
    return path.removeprefix("./")


def _first(value: Any) -> dict[str, Any]:
    """A nested block, of which there is at most one."""
    found = value[0] if isinstance(value, list) and value else value
    return found if isinstance(found, dict) else {}


def _list(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _table(holder: Any, name: str) -> dict[str, Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}
