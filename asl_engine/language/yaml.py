"""Definitions in YAML: their value as JSON text, and the position of each part in the YAML.

Scalars are read by the core schema of YAML 1.2, as JSON's types: ``yes`` and ``2024-01-31`` are strings.
Anchors, aliases and merge keys are followed.  Tags have no equivalent in JSON and are refused, but for templates.
CloudFormation's short forms of references are read as the placeholders that they stand for: ``!Ref Name`` as
``${Name}``, ``!GetAtt Name.Arn`` as ``${Name.Arn}``, ``!Sub`` as its text.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from asl_engine.errors import DefinitionError
from asl_engine.findings import Finding
from asl_engine.language.placeholders import substitute
from asl_engine.limits import MAX_DEFINITION_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["YamlSource", "read_yaml"]

NO_VALUES: Final[Mapping[str, str]] = MappingProxyType({})
# A short alias repeats its whole anchor.  A definition of the largest size has no more nodes than this.
MAX_NODES: Final = MAX_DEFINITION_BYTES // 2
TAG: Final = "tag:yaml.org,2002:"
CORE_SCHEMA: Final[tuple[tuple[str, str, str], ...]] = (
    ("null", r"null|Null|NULL|~|", "nN~"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", r"<<", "<"),
)


class YamlSource(NamedTuple):
    """``text`` is the definition as JSON, ``written`` the YAML.

    ``positions`` are lines and columns in it, from 1, by location.
    """

    text: str
    positions: dict[str, tuple[int, int]]
    written: str

    def locate(self, location: str) -> tuple[int, int] | None:
        """The position of ``location``, or of its nearest existing ancestor."""
        while location not in self.positions:
            if not location:
                return None
            location = location[: max(location.rfind("/"), location.rfind("["), 0)]
        return self.positions[location]

    def moved(self, line: int, column: int) -> tuple[int, int]:
        """The same: what is wrong with the YAML was told with its own lines."""
        return line, column


# libyaml is many times as fast, but not built on every platform.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the base class depends on the platform
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  replaces the table of YAML 1.1


for _name, _pattern, _first in CORE_SCHEMA:
    _starts = [*_first, ""] if _name == "null" else [*_first]
    _Loader.add_implicit_resolver(f"{TAG}{_name}", re.compile(rf"^(?:{_pattern})$"), _starts)


def read_yaml(
    text: str, source: str, values: Mapping[str, str] = NO_VALUES, *, template: bool = False
) -> YamlSource:
    """The value of a YAML document.  Raises ``DefinitionError`` with what is wrong, and where.

    ``values`` are those of the placeholders that tags stand for.  In a ``template`` all tags are read, as
    CloudFormation's long forms: ``!Sub text`` as ``{"Fn::Sub": "text"}``.
    """
    loader = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return YamlSource("", {}, text)
        reading = _Reading(loader, source, values, template=template)
        value = reading.value(root, "")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is not YAML: {error.problem or error.context}{_yaml_hint(error, text, mark)}"
        raise _refused(source, message, mark) from None
    except yaml.YAMLError as error:  # characters that YAML does not allow
        raise _refused(source, f"This is not YAML: {str(error).splitlines()[0]}", None) from None
    except RecursionError:
        raise _refused(source, "The definition is nested too deeply", None) from None
    finally:
        if loader is not None:
            loader.dispose()
    return YamlSource(json.dumps(value, ensure_ascii=False, indent=2), reading.positions, text)


def _yaml_hint(error: yaml.MarkedYAMLError, text: str, mark: Any) -> str:
    lines = text.splitlines()
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    if line[: len(line) - len(line.lstrip())].count("\t"):
        return "; YAML is indented with blanks, not with tabs"
    if "{%" in line and "cannot start any token" in str(error.problem):
        return '; an expression of JSONata needs quotation marks: "{% ... %}"'
    if "mapping values" in str(error.problem):
        return "; the line is indented too far, or a text with a colon in it needs quotation marks"
    return ""


def _refused(source: str, message: str, mark: Any) -> DefinitionError:
    position = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
    return DefinitionError([Finding("INVALID_JSON_DESCRIPTION", message, None, "ERROR", *position)], source)


class _Reading:
    """One walk over the nodes of a document."""

    def __init__(self, loader: Any, source: str, values: Mapping[str, str], *, template: bool) -> None:
        self.positions: dict[str, tuple[int, int]] = {}
        self._loader = loader
        self._source = source
        self._values = values
        self._template = template
        self._left = MAX_NODES
        self._first_own: dict[int, int] = {}  # by mapping: the number of members from merge keys
        self._open: set[int] = set()  # the nodes around the one at hand: an alias to one of them never ends

    def value(self, node: Any, location: str, place: Any = None) -> Json:
        mark = (place or node).start_mark
        self.positions[location] = mark.line + 1, mark.column + 1
        self._left -= 1
        if self._left < 0:
            raise self._error(node, "The aliases of this document make more of it than a definition may be")
        if node.tag.startswith("!"):
            return self._tagged(node, location)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "This alias stands for something that it is a part of")
        if node.tag not in {f"{TAG}map", f"{TAG}seq"}:
            raise self._error(node, about_tag(node.tag))
        self._open.add(id(node))
        value = self._object(node, location) if isinstance(node, yaml.MappingNode) else self._array(node, location)
        self._open.remove(id(node))
        return value

    def _array(self, node: Any, location: str) -> Json:
        return [self.value(element, f"{location}[{index}]") for index, element in enumerate(node.value)]

    def _object(self, node: Any, location: str) -> Json:
        if id(node) not in self._first_own:
            written = sum(not _is_merge(key) for key, _ in node.value)
            self._loader.flatten_mapping(node)  # members from merge keys come before the object's own
            self._first_own[id(node)] = len(node.value) - written
        first_own = self._first_own[id(node)]
        result: dict[str, Json] = {}
        own: set[str] = set()
        for index, (key, child) in enumerate(node.value):
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "A key has to be a string")
            name = key.value
            if index >= first_own:
                if name in own:
                    raise self._error(key, f"The key '{name}' is given twice")
                own.add(name)
            result[name] = self.value(child, f"{location}/{name}", key)
        return result

    def _scalar(self, node: Any) -> Json:
        text: str = node.value
        match node.tag.removeprefix(TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0) if text[1:2] in {"o", "x"} else int(text)
            case "float":
                number = None if text.lower().endswith(("inf", "nan")) else float(text)
                if number is None or number in {float("inf"), float("-inf")}:
                    raise self._error(node, f"JSON has no number {text}")
                return number
            case "str" | "merge":
                return text
        raise self._error(node, about_tag(node.tag))

    def _tagged(self, node: Any, location: str) -> Json:
        """What a tag of an application stands for."""
        if not self._template:
            written = placeholder_of(node)
            if written is None:
                raise self._error(node, about_tag(node.tag))
            return substitute(written, self._values)
        name = node.tag[1:]
        key = name if name in {"Ref", "Condition"} else f"Fn::{name}"
        if isinstance(node, yaml.ScalarNode):
            return {key: node.value}
        plain = type(node)(f"{TAG}{'map' if isinstance(node, yaml.MappingNode) else 'seq'}", node.value)
        plain.start_mark, plain.end_mark = node.start_mark, node.end_mark
        return {key: self.value(plain, f"{location}/{key}")}

    def _error(self, node: Any, message: str) -> DefinitionError:
        return _refused(self._source, message, node.start_mark)


def _is_merge(key: Any) -> bool:
    return bool(key.tag == f"{TAG}merge")


def placeholder_of(node: Any) -> str | None:
    """The text that a short form of CloudFormation stands for in a definition; None for one that has none."""
    if isinstance(node, yaml.ScalarNode):
        forms = {"!Ref": f"${{{node.value}}}", "!GetAtt": f"${{{node.value}}}", "!Sub": node.value}
        return forms.get(node.tag)
    parts = node.value if isinstance(node, yaml.SequenceNode) else []
    if node.tag == "!GetAtt" and parts and all(isinstance(part, yaml.ScalarNode) for part in parts):
        return f"${{{'.'.join(part.value for part in parts)}}}"
    return None


def about_tag(tag: str) -> str:
    shown = tag.removeprefix(TAG)
    remedy = "; write ${Name}, and substitute a value for it" if tag.startswith("!") else ""
    return f"The tag {shown} is not part of a definition{remedy}"
