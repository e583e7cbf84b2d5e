"""Variables of the Serverless Framework: ``${self:custom.table, 'orders'}``.

"Variables" in its User Guide.  What only AWS or another deployed service could tell (cf, ssm, s3), and what a
program would have to be run for, has the value that is substituted for it, or its fallback, or none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.findings import Finding, did_you_mean
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.templates.recognition import BROKEN_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.declarations import Locate

__all__ = ["Outside", "Variables"]

# The innermost first: what is in one is filled before it is looked at.
INNERMOST: Final = re.compile(r"\$\{([^${}]*)\}")
VARIABLE: Final = re.compile(
    r"(?P<source>[a-zA-Z]\w*)(?:\((?P<given>[^)]*)\))?(?::(?!:)(?P<address>.*))?", re.DOTALL
)
SOURCES: Final = frozenset(
    {"aws", "cf", "env", "file", "git", "opt", "param", "s3", "self", "sls", "ssm", "strToBool", "terraform"}
)
LITERAL: Final = re.compile(r"""'([^']*)'|"([^"]*)"|(-?\d+(?:\.\d+)?|true|false|null)""")
KEPT, RESTORED = "\0{", "${"  # what is no variable, such as ${AWS::Region}, while the others are filled
LEFT: Final = re.compile("\0\\{([^}]*)\\}")
PARTS: Final = re.compile(r"""\s*((?:'[^']*'|"[^"]*"|\([^)]*\)|[^,'"(])+)\s*(?:,|$)""")


class Outside(NamedTuple):
    """What variables ask the world for.  ``read`` gives a file's value or text, None where there is no file."""

    region: str
    account: str
    environ: Mapping[str, str]
    given: Mapping[str, str]
    read: Callable[[str], Json]


