"""Reads paths in Jayway JsonPath's dialect: steps, filters, and the functions that can end a path.

jsonpath-ng parses what both dialects have in common (names, indexes, slices, wildcards); it is given names in
brackets and quotes, which it reads whatever is in them.  Filters are Jayway's own and are read here.  What
jsonpath-ng has beyond Jayway gets no further than here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from asl_engine.expressions.jsonpath.literals import (
    BLANKS,
    CLOSE,
    COMMA,
    Scanner,
    read_literal,
    read_operand,
    read_string,
)
from asl_engine.expressions.jsonpath.ng_bridge import shared_steps
from asl_engine.expressions.jsonpath.nodes import (
    AllOf,
    AnyOf,
    Exists,
    Filter,
    Literal,
    Not,
    Reach,
    Relation,
    SubPath,
)
from asl_engine.expressions.jsonpath.operators import FUNCTIONS, ORDERS
from asl_engine.expressions.jsonpath.syntax import NAME, read_name

if TYPE_CHECKING:
    from asl_engine.expressions.jsonpath.nodes import Node, Operand, Test
    from asl_engine.expressions.jsonpath.syntax import Step
    from asl_engine.json_values import Json

__all__ = ["ParsedPath", "parse_path"]


class ParsedPath(NamedTuple):
    """``function`` is the name of the function that ends the path, without its parentheses."""

    nodes: tuple[Node, ...]
    function: str | None


FILTER_NAME: Final = re.compile(r"(?:[^.\[\]()*|`\s\\<>=!~&,]|\\.)++(?!\()")
FUNCTION: Final = re.compile(r"(\w+)\(\s*\)")
CALL: Final = re.compile(r"\w+\(")
# Those that can end a path.  AWS's Jayway JsonPath is older than they are: it accepts the path and finds nothing.
PATH_FUNCTIONS: Final = ("length", "size", "keys", "first", "last", "min", "max", "sum", "avg", "stddev")

WILDCARD: Final = re.compile(r"\[\s*\*\s*\]")
INDEXES: Final = re.compile(r"\[\s*-?\d+\s*(?:,\s*-?\d+\s*)*\]", re.ASCII)
SLICE: Final = re.compile(r"\[\s*(?:-?\d+\s*:\s*(?:-?\d+\s*)?|:\s*-?\d+\s*)\]", re.ASCII)
# The one script that Jayway JsonPath has: an index that counts from the end.
SCRIPT: Final = re.compile(
    r"\[\s*\(\s*@\s*\.\s*(?:length|size)\s*(?:\(\s*\))?\s*-\s*([1-9]\d*)\s*\)\s*\]", re.ASCII
)
FILTER: Final = re.compile(r"\[\s*\?\s*\(")

OPERATOR: Final = re.compile(r"===?|!==?|<=|>=|=~|<|>|(?:in|nin|subsetof|anyof|noneof|contains|size|empty)\b")
SYNONYMS: Final = {"===": "==", "!==": "!="}


def parse_path(text: str, position: int) -> ParsedPath:
    """The path whose steps begin at ``position`` of ``text``.  Raises ``ExpressionSyntaxError``."""
    parser = _Parser(text, position)
    nodes, function = parser.steps(within_filter=False)
    if parser.position < len(text):
        parser.fail("Expected '.', '[' or the end of the path")
    return ParsedPath(nodes, function)


class _Steps:
    """The steps of one path.  Those that jsonpath-ng shares pile up as its text until another comes."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.texts: list[str] = []
        self.plain: list[Step] = []  # what the texts mean, as long as they are single names and indexes

    def share(self, text: str, step: Step | None = None) -> None:
        self.texts.append(text)
        if step is not None:
            self.plain.append(step)

    def add(self, node: Node) -> None:
        self.flush()
        self.nodes.append(node)

    def flush(self) -> None:
        # Names and indexes alone are what most paths in filters are: they need no parser.
        plain = len(self.plain) == len(self.texts)
        self.nodes += self.plain if plain else shared_steps("$" + "".join(self.texts))
        self.texts, self.plain = [], []


