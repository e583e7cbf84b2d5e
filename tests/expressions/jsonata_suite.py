"""The official test suite of JSONata, run against ours: ``python -m tests.expressions.jsonata_suite FOLDER``.

FOLDER is ``test/test-suite`` in a checkout of the reference implementation (or of a port that carries it).  Its
cases are not part of this project; docs/fidelity.md has the figures and says what the differences are.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.compiler import compile_node
from asl_engine.expressions.jsonata.expression import GLOBAL, Bindings, UnsupportedResult, _as_json, _Known
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.parser import parse
from asl_engine.expressions.jsonata.resolver import resolve
from asl_engine.expressions.jsonata.runtime import Environment, Evaluation
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_731_672_000_000
STEPS = 20_000_000
REGEX_SECONDS = 5.0
UNDEFINED = object()


def cases(suite: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    datasets = {file.stem: json.loads(file.read_text("utf-8")) for file in (suite / "datasets").glob("*.json")}
    for file in sorted((suite / "groups").glob("*/*.json")):
        found = json.loads(file.read_text("utf-8"))
        for case in found if isinstance(found, list) else [found]:
            if "expr" not in case:
                case["expr"] = (file.parent / case["expr-file"]).read_text("utf-8")
            if "data" not in case:
                case["data"] = datasets[case["dataset"]] if case.get("dataset") else MISSING
            yield file.parent.name, case


def outcome(case: dict[str, Any]) -> object:
    """What the expression gives: a value, UNDEFINED, or the code of its error in a tuple."""
    evaluation = Evaluation(Random(1), NOW, STEPS, REGEX_SECONDS)
    names = {**(case.get("bindings") or {}), "$": case["data"]}
    try:
        evaluate = compile_node(resolve(parse(case["expr"])), frozenset(names))
        result = evaluate(case["data"], Environment(names, GLOBAL, evaluation))
        return (
            UNDEFINED
            if result is MISSING
            else _as_json(result, evaluation, _Known(Bindings(None, {}, evaluation.random)))
        )
    except JsonataError as error:
        return (error.code,)
    except (RecursionError, OverflowError, UnsupportedResult) as error:
        return (type(error).__name__,)


def expected(case: dict[str, Any]) -> object:
    if "code" in case or "error" in case:
        return (case.get("code") or case["error"]["code"],)
    return UNDEFINED if case.get("undefinedResult") else case["result"]


def is_same(one: Any, other: Any) -> bool:
    """Numbers by value, to the precision that the suite's own runner asks for; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-13 * max(abs(one), abs(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    return one is other or (type(one) is type(other) and bool(one == other))


def main(folder: str) -> None:
    total, failed = 0, Counter[str]()
    for group, case in cases(Path(folder)):
        total += 1
        got, wanted = outcome(case), expected(case)
        if case.get("unordered") and isinstance(got, list) and isinstance(wanted, list):
            got, wanted = sorted(got, key=json.dumps), sorted(wanted, key=json.dumps)
        if not is_same(got, wanted):
            failed[group] += 1
            shown = " ".join(case["expr"].split())
            print(f"{group}: {shown[:100]}\n    expected {str(wanted)[:100]}, got {str(got)[:100]}")  # noqa: T201  a program for the terminal
    print(f"{total - failed.total()} of {total}; differences: {dict(failed)}")  # noqa: T201  a program for the terminal


if __name__ == "__main__":
    main(sys.argv[1])
