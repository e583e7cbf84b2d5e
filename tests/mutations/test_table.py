"""The table of mutations, the page of promises and the tests that both name agree."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.mutations.running import ROOT, copy_project, mutate, outcome_of
from tests.mutations.table import CRASH, MUTATIONS, Mutation

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "guarantees.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
A_CHEAP_ONE = "events follow one another"


def named(name: str) -> Mutation:
    (found,) = [mutation for mutation in MUTATIONS if mutation.name == name]
    return found


def functions(path: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_a_mutation_takes_away_is_there(mutation: Mutation) -> None:
    assert (ROOT / mutation.path).read_text("utf-8").count(mutation.old) == 1
    ast.parse((ROOT / mutation.path).read_text("utf-8").replace(mutation.old, mutation.new))


def test_every_promise_has_its_mechanism_and_the_test_that_fails_without_it() -> None:
    rows = re.findall(r"^\| .+ \| ([^|]+) \| `([^`]+)` \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted((mutation.name, mutation.shown_by) for mutation in MUTATIONS)


def test_the_tests_that_are_named_exist() -> None:
    tests = {*TEST.findall(PAGE.read_text("utf-8"))}
    tests |= {match.groups() for one in MUTATIONS if (match := TEST.fullmatch(f"`{one.shown_by}`"))}
    assert len(tests) > 15
    assert [(path, name) for path, name in sorted(tests) if name not in functions(ROOT / path)] == []
    assert all(one.shown_by.startswith(CRASH) or "::" in one.shown_by for one in MUTATIONS)


def test_one_of_them(tmp_path: Path) -> None:
    """All are tried by ``python -m tests.mutations``."""
    mutation = named(A_CHEAP_ONE)
    copy_project(tmp_path / "project")
    with mutate(tmp_path / "project", mutation):
        passed, told = outcome_of(mutation.shown_by, tmp_path / "project")
    assert passed is False, told


def test_a_mechanism_that_has_moved_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("x = 1\nx = 1\n")
    for old in ("x = 1", "y = 1"):
        with (
            pytest.raises(ValueError, match=r"m: file\.py has [02] times"),
            mutate(tmp_path, Mutation("m", "file.py", old, "", "")),
        ):
            pass
    assert (tmp_path / "file.py").read_text() == "x = 1\nx = 1\n"
