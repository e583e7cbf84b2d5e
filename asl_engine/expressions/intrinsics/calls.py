"""Intrinsic functions: ``States.Format('{} of {}', $.a, States.MathAdd($.i, 1))``.

Specification: "Intrinsic Functions".  A call is compiled once, to closures; faults in the
text are found then, and unsuitable values raise ``EvaluationError`` at run time.
The error is States.Runtime: executions on AWS have been seen to end with it, and not with the
States.IntrinsicFailure of the specification.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from asl_engine.errors import EvaluationError
from asl_engine.expressions.errors import ExpressionSyntaxError, PathNotFound
from asl_engine.expressions.intrinsics.functions import INTRINSICS, IntrinsicFailure, InvalidArguments
from asl_engine.expressions.jsonpath.path import compile_path
from asl_engine.findings import did_you_mean
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.json_values import MISSING, Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.intrinsics.functions import Intrinsic
    from asl_engine.expressions.jsonpath.path import Path
    from asl_engine.expressions.scope import Scope

__all__ = ["MAX_DEPTH", "compile_intrinsic"]

Argument: TypeAlias = "Callable[[Scope], Json]"

MAX_DEPTH: Final = 10  # AWS Developer Guide: "You can nest up to 10 intrinsic functions"

BLANKS: Final = re.compile(r"\s*")
NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
STRING: Final = re.compile(r"'(?:[^'\\]|\\['{}\\])*+")
ESCAPE: Final = re.compile(r"\\(.)")
WORD: Final = re.compile(r"[^\s,()]*")
LITERAL: Final = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
QUOTED_IN_PATH: Final = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"", re.DOTALL)
CLOSING: Final = {"(": ")", "[": "]"}


def compile_intrinsic(text: str) -> Callable[[Scope], Json]:
    """Compile the call in ``text``.  Raises ``ExpressionSyntaxError``.

    The function returned raises ``EvaluationError`` with AWS's text, which quotes the call as a whole.
    """
    call, end = _read_call(text, 0, 1)
    end = _skip_blanks(text, end)
    if end < len(text):
        raise ExpressionSyntaxError("Nothing may follow the call of an intrinsic function", text, end)

    def evaluate(scope: Scope) -> Json:
        try:
            return call(scope)
        except IntrinsicFailure as failure:
            raise EvaluationError(f"The function '{text}' had the following error: {failure}") from None

    return evaluate


def _skip_blanks(text: str, position: int) -> int:
    blanks = BLANKS.match(text, position)
    return position if blanks is None else blanks.end()


def _read_call(text: str, position: int, depth: int) -> tuple[Argument, int]:
    name = NAME.match(text, position)
    if name is None or not text.startswith("(", name.end()):
        raise ExpressionSyntaxError("Expected the call of an intrinsic function", text, position)
    intrinsic = INTRINSICS.get(name[0])
    if intrinsic is None:
        hint = did_you_mean(name[0], INTRINSICS)
        raise ExpressionSyntaxError(f"There is no intrinsic function {name[0]}{hint}", text, position)
    if depth > MAX_DEPTH:
        raise ExpressionSyntaxError(
            f"Intrinsic functions may be nested {MAX_DEPTH} levels deep, and no deeper", text, position
        )
    arguments, end = _read_arguments(text, name.end() + 1, depth, intrinsic)
    _check_number(intrinsic, len(arguments), name[0], text, position)
    return _call(name[0], intrinsic, arguments), end


def _check_number(intrinsic: Intrinsic, given: int, name: str, text: str, position: int) -> None:
    least, most = intrinsic.least, intrinsic.most
    if least <= given and (most is None or given <= most):
        return
    wanted = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
    noun = "argument" if wanted.endswith("1") else "arguments"
    raise ExpressionSyntaxError(f"{name} takes {wanted} {noun}, and is given {given}", text, position)


def _call(name: str, intrinsic: Intrinsic, arguments: list[Argument]) -> Argument:
    apply = _application(intrinsic, arguments)

    def call(scope: Scope) -> Json:
        try:
            return apply(scope)
        except (InvalidArguments, RecursionError):  # the latter: a value nested hundreds of levels deep
            raise IntrinsicFailure(f"Invalid arguments in {name}") from None

    return call


def _application(intrinsic: Intrinsic, arguments: list[Argument]) -> Argument:
    function = intrinsic.apply
    if intrinsic.reads_scope:
        return lambda scope: function(scope, *[argument(scope) for argument in arguments])
    if intrinsic.is_long:
        return _counted(function, arguments)
    if len(arguments) == 2:  # most calls; the general form takes 1.5 times as long
        first, second = arguments
        return lambda scope: function(first(scope), second(scope))
    return lambda scope: function(*[argument(scope) for argument in arguments])


def _counted(function: Callable[..., Json], arguments: list[Argument]) -> Argument:
    """A call that the decision is given up for if it may take long (``effort``)."""

    def apply(scope: Scope) -> Json:
        values = [argument(scope) for argument in arguments]
        if scope.effort is not None:
            scope.effort.spend_on(*values)
        return function(*values)

    return apply


def _read_arguments(text: str, position: int, depth: int, intrinsic: Intrinsic) -> tuple[list[Argument], int]:
    arguments: list[Argument] = []
    position = _skip_blanks(text, position)
    if text.startswith(")", position):
        return arguments, position + 1
    while True:
        escapes = not (intrinsic.reads_escapes and not arguments)
        argument, end = _read_argument(text, position, depth, unescape=escapes)
        arguments.append(argument)
        end = _skip_blanks(text, end)
        if text.startswith(")", end):
            return arguments, end + 1
        if not text.startswith(",", end):
            raise ExpressionSyntaxError("Expected ',' or ')'", text, end)
        position = _skip_blanks(text, end + 1)


def _read_argument(text: str, position: int, depth: int, *, unescape: bool) -> tuple[Argument, int]:
    if text.startswith("'", position):
        return _read_string(text, position, unescape=unescape)
    if text.startswith("$", position):
        return _read_path(text, position)
    word = WORD.match(text, position)
    if word is not None and not text.startswith("(", word.end()):
        return _constant(_literal(word[0], text, position)), word.end()
    return _read_call(text, position, depth + 1)


def _constant(value: Json) -> Argument:
    return lambda _: value


def _literal(word: str, text: str, position: int) -> Json:
    if LITERAL.fullmatch(word) is None:
        raise ExpressionSyntaxError(
            "Expected a path, a 'string', a number, true, false, null or a call", text, position
        )
    try:
        return loads(word)
    except JsonSyntaxError as error:  # a number can be too large
        raise ExpressionSyntaxError(error.message, text, position) from None


def _read_string(text: str, position: int, *, unescape: bool) -> tuple[Argument, int]:
    string = STRING.match(text, position)
    end = position if string is None else string.end()
    if string is None or end == len(text):
        raise ExpressionSyntaxError("The string is not closed", text, position)
    if text[end] == "\\":
        raise ExpressionSyntaxError(r"A backslash escapes ' { } or \, and nothing else", text, end)
    content = string[0][1:]
    return _constant(ESCAPE.sub(r"\1", content) if unescape else content), end + 1


def _read_path(text: str, position: int) -> tuple[Argument, int]:
    end = _end_of_path(text, position)
    try:
        path = compile_path(text[position:end])
    except ExpressionSyntaxError as error:
        offset = None if error.position is None else position + error.position
        raise ExpressionSyntaxError(error.message, text, offset) from None
    return _value_at(path), end


def _end_of_path(text: str, position: int) -> int:
    """Where the path ends: at a blank, a comma or a parenthesis that no bracket of its own encloses."""
    open_brackets: list[str] = []
    while position < len(text):
        character = text[position]
        quoted = QUOTED_IN_PATH.match(text, position) if open_brackets else None
        if quoted is not None:
            position = quoted.end()
            continue
        if character in CLOSING:
            open_brackets.append(CLOSING[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif not open_brackets and (character in ",)" or character.isspace()):
            break
        position += 2 if character == "\\" else 1
    return min(position, len(text))


def _value_at(path: Path) -> Argument:
    find = path.find

    def argument(scope: Scope) -> Json:
        value = find(scope)
        if value is MISSING:
            raise IntrinsicFailure(_not_found(path, scope))
        return value

    return argument


def _not_found(path: Path, scope: Scope) -> str:
    try:
        searched = compile_path(path.root).get(scope)
    except PathNotFound as error:
        return error.reason
    field = f"The JsonPath argument for the field '{path.text}'"
    return f"{field} could not be found in the input '{dumps(searched)}'"
