"""Event patterns, compiled to closures.

A pattern is an object of fields.  All of them have to match (And); of the values that a field's array lists, one
has to (Or).  An array in the event matches if one of its items does, and fields of one object within an array have
to match in the same item, as in AWS's Event Ruler.  ``{"exists": false}`` holds where the path leads to no value
at all.

Where an event has arrays on the way, ``everything`` is all that the path so far leads to: whether a field is
absent is a question to all of that.  It is None as long as there is but one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.events.language.comparisons import RESERVED, Test, compile_comparison, exact
from asl_engine.events.language.faults import InvalidEventPattern, finding_at
from asl_engine.findings import Finding
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from asl_engine.json_values import Json

__all__ = ["EventPattern", "compile_pattern", "scalars"]

# Whether a value of an event matches; MISSING is what is not there.
Node: TypeAlias = "Callable[[Any, Everything | None], bool]"
Path: TypeAlias = tuple[str, ...]
OR: Final = "$or"
# AWS refuses a pattern that stands for more combinations of alternatives.
MAX_COMBINATIONS: Final = 1000


class EventPattern(NamedTuple):
    """A compiled pattern.

    ``required`` are the fields that have to be one of some strings, whatever else matches: by these ``RuleIndex``
    finds it.
    """

    text: str
    node: Node
    required: tuple[tuple[Path, frozenset[str]], ...]

    def matches(self, event: Json) -> bool:
        return self.node(event, None)


class Everything:
    """All values that a path leads to, in all items of the arrays on the way.

    What its members are is worked out once, however many items ask.
    """

    __slots__ = ("_members", "values")

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self._members: dict[str, Everything] = {}

    def member(self, name: str) -> Everything:
        found = self._members.get(name)
        if found is None:
            values = [value[name] for value in _items(self.values) if type(value) is dict and name in value]
            found = self._members[name] = Everything(values)
        return found

    @property
    def is_absent(self) -> bool:
        return next(scalars(self.values), MISSING) is MISSING


def compile_pattern(text: str) -> EventPattern:
    """Compile a pattern.  Raises ``InvalidEventPattern`` with all its mistakes, each with its place."""
    try:
        pattern = loads(text)
    except JsonSyntaxError as error:
        found = Finding("INVALID_JSON", str(error), None, line=error.line, column=error.column)
        raise InvalidEventPattern(text, [found]) from None
    except RecursionError:
        raise InvalidEventPattern(
            text, [Finding("TOO_DEEP", "It is nested too deeply", line=1, column=1)]
        ) from None
    compiler = _Compiler()
    if not isinstance(pattern, dict):
        compiler.refuse("", "Filter is not an object")
        node: Node = _never
    else:
        node = compiler.object("", pattern, ())
        if compiler.combinations > MAX_COMBINATIONS:
            compiler.refuse("", f"It stands for more than {MAX_COMBINATIONS} combinations of $or")
    if compiler.faults:
        raise InvalidEventPattern(text, [finding_at(text, *fault) for fault in compiler.faults])
    return EventPattern(text, node, tuple(compiler.required))


class _Compiler:
    """Compiles one pattern; what is wrong with it is in ``faults``."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.required: list[tuple[Path, frozenset[str]]] = []
        self.combinations = 1

    def refuse(self, location: str, reason: str) -> None:
        self.faults.append((location, reason))

    def object(self, location: str, pattern: dict[str, Any], path: Path | None) -> Node:
        """``path`` leads to it, None within an alternative: what that requires need not hold."""
        if not pattern:
            self.refuse(location, "Empty objects are not allowed")
        fields: list[tuple[str, Node]] = []
        alternatives: list[Node] = []
        for name, inner in pattern.items():
            where = f"{location}/{name}"
            if name == OR and _is_or(inner):
                alternatives.append(self._or(where, inner))
            elif isinstance(inner, dict):
                fields.append((name, self.object(where, inner, None if path is None else (*path, name))))
            elif isinstance(inner, list):
                fields.append((name, self._leaf(where, inner, None if path is None else (*path, name))))
            else:
                self.refuse(where, f'"{name}" must be an object or an array')
        return _object(tuple(fields), tuple(alternatives))

    def _or(self, location: str, members: list[dict[str, Any]]) -> Node:
        self.combinations *= len(members)
        return _any_of(tuple(self.object(f"{location}[{n}]", one, None) for n, one in enumerate(members)))

    def _leaf(self, location: str, values: list[Any], path: Path | None) -> Node:
        if not values:
            self.refuse(location, "Empty arrays are not allowed")
        strings, others, tests, absent = set[str](), set[tuple[type, Any]](), list[Test](), False
        for number, value in enumerate(values):
            where = f"{location}[{number}]"
            if isinstance(value, str):
                strings.add(value)
            elif isinstance(value, dict):
                if value == {"exists": False}:
                    absent = True
                    continue
                try:
                    tests.append(compile_comparison(value))
                except ValueError as reason:
                    self.refuse(where, str(reason))
            elif isinstance(value, list):
                self.refuse(where, "Match value must be String, number, true, false, or null; it is an array")
            else:
                others.add(exact(value))
        if path is not None and strings and not (others or tests or absent):
            self.required.append((path, frozenset(strings)))
        return _leaf(_scalar_test(frozenset(strings), frozenset(others), tuple(tests)), absent=absent)


