"""Parses the text of an expression to its tree: an operator precedence parser.

Each symbol has a rule for operand position and a rule for operator position; the tables at the end
list them.  ``resolver`` then settles what is a path, and what ``%`` refers to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.lexer import END, Lexer, Token
from asl_engine.expressions.jsonata.signatures import parse_signature
from asl_engine.expressions.jsonata.syntax import Node

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["parse"]

# How strongly an operator binds the operand on its left.
POWERS: Final = {
    ".": 75, "[": 80, "{": 70, "(": 80, "@": 80, "#": 80, "?": 20, "+": 50, "-": 50, "*": 60, "/": 60,
    "%": 60, "=": 40, "<": 40, ">": 40, "^": 40, ":=": 10, "!=": 40, "<=": 40, ">=": 40, "~>": 40,
    "and": 30, "or": 25, "in": 40, "&": 50,
}  # fmt: skip
# Neither of these begins or continues an expression.
UNKNOWN: Final = {"!", "~"}
# Tokens in operand position with an operand after them: there, a slash begins a regex.
BEFORE_OPERANDS: Final = {"(", "[", "{", "-", "|"}
UNARY_MINUS_POWER: Final = 70
LAMBDA_NAMES: Final = {"function", "λ"}


def parse(text: str) -> Node:
    """Raises ``JsonataError`` with a position."""
    parser = Parser(text)
    node = parser.expression(0)
    if parser.token.kind != END:
        raise JsonataError("S0201", parser.token.position, token=parser.token.value)
    return node


class Parser:
    def __init__(self, text: str) -> None:
        self.lexer = Lexer(text)
        self.token = self.lexer.next(infix=False)

    def advance(self, symbol: str | None = None, *, infix: bool = False) -> Token:
        """Advance to the next token and return the previous one, which must be ``symbol`` if given."""
        passed = self.token
        if symbol is not None and passed.symbol != symbol:
            code = "S0203" if passed.kind == END else "S0202"
            raise JsonataError(code, passed.position, value=symbol, token=passed.value)
        self.token = self.lexer.next(infix=infix)
        return passed

    def expression(self, power: int) -> Node:
        token = self.token
        self.advance(infix=token.symbol not in BEFORE_OPERANDS)
        node = self._operand(token)
        while power < self._power():
            token = self.advance()
            node = INFIX.get(token.value, binary)(self, token, node)
        return node

    def _power(self) -> int:
        symbol = self.token.symbol
        if symbol in UNKNOWN:
            raise JsonataError("S0204", self.token.position, token=symbol)
        return 0 if symbol is None else POWERS.get(symbol, 0)

    def _operand(self, token: Token) -> Node:
        symbol = token.symbol
        if symbol is None:
            return Node(token.kind, token.position, token.value)
        if symbol == END:
            return Node(END, token.position, END)  # what is missing may be a bracket: that is the better message
        if symbol in UNKNOWN:
            raise JsonataError("S0204", token.position, token=symbol)
        if symbol not in PREFIX:
            raise JsonataError("S0211", token.position, token=symbol)
        return PREFIX[symbol](self, token)

    def listed(self, closing: str, item: Callable[[], None]) -> None:
        """Items between commas up to ``closing``, which is passed; there may be none."""
        if self.token.symbol != closing:
            item()
            while self.token.symbol == ",":
                self.advance(",")
                item()
        self.advance(closing, infix=True)


def binary(parser: Parser, token: Token, left: Node) -> Node:
    return Node("binary", token.position, token.value, [left, parser.expression(POWERS[token.value])])


def negation(parser: Parser, token: Token) -> Node:
    return Node("negation", token.position, "-", [parser.expression(UNARY_MINUS_POWER)])


def name(parser: Parser, token: Token) -> Node:  # noqa: ARG001  and, or, in: names where an operand is expected
    return Node("name", token.position, token.value)


def wildcard(parser: Parser, token: Token) -> Node:  # noqa: ARG001  all parsing functions take both
    return Node({"*": "wildcard", "**": "descendant", "%": "parent"}[token.value], token.position, token.value)


def block(parser: Parser, token: Token) -> Node:
    node = Node("block", token.position)
    while parser.token.symbol != ")":
        node.parts.append(parser.expression(0))
        if parser.token.symbol != ";":
            break
        parser.advance(";")
    parser.advance(")", infix=True)
    return node


def array(parser: Parser, token: Token) -> Node:
    node = Node("array", token.position, "[")

    def item() -> None:
        first = parser.expression(0)
        if parser.token.symbol == "..":
            dots = parser.advance("..")
            first = Node("binary", dots.position, "..", [first, parser.expression(0)])
        node.parts.append(first)

    parser.listed("]", item)
    return node


def object_(parser: Parser, token: Token) -> Node:
    node = Node("object", token.position, "{")

    def pair() -> None:
        key = parser.expression(0)
        parser.advance(":")
        node.pairs.append((key, parser.expression(0)))

    parser.listed("}", pair)
    return node


def transform(parser: Parser, token: Token) -> Node:
    node = Node("transform", token.position, "|", [parser.expression(0)])
    parser.advance("|")
    node.parts.append(parser.expression(0))
    if parser.token.symbol == ",":
        parser.advance(",")
        node.parts.append(parser.expression(0))
    parser.advance("|", infix=True)
    return node


def filter_(parser: Parser, token: Token, left: Node) -> Node:
    if parser.token.symbol == "]":
        step = left
        while step.kind == "binary" and step.value == "[":
            step = step.parts[0]
        step.keep_array = True
        parser.advance("]", infix=True)
        return left
    node = Node("binary", token.position, "[", [left, parser.expression(0)])
    parser.advance("]", infix=True)
    return node


def group(parser: Parser, token: Token, left: Node) -> Node:
    node = object_(parser, token)
    node.kind, node.parts = "grouping", [left]
    return node


def order_by(parser: Parser, token: Token, left: Node) -> Node:
    node = Node("binary", token.position, "^", [left])
    parser.advance("(")

    def term() -> None:
        descending = parser.token.symbol == ">"
        if parser.token.symbol in {"<", ">"}:
            parser.advance()
        node.terms.append((parser.expression(0), descending))

    term()
    while parser.token.symbol == ",":
        parser.advance(",")
        term()
    parser.advance(")", infix=True)
    return node


def binding(parser: Parser, token: Token, left: Node) -> Node:
    """``:=`` binds to the right: what follows may be a binding itself."""
    if left.kind != "variable":
        raise JsonataError("S0212", left.position, token=left.value)
    return Node("binary", token.position, ":=", [left, parser.expression(POWERS[":="] - 1)])


def named(parser: Parser, token: Token, left: Node) -> Node:
    """``@$name`` and ``#$name``."""
    variable = parser.expression(POWERS[token.value])
    if variable.kind != "variable":
        raise JsonataError("S0214", variable.position, token=token.value)
    return Node("binary", token.position, token.value, [left, variable])