class _Parser(Scanner):
    """Reads one path, and those in its filters."""

    # -- steps ----------------------------------------------------------------------------------

    def steps(self, *, within_filter: bool) -> tuple[tuple[Node, ...], str | None]:
        """The steps, and the name of the function that ends them."""
        steps = _Steps()
        function = None
        name = FILTER_NAME if within_filter else NAME
        while function is None:
            if self.accept(".."):
                steps.add(Reach.DESCENDANTS)
                if self.at("["):
                    self.brackets(steps)
                else:
                    self.member(steps, name)
            elif self.accept(".") and not self.at("["):  # a dot before a bracket means nothing
                if CALL.match(self.text, self.position):
                    function = self.call(tuple(FUNCTIONS) if within_filter else PATH_FUNCTIONS)
                else:
                    self.member(steps, name)
            elif self.at("["):
                self.brackets(steps)
            else:
                break
        steps.flush()
        return tuple(steps.nodes), function

    def member(self, steps: _Steps, pattern: re.Pattern[str]) -> None:
        """What stands behind a dot."""
        if self.accept("*"):
            steps.share("[*]")
            return
        name = read_name(self.text, self.position, pattern)
        if name is None:
            self.fail("Expected a name (one with blanks or brackets goes into ['...'])")
        steps.share(f"[{quote(name[0])}]", name[0])
        self.position = name[1]

    def call(self, known: tuple[str, ...]) -> str:
        call = FUNCTION.match(self.text, self.position)
        if call is None or call[1] not in known:
            self.fail(f"Expected one of the functions {', '.join(f'{name}()' for name in known)}")
        self.position = call.end()
        return call[1]

    def brackets(self, steps: _Steps) -> None:
        script = self.take(SCRIPT)
        if script is not None:
            index = -int(script[1])
            steps.share(f"[{index}]", index)
            return
        if self.take(FILTER):
            steps.add(self.filter())
            return
        for pattern in (WILDCARD, INDEXES, SLICE):
            match = self.take(pattern)
            if match is not None:
                text = "".join(match[0].split())
                steps.share(text, int(text[1:-1]) if pattern is INDEXES and "," not in text else None)
                return
        self.names(steps)

    def names(self, steps: _Steps) -> None:
        self.position += 1
        self.take(BLANKS)
        names = [read_string(self, "Expected a name in quotes, an index, a slice, *, or a filter ?(...)")]
        while self.take(COMMA):
            names.append(read_string(self, "Expected a name in quotes"))
        if not self.take(CLOSE):
            self.fail("Expected ',' or ']'")
        steps.share(f"[{','.join(map(quote, names))}]", names[0] if len(names) == 1 else None)

    # -- filters --------------------------------------------------------------------------------

    def filter(self) -> Filter:
        test = self.group()
        if not self.take(CLOSE):
            self.fail("Expected ']'")
        return Filter(test)

    def group(self) -> Test:
        """Tests and the operators between them, up to and with the closing parenthesis."""
        self.nest()
        alternatives = [[self.term()]]
        while True:
            self.take(BLANKS)
            if self.accept("&&"):
                alternatives[-1].append(self.term())
            elif self.accept("||"):
                alternatives.append([self.term()])
            elif self.accept(")"):
                break
            else:
                self.fail("Expected '&&', '||' or ')'")
        self.nesting -= 1
        tests = [tests[0] if len(tests) == 1 else AllOf(tuple(tests)) for tests in alternatives]
        return tests[0] if len(tests) == 1 else AnyOf(tuple(tests))

    def term(self) -> Test:
        self.take(BLANKS)
        if self.accept("!"):
            self.take(BLANKS)
            return Not(self.group() if self.accept("(") else Exists(self.path()))
        if self.accept("("):
            return self.group()
        return self.comparison()

    def path(self) -> SubPath:
        if not self.at("@$"):
            self.fail("Expected a path that begins with @ or $")
        rooted = self.at("$")
        self.position += 1
        return SubPath(rooted, *self.steps(within_filter=True))

    def comparison(self) -> Test:
        if not self.at("@$"):
            literal = read_literal(self)
            self.take(BLANKS)
            operator = self.operator()
            self.check_pattern(operator, literal)
            path = self.path()
            # A regular expression can stand on either side.
            swapped = isinstance(literal, re.Pattern)
            return (
                Relation(path, operator, Literal(literal))
                if swapped
                else Relation(Literal(literal), operator, path)
            )
        path = self.path()
        self.take(BLANKS)
        if self.at("&|)"):
            return Exists(path)
        operator = self.operator()
        return Relation(path, operator, self.right_side(operator))

    def operator(self) -> str:
        match = self.take(OPERATOR)
        if match is None:
            self.fail("Expected an operator such as == or in")
        self.take(BLANKS)
        return SYNONYMS.get(match[0], match[0])

    def right_side(self, operator: str) -> Operand:
        if self.at("@$"):
            self.check_pattern(operator, None)
            return self.path()
        literal = read_operand(self) if operator in ORDERS else read_literal(self)
        self.check_pattern(operator, literal)
        return Literal(literal)

    def check_pattern(self, operator: str, literal: Json | re.Pattern[str]) -> None:
        if isinstance(literal, re.Pattern) != (operator == "=~"):
            self.fail("Expected a regular expression with =~, and with =~ only")


def quote(name: str) -> str:
    """A string as jsonpath-ng reads it."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
