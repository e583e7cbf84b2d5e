"""The definitions that stand in a template itself, read so that they can be checked like any other.

A reference of CloudFormation has its value only when the template is deployed.  It is read as the placeholder that
stands for it: ``{"Fn::GetAtt": ["Fn", "Arn"]}`` as ``${Fn.Arn}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.json_text import dumps
from asl_engine.language.templates import read_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.findings import Finding
    from asl_engine.json_values import Json
    from asl_engine.language.templates import Locate, TemplateMachine

__all__ = ["InlineDefinition", "inline_definitions"]


class InlineDefinition(NamedTuple):
    """``text`` is the definition as JSON, at ``location`` of the ``template``.

    ``written`` says that the template has the text itself, and not a value.
    """

    text: str
    location: str
    template: str
    locate: Locate
    written: bool

    def placed(self, finding: Finding) -> Finding:
        """The finding, with its place in the template in place of that in the definition."""
        location = self.location + (finding.location or "").removesuffix("/")
        if self.written:
            place = self._of_line(finding.line, finding.column)
        else:
            place = self.locate(location)
            if place is not None and finding.word is not None:
                from asl_engine.language.positions import word_after

                place = word_after(self.template, place, finding.word)
        line, column = place or (None, None)
        return finding._replace(location=location, line=line, column=column)

    def _of_line(self, line: int | None, column: int | None) -> tuple[int, int] | None:
        """The place of a line of the text: that of its property where the text is not written line by line."""
        start = self.locate(self.location)
        if start is None or line is None or column is None:
            return start
        lines, own = self.template.splitlines(), [one.strip() for one in self.text.splitlines()]
        for first in range(start[0], min(start[0] + 5, len(lines))):
            there = lines[first : first + len(own)]
            if [one.strip() for one in there] == own:
                blanks = len(there[0]) - len(there[0].lstrip())
                blanks -= len(self.text) - len(self.text.lstrip())
                return first + line, column + blanks
        return start


def inline_definitions(text: str, name: str, machines: Iterable[TemplateMachine]) -> Iterator[InlineDefinition]:
    """The definitions of those machines of a template that have theirs in it.

    A text that only CloudFormation can put together is left out.
    """
    document, locate = read_template(text, name)
    for machine in machines:
        value = _at(document, machine.location)
        if machine.file is None and value is not None:
            read = _referring(value)
            if isinstance(read, str):
                if not read.startswith("${"):
                    yield InlineDefinition(read, machine.location, text, locate, written=True)
            elif isinstance(read, dict):
                yield InlineDefinition(dumps(read), machine.location, text, locate, written=False)


def _at(document: Any, location: str) -> Json:
    """The value of the property at a location; None for the location of a whole resource."""
    *_, holder, name = location.split("/")
    if holder != "Properties" and name != "definition":
        return None
    found: Json = document
    for step in location.split("/")[1:]:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _referring(value: Json) -> Json:
    """The value with a placeholder for each reference of CloudFormation."""
    if isinstance(value, list):
        return [_referring(one) for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(key, given)] = value.items()
        if key == "Ref" or key.startswith("Fn::"):
            return _reference(key, _referring(given))
    return {name: _referring(one) for name, one in value.items()}


def _reference(key: str, given: Json) -> str:
    match key, given:
        case (("Ref" | "Fn::GetAtt"), str()):
            return f"${{{given}}}"
        case "Fn::GetAtt", [str() as resource, str() as attribute]:
            return f"${{{resource}.{attribute}}}"
        case "Fn::Sub", (str() as text) | [str() as text, *_]:
            return text
        case "Fn::Join", [str() as between, [*parts]] if all(isinstance(part, str) for part in parts):
            return between.join(map(str, parts))
    return f"${{{key}}}"
