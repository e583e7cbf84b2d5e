"""A template compiled to closures: texts, references, and the directives that API Gateway has."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.gateway.velocity.expressions import Reader, TemplateFault, follow, truth
from asl_engine.gateway.velocity.values import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.gateway.velocity.expressions import Evaluate, Scope

    Part: TypeAlias = Callable[[Scope, list[str]], None]

__all__ = ["VelocityTemplate"]

COMMENT = re.compile(r"##[^\n]*(?:\n|$)|#\*.*?\*#", re.DOTALL)
VERBATIM = re.compile(r"#\[\[(.*?)\]\]#", re.DOTALL)
ESCAPED = re.compile(r"\\(\$!?\{?[A-Za-z_]|#(?:set|if|foreach|define|end|else|stop)\b)")
WORDS: Final = r"set|if|elseif|else|end|foreach|define|stop|break"
DIRECTIVE = re.compile(rf"#(?:\{{({WORDS})\}}|({WORDS})(?![A-Za-z0-9_]))")
PLAIN = re.compile(r"[^#$\\]+")
LINE_END = re.compile(r"[ \t]*\r?\n")
MAX_DEPTH: Final = 20  # of definitions that write each other


class _Stopped(Exception):
    """#stop"""


class _Broken(Exception):
    """#break"""


class VelocityTemplate:
    """A compiled template.  Raises ``TemplateFault``."""

    def __init__(self, text: str) -> None:
        self._body = _Parser(text).whole()

    def render(self, names: Mapping[str, Any]) -> str:
        """What it writes.  The values of ``names`` may be changed by it.  Raises ``TemplateFault``."""
        out: list[str] = []
        with suppress(_Stopped, _Broken):
            self._body({**names}, out)
        return "".join(out)


class _Defined:
    """What #define has stored: it is rendered wherever it is referred to."""

    def __init__(self, body: Part, name: str) -> None:
        self._body = body
        self._name = name
        self._depth = 0

    def text(self, scope: Scope) -> str:
        if self._depth == MAX_DEPTH:
            raise TemplateFault(f"${self._name} is defined by itself")
        out: list[str] = []
        self._depth += 1
        try:
            self._body(scope, out)
        finally:
            self._depth -= 1
        return "".join(out)


def _compiled_text(text: str, line: int) -> Evaluate:
    """A text between double quotes, in which references stand."""
    body = _Parser(text, line).whole()

    def evaluate(scope: Scope) -> str:
        out: list[str] = []
        body(scope, out)
        return "".join(out)

    return evaluate


