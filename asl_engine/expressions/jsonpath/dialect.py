"""Jayway JsonPath's dialect put into that of jsonpath-ng, word by word.

jsonpath-ng parses what both have in common.  What Jayway writes in another way is rewritten (names, all
of them into brackets and quotes; literals on the left of an operator; ``!(...)``), and what jsonpath-ng
has no words for (regular expressions, ``in [...]`` and the like) leaves a numbered ``=~ 'n'`` behind that
stands for ``Rewritten.comparisons[n]``.  What jsonpath-ng has beyond Jayway gets no further than here.
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
from asl_engine.expressions.jsonpath.operators import SWAPPED
from asl_engine.expressions.jsonpath.syntax import NAME, read_name

if TYPE_CHECKING:
    from asl_engine.json_values import Json

__all__ = ["NEGATED_GROUP", "Comparison", "PathText", "Rewritten", "rewrite"]


class PathText(NamedTuple):
    """A path of jsonpath-ng's dialect, as an operand."""

    text: str


class Comparison(NamedTuple):
    """One comparison of a filter that jsonpath-ng has no words for."""

    operator: str
    operand: Json | re.Pattern[str] | PathText
    swapped: bool = False  # the operand stands on the left


class Rewritten(NamedTuple):
    """``function`` is the name of the function that ends the path, without its parentheses."""

    text: str
    comparisons: list[Comparison]
    function: str | None


# ``@.`this`[?(...)]`` for ``(...)``: two selections of the item itself, which nobody can write, mark it.
NEGATED_GROUP: Final = "@.`this`[?("

FILTER_NAME: Final = re.compile(r"(?:[^.\[\]()*|`\s\\<>=!~&,]|\\.)++(?!\()")
FUNCTION: Final = re.compile(r"(\w+)\(\s*\)")
CALL: Final = re.compile(r"\w+\(")
# Those that can end a path.  AWS's Jayway JsonPath is older than they are: it accepts the path and finds nothing.
FUNCTIONS: Final = ("length", "size", "keys", "first", "last", "min", "max", "sum", "avg", "stddev")
FILTER_FUNCTIONS: Final = {"length": "len", "size": "len", "keys": "keys"}  # jsonpath-ng's names for them

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
PLAIN: Final = re.compile(r"-?\d+(?:\.\d+)?|true|false|null", re.ASCII)  # literals that both write alike


def rewrite(text: str, position: int) -> Rewritten:
    """The path whose steps begin at ``position`` of ``text``.  Raises ``ExpressionSyntaxError``."""
    rewriter = _Rewriter(text, position)
    rewriter.emit("$")
    rewriter.steps()
    if rewriter.position < len(text):
        rewriter.fail("Expected '.', '[' or the end of the path")
    return Rewritten("".join(rewriter.pieces), rewriter.comparisons, rewriter.function)


