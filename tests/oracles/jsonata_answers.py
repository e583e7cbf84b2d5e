"""What an expression of JSONata gives: here, in jsonata2py, and in the reference implementation."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonata import Bindings, JsonataError, UnsupportedResult, compile_jsonata
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "FAILED",
    "NOTHING",
    "Answer",
    "JsonataJs",
    "agree",
    "jsonata2py_answer",
    "jsonata_js_problem",
    "our_answer",
]

VERSION = "2.0.6"


class Answer(NamedTuple):
    """``kind`` is value, nothing, function or failed."""

    kind: str
    value: Any = None


NOTHING, FAILED, FUNCTION = Answer("nothing"), Answer("failed"), Answer("function")


def our_answer(expression: str, data: Any) -> Answer:
    try:
        value = compile_jsonata(expression)(Bindings({"input": data}, {}, Random(7)))
    except (ExpressionSyntaxError, JsonataError):
        return FAILED
    except UnsupportedResult:
        return FUNCTION
    return NOTHING if value is MISSING else Answer("value", value)


def jsonata2py_answer(module: ModuleType, expression: str, data: Any) -> Answer:
    try:
        bindings = module.JsonataBindings().bind_value("states", {"input": data})
        value = module.compile(expression).evaluate(None, bindings)
    except module.JsonataError:
        return FAILED
    if value is module.MISSING:
        return NOTHING
    try:
        return Answer("value", _as_json(module, value))
    except TypeError:
        return FUNCTION


def _as_json(module: ModuleType, value: Any) -> Any:
    """Raises ``TypeError`` for a function."""
    if isinstance(value, dict):
        return {key: _as_json(module, member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(module, item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is module.MISSING or value is None:
        return None
    if isinstance(value, str | int | float):
        return value
    raise TypeError


PROGRAM = """
const jsonata = require('jsonata');
const isFunction = (value) => typeof value === 'function' ||
  !!value && (value._jsonata_lambda || value._jsonata_function);
const plain = (key, value) => {
  if (typeof value === 'number' && !isFinite(value)) return String(value);
  if (isFunction(value)) throw 'function';
  return value;
};
const answer = async ({expression, data}) => {
  let value;
  try {
    value = await jsonata(expression).evaluate(undefined, {states: {input: data}});
  } catch (error) {
    return '{"kind": "failed"}';
  }
  if (value === undefined) return '{"kind": "nothing"}';
  try {
    return JSON.stringify({kind: 'value', value}, plain);
  } catch (error) {
    return '{"kind": "function"}';
  }
};
(async () => {
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    console.log(await answer(JSON.parse(line)));
  }
})();
"""


def jsonata_js_problem() -> str | None:
    """Why the reference implementation cannot be asked, if it cannot."""
    node = shutil.which("node")
    if node is None:
        return "node is not installed"
    asked = "process.stdout.write(require('jsonata/package.json').version)"
    found = subprocess.run([node, "-e", asked], capture_output=True, text=True, check=False).stdout
    if found != VERSION:
        return f"node finds no jsonata {VERSION}: npm install --no-save jsonata@{VERSION}, or set NODE_PATH"
    return None


class JsonataJs:
    """The reference implementation, kept running; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", "-e", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def answer(self, expression: str, data: Any) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"expression": expression, "data": data}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"node has ended at {expression}"
        return Answer(**json.loads(line))


def agree(one: Answer, other: Answer) -> bool:
    return one.kind == other.kind and _same(one.value, other.value)


def _same(one: Any, other: Any) -> bool:
    """Numbers within what a double can tell apart after some arithmetic; members in the same order."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-12)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)
