"""The text of functions while they are written: their lines, their names, and the scopes of variables."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.expressions.jsonata.codegen.runtime import RUNTIME
from asl_engine.expressions.jsonata.codegen.values import Value
from asl_engine.expressions.jsonata.functions.builtins import BUILTINS
from asl_engine.expressions.jsonata.names import mentioned

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from asl_engine.expressions.jsonata.runtime import Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["FunctionWriter", "Later", "Unit"]

CompileNode: TypeAlias = "Callable[..., Evaluate]"

# Python nests at most 20 loops and "try" blocks in a function, and indents 100 times.
MAX_NESTING: Final = 15
MAX_LEVEL: Final = 60
MAX_DEPTH: Final = 40
NOTHING: Final[Mapping[str, Value]] = {}
LITERALS: Final = {int, float, str, bool, type(None)}


class Line:
    """A line that may still change; an empty one is not written."""

    __slots__ = ("level", "text")

    def __init__(self, level: int, text: str) -> None:
        self.level = level
        self.text = text


class LocalNames:
    """A block or an inlined lambda: its names, and the frame that it gets if others have to see them.

    ``declared`` are all names that it binds somewhere, ``values`` those that it has bound so far, to begin with
    the ``initial`` ones.  ``bindings`` is how many are to come, None where that cannot be told beforehand: then
    they live in the frame, and are looked up when they are read.  ``making`` is the line that makes the frame,
    ``updates`` are those that bind a name in it, and ``wanted`` is what those look up who see the frame.
    """

    def __init__(
        self,
        outer: LocalNames | None,
        frame: str,
        making: Line,
        *,
        declared: Collection[str] = (),
        initial: Mapping[str, Value] = NOTHING,
        bindings: int | None = None,
    ) -> None:
        self.outer = outer
        self.frame = frame
        self.making = making
        self.declared = declared
        self.lives_in_frame = self.is_seen = bindings is None
        self.bindings_to_come = bindings or 0
        self.values = {} if self.lives_in_frame else dict(initial)
        self.updates: list[tuple[Line, str, Value]] = []
        self.wanted: set[str] = set()

    def mentions(self, names: Collection[str]) -> bool:
        return any(name in names for name in self.declared)


class Later:
    """A function that is made when it is first called."""

    __slots__ = ("_function", "_make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._function: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self._function is None:
            self._function = self._make()
        return self._function(*arguments)


class Unit:
    """The functions of one expression, or of a part of it.

    ``bound`` are the names that the whole expression binds somewhere, ``shadowed`` the functions that a variable
    hides.  ``emit`` writes a part into a function, ``compile_node`` makes a part a function of its own.
    """

    def __init__(
        self,
        bound: frozenset[str],
        shadowed: frozenset[str],
        emit: Callable[[FunctionWriter, Node, Value], Value],
        compile_node: CompileNode,
    ) -> None:
        self.bound = bound
        self.shadowed = shadowed
        self.emit = emit
        self.compile_node = compile_node
        self.sources: list[str] = []
        self._constants: dict[str, Any] = {}
        self._functions = 0

    def binds(self, name: str) -> bool:
        return name in self.bound

    def is_builtin(self, name: str) -> bool:
        return name in BUILTINS and name not in self.bound and name not in self.shadowed

    def constant(self, value: Any, prefix: str = "c") -> str:
        """The name of a constant, or the constant itself if Python can write it."""
        if value.__class__ in LITERALS:
            return repr(value)
        name = f"{prefix}_{len(self._constants)}"
        self._constants[name] = value
        return name

    def add(self, writer: FunctionWriter, parameters: str) -> str:
        self._functions += 1
        name = f"function_{self._functions}"
        self.sources.append(writer.text(f"def {name}({parameters}):"))
        return name

    def made(self, name: str) -> Any:
        """The function of this name, once all are written."""
        namespace = {**RUNTIME, **self._constants}
        exec(compile("\n".join(self.sources), "<JSONata>", "exec"), namespace)  # noqa: S102  the package says why this is safe
        return namespace[name]


class FunctionWriter:
    """Writes one function.  ``trampolining`` tells what becomes of a call in tail position."""

    def __init__(self, unit: Unit, *, trampolining: bool, depth: int = 0) -> None:
        self.unit = unit
        self.lines: list[Line] = []
        self.level = 1
        self.nesting = 0  # of loops and "try" blocks
        self.depth = depth  # of nodes
        self.trampolining = trampolining
        self.scope = LocalNames(None, "frame", Line(1, ""))
        self._given: dict[str, Value] = {}
        self._count = 0

    # lines

    def line(self, text: str) -> Line:
        line = Line(self.level, text)
        self.lines.append(line)
        return line

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """The lines under a header that ends with a colon."""
        self.line(header)
        self.level += 1
        yield
        self.level -= 1

    @contextmanager
    def loop(self, header: str) -> Iterator[None]:
        self.nesting += 1
        with self.block(header):
            yield
        self.nesting -= 1

    @contextmanager
    def naming_errors(self, name: str | None) -> Iterator[None]:
        """Lines whose errors, if they have no name yet, are those of this function."""
        with self.loop("try:"):
            yield
        with self.block("except JsonataError as error:"):
            if name is not None:
                self.line(f"error.fields.setdefault('token', {name!r})")
            self.line("raise")

    def name(self, prefix: str = "t") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def let(self, expression: str, types: str = "", *, given: bool = False, raw: bool = False) -> Value:
        name = self.name()
        self.line(f"{name} = {expression}")
        return Value(name, types, given, raw)

    def constant(self, value: Any, prefix: str = "c") -> str:
        return self.unit.constant(value, prefix)

    def spend(self, steps: str | int) -> None:
        self.line(f"evaluation.steps -= {steps}")
        self.line("if evaluation.steps < 0: evaluation.spend(0)")

    def text(self, header: str) -> str:
        looked_up = [f" {value.atom} = frame.lookup({name!r})" for name, value in self._given.items()]
        body = [" " * line.level + line.text for line in self.lines if line.text]
        return "\n".join([header, " evaluation = frame.evaluation", *looked_up, *body, ""])

    # nodes

    def emit(self, node: Node, context: Value) -> Value:
        """Write what evaluates the node.  A value that is a sequence is collapsed."""
        if self.nesting >= MAX_NESTING or self.level >= MAX_LEVEL or self.depth >= MAX_DEPTH:
            return self._outside(node, context)
        self.depth += 1
        value = self.unit.emit(self, node, context)
        self.depth -= 1
        return value

    def _outside(self, node: Node, context: Value) -> Value:
        """The value of a node that has a function of its own, made when it is called.

        So nothing is too deep for Python: neither the code, nor the stack on which it is written.
        """
        function = self.later(partial(self.unit.compile_node, node, trampolining=self.trampolining))
        return self.let(f"{function}({context.atom}, {self.frame_for(node)})")

    def collapsed(self, value: Value) -> Value:
        """The value that a construct with this result has."""
        if value.is_final:
            return value
        if value.raw:
            atom = value.atom
            value = self.let(f"collapse({atom}) if {atom}.__class__ is Sequence else {atom}", given=value.given)
        return value._replace(raw=not value.given and value.may_be("l"))

    # names

    def variable(self, name: str) -> Value:
        scope: LocalNames | None = self.scope
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            if scope.lives_in_frame and (
                name in scope.declared or (scope.outer is None and self.unit.binds(name))
            ):
                return self.let(f"{scope.frame}.lookup({name!r})", raw=True)
            scope = scope.outer
        if self.unit.is_builtin(name):
            return Value(self.constant(BUILTINS[name]), "F")
        if name not in self._given:
            self._given[name] = Value(self.name("v"), given=True)
        return self._given[name]

    def bind(self, name: str, value: Value) -> None:
        """Bind a name in the innermost scope."""
        scope = self.scope
        if scope.lives_in_frame:
            self.line(f"{scope.frame}.names[{name!r}] = {value.atom}")
            return
        scope.values[name] = value
        scope.bindings_to_come -= 1
        scope.updates.append((self.line(""), name, value))

    @contextmanager
    def scoped(
        self, declared: Collection[str], initial: Mapping[str, Value], bindings: int | None = 0
    ) -> Iterator[None]:
        """A scope: see ``LocalNames``."""
        outer, frame, making = self.scope, self.name("frame"), self.line("")
        scope = LocalNames(outer, frame, making, declared=declared, initial=initial, bindings=bindings)
        if scope.lives_in_frame:
            scope.wanted.update(self.unit.bound)
        self.scope = scope
        yield
        self.scope = outer
        if scope.is_seen:
            made = ", ".join(f"{name!r}: {value.atom}" for name, value in initial.items())
            making.text = f"{frame} = {_frame_that_sees(outer, scope.wanted)}.inner({{{made}}})"
            for line, name, value in scope.updates:
                line.text = f"{frame}.names[{name!r}] = {value.atom}"

    def frame_for(self, node: Node) -> str:
        """The frame in which all names can be looked up that the node mentions."""
        return _frame_that_sees(self.scope, mentioned(node))

    def passing_frame(self, node: Node) -> str:
        """Like ``frame_for``, for what is evaluated here and now, and rarely: the scopes need no frames for it."""
        names = mentioned(node)
        scopes = []
        scope: LocalNames | None = self.scope
        while scope is not None and not scope.is_seen and not scope.bindings_to_come and not scope.lives_in_frame:
            if scope.mentions(names):
                scopes.append(scope)
            scope = scope.outer
        frame = "frame" if scope is None else _frame_that_sees(scope, names)
        for inner in reversed(scopes):
            made = ", ".join(f"{name!r}: {value.atom}" for name, value in inner.values.items())
            frame = f"{frame}.inner({{{made}}})"
        return frame

    def later(self, make: Callable[[], Any]) -> str:
        return self.constant(Later(make), "later")


def _frame_that_sees(scope: LocalNames, names: Collection[str]) -> str:
    """The frame of the innermost scope that binds one of the names; from now on it has one."""
    while scope.outer is not None and not scope.mentions(names):
        scope = scope.outer
    if scope.outer is not None:
        scope.is_seen = True
        scope.wanted.update(names)
    return scope.frame
