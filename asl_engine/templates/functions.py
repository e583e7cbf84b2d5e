"""CloudFormation's intrinsic functions: "Intrinsic function reference" in the CloudFormation Template Reference.

Each takes what it was given, not yet evaluated, because Fn::If must leave one side alone.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.json_values import Json, Missing

    Value: TypeAlias = Json | Missing
    Function: TypeAlias = Callable[["Evaluating", Json, str], Value]

__all__ = ["FUNCTIONS", "Evaluating", "about_unknown", "as_text"]

PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")


class Evaluating(Protocol):
    """Who evaluates the values of a template.  ``place`` is a location in it."""

    def value(self, given: Json, place: str) -> Value:
        """The value that ``given`` stands for; MISSING for AWS::NoValue."""

    def truth(self, given: Json, place: str) -> bool:
        """Whether a condition holds: a function of conditions, or the name of one."""

    def reference(self, name: str, place: str) -> Value:
        """What ``Ref`` gives."""

    def attribute(self, resource: str, name: str, place: str) -> Value:
        """What ``Fn::GetAtt`` gives."""

    def mapped(self, table: str, first: str, second: str) -> Json | None:
        """What the template's Mappings have there, None for nothing."""

    def imported(self, name: str, place: str) -> Value:
        """What another stack exports by this name."""

    def included(self, location: str, place: str) -> Value:
        """The value of another file."""

    def refused(self, message: str, place: str) -> str:
        """Tell that something makes no sense; a text in place of its value."""

    def unknown(self, name: str, why: str, place: str) -> str:
        """Tell that something has no value here; its name stands for it."""


def as_text(value: Json) -> str:
    """A value within a text, as CloudFormation writes it."""
    return value if isinstance(value, str) else dumps(value)


def _ref(host: Evaluating, given: Json, place: str) -> Value:
    if not isinstance(given, str):
        return host.refused("Ref takes the name of a parameter or a resource", place)
    return host.reference(given, place)


def _get_att(host: Evaluating, given: Json, place: str) -> Value:
    parts = given.split(".", 1) if isinstance(given, str) else given
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[0], str):
        return host.refused("Fn::GetAtt takes a resource and one of its attributes", place)
    name = host.value(parts[1], f"{place}[1]")
    if not isinstance(name, str):
        return host.refused("Fn::GetAtt takes the name of an attribute", place)
    return host.attribute(parts[0], name, place)


