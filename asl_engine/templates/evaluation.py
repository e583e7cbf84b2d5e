"""The values of a CloudFormation template: its references, as far as they are known without deploying it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_arn, partition_of
from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_values import MISSING
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.templates.expansion import NOT_RUN_HERE
from asl_engine.templates.functions import FUNCTIONS, about_unknown, as_text
from asl_engine.templates.places import Places
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.resource_names import RESOURCE_TYPES, ResourceType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.findings import Severity
    from asl_engine.json_values import Json, Missing
    from asl_engine.templates.declarations import Locate, Surroundings

__all__ = ["Evaluated", "TemplateEvaluation"]

SUFFIXES: Final = {"aws-cn": "amazonaws.com.cn"}
# {{resolve:ssm:/orders/table}}: what CloudFormation looks up when it deploys.
DYNAMIC: Final = re.compile(r"\{\{(resolve:[^}]+)\}\}")
STACK_ID: Final = "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/local"
ALIAS: Final = "AWS::Lambda::Alias"
QUALIFIED: Final = (ALIAS, "AWS::Lambda::Version")
FIRST_VERSION: Final = "1"
SOME_TYPE: Final = ResourceType("", "{name}")


class Evaluated(NamedTuple):
    """A value, MISSING for AWS::NoValue, and what could not be found out about it."""

    value: Json | Missing
    findings: tuple[Finding, ...]


class TemplateEvaluation:
    """``Evaluating`` of one template.

    ``also`` are other names of resources, which only references use.  ``places`` tell where resources are written
    that were made of something else.
    """

    def __init__(
        self,
        document: dict[str, Any],
        locate: Locate,
        around: Surroundings,
        also: dict[str, str] | None = None,
        places: Places | None = None,
    ) -> None:
        self.around = around
        self.written = (places or Places()).written
        self.asked: dict[str, None] = {}  # the names that a value could have been given for
        self._document = document
        self._locate = locate
        self._also = also or {}
        self._findings: list[Finding] = []
        self._open: list[str] = []  # what is being evaluated: the outermost first

    def evaluate(self, given: Json, place: str) -> Evaluated:
        """The value of a part of the template.  It is not called while it is at work."""
        self._findings = []
        value = self.value(given, place)
        return Evaluated(value, tuple(dict.fromkeys(self._findings)))

    def finding(self, code: str, message: str, place: str) -> Finding:
        """What is wrong at a location, or not run here, with the line and column of where that is written."""
        written = self.written(place)
        severity: Severity = "WARNING" if code == NOT_RUN_HERE else "ERROR"
        return Finding(code, message, written, severity, *(self._locate(written) or ()))

    def section(self, name: str) -> dict[str, Any]:
        found = self._document.get(name)
        return found if isinstance(found, dict) else {}

    # -- Evaluating -----------------------------------------------------------------------------------

    def value(self, given: Json, place: str) -> Json | Missing:
        if isinstance(given, list):
            found = [self.value(one, f"{place}[{index}]") for index, one in enumerate(given)]
            return [one for one in found if one is not MISSING]
        if isinstance(given, str):
            return DYNAMIC.sub(lambda match: self._looked_up(match[1], place), given)
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            [(key, argument)] = given.items()
            if key in FUNCTIONS:
                return FUNCTIONS[key](self, argument, f"{place}/{key}")
            if key.startswith("Fn::"):
                return self.refused(about_unknown(key), place)
        values = {name: self.value(one, f"{place}/{name}") for name, one in given.items()}
        return {name: one for name, one in values.items() if one is not MISSING}

    def truth(self, given: Json, place: str) -> bool:
        name = given.get("Condition") if isinstance(given, dict) else None
        if not isinstance(name, str):
            return self.value(given, place) is True
        conditions = self.section("Conditions")
        if name not in conditions:
            self.refused(f"There is no condition {name}{did_you_mean(name, conditions)}", place)
            return False
        with self._within(f"the condition {name}", place) as inside:
            return inside and self.truth(conditions[name], f"/Conditions/{name}")

    def reference(self, name: str, place: str) -> Json | Missing:
        self.asked[name] = None
        parameter = self.section("Parameters").get(name)
        if name in self.around.given:
            return self._given(name, parameter, place)
        if name == "AWS::NoValue":
            return MISSING
        if name.startswith("AWS::"):
            return self._pseudo(name, place)
        if parameter is not None:
            return self._parameter(name, parameter, place)
        resource = self._resource(name, place)
        if resource is None:
            return f"${{{name}}}"
        if (qualified := self._qualified(*resource)) is not None:
            return qualified
        return self._made(*resource, place, self._type(resource[1]).ref)

    def attribute(self, resource: str, name: str, place: str) -> Json | Missing:
        whole = f"{resource}.{name}"
        self.asked[whole] = None
        if whole in self.around.given:
            return self.around.given[whole]
        found = self._resource(resource, place)
        if found is None:
            return f"${{{whole}}}"
        template = self._type(found[1]).attributes.get(name)
        if template is not None:
            return self._made(*found, place, template)
        if name in {"AliasArn", "FunctionArn"} and (qualified := self._qualified(*found)) is not None:
            return qualified
        kind, own = found[1].get("Type"), found[1].get("Properties")
        if kind == "AWS::SSM::Parameter" and name == "Value" and isinstance(own, dict) and name in own:
            return self.value(own[name], f"/Resources/{found[0]}/Properties/{name}")
        known = self._type(found[1]).attributes
        meant = did_you_mean(name, known)
        return self.unknown(whole, f"{whole} is known only when it is deployed{meant}", place)

    def mapped(self, table: str, first: str, second: str) -> Json | None:
        found: Json = self.section("Mappings")
        for key in (table, first, second):
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def imported(self, name: str, place: str) -> Json | Missing:
        self.asked[name] = None
        if name in self.around.given:
            return self.around.given[name]
        found = self.exported(name)
        if found is None:
            found = self.around.exported(name)
        if found is None:
            return self.unknown(name, f"No stack here exports {name}", place)
        return found

    def included(self, location: str, place: str) -> Json | Missing:
        with self._within(f"the file {location}", place) as inside:
            found = self.around.read(location) if inside else {}
            if found is None:
                return self.refused(f"There is no file {location} that can be read", place)
            return self.value(found, place)

    def refused(self, message: str, place: str) -> str:
        self._tell(BROKEN_TEMPLATE, message, place)
        return ""

    def unknown(self, name: str, why: str, place: str) -> str:
        self.asked[name] = None
        self._tell(UNFILLED_PLACEHOLDER, f"{why}: substitute a value for {name}", place)
        return f"${{{name}}}"

    # -- what others ask ------------------------------------------------------------------------------

    def exported(self, name: str) -> Json | None:
        """What this template exports by a name; None for nothing."""
        for logical, output in self.section("Outputs").items():
            export = output.get("Export") if isinstance(output, dict) else None
            if isinstance(export, dict) and self.value(export.get("Name"), f"/Outputs/{logical}/Export") == name:
                with self._within(f"the output {logical}", f"/Outputs/{logical}") as inside:
                    value = self.value(output.get("Value"), f"/Outputs/{logical}/Value") if inside else MISSING
                return None if value is MISSING else value
        return None

    def name_of(self, logical: str, resource: dict[str, Any], place: str) -> str:
        """What a resource is called: by its property, or else by its logical id."""
        named_by = self.named_by(resource)
        properties = resource.get("Properties")
        properties = properties if isinstance(properties, dict) else {}
        given = properties.get(named_by)
        if given is None:
            fifo = any(as_text(properties.get(one)) == "true" for one in ("FifoQueue", "FifoTopic"))
            made = logical.lower() if resource.get("Type") == "AWS::S3::Bucket" else logical
            return f"{made}.fifo" if fifo else made
        with self._within(f"the name of {logical}", place) as inside:
            name = self.value(given, f"/Resources/{logical}/Properties/{named_by}") if inside else MISSING
        return logical if name is MISSING else as_text(name)

    def named_by(self, resource: dict[str, Any]) -> str:
        """The property that has a resource's name, "" where its type has none."""
        return self._type(resource).named_by

    def exists(self, resource: dict[str, Any], place: str) -> bool:
        """Whether the condition of a resource holds, if it has one."""
        condition = resource.get("Condition")
        return not isinstance(condition, str) or self.truth({"Condition": condition}, f"{place}/Condition")

    # -- one idea each --------------------------------------------------------------------------------

    def _tell(self, code: str, message: str, place: str) -> None:
        self._findings.append(self.finding(code, message, place))

    def _looked_up(self, name: str, place: str) -> str:
        self.asked[name] = None
        if name in self.around.given:
            return self.around.given[name]
        return self.unknown(name, f"{{{{{name}}}}} is looked up only when it is deployed", place)

    def _given(self, name: str, parameter: Any, place: str) -> Json:
        value = self.around.given[name]
        allowed = parameter.get("AllowedValues") if isinstance(parameter, dict) else None
        if isinstance(allowed, list) and value not in map(as_text, allowed):
            there_are = ", ".join(map(as_text, allowed))
            self.refused(f"The parameter {name} cannot be {value!r}: it is one of {there_are}", place)
        return _typed(value, parameter)

    def _parameter(self, name: str, parameter: Any, place: str) -> Json:
        kind = str(parameter.get("Type")) if isinstance(parameter, dict) else ""
        if kind.startswith("AWS::SSM::Parameter::Value"):
            return self.unknown(name, f"The parameter {name} is looked up in Systems Manager", place)
        if not isinstance(parameter, dict) or "Default" not in parameter:
            return self.unknown(name, f"The parameter {name} has no default", place)
        return _typed(as_text(parameter["Default"]), parameter)

    def _pseudo(self, name: str, place: str) -> Json:
        around = self.around
        partition = partition_of(around.region)
        values: dict[str, Json] = {
            "AWS::AccountId": around.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": partition,
            "AWS::Region": around.region,
            "AWS::StackId": STACK_ID.format(partition=partition, **around._asdict()),
            "AWS::StackName": around.stack,
            "AWS::URLSuffix": SUFFIXES.get(partition, "amazonaws.com"),
        }
        if name in values:
            return values[name]
        return self.refused(f"There is no pseudo parameter {name}{did_you_mean(name, values)}", place)

    def _resource(self, name: str, place: str) -> tuple[str, dict[str, Any]] | None:
        """The logical id and the resource; None for one that is not there, which is told."""
        resources = self.section("Resources")
        logical = name if name in resources else self._also.get(name, name)
        resource = resources.get(logical)
        if not isinstance(resource, dict):
            known = [*self.section("Parameters"), *resources, *self._also]
            self.refused(f"There is no parameter or resource {name}{did_you_mean(name, known)}", place)
            return None
        if not self.exists(resource, f"/Resources/{logical}"):
            self.refused(f"There is no {name} here: its condition {resource['Condition']} does not hold", place)
            return None
        return logical, resource

    def _qualified(self, logical: str, resource: dict[str, Any]) -> str | None:
        """The ARN of a version or an alias of a function; None for another resource."""
        kind, own = resource.get("Type"), resource.get("Properties")
        if kind not in QUALIFIED or not isinstance(own, dict):
            return None
        place = f"/Resources/{logical}/Properties"
        with self._within(f"the function of {logical}", place) as inside:
            name = self.value(own.get("FunctionName"), f"{place}/FunctionName") if inside else ""
            alias = self.value(own.get("Name"), f"{place}/Name") if kind == ALIAS and inside else FIRST_VERSION
        arn = function_arn(self.around.region, self.around.account, as_text("" if name is MISSING else name))
        return f"{arn}:{FIRST_VERSION if alias is MISSING else as_text(alias)}"

    def _type(self, resource: dict[str, Any]) -> ResourceType:
        return RESOURCE_TYPES.get(str(resource.get("Type")), SOME_TYPE)

    def _made(self, logical: str, resource: dict[str, Any], place: str, template: str) -> str:
        around = self.around
        partition = partition_of(around.region)
        return template.format(
            name=self.name_of(logical, resource, place),
            region=around.region,
            account=around.account,
            partition=partition,
            suffix=SUFFIXES.get(partition, "amazonaws.com"),
        )

    @contextmanager
    def _within(self, what: str, place: str) -> Iterator[bool]:
        """Whether this is not inside of itself; if it is, that is told."""
        if what in self._open:
            circle = " -> ".join([*self._open[self._open.index(what) :], what])
            self.refused(f"This depends on itself: {circle}", place)
            yield False
            return
        self._open.append(what)
        try:
            yield True
        finally:
            self._open.pop()


def _typed(value: str, parameter: Any) -> Json:
    """The value of a parameter: a list where its type is one."""
    kind = str(parameter.get("Type")) if isinstance(parameter, dict) else ""
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [one.strip() for one in value.split(",")]
    return value
