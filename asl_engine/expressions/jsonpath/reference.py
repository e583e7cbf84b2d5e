"""Reference paths: names and indexes only, so that they lead to one place (specification, "Reference Paths").

A walk is a closure over the steps, made once.  It relies on exceptions, because nearly every
path finds its value, and a ``try`` then costs nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.errors import ExpressionSyntaxError, ResultPathError
from asl_engine.expressions.jsonpath.syntax import DATA, Step, bracketed, read_root, read_steps
from asl_engine.json_text import dumps
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ReferencePath", "Walk", "compile_reference_path", "explain", "not_an_array", "walk"]

Walk: TypeAlias = "Callable[[Any], Json | Missing]"  # from a JSON value to what the steps lead to in it

# The operators that a reference path must not have (specification), wherever they are no part of a name.
UNSUPPORTED: Final = re.compile(r"\\.|\[\s*(?:'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\")\s*\]|([@,:?*])")

# Jackson's node class names: AWS runs Jayway JsonPath over Jackson trees.  The wording of the two
# messages that need them follows Jayway's source; it has not been recorded from AWS.
JACKSON: Final = "com.fasterxml.jackson.databind.node."
NODES: Final = {
    str: "TextNode",
    bool: "BooleanNode",
    float: "DoubleNode",
    list: "ArrayNode",
    type(None): "NullNode",
}
PROVIDER: Final = "com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider"


def walk(steps: tuple[Step, ...]) -> Walk:
    """The closure that follows the steps; it gives ``MISSING`` where they lead nowhere."""
    if any(isinstance(step, int) for step in steps):
        return _walk_mixed(steps)
    if len(steps) == 1:
        return _walk_name(steps[0])
    return _walk_names(steps) if steps else lambda value: value


def _walk_name(name: Step) -> Walk:
    def follow(value: Any) -> Json | Missing:
        try:
            found: Json = value[name]
        except (KeyError, TypeError):
            return MISSING
        return found

    return follow


def _walk_names(names: tuple[Step, ...]) -> Walk:
    def follow(value: Any) -> Json | Missing:
        try:
            for name in names:
                value = value[name]
        except (KeyError, TypeError):
            return MISSING
        found: Json = value
        return found

    return follow


def _walk_mixed(steps: tuple[Step, ...]) -> Walk:
    # An index would also pick a character of a string, so the type must be checked.
    typed: list[tuple[Any, type[Any]]] = [(step, list if isinstance(step, int) else dict) for step in steps]

    def follow(value: Any) -> Json | Missing:
        try:
            for step, container in typed:
                if type(value) is not container:
                    return MISSING
                value = value[step]
        except (KeyError, IndexError):
            return MISSING
        found: Json = value
        return found

    return follow


def explain(steps: tuple[Step, ...], value: Json) -> str:
    """The reason why the steps lead nowhere in ``value``, in the words of Jayway JsonPath."""
    count = next(n for n in range(len(steps)) if walk(steps[: n + 1])(value) is MISSING)
    node: Any = walk(steps[:count])(value)
    step = steps[count]
    path = "$" + "".join(map(bracketed, steps[:count]))
    here = path + bracketed(step)
    if isinstance(step, int):
        if isinstance(node, list):
            return f"Index out of bounds when evaluating path {here}"
        return not_an_array("".join(map(bracketed, steps[count:])), node)
    if not isinstance(node, dict):
        return _not_an_object(bracketed(step), path, node)
    leaf = count == len(steps) - 1
    return f"No results for path: {here}" if leaf else f"Missing property in path {here}"


def not_an_array(operation: str, value: Json) -> str:
    """The reason why an array's operation, given as it is written, cannot be applied to ``value``."""
    return f"Filter: {operation} can only be applied to arrays. Current context is: {dumps(value)}"


def _not_an_object(fragment: str, path: str, value: Json) -> str:
    return (
        f"Expected to find an object with property {fragment} in path {path} "
        f"but found '{JACKSON}{_node(value)}'. "
        f"This is not a json object according to the JsonProvider: '{PROVIDER}'."
    )


def _node(value: Json) -> str:
    if type(value) is int:
        bits = value.bit_length()  # Jackson takes the narrowest of Java's signed types
        return "IntNode" if bits < 32 else "LongNode" if bits < 64 else "BigIntegerNode"
    return NODES[type(value)]


class ReferencePath:
    """A place in a document where a value can be put, as ResultPath names it."""

    __slots__ = ("steps", "text")

    def __init__(self, text: str, steps: tuple[Step, ...]) -> None:
        self.text = text
        self.steps = steps

    def put(self, document: Json, value: Json) -> Json:
        """A document with ``value`` at this place; ``document`` itself is left as it is.

        Only the objects and arrays along the path are copied, and objects that are absent are made.
        Raises ``ResultPathError`` if the path cannot be applied: a name in something that is not an
        object, an index in something that is not an array or beyond its end.
        """
        try:
            return _put(document, self.steps, value)
        except (TypeError, IndexError):
            raise ResultPathError(
                f"Unable to apply ReferencePath {self.text} to input {dumps(document)}"
            ) from None


def _put(node: Any, steps: tuple[Step, ...], value: Json) -> Json:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if type(node) is not list:
            raise TypeError
        items = node.copy()
        items[step] = _put(items[step], rest, value)
        return items
    if node is MISSING:
        return {step: _put(MISSING, rest, value)}
    if type(node) is not dict:
        raise TypeError
    members = node.copy()
    members[step] = _put(members.get(step, MISSING), rest, value)
    return members


def compile_reference_path(text: str) -> ReferencePath:
    """The reference path of a ResultPath: names and indexes from ``$``.  Raises ``ExpressionSyntaxError``."""
    root = read_root(text)
    if root != DATA:
        raise ExpressionSyntaxError(f"Value is not a Reference Path: expected $, not {root}", text, 0)
    steps, end = read_steps(text, len(root))
    if end < len(text):
        raise ExpressionSyntaxError(
            "Value is not a Reference Path: only names and indexes can be used here", text, end
        )
    operator = next((match for match in UNSUPPORTED.finditer(text) if match[1]), None)
    if operator is not None:
        raise ExpressionSyntaxError(
            f"Value is not a Reference Path: '{operator[1]}' is an operator; in a name, use ['...']",
            text,
            operator.start(),
        )
    return ReferencePath(text, steps)