def _is_or(value: Any) -> bool:
    """Whether the value of a field "$or" makes it one: at least two objects, without the names of comparisons."""
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(one, dict) and one and not one.keys() & RESERVED for one in value)
    )


def _never(value: Any, everything: Everything | None) -> bool:
    del value, everything
    return False


def _any_of(nodes: tuple[Node, ...]) -> Node:
    def matches(value: Any, everything: Everything | None) -> bool:
        return any(node(value, everything) for node in nodes)

    return matches


def _object(fields: tuple[tuple[str, Node], ...], alternatives: tuple[Node, ...]) -> Node:
    def matches(value: Any, everything: Everything | None) -> bool:
        if type(value) is dict:
            if everything is None:
                for name, node in fields:
                    if not node(value.get(name, MISSING), None):
                        return False
            else:
                for name, node in fields:
                    if not node(value.get(name, MISSING), everything.member(name)):
                        return False
            return all(one(value, everything) for one in alternatives)
        if type(value) is list and value:
            if everything is None:
                everything = Everything(value)
            return any(matches(item, everything) for item in _items(value))
        # A scalar, or nothing: all that is asked for is absent, here.
        for name, node in fields:
            if not node(MISSING, None if everything is None else everything.member(name)):
                return False
        return all(one(MISSING, everything) for one in alternatives)

    return matches


def _leaf(test: Test, *, absent: bool) -> Node:
    def present(value: Any, everything: Everything | None) -> bool:
        del everything
        kind = type(value)
        if kind is list:
            return any(map(test, scalars(value)))
        return kind is not dict and value is not MISSING and test(value)

    def present_or_absent(value: Any, everything: Everything | None) -> bool:
        if present(value, everything):
            return True
        return next(scalars(value), MISSING) is MISSING if everything is None else everything.is_absent

    return present_or_absent if absent else present


def _scalar_test(strings: frozenset[str], others: frozenset[tuple[type, Any]], tests: tuple[Test, ...]) -> Test:
    if not tests:
        if not others:
            return strings.__contains__
        return lambda value: value in strings if type(value) is str else exact(value) in others
    if len(tests) == 1 and not strings and not others:
        return tests[0]

    def matches(value: Any) -> bool:
        known = value in strings if type(value) is str else exact(value) in others
        return known or any(test(value) for test in tests)

    return matches


def _items(values: list[Any]) -> Iterator[Any]:
    """The items of an array, and of the arrays within it: EventBridge takes them for one."""
    for value in values:
        if type(value) is list:
            yield from _items(value)
        else:
            yield value


def scalars(value: Any) -> Iterator[Any]:
    """The scalars that a field has: none where it is absent, an object, or an empty array."""
    if type(value) is list:
        for item in _items(value):
            if type(item) is not dict:
                yield item
    elif type(value) is not dict and value is not MISSING:
        yield value