def _sub(host: Evaluating, given: Json, place: str) -> Value:
    text, own = (given[0], given[1]) if isinstance(given, list) and len(given) == 2 else (given, {})
    if not isinstance(text, str) or not isinstance(own, dict):
        return host.refused("Fn::Sub takes a text, or a list of a text and an object of values", place)

    def put(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if name in own:
            value = host.value(own[name], f"{place}[1]/{name}")
        elif "." in name:
            resource, _, attribute = name.partition(".")
            value = host.attribute(resource, attribute, place)
        else:
            value = host.reference(name, place)
        return "" if value is MISSING else as_text(value)

    return PLACEHOLDER.sub(put, text)


def _join(host: Evaluating, given: Json, place: str) -> Value:
    match given:
        case [str() as between, parts]:
            values = host.value(parts, f"{place}[1]")
            if isinstance(values, list):
                return between.join(map(as_text, values))
    return host.refused("Fn::Join takes a list of a text and a list of values", place)


def _split(host: Evaluating, given: Json, place: str) -> Value:
    match given:
        case [str() as between, whole] if between:
            text = host.value(whole, f"{place}[1]")
            if isinstance(text, str):
                return [*text.split(between)]
    return host.refused("Fn::Split takes a list of a delimiter and a text", place)


def _select(host: Evaluating, given: Json, place: str) -> Value:
    values = host.value(given, place)
    match values:
        case [(int() | str()) as index, [*items]] if str(index).isdecimal():
            if int(index) < len(items):
                return items[int(index)]
            return host.refused(f"Fn::Select: there is no element {index} in a list of {len(items)}", place)
    return host.refused("Fn::Select takes a list of a number and a list of values", place)


def _if(host: Evaluating, given: Json, place: str) -> Value:
    match given:
        case [str() as condition, _, _]:
            side = 1 if host.truth({"Condition": condition}, place) else 2
            return host.value(given[side], f"{place}[{side}]")
    return host.refused("Fn::If takes a list of a condition's name and two values", place)


def _find_in_map(host: Evaluating, given: Json, place: str) -> Value:
    keys = host.value(given[:3], place) if isinstance(given, list) and len(given) in {3, 4} else None
    if not isinstance(keys, list) or not all(isinstance(key, str | int) for key in keys) or len(keys) != 3:
        return host.refused("Fn::FindInMap takes a list of a mapping, a key and a key in that", place)
    table, first, second = map(as_text, keys)
    found = host.mapped(table, first, second)
    if found is not None:
        return found
    default = given[3] if isinstance(given, list) and len(given) == 4 else None  # AWS::LanguageExtensions
    if isinstance(default, dict) and "DefaultValue" in default:
        return host.value(default["DefaultValue"], f"{place}[3]/DefaultValue")
    return host.refused(f"The Mappings have no {table}.{first}.{second}", place)


def _import_value(host: Evaluating, given: Json, place: str) -> Value:
    name = host.value(given, place)
    if not isinstance(name, str):
        return host.refused("Fn::ImportValue takes the name of an export", place)
    return host.imported(name, place)


def _base64(host: Evaluating, given: Json, place: str) -> Value:
    text = host.value(given, place)
    if not isinstance(text, str):
        return host.refused("Fn::Base64 takes a text", place)
    return b64encode(text.encode()).decode()


def _get_azs(host: Evaluating, given: Json, place: str) -> Value:
    region = host.value(given, place) or host.reference("AWS::Region", place)
    return [f"{region}{zone}" for zone in "abc"]


def _length(host: Evaluating, given: Json, place: str) -> Value:
    value = host.value(given, place)
    return len(value) if isinstance(value, list) else host.refused("Fn::Length takes a list", place)


def _to_json_string(host: Evaluating, given: Json, place: str) -> Value:
    value = host.value(given, place)
    return MISSING if value is MISSING else dumps(value)


def _transform(host: Evaluating, given: Json, place: str) -> Value:
    """Of the macros, only that which puts a file in its place has a value here."""
    match given:
        case {"Name": "AWS::Include", "Parameters": {"Location": location}}:
            file = host.value(location, f"{place}/Parameters/Location")
            if isinstance(file, str) and "://" not in file:
                return host.included(file, place)
    return _only_deployed("Fn::Transform")(host, given, place)


def _only_deployed(name: str) -> Function:
    def tell(host: Evaluating, given: Json, place: str) -> Value:
        del given
        return host.refused(f"{name} is carried out by CloudFormation, and has no value here", place)

    return tell


def _equals(host: Evaluating, given: Json, place: str) -> Value:
    values = host.value(given, place)
    if not isinstance(values, list) or len(values) != 2:
        return host.refused("Fn::Equals takes a list of two values", place)
    return as_text(values[0]) == as_text(values[1])


def _all_of(host: Evaluating, given: Json, place: str) -> Value:
    return all(host.truth(one, f"{place}[{index}]") for index, one in enumerate(_listed(given)))


def _any_of(host: Evaluating, given: Json, place: str) -> Value:
    return any(host.truth(one, f"{place}[{index}]") for index, one in enumerate(_listed(given)))


def _not(host: Evaluating, given: Json, place: str) -> Value:
    match given:
        case [one]:
            return not host.truth(one, f"{place}[0]")
    return host.refused("Fn::Not takes a list of one condition", place)


def _listed(given: Json) -> list[Json]:
    return given if isinstance(given, list) else [given]


CONDITIONS: Final[dict[str, Function]] = {
    "Fn::And": _all_of,
    "Fn::Or": _any_of,
    "Fn::Not": _not,
    "Fn::Equals": _equals,
}
FUNCTIONS: Final[dict[str, Function]] = {
    "Ref": _ref,
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::ImportValue": _import_value,
    "Fn::Base64": _base64,
    "Fn::GetAZs": _get_azs,
    "Fn::Length": _length,
    "Fn::ToJsonString": _to_json_string,
    "Fn::Cidr": _only_deployed("Fn::Cidr"),
    "Fn::Transform": _transform,
    **CONDITIONS,
}


def about_unknown(name: str) -> str:
    """That CloudFormation has no function of this name."""
    return f"CloudFormation has no function {name}{did_you_mean(name, FUNCTIONS)}"