class Variables:
    """Fills the variables of one configuration.  ``stage`` is the stage that would be deployed."""

    def __init__(self, document: dict[str, Any], locate: Locate, outside: Outside) -> None:
        self.findings: list[Finding] = []
        self.asked: dict[str, None] = {}
        self._document = document
        self._locate = locate
        self._outside = outside
        self._open: list[str] = []
        given = outside.given.get("opt:stage")
        provider = document.get("provider")
        own = provider.get("stage") if isinstance(provider, dict) else None
        self.stage = "dev"
        if given is not None:
            self.stage = given
        elif own is not None:
            self.stage = str(self.filled(own, "/provider/stage"))
        self.asked["opt:stage"] = None

    def filled(self, value: Any, place: str) -> Any:
        """A part of the configuration with its variables filled; ``place`` is its location."""
        if isinstance(value, dict):
            return {
                str(self.filled(name, place)): self.filled(one, f"{place}/{name}") for name, one in value.items()
            }
        if isinstance(value, list):
            return [self.filled(one, f"{place}[{index}]") for index, one in enumerate(value)]
        return self._text(value, place) if isinstance(value, str) and "${" in value else value

    def part(self, name: str) -> Any:
        """A section of the configuration."""
        return self.filled(self._document.get(name), f"/{name}")

    # -- one text -------------------------------------------------------------------------------------

    def _text(self, text: str, place: str) -> Any:
        while (found := INNERMOST.search(text)) is not None:
            value = self._variable(found[1].strip(), place)
            if value is MISSING:
                text = f"{text[: found.start()]}{KEPT}{found[1]}}}{text[found.end() :]}"
            elif found[0] == text and not isinstance(value, str):
                return value
            else:
                inner = value if isinstance(value, str) else "" if value is None else dumps(value)
                inner = LEFT.sub(lambda one: f"{KEPT}{one[1]}}}", inner.replace(RESTORED, KEPT))
                text = f"{text[: found.start()]}{inner}{text[found.end() :]}"
        return text.replace(KEPT, RESTORED)

    def _variable(self, inside: str, place: str) -> Any:
        """The value of what stands between the braces; MISSING for what is no variable."""
        parts = [part.strip() for part in PARTS.findall(inside)]
        first = VARIABLE.fullmatch(parts[0]) if parts else None
        if (
            first is None
            or first["source"] not in SOURCES
            or (first["address"] is None and first["given"] is None)
        ):
            return MISSING
        for part in parts:
            literal = LITERAL.fullmatch(part)
            if literal is not None:
                return _literal(literal)
            variable = VARIABLE.fullmatch(part)
            value = None if variable is None else self._found(part, variable, place)
            if value is not None:
                return value
        return self._without_value(parts[0], first, place)

    def _found(self, name: str, variable: re.Match[str], place: str) -> Any:
        """The value of one variable, None where it has none."""
        self.asked[name] = None
        outside, address = self._outside, (variable["address"] or "").strip()
        if name in outside.given:
            return outside.given[name]
        match variable["source"]:
            case "self":
                return self._at(self._document, address, name, place)
            case "file":
                return self._included(str(variable["given"]).strip(), address, name, place)
            case "env":
                return outside.environ.get(address)
            case "sls":
                return {"stage": self.stage, "instanceId": "local"}.get(address)
            case "aws":
                return {"region": outside.region, "accountId": outside.account}.get(address)
            case "param":
                return self._param(address, place)
            case "strToBool":
                return str(variable["given"]).strip().lower() in {"true", "1"}
        return None

    def _param(self, name: str, place: str) -> Any:
        for stage in (self.stage, "default"):
            found = self._at(self._document, f"params.{stage}.{name}", f"param:{name}", place)
            if found is not None:
                return found
        return None

    def _included(self, path: str, address: str, name: str, place: str) -> Any:
        if path.endswith((".js", ".ts", ".cjs", ".mjs")):
            return None
        return self._at(self._outside.read(path), address, name, place)

    def _at(self, holder: Any, address: str, name: str, place: str) -> Any:
        """What an address leads to, through values that may be variables themselves."""
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            self._tell(BROKEN_TEMPLATE, f"This variable depends on itself: {circle}", place)
            return ""
        self._open.append(name)
        try:
            for step in _steps(address):
                if isinstance(holder, str) and "${" in holder:
                    holder = self._text(holder, place)
                if isinstance(holder, dict):
                    holder = holder.get(step)
                elif isinstance(holder, list) and step.isdecimal() and int(step) < len(holder):
                    holder = holder[int(step)]
                else:
                    return None
            return self.filled(holder, place)
        finally:
            self._open.pop()

    def _without_value(self, name: str, variable: re.Match[str], place: str) -> str:
        source, given = variable["source"], variable["given"]
        if source == "self":
            message = f"There is no {variable['address']} in this file"
            known = self._document
            top = _steps(str(variable["address"]))
            hint = did_you_mean(next(iter(top), ""), known) if next(iter(top), "") not in known else ""
            self._tell(BROKEN_TEMPLATE, message + hint, place)
        elif source == "file" and given is not None and not given.strip().endswith((".js", ".ts", ".cjs", ".mjs")):
            self._tell(BROKEN_TEMPLATE, f"There is no {name}", place)
        else:
            message = f"${{{name}}} has no value here: substitute a value for {name}"
            self._tell(UNFILLED_PLACEHOLDER, message, place)
        return f"${{{name}}}"

    def _tell(self, code: str, message: str, place: str) -> None:
        finding = Finding(code, message, place, "ERROR", *(self._locate(place) or ()))
        if finding not in self.findings:
            self.findings.append(finding)


def _steps(address: str) -> list[str]:
    return [step for step in address.split(".") if step]


def _literal(found: re.Match[str]) -> Json:
    if found[3] is None:
        return found[1] if found[1] is not None else found[2]
    if found[3].isalpha():
        return "" if found[3] == "null" else found[3] == "true"
    return float(found[3]) if "." in found[3] else int(found[3])