class _Parser:
    def __init__(self, text: str, line: int = 1) -> None:
        self._reader = Reader(text, 0, _compiled_text, line)

    def whole(self) -> Part:
        body, end = self._block()
        if end:
            self._reader.fail(f"no #{end}, which ends nothing,")
        return body

    def _block(self) -> tuple[Part, str]:
        """What stands up to #end, #else, #elseif or the end of the text, and which of them it is."""
        reader = self._reader
        parts: list[Part] = []
        while reader.position < len(reader.text):
            if (plain := reader.take(PLAIN)) is not None:
                parts.append(_written(plain[0]))
            elif reader.take(COMMENT):
                continue
            elif (verbatim := reader.take(VERBATIM)) is not None or (verbatim := reader.take(ESCAPED)) is not None:
                parts.append(_written(verbatim[1]))
            elif (directive := reader.take(DIRECTIVE)) is not None:
                word = directive[1] or directive[2]
                if word in {"end", "else", "elseif"}:
                    if word != "elseif":
                        reader.take(LINE_END)
                    return _in_turn(parts), word
                parts.append(self._directive(word))
            elif (reference := reader.reference()) is not None:
                parts.append(_referred(reference))
            else:
                parts.append(_written(reader.text[reader.position]))
                reader.position += 1
        return _in_turn(parts), ""

    def _directive(self, word: str) -> Part:
        if word in {"stop", "break"}:
            return _ending(_Stopped if word == "stop" else _Broken)
        self._reader.expect("(")
        part = {"set": self._set, "if": self._if, "foreach": self._foreach, "define": self._define}[word]()
        self._reader.take(LINE_END)
        return part

    def _set(self) -> Part:
        reader = self._reader
        line = reader.line
        reader.expect("$")
        name, steps = reader.path()
        reader.expect("=")
        value = reader.expression()
        reader.expect(")")
        if steps and steps[-1].arguments is not None:
            raise TemplateFault(f"line {line}: what a method returns cannot be set")

        def assign(scope: Scope, _out: list[str]) -> None:
            if not steps:
                scope[name] = value(scope)
                return
            there: Any = scope.get(name)
            for step in steps[:-1]:
                there = follow(there, step, scope)
            last = steps[-1]
            index = last.name if last.at is None else last.at(scope)
            try:
                there[shown(index) if isinstance(there, dict) else index] = value(scope)
            except (LookupError, TypeError):
                raise TemplateFault(f"line {line}: ${name} has nothing in which {index} could be set") from None

        return assign

    def _body_until_end(self, word: str, line: int) -> Part:
        body, end = self._block()
        if end != "end":
            raise TemplateFault(f"line {line}: #{word} has no #end")
        return body

    def _if(self) -> Part:
        reader = self._reader
        line = reader.line
        cases: list[tuple[Evaluate, Part]] = []
        otherwise: Part = _in_turn([])
        end = "elseif"
        while end == "elseif":
            if cases:
                reader.expect("(")
            condition = reader.expression()
            reader.expect(")")
            reader.take(LINE_END)
            body, end = self._block()
            cases.append((condition, body))
        if end == "else":
            otherwise, end = self._block()
        if end != "end":
            raise TemplateFault(f"line {line}: #if has no #end")

        def choose(scope: Scope, out: list[str]) -> None:
            chosen = (body for condition, body in cases if truth(condition(scope)))
            next(chosen, otherwise)(scope, out)

        return choose

    def _foreach(self) -> Part:
        reader = self._reader
        line = reader.line
        reader.expect("$")
        name, _ = reader.path()
        reader.expect("in")
        values = reader.expression()
        reader.expect(")")
        reader.take(LINE_END)
        body = self._body_until_end("foreach", line)

        def repeat(scope: Scope, out: list[str]) -> None:
            found = values(scope)
            items = [*found.values()] if isinstance(found, dict) else found
            if not isinstance(items, list):
                return
            before = {one: scope.get(one) for one in (name, "foreach", "velocityCount")}
            for index, item in enumerate(items):
                more = index + 1 < len(items)
                told = {"index": index, "count": index + 1, "hasNext": more, "first": index == 0, "last": not more}
                scope.update({name: item, "foreach": told, "velocityCount": index + 1})
                try:
                    body(scope, out)
                except _Broken:
                    break
            scope.update(before)

        return repeat

    def _define(self) -> Part:
        reader = self._reader
        line = reader.line
        reader.expect("$")
        name, _ = reader.path()
        reader.expect(")")
        reader.take(LINE_END)
        body = self._body_until_end("define", line)

        def define(scope: Scope, _out: list[str]) -> None:
            scope[name] = _Defined(body, name)

        return define


def _in_turn(parts: list[Part]) -> Part:
    def run(scope: Scope, out: list[str]) -> None:
        for part in parts:
            part(scope, out)

    return run


def _written(text: str) -> Part:
    return lambda _, out: out.append(text)


def _referred(reference: Evaluate) -> Part:
    def write(scope: Scope, out: list[str]) -> None:
        value = reference(scope)
        out.append(value.text(scope) if isinstance(value, _Defined) else shown(value))

    return write


def _ending(how: type[Exception]) -> Part:
    def end(_scope: Scope, _out: list[str]) -> None:
        raise how

    return end