class _Rewriter(Scanner):
    """Writes ``pieces`` while it reads."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(text, position)
        self.pieces: list[str] = []
        self.comparisons: list[Comparison] = []
        self.function: str | None = None
        self.emit = self.pieces.append
        self.depth = 0  # of filters: there, operators end a name

    # -- steps ----------------------------------------------------------------------------------

    def steps(self) -> None:
        while self.function is None:
            if self.accept(".."):
                self.emit("..")
                if self.at("["):
                    self.brackets()
                else:
                    self.member("")
            elif self.accept("."):
                if self.at("["):  # a dot before a bracket means nothing
                    self.brackets()
                else:
                    self.member(".")
            elif self.at("["):
                self.brackets()
            else:
                break

    def member(self, dot: str) -> None:
        """What stands behind a dot."""
        if self.accept("*"):
            self.emit("[*]")
            return
        if dot and CALL.match(self.text, self.position):
            self.call()
            return
        name = read_name(self.text, self.position, FILTER_NAME if self.depth else NAME)
        if name is None:
            self.fail("Expected a name (one with blanks or brackets goes into ['...'])")
        self.emit(f"[{quote(name[0])}]")
        self.position = name[1]

    def call(self) -> None:
        call = FUNCTION.match(self.text, self.position)
        known = FILTER_FUNCTIONS if self.depth else FUNCTIONS
        if call is None or call[1] not in known:
            self.fail(f"Expected one of the functions {', '.join(f'{name}()' for name in known)}")
        if self.depth:
            self.emit(f".`{FILTER_FUNCTIONS[call[1]]}`")
        else:
            self.function = call[1]
        self.position = call.end()

    def brackets(self) -> None:
        for pattern in (WILDCARD, INDEXES, SLICE):
            match = pattern.match(self.text, self.position)
            if match is not None:
                self.emit("".join(match[0].split()))
                self.position = match.end()
                return
        script = self.take(SCRIPT)
        if script is not None:
            self.emit(f"[-{script[1]}]")
        elif self.take(FILTER):
            self.filter()
        else:
            self.names()

    def names(self) -> None:
        self.emit("[")
        self.position += 1
        self.take(BLANKS)
        self.emit(quote(read_string(self, "Expected a name in quotes, an index, a slice, *, or a filter ?(...)")))
        while self.take(COMMA):
            self.emit("," + quote(read_string(self, "Expected a name in quotes")))
        if not self.take(CLOSE):
            self.fail("Expected ',' or ']'")
        self.emit("]")

    # -- filters --------------------------------------------------------------------------------

    def filter(self) -> None:
        self.depth += 1
        self.emit("[?(")
        self.group()
        if not self.take(CLOSE):
            self.fail("Expected ']'")
        self.emit(")]")
        self.depth -= 1

    def group(self) -> None:
        """Terms and the operators between them, up to and with the closing parenthesis."""
        self.nest()
        while True:
            self.term()
            self.take(BLANKS)
            if self.accept("&&"):
                self.emit(" && ")
            elif self.accept("||"):
                self.emit(" || ")
            elif self.accept(")"):
                self.nesting -= 1
                return
            else:
                self.fail("Expected '&&', '||' or ')'")

    def term(self) -> None:
        self.take(BLANKS)
        if self.accept("!"):
            self.emit("!")
            self.negated()
        elif self.accept("("):
            self.emit("(")
            self.group()
            self.emit(")")
        else:
            self.comparison()

    def negated(self) -> None:
        self.take(BLANKS)
        if self.accept("("):
            self.emit(NEGATED_GROUP)
            self.group()
            self.emit(")]")
        else:
            self.path()

    def path(self) -> None:
        if not self.at("@$"):
            self.fail("Expected a path that begins with @ or $")
        self.emit(self.text[self.position])
        self.position += 1
        self.steps()

    def comparison(self) -> None:
        if not self.at("@$"):
            self.swapped_comparison()
            return
        self.path()
        self.take(BLANKS)
        if self.at("&|)"):
            return
        operator = self.operator()
        if self.at("@$"):
            self.compare_with_path(operator)
        else:
            start = self.position
            operand = read_operand(self) if operator in SWAPPED else read_literal(self)
            self.compare(operator, operand, self.text[start : self.position])

    def swapped_comparison(self) -> None:
        """A literal, an operator and a path: jsonpath-ng wants the path first."""
        start = self.position
        literal = read_literal(self)
        source = self.text[start : self.position]
        self.take(BLANKS)
        operator = self.operator()
        self.path()
        if operator in SWAPPED:
            self.compare(SWAPPED[operator], literal, source)
        else:
            self.set_aside(Comparison(operator, literal, swapped=True))

    def operator(self) -> str:
        match = self.take(OPERATOR)
        if match is None:
            self.fail("Expected an operator such as == or in")
        self.take(BLANKS)
        return SYNONYMS.get(match[0], match[0])

    def compare(self, operator: str, literal: Json | re.Pattern[str], source: str) -> None:
        if isinstance(literal, re.Pattern) != (operator == "=~"):
            self.fail("Expected a regular expression with =~, and with =~ only")
        if operator not in SWAPPED:
            self.set_aside(Comparison(operator, literal))
        elif isinstance(literal, str):
            self.emit(f" {operator} {quote(literal)}")
        elif PLAIN.fullmatch(source):
            self.emit(f" {operator} {source}")
        else:
            self.set_aside(Comparison(operator, literal))

    def compare_with_path(self, operator: str) -> None:
        # jsonpath-ng takes only some paths on this side of an operator.
        first = len(self.pieces)
        self.path()
        operand = PathText("".join(self.pieces[first:]))
        del self.pieces[first:]
        self.set_aside(Comparison(operator, operand))

    def set_aside(self, comparison: Comparison) -> None:
        self.emit(f" =~ '{len(self.comparisons)}'")
        self.comparisons.append(comparison)


def quote(name: str) -> str:
    """A string as jsonpath-ng reads it."""
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
