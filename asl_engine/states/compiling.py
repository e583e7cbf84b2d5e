"""Compiles a state's source: faults are reported, not raised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from asl_engine.expressions.delimiters import is_expression
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_path, compile_reference_path
from asl_engine.expressions.template import DYNAMIC_SUFFIX, compile_template
from asl_engine.findings import Finding, Severity
from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.states.fields import MISSING_END_STATE, SCHEMA_VALIDATION_FAILED, Field, check_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata import JsonataTemplate
    from asl_engine.expressions.jsonpath.path import Path, ReferencePath
    from asl_engine.expressions.scope import Scope
    from asl_engine.expressions.template import Template
    from asl_engine.json_values import Json
    from asl_engine.states.fields import Shape

__all__ = ["Compiling"]

T = TypeVar("T")

# AWS documentation, "Passing data between states with variables": a Unicode identifier.  ``$states`` is taken.
VARIABLE: Final = re.compile(r"[^\W\d]\w*")
RESERVED_VARIABLES: Final = frozenset({"states"})


class Compiling:
    """One state's fields, their location, and the findings so far.

    ``targets`` collects the transitions, each as its location and the state's name: they
    are checked once every state is known.
    """

    def __init__(  # noqa: PLR0917  each is another part of the surroundings
        self,
        name: str,
        source: dict[str, Any],
        location: str,
        findings: list[Finding],
        compile_inner: Callable[[str, Any], str],
        language: str = "JSONPath",
    ) -> None:
        self.name = name
        self.source = source
        self.location = location
        self.findings = findings
        self.language = language
        self._compile_inner = compile_inner
        self.targets: list[tuple[str, str]] = []
        self.name_length: int | None = MAX_NAME_LENGTH

    def with_source(self, source: dict[str, Any]) -> Compiling:
        """The same state with some of its fields left out."""
        other = Compiling(self.name, source, self.location, self.findings, self._compile_inner, self.language)
        other.targets = self.targets
        other.name_length = self.name_length
        return other

    def report(
        self, place: str, message: str, code: str = SCHEMA_VALIDATION_FAILED, severity: Severity = "ERROR"
    ) -> None:
        """``place`` is relative to the state: a field's name or longer, "" for the state itself."""
        location = f"{self.location}/{place}" if place else self.location
        self.findings.append(Finding(code, message, location, severity))

    def target(self, place: str, state: str) -> str:
        """Record a transition to ``state``."""
        self.targets.append((f"{self.location}/{place}", state))
        return state

    def transition(self) -> str | None:
        """The state that Next names, or None for End."""
        ends = self.source.get("End") is True
        if "Next" in self.source:
            if ends:
                self.report("", "A state can have only one of Next and End")
            return self.target("Next", self.source["Next"])
        if not ends:
            self.report("", 'A state must have either Next or "End": true', MISSING_END_STATE)
        return None

    def inner_states(self, place: str, source: Any) -> str:
        """Compile the states of a branch or an item processor; returns the name of the first one."""
        return self._compile_inner(f"{self.location}/{place}", source)

    def only_one_of(self, *fields: str) -> str | None:
        """The given one of these fields, or None; more than one is reported."""
        given = [field for field in fields if field in self.source]
        if len(given) > 1:
            self.report("", f"There should only be one of the following fields: [{', '.join(given)}]")
        return given[0] if given else None

    def path(self, field: str, default: str | None = None) -> Path | None:
        """A field that holds a path; None if it is null, or absent without a default."""
        text = self.source.get(field, default)
        return None if text is None else self._compiled(field, compile_path, text)

    def reference_path(self, place: str, text: str | None) -> ReferencePath | None:
        """The reference path at ``place``; None if it is null."""
        return None if text is None else self._compiled(place, compile_reference_path, text)

    def template(self, field: str) -> Template | None:
        """A field that holds a payload template; None if it is absent."""
        return self.template_at(field, self.source[field]) if field in self.source else None

    def template_at(self, place: str, source: Json) -> Template:
        """The payload template at ``place``."""

        def report(sub_place: str, message: str) -> None:
            self.report(f"{place}{sub_place}", message)

        return compile_template(source, report, compile_intrinsic)

    def expression(self, place: str, source: Json, *expected: str) -> JsonataTemplate:
        """The field of a JSONata state at ``place``; ``expected`` are the types it may give."""
        from asl_engine.expressions.jsonata import compile_template_jsonata

        def report(sub_place: str, message: str, code: str) -> None:
            self.report(f"{place}{sub_place}", message, code)

        return compile_template_jsonata(source, place, report, *expected)

    def optional_expression(self, field: str, *expected: str) -> JsonataTemplate | None:
        """Like ``expression``, or None if the field is absent."""
        return self.expression(field, self.source[field], *expected) if field in self.source else None

    def is_expression(self, value: Json) -> bool:
        """Whether a field of a JSONata state is to be evaluated: a string that is ``{% ... %}``."""
        return is_expression(value)

    def check_object(self, place: str, value: Json, shape: Shape) -> None:
        """Report everything in the object at ``place`` that does not match this shape."""
        self.findings += check_shape(shape, value, f"{self.location}/{place}")

    def check(self, place: str, value: Json, field: Field) -> None:
        """Report a literal that is not of the field's kind; None stands for an absent one."""
        if value is not None:
            self.findings += check_shape({place: field}, {place: value}, self.location)

    def assign(self, place: str, source: dict[str, Any]) -> Template | None:
        """The Assign of ``source``, which is at ``place`` ("" for the state); None if there is none."""
        where = self._variables(place, source)
        return None if where is None else self.template_at(where, source["Assign"])

    def assign_expression(self, place: str, source: dict[str, Any]) -> JsonataTemplate | None:
        """The same for a JSONata state."""
        where = self._variables(place, source)
        return None if where is None else self.expression(where, source["Assign"])

    def _variables(self, place: str, source: dict[str, Any]) -> str | None:
        """The location of the Assign of ``source``; its names are checked.  None if there is none to compile."""
        if "Assign" not in source:
            return None
        where = f"{place}/Assign" if place else "Assign"
        variables = source["Assign"]
        if not isinstance(variables, dict):
            self.report(where, "Expected value of type Object")
            return None
        for key in variables:
            name = key if self.language == "JSONata" else key.removesuffix(DYNAMIC_SUFFIX)
            fault = variable_fault(name, self.name_length)
            if fault is not None:
                self.report(f"{where}/{key}", fault)
        return where

    def intrinsic(self, place: str, text: str) -> Callable[[Scope], Json] | None:
        """The call of an intrinsic function at ``place``."""
        return self._compiled(place, compile_intrinsic, text)

    def _compiled(self, place: str, compile_text: Callable[[str], T], text: str) -> T | None:
        try:
            return compile_text(text)
        except ExpressionSyntaxError as error:
            self.report(place, str(error))
            return None


def variable_fault(name: str, longest: int | None) -> str | None:
    """What is wrong with the name of a variable, or None."""
    if name in RESERVED_VARIABLES:
        return f"The name '{name}' is reserved: choose another for the variable"
    if longest is not None and len(name) > longest:
        return f"A variable's name has at most {longest} characters, but this has {len(name)}"
    if VARIABLE.fullmatch(name) is None:
        return f"'{name}' is no name for a variable: letters, digits and '_', and no digit first"
    return None


def compile_intrinsic(text: str) -> Callable[[Scope], Json]:
    """A call of intrinsic functions; their module is imported only for definitions that use them."""
    from asl_engine.expressions.intrinsics.calls import compile_intrinsic as compile_call

    return compile_call(text)
