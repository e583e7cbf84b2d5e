"""References and expressions of a template, read where they stand and compiled to closures."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeAlias

from asl_engine.errors import AslError
from asl_engine.gateway.velocity.values import called, equal, member, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    Scope: TypeAlias = "dict[str, Any]"
    Evaluate: TypeAlias = Callable[[Scope], Any]

__all__ = ["Reader", "TemplateFault"]

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
REFERENCE = re.compile(r"\$!?(?=\{?[A-Za-z_])")
MEMBER = re.compile(r"\.(?=[A-Za-z_])")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}
DOUBLE = re.compile(r'"((?:[^"]|"")*)"')
SINGLE = re.compile(r"'((?:[^']|'')*)'")
SPACE = re.compile(r"\s*")
# From the loosest to the tightest.
LEVELS: Final = tuple(
    re.compile(rf"\s*({signs})")
    for signs in (
        r"\|\||or\b",
        r"&&|and\b",
        r"==|!=|(?:eq|ne)\b",
        r"<=|>=|<|>|(?:lt|le|gt|ge)\b",
        r"[+-]",
        r"[*/%]",
    )
)
COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
MAX_RANGE: Final = 10_000


class TemplateFault(AslError):
    """A template is wrong, or cannot be rendered; says at which line of it."""


class ReferenceStep(NamedTuple):
    """``.name``, ``.name(...)`` or ``[index]`` behind a reference.  ``arguments`` are None for a member."""

    name: str | None
    arguments: list[Evaluate] | None = None
    at: Evaluate | None = None


class Reader:
    """Reads a text from a position on.  ``compile_text`` is what compiles a text between double quotes."""

    def __init__(
        self, text: str, position: int, compile_text: Callable[[str, int], Evaluate], line: int = 1
    ) -> None:
        self.text = text
        self.position = position
        self._compile_text = compile_text
        self._first_line = line

    @property
    def line(self) -> int:
        return self._first_line + self.text.count("\n", 0, self.position)

    def fail(self, expected: str) -> NoReturn:
        shown_part = self.text[self.position : self.position + 20].split("\n")[0]
        raise TemplateFault(f"line {self.line}: {expected} is expected at {shown_part!r}")

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
        return match

    def accept(self, sign: str) -> bool:
        """Whether this comes next, behind white space; then it is read."""
        start = self.position
        self.take(SPACE)
        if self.text.startswith(sign, self.position):
            self.position += len(sign)
            return True
        self.position = start
        return False

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            self.fail(repr(sign))

    # -- references -----------------------------------------------------------------------------------

    def path(self) -> tuple[str, list[ReferenceStep]]:
        """The name and the steps of a reference, behind its dollar sign."""
        braced = self.text.startswith("{", self.position)
        self.position += braced
        name = self.take(NAME)
        if name is None:
            self.fail("a name")
        steps: list[ReferenceStep] = []
        while True:
            if self.text.startswith("[", self.position):
                self.position += 1
                index = self.expression()
                self.expect("]")
                steps.append(ReferenceStep(None, at=index))
            elif self.take(MEMBER):
                found = self.take(NAME)
                assert found is not None, "MEMBER looks ahead"  # noqa: S101  for the type checker
                arguments = None
                if self.text.startswith("(", self.position):
                    self.position += 1
                    arguments = self._values(")")
                steps.append(ReferenceStep(found[0], arguments))
            else:
                break
        if braced:
            self.expect("}")
        return name[0], steps

    def reference(self) -> Evaluate | None:
        """A reference, if one comes next."""
        if not self.take(REFERENCE):
            return None
        line = self.line
        start = self.position
        name, steps = self.path()
        written = self.text[start : self.position]

        def evaluate(scope: Scope) -> Any:
            value = scope.get(name)
            for step in steps:
                try:
                    value = follow(value, step, scope)
                except (LookupError, TypeError, ValueError, AttributeError, re.error) as error:
                    raise TemplateFault(f"line {line}: ${written}: {error}") from None
            return value

        return evaluate

    def _values(self, end: str) -> list[Evaluate]:
        values: list[Evaluate] = []
        while not self.accept(end):
            if values:
                self.expect(",")
            values.append(self.expression())
        return values

    # -- expressions ----------------------------------------------------------------------------------

    def expression(self, level: int = 0) -> Evaluate:
        if level == len(LEVELS):
            return self._operand()
        left = self.expression(level + 1)
        while (sign := self.take(LEVELS[level])) is not None:
            left = _applied(sign[1], left, self.expression(level + 1))
        return left

    def _operand(self) -> Evaluate:
        self.take(SPACE)
        if self.accept("!") or self._word("not"):
            negated = self._operand()
            return lambda scope: not truth(negated(scope))
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        found = self.reference()
        if found is not None:
            return found
        if (text := self.take(DOUBLE)) is not None:
            line = self._first_line + self.text.count("\n", 0, text.start())
            return self._compile_text(text[1].replace('""', '"'), line)
        if (text := self.take(SINGLE)) is not None:
            return _constant(text[1].replace("''", "'"))
        if (number := self.take(NUMBER)) is not None:
            return _constant(float(number[0]) if "." in number[0] else int(number[0]))
        for word, value in WORDS.items():
            if self._word(word):
                return _constant(value)
        if self.accept("["):
            return self._list()
        if self.accept("{"):
            return self._map()
        return self.fail("a value")

    def _word(self, word: str) -> bool:
        match = NAME.match(self.text, self.position)
        if match is None or match[0] != word:
            return False
        self.position = match.end()
        return True

    def _list(self) -> Evaluate:
        if self.accept("]"):
            return lambda _: []
        first = self.expression()
        if self.accept(".."):
            last = self.expression()
            self.expect("]")
            line = self.line
            return lambda scope: _range(first(scope), last(scope), line)
        values = [first]
        if not self.accept("]"):
            self.expect(",")
            values += self._values("]")
        return lambda scope: [value(scope) for value in values]

    def _map(self) -> Evaluate:
        pairs: list[tuple[Evaluate, Evaluate]] = []
        while not self.accept("}"):
            if pairs:
                self.expect(",")
            name = self.expression()
            self.expect(":")
            pairs.append((name, self.expression()))
        return lambda scope: {shown(name(scope)): value(scope) for name, value in pairs}


def truth(value: Any) -> bool:
    """In Velocity 1.x only null and false are not true."""
    return value is not None and value is not False


def follow(value: Any, step: ReferenceStep, scope: Scope) -> Any:
    """What is one step further than a value."""
    if step.at is not None:
        index = step.at(scope)
        if isinstance(value, dict):
            return value.get(shown(index))
        return None if value is None else value[index]
    assert step.name is not None, "a step has a name or an index"  # noqa: S101  for the type checker
    if step.arguments is None:
        return member(value, step.name)
    return called(value, step.name, [one(scope) for one in step.arguments])


def _constant(value: Any) -> Evaluate:
    return lambda _: value


def _applied(sign: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if sign in {"||", "or"}:
        return lambda scope: truth(left(scope)) or truth(right(scope))
    if sign in {"&&", "and"}:
        return lambda scope: truth(left(scope)) and truth(right(scope))
    if sign in {"==", "eq"}:
        return lambda scope: equal(left(scope), right(scope))
    if sign in {"!=", "ne"}:
        return lambda scope: not equal(left(scope), right(scope))
    if sign in COMPARED:
        compare = COMPARED[sign]
        return lambda scope: _compared(compare, left(scope), right(scope))
    return lambda scope: _calculated(sign, left(scope), right(scope))


def _compared(compare: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    try:
        return bool(compare(left, right))
    except TypeError:  # as Velocity, which logs it
        return False


def _calculated(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and (isinstance(left, str) or isinstance(right, str)):
        return shown(left) + shown(right)
    try:
        if sign in "/%" and isinstance(left, int) and isinstance(right, int):
            whole = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)  # towards zero, as in Java
            return whole if sign == "/" else left - whole * right
        return CALCULATED[sign](left, right)
    except (TypeError, ZeroDivisionError):  # as Velocity, which logs it
        return None


CALCULATED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def _range(first: Any, last: Any, line: int) -> list[int]:
    if not (isinstance(first, int) and isinstance(last, int)) or abs(last - first) > MAX_RANGE:
        raise TemplateFault(f"line {line}: a range is between two numbers, at most {MAX_RANGE} apart")
    step = 1 if first <= last else -1
    return [*range(first, last + step, step)]
