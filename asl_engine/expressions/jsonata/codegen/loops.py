"""The functions that call a function for each item, where that is a lambda that stands there: a loop."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.codegen.operations import truth_of
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.names import bindings_of
from asl_engine.expressions.jsonata.runtime import ITEMS_PER_STEP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["emit_loop"]

NOTHING: Final = Value("MISSING", "m", given=True)


def emit_loop(writer: FunctionWriter, name: str, arguments: list[Node], context: Value) -> Value | None:
    """The call as a loop, or None if it has to be a call."""
    if name not in LOOPS or len(arguments) < 2 or not _may_be_a_body(arguments[1]):
        return None
    function = arguments[1]
    if len(arguments) == 2 and name in {"map", "filter"}:
        return LOOPS[name](writer, arguments[0], function, None, context)
    if name == "reduce" and len(arguments) <= 3 and len(function.value) >= 2:
        return reduce(writer, arguments[0], function, arguments[2] if len(arguments) == 3 else None, context)
    return None


def _may_be_a_body(node: Node) -> bool:
    """Whether a node is a lambda that does not need a frame in any case."""
    if node.kind != "lambda" or node.signature is not None or not node.is_bare:
        return False
    body = node.parts[0]
    return body.kind == "block" or not bindings_of(body)


def map_(writer: FunctionWriter, array: Node, function: Node, _: Node | None, context: Value) -> Value:
    value = writer.emit(array, context)
    result, parts = writer.name(), writer.name("parts")
    with _over(writer, "map", value, result) as items:
        writer.line(f"{parts} = []")
        with _each(writer, items, function) as arguments:
            part = _body(writer, function, arguments, context)
            writer.line(f"{part.if_present}{parts}.append({part.atom})")
        writer.line(f"{result} = Sequence({parts})")
    return Value(result, given=part.given and not part.may_be("l"), raw=True)


def filter_(writer: FunctionWriter, array: Node, function: Node, _: Node | None, context: Value) -> Value:
    value = writer.emit(array, context)
    result, parts = writer.name(), writer.name("parts")
    with _over(writer, "filter", value, result) as items:
        writer.line(f"{parts} = []")
        with _each(writer, items, function) as arguments:
            test = _body(writer, function, arguments, context)
            writer.line(f"if {truth_of(test)}: {parts}.append({arguments[0].atom})")
        writer.line(f"{result} = Sequence({parts})")
    return Value(result, given=value.given, raw=True)


def reduce(writer: FunctionWriter, array: Node, function: Node, start: Node | None, context: Value) -> Value:
    value = writer.emit(array, context)
    first = NOTHING if start is None else writer.emit(start, context)
    if first.may_be("F"):
        with writer.naming_errors("reduce"):
            first = writer.let(f"no_function({first.atom})", given=first.given)
    result, index = writer.name(), writer.name("index")
    with _over(writer, "reduce", value, result) as items:
        writer.line(f"{result} = {first.atom}")
        writer.line(f"{index} = 0")
        if first.may_be("m"):
            writer.line(f"if {result} is MISSING and {items.atom}: {result} = {items.atom}[0]; {index} = 1")
        item = writer.name("item")
        with writer.loop(f"for {index}, {item} in enumerate({items.atom}[{index}:], {index}):"):
            arguments = [
                Value(result, raw=True),
                Value(item, given=items.given, raw=not items.given),
                Value(index, "i", given=True),
                items,
            ]
            made = _body(writer, function, arguments, context)
            writer.line(f"{result} = {made.atom}")
    return Value(result, raw=True)


@contextmanager
def _over(writer: FunctionWriter, name: str, value: Value, result: str) -> Iterator[Value]:
    """What is done with the items of a value, if there is one: as of a native function of this name."""
    items = writer.name("items")
    missing = value.may_be("m")
    if missing:
        writer.line(f"if {value.atom} is MISSING: {result} = MISSING")
    with writer.block("else:" if missing else "if True:"):
        writer.line(f"{items} = values_of({value.atom})")
        writer.spend(f"1 + len({items}) + len({items}) // {ITEMS_PER_STEP}")
        with writer.naming_errors(name):
            yield Value(items, "l", given=value.given)


@contextmanager
def _each(writer: FunctionWriter, items: Value, function: Node) -> Iterator[list[Value]]:
    item, index = writer.name("item"), writer.name("index")
    header = f"for {item} in {items.atom}:"
    if len(function.value) > 1:
        header = f"for {index}, {item} in enumerate({items.atom}):"
    with writer.loop(header):
        yield [Value(item, given=items.given, raw=not items.given), Value(index, "i", given=True), items]


def _body(writer: FunctionWriter, function: Node, arguments: list[Value], context: Value) -> Value:
    """The body of the lambda with these arguments; it may take fewer or more."""
    values = dict.fromkeys(function.value, NOTHING)
    values.update(zip(function.value, arguments, strict=False))
    trampolining, writer.trampolining = writer.trampolining, False
    with writer.scoped(set(function.value), values):
        result = writer.emit(function.parts[0], context)
    writer.trampolining = trampolining
    return result


LOOPS: Final[dict[str, Callable[[FunctionWriter, Node, Node, Node | None, Value], Value]]] = {
    "map": map_,
    "filter": filter_,
    "reduce": reduce,
}
