"""Calls of JSONata's own functions, at once where the types of the arguments need no checking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.codegen.values import Value, condition
from asl_engine.expressions.jsonata.functions.builtins import BUILTINS
from asl_engine.expressions.jsonata.runtime import ITEMS_PER_STEP

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.signatures import TypedParameter

__all__ = ["emit_native_call"]

# The letters of signatures in those of values.
LETTERS: Final = {"s": "s", "n": "if", "b": "b", "o": "d", "a": "l"}
ARRAYS_OF: Final = {"n": "all_numbers", "o": "all_objects", "s": "all_texts"}
# The types of results, whatever the arguments.
RESULTS: Final = {"s": "sm", "n": "ifm", "b": "bm"}
NEVER_MISSING: Final = {"count": "i", "exists": "b"}
# Functions that are no more than this, once their arguments have the right types.
INLINED: Final = {
    "contains": "{1} in {0}",
    "count": "len({0})",
    "exists": "{0} is not MISSING",
    "length": "len({0})",
    "lowercase": "{0}.lower()",
    "uppercase": "{0}.upper()",
}
SIZED: Final = "sdl"  # a function may look at all that is in these, so their size counts


def emit_native_call(
    writer: FunctionWriter, name: str, values: list[Value], context: Value, *, trampolining: bool
) -> Value:
    """``context`` is what the function can take an argument from; ``trampolining``: the caller is to call it."""
    native = BUILTINS[name]
    constant, given = writer.constant(native), ", ".join(value.atom for value in values)
    types = NEVER_MISSING.get(name) or RESULTS.get(native.signature.returns, "")
    general = f"called({constant}, [{given}], {context.atom}, evaluation, {name!r})"
    if trampolining:
        general = f"TailCall({constant}, [{given}], {name!r})"
    test = _direct_if(native.signature.parameters, values)
    if test == "False":
        return writer.let(general, "" if trampolining else types, raw=not types)
    result = writer.name()
    with writer.block(f"if {test}:"):
        _call_directly(writer, name, native, values, result)
    if test == "True":
        return Value(result, types, raw=not types)
    writer.line(f"else: {result} = {general}")
    return Value(result, "" if trampolining else types, raw=not types)


def _call_directly(writer: FunctionWriter, name: str, native: Any, values: list[Value], result: str) -> None:
    atoms = [value.atom for value in values]
    if name == "exists":
        writer.line(f"{result} = {INLINED[name].format(*atoms) if values[0].may_be('m') else 'True'}")
        return
    _spend_on(writer, native.signature.parameters, values)
    if name == "not" and values[0].only("b"):
        writer.line(f"{result} = not {atoms[0]}")
    elif name in INLINED:
        writer.line(f"{result} = {INLINED[name].format(*atoms)}")
    else:
        implementation = writer.constant(native.implementation, name)
        atoms += ["MISSING"] * (len(native.signature.parameters) - len(values))
        with writer.naming_errors(name):
            writer.line(f"{result} = {implementation}(evaluation, {', '.join(atoms)})")


def _direct_if(parameters: list[TypedParameter], values: list[Value]) -> str:
    """The condition under which the arguments are just what the implementation gets."""
    given, absent = parameters[: len(values)], parameters[len(values) :]
    if not values or len(values) > len(parameters) or not all(map(_may_be_absent, absent)):
        return "False"
    return condition(*(_fits(parameter, value) for parameter, value in zip(given, values, strict=True)))


def _may_be_absent(parameter: TypedParameter) -> bool:
    return parameter.pattern.endswith("?") and parameter.context is None


def _fits(parameter: TypedParameter, value: Value) -> str:
    kind = parameter.type
    if parameter.pattern.endswith("+") or kind in {"f", "j", "l"}:
        return "False"
    if kind == "x":
        return "True"
    if kind == "a" and parameter.subtype is not None:
        check = ARRAYS_OF.get(parameter.subtype)
        return "False" if check is None else f"{check}({value.atom})"
    return value.is_a("".join(LETTERS.get(letter, "") for letter in kind))


def _spend_on(writer: FunctionWriter, parameters: list[TypedParameter], values: list[Value]) -> None:
    costs = ["1"]
    for parameter, value in zip(parameters, values, strict=False):
        if value.length is not None:
            costs.append(str(value.length // ITEMS_PER_STEP))
        elif parameter.type in {"s", "a", "o"}:
            costs.append(f"len({value.atom}) // {ITEMS_PER_STEP}")
        elif value.may_be(SIZED):
            costs.append(f"size({value.atom})")
    writer.spend(" + ".join(cost for cost in costs if cost != "0"))
