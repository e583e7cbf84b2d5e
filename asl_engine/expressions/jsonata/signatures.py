"""Signatures of functions: ``<s-nn?:s>``.  JSONata documentation: "Function signatures".

The types of the arguments, one letter each, are matched against the signature; which argument goes to
which parameter then depends on those letters alone, so it is worked out once per combination.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Function", "Signature", "all_numbers", "all_objects", "all_texts", "parse_signature", "type_letter"]

ARRAYS_OF: Final = {
    "a": "arrays",
    "b": "booleans",
    "f": "functions",
    "n": "numbers",
    "o": "objects",
    "s": "strings",
}
# The letters of arguments that a type accepts; m is a missing argument.
ACCEPTED: Final = {letter: f"[{letter}m]" for letter in "snblo"} | {
    "a": "[asnblfom]",
    "f": "f",
    "j": "[asnblom]",
    "x": "[asnblfom]",
}
LETTERS: Final[dict[type, str]] = {
    str: "s",
    int: "n",
    float: "n",
    bool: "b",
    type(None): "l",
    list: "a",
    dict: "o",
    type(MISSING): "m",
}
CLOSING: Final = {"(": ")", "<": ">"}
MAX_PLANS: Final = 256


def type_letter(value: Any) -> str:
    letter = LETTERS.get(value.__class__)
    if letter is not None:
        return letter
    return "f" if isinstance(value, Function) else "a"


@dataclass(slots=True)
class TypedParameter:
    type: str
    pattern: str
    context: str | None = None  # the letters of contexts that may stand in for the argument
    subtype: str | None = None


class Signature:
    """A parsed signature.  ``returns`` is the letter of the results' type, which may be missing all the same."""

    __slots__ = ("parameters", "pattern", "plans", "returns")

    def __init__(self, parameters: list[TypedParameter], returns: str = "") -> None:
        self.parameters = parameters
        self.returns = returns
        self.pattern = re.compile("".join(f"({parameter.pattern})" for parameter in parameters))
        self.plans: dict[str, list[Callable[[list[Any], Any], Any]]] = {}

    def validate(self, arguments: list[Any], context: Any) -> list[Any]:
        """The values of the parameters.  Raises ``JsonataError`` T0410, T0411 or T0412."""
        letters = "".join(map(type_letter, arguments))
        plan = self.plans.get(letters)
        if plan is None:
            plan = self._plan(letters)
            if len(self.plans) < MAX_PLANS:
                self.plans[letters] = plan
        return [move(arguments, context) for move in plan]

    def _plan(self, letters: str) -> list[Callable[[list[Any], Any], Any]]:
        match = self.pattern.fullmatch(letters)
        if match is None:
            index = self._first_misfit(letters)
            raise JsonataError("T0410", index=index + 1)
        plan: list[Callable[[list[Any], Any], Any]] = []
        index = 0
        for parameter, taken in zip(self.parameters, match.groups(), strict=True):
            if taken == "" and parameter.context is not None:
                plan.append(_from_context(parameter.context, index))
                continue
            for letter in taken or "m":
                plan.append(_from_argument(parameter, letter, index))
                index += 1
        return plan

    def _first_misfit(self, letters: str) -> int:
        fitting = 0
        pattern = ""
        for parameter in self.parameters:
            pattern += parameter.pattern
            match = re.match(pattern, letters)
            if match is None:
                break
            fitting = match.end()
        return fitting


def _from_context(accepted: str, index: int) -> Callable[[list[Any], Any], Any]:
    def move(_: list[Any], context: Any) -> Any:
        if re.fullmatch(accepted, type_letter(context)) is None:
            raise JsonataError("T0411", index=index + 1)
        return context

    return move


def _from_argument(parameter: TypedParameter, letter: str, index: int) -> Callable[[list[Any], Any], Any]:
    if parameter.type != "a" or letter == "m":
        return lambda arguments, _: arguments[index] if index < len(arguments) else MISSING
    subtype = parameter.subtype
    if letter != "a":
        if subtype is not None and letter != subtype:
            return _wrong_array(subtype, index)
        return lambda arguments, _: [arguments[index]]
    if subtype is None:
        return lambda arguments, _: arguments[index]
    return _from_typed_array(subtype, index)


NUMBERS: Final[set[type]] = {int, float}


def all_numbers(value: Any) -> bool:
    """Whether it is an array of numbers."""
    return isinstance(value, list) and NUMBERS.issuperset(map(type, value))


def all_texts(value: Any) -> bool:
    return isinstance(value, list) and {str}.issuperset(map(type, value))


def all_objects(value: Any) -> bool:
    return isinstance(value, list) and {dict}.issuperset(map(type, value))


def _from_typed_array(subtype: str, index: int) -> Callable[[list[Any], Any], Any]:
    types = {type_ for type_, letter in LETTERS.items() if letter == subtype[0]}

    def move(arguments: list[Any], context: Any) -> Any:
        items = arguments[index]
        if not types.issuperset(map(type, items)) and any(type_letter(item) != subtype[0] for item in items):
            _wrong_array(subtype, index)(arguments, context)
        return items

    return move


def _wrong_array(subtype: str, index: int) -> Callable[[list[Any], Any], Any]:
    def move(_: list[Any], __: Any) -> Any:
        raise JsonataError("T0412", index=index + 1, type=ARRAYS_OF.get(subtype, subtype))

    return move


def parse_signature(text: str, start: int = 0) -> Signature:
    """Raises ``JsonataError`` S0401 or S0402; ``start`` is where the text stands in its expression."""
    parameters: list[TypedParameter] = []
    position = 1
    while position < len(text) and text[position] != ":":
        symbol = text[position]
        if symbol in ACCEPTED:
            parameters.append(TypedParameter(symbol, ACCEPTED[symbol]))
        elif symbol == "(":
            end = _closing(text, position)
            parameters.append(_choice(text[position + 1 : end], start + position))
            position = end
        elif symbol == "<":
            end = _closing(text, position)
            _specify(parameters, text[position + 1 : end], start + position)
            position = end
        elif parameters:
            _modify(parameters[-1], symbol)
        position += 1
    return Signature(parameters, text[position + 1 : position + 2])


def _closing(text: str, position: int) -> int:
    opening, closing = text[position], CLOSING[text[position]]
    depth = 0
    while position < len(text):
        depth += (text[position] == opening) - (text[position] == closing)
        if depth == 0:
            break
        position += 1
    return position


def _choice(choice: str, position: int) -> TypedParameter:
    if "<" in choice:
        raise JsonataError("S0402", position, value=choice)
    return TypedParameter(f"({choice})", f"[{re.escape(choice)}m]")


def _specify(parameters: list[TypedParameter], subtype: str, position: int) -> None:
    if not parameters or parameters[-1].type not in {"a", "f"}:
        raise JsonataError("S0401", position)
    parameters[-1].subtype = subtype


def _modify(parameter: TypedParameter, symbol: str) -> None:
    if symbol == "-":
        parameter.context = parameter.pattern
        parameter.pattern += "?"
    elif symbol in "?+" and parameter.pattern[-1] not in "?+":
        parameter.pattern += symbol


class Function:
    """A function value.  ``arity`` tells a higher-order function how much to pass."""

    __slots__ = ("arity", "signature")

    arity: int
    signature: Signature | None