def condition(parser: Parser, token: Token, left: Node) -> Node:
    node = Node("condition", token.position, "?", [left, parser.expression(0)])
    if parser.token.symbol == ":":
        parser.advance(":")
        node.parts.append(parser.expression(0))
    return node


def call(parser: Parser, token: Token, left: Node) -> Node:
    node = Node("function", token.position, "(", procedure=left)

    def argument() -> None:
        if parser.token.symbol == "?":
            mark = parser.advance("?", infix=True)
            node.kind = "partial"
            node.parts.append(Node("placeholder", mark.position, "?"))
        else:
            node.parts.append(parser.expression(0))

    parser.listed(")", argument)
    return lambda_(parser, node) if left.kind == "name" and left.value in LAMBDA_NAMES else node


def lambda_(parser: Parser, node: Node) -> Node:
    for index, parameter in enumerate(node.parts):
        if parameter.kind != "variable":
            raise JsonataError("S0208", parameter.position, token=parameter.value, value=index + 1)
    node.kind = "lambda"
    node.value = [parameter.value for parameter in node.parts]
    if parser.token.symbol == "<":
        start = parser.token.position
        node.signature = parse_signature(signature_text(parser), start)
    parser.advance("{")
    node.parts = [parser.expression(0)]
    parser.advance("}", infix=True)
    return node


def signature_text(parser: Parser) -> str:
    """The tokens of ``<...>`` joined; its brackets may be nested."""
    pieces = [str(parser.advance("<").value)]
    depth = 1
    while depth and parser.token.kind != END and parser.token.symbol != "{":
        pieces.append(str(parser.token.value))
        depth += {"<": 1, ">": -1}.get(parser.token.symbol or "", 0)
        if depth:
            parser.advance(infix=True)
    parser.advance(">")
    return "".join(pieces)


PREFIX: Final[dict[str, Callable[[Parser, Token], Node]]] = {
    "-": negation, "*": wildcard, "**": wildcard, "%": wildcard, "(": block, "[": array, "{": object_,
    "|": transform, "and": name, "or": name, "in": name,
}  # fmt: skip
INFIX: Final[dict[str, Callable[[Parser, Token, Node], Node]]] = {
    "[": filter_, "{": group, "^": order_by, ":=": binding, "@": named, "#": named, "?": condition,
    "(": call,
}  # fmt: skip
