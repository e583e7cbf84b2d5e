"""``[predicate]``"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from asl_engine.expressions.jsonata.codegen.operations import truth_of
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.filters import compile_filter

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["emit_filter"]


def emit_filter(writer: FunctionWriter, value: Value, node: Node, *, may_be_tuples: bool = False) -> Value:
    """What the predicate of this node leaves of a value, as a sequence."""
    predicate = node.parts[0]
    if predicate.kind == "number":
        return writer.let(f"chosen_item({value.atom}, {math.floor(predicate.value)})", given=value.given, raw=True)
    if may_be_tuples:
        filter_ = writer.constant(compile_filter(predicate, writer.unit.compile_node), "filter")
        return writer.let(f"{filter_}({value.atom}, {writer.frame_for(predicate)})", raw=True)
    result = writer.name()
    if not value.may_be("m"):
        _choose(writer, value, predicate, result)
    else:
        writer.line(f"if {value.atom} is MISSING: {result} = MISSING")
        with writer.block("else:"):
            _choose(writer, value, predicate, result)
    return Value(result, "lm" if value.may_be("m") else "l", given=value.given, raw=True)


def _choose(writer: FunctionWriter, value: Value, predicate: Node, result: str) -> None:
    items, item, results = writer.name("items"), writer.name("item"), writer.name("results")
    known = value.only("l")
    writer.line(f"{items} = {value.atom}" if known else f"{items} = values_of({value.atom})")
    writer.line(f"{results} = []")
    with writer.loop(f"for {item} in {items}:"):
        test = writer.emit(predicate, Value(item, given=value.given, raw=not value.given))
        is_condition = test.only("bm")
        if is_condition:
            writer.line(f"if {truth_of(test)}: {results}.append({item})")
        else:
            writer.line(f"{results}.append({test.atom})")
    if is_condition:
        writer.spend(f"len({items})")
        writer.line(f"{result} = Sequence({results})")
    else:
        writer.line(f"{result} = chosen_items({items}, {results}, evaluation)")
