"""Paths: a loop for each step; names that follow each other are walked together.

As long as no step binds a name, a path maps values.  From the first step that does, it maps tuples, and closures
do that (``steps``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.codegen.filters import emit_filter
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.functions.sorting import compile_sort
from asl_engine.expressions.jsonata.groups import compile_group
from asl_engine.expressions.jsonata.paths import is_plain, walks
from asl_engine.expressions.jsonata.steps import Step

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.codegen.writer import FunctionWriter
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["descendant", "name", "path", "wildcard"]

MAX_INLINED: Final = 3  # names of a walk
SCALARS: Final = "ifsbnm"  # no arrays: a step's results of these types are its sequence


def name(writer: FunctionWriter, node: Node, context: Value) -> Value:
    """A step that is a name: the member of an object, or those of the objects in an array."""
    item, key = context.atom, repr(node.value)
    found = f"{item}.get({key}, MISSING) if {item}.__class__ is dict else member({item}, {key}, evaluation)"
    return writer.let(found, given=context.given, raw=True)


def wildcard(writer: FunctionWriter, _: Node, context: Value) -> Value:
    return writer.let(f"wildcard({context.atom}, evaluation)", given=context.given, raw=True)


def descendant(writer: FunctionWriter, _: Node, context: Value) -> Value:
    return writer.let(f"descendants({context.atom}, evaluation)", given=context.given)


def path(writer: FunctionWriter, node: Node, context: Value) -> Value:
    names, rest = _leading_names(node.parts)
    first = node.parts[0]
    if walks(node):
        return _walk(writer, _start(writer, first, context), names)
    if names or (first.kind == "variable" and is_plain(first)):
        start = _start(writer, first, context)
        items = (
            f"walk_to_items({start.atom}, {tuple(names)!r}, evaluation)" if names else f"items_of({start.atom})"
        )
        if rest and rest[0].kind == "sort":
            items = f"Sequence({items})"  # a single item is left as it is
    else:
        start = context
        items = f"[{context.atom}]" if first.kind == "variable" else f"context_items({context.atom})"
    return _Path(writer, node, writer.let(items, "l", given=start.given)).steps(rest)


def _start(writer: FunctionWriter, first: Node, context: Value) -> Value:
    return writer.variable(first.value) if first.kind == "variable" and first.value else context


def _leading_names(parts: list[Node]) -> tuple[list[str], list[Node]]:
    """The names at the start of a path, after a variable if it begins with one, and the other steps."""
    begin = 1 if parts[0].kind == "variable" and is_plain(parts[0]) else 0
    end = begin
    while end < len(parts) and parts[end].kind == "name" and is_plain(parts[end]):
        end += 1
    return [part.value for part in parts[begin:end]], parts[end:]


def _walk(writer: FunctionWriter, start: Value, names: list[str]) -> Value:
    result = writer.name()
    keys, whole_walk = [repr(each) for each in names], f"walk({start.atom}, {tuple(names)!r}, evaluation)"
    if len(keys) > MAX_INLINED or not start.may_be("d"):
        writer.line(f"{result} = {whole_walk}")
    elif len(keys) == 1:
        writer.line(f"{result} = {start.atom}.get({keys[0]}, MISSING) if {start.is_a('d')} else {whole_walk}")
    else:
        tests = [start.is_a("d")]
        inner = start.atom
        for key in keys[:-1]:
            tests.append(f"({result} := {inner}.get({key}, MISSING)).__class__ is dict")
            inner = result
        writer.line(f"if {' and '.join(tests)}: {result} = {result}.get({keys[-1]}, MISSING)")
        writer.line(f"else: {result} = {whole_walk}")
    if not start.given:
        writer.line(f"if {result}.__class__ is Sequence: {result} = collapse(Sequence({result}))")
    return Value(result, given=start.given)


class _Path:
    """The steps of a path after its leading names.  ``result`` is a list at all times: what the next step maps."""

    def __init__(self, writer: FunctionWriter, node: Node, result: Value) -> None:
        self.writer = writer
        self.node = node
        self.result = result
        self.tuples = ""
        self.first_values = result.atom  # what the first step maps that binds a name
        self.always_goes_on = False

    def steps(self, parts: list[Node]) -> Value:
        first = self.node.parts[0]
        streaming = False
        ahead = list(parts)
        while ahead:
            step = ahead.pop(0)
            streaming = streaming or step.tuple
            self.always_goes_on = self.always_goes_on or (streaming and step is first)
            if step is first and step.cons:
                self._constructed(step)
            elif streaming:
                self._tuple_step(step)
            elif step.kind == "sort":
                self._sort(step)
            elif step.kind == "name" and is_plain(step):
                keys = [step.value]
                while ahead and ahead[0].kind == "name" and is_plain(ahead[0]):
                    keys.append(ahead.pop(0).value)
                self._names(keys, last=not ahead)
            else:
                self._mapped(step, last=not ahead)
        return self._finished()

    def _guard(self) -> str:
        """The condition of a further step: what has come to nothing goes no further."""
        return "if True:" if self.always_goes_on else f"if {self.result.atom}:"

    def _becomes(self, *, given: bool) -> None:
        self.result = Value(self.result.atom, given=given, raw=True)

    def _constructed(self, step: Node) -> None:
        """An array constructor at the start sees all values at once."""
        before = self.writer.let(self.result.atom) if step.focus is not None else None
        made = self.writer.emit(step, self.result)
        if step.tuple:  # with a name of its own it hands on what it was given, and else even nothing
            self.first_values = (before or self.writer.let(f"values_of({made.atom})")).atom
        self.writer.line(f"{self.result.atom} = listed({made.atom})")
        self._becomes(given=made.given)

    def _names(self, keys: list[str], *, last: bool) -> None:
        atom = self.result.atom
        self.writer.line(f"if {atom}: {atom} = map_names({atom}, {tuple(keys)!r}, evaluation, last={last})")
        self._becomes(given=self.result.given)

    def _sort(self, step: Node) -> None:
        writer, atom = self.writer, self.result.atom
        sort = writer.constant(compile_sort(step, writer.unit.compile_node), "sort")
        with writer.block(self._guard()):
            value = writer.let(f"{sort}({atom}, {writer.frame_for(step)})", "l", given=self.result.given)
            for stage in step.stages:
                value = emit_filter(writer, value, stage)
            writer.line(f"{atom} = {value.atom}")
        self._becomes(given=value.given)

    def _mapped(self, step: Node, *, last: bool) -> None:
        writer, atom, given = self.writer, self.result.atom, self.result.given
        parts, item = writer.name("parts"), writer.name("item")
        with writer.block(self._guard()):
            writer.spend(f"len({atom})")
            writer.line(f"{parts} = []")
            with writer.loop(f"for {item} in {atom}:"):
                value = writer.emit(step, Value(item, given=given, raw=not given))
                for stage in step.stages:
                    value = emit_filter(writer, value, stage)
                writer.line(f"{value.if_present}{parts}.append({value.atom})")
            if value.only(SCALARS):
                writer.line(f"{atom} = Sequence({parts})")
            else:
                writer.line(f"{atom} = flattened({parts}, evaluation, last={last})")
        self._becomes(given=value.given or value.only(SCALARS))

    def _tuple_step(self, step: Node) -> None:
        writer = self.writer
        compiled = writer.constant(Step(step, writer.unit.compile_node), "step")
        before = self.tuples or "None"
        if not self.tuples:
            self.tuples = writer.name("tuples")
            writer.line(f"{self.tuples} = None")
        with writer.block(self._guard()):
            frame = writer.frame_for(step)
            writer.line(f"{self.tuples} = tuple_step({compiled}, {self.first_values}, {before}, {frame})")

    def _finished(self) -> Value:
        writer, node, atom, tuples = self.writer, self.node, self.result.atom, self.tuples
        if tuples:
            found = tuples if node.tuple else f"Sequence([each['@'] for each in {tuples}])"
            writer.line(f"if {tuples} is not None: {atom} = {found}")
        if node.keep_singleton:
            writer.line(f"{atom} = kept_path({atom})")
        if node.group is None:
            return Value(atom, given=self.result.given and not tuples, raw=True)
        group = writer.constant(compile_group(node.group, writer.unit.compile_node), "group")
        grouped = f"{atom} if {tuples} is None else {tuples}" if tuples else atom
        return writer.let(f"{group}({grouped}, {writer.frame_for(node.group)})", "d")
