"""What was covered, merged and kept in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.language.document import read_source
from asl_engine.language.loader import load
from asl_engine.testing.coverage_data import CoverageData, DefinitionCoverage, combine, parts_of
from tests.core.steps import scope, state

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION = json.dumps(scope(A=state("Pass", Next="B"), B=state("Succeed")), indent=2)
A, NEXT, B = "state /States/A", "transition /States/A/Next", "state /States/B"


def covered(**tests: dict[str, int]) -> DefinitionCoverage:
    """One execution for each test."""
    one = DefinitionCoverage.of(load(DEFINITION), "m.json", read_source(DEFINITION, "m.json"))
    for test, taken in tests.items():
        one.add(test, taken)
    return one


def test_counts_are_summed_and_known_for_each_test() -> None:
    data = CoverageData([covered(first={A: 1, NEXT: 1}, both={A: 1})])
    data.merge(CoverageData([covered(both={A: 2, B: 1})]))
    (one,) = data.sorted()
    assert one.executions == 3
    assert one.counts() == {A: 4, NEXT: 1, B: 1}
    points = {point.key: point for point in one.points}
    assert one.taken_by(points[A]) == {"first": 1, "both": 3}
    assert one.taken_by(points[B]) == {"both": 1}


def test_definitions_stay_apart() -> None:
    other = json.dumps(scope(A=state("Succeed")))
    data = CoverageData([covered(t={A: 1})])
    data.merge(CoverageData([DefinitionCoverage.of(load(other), "a.json")]))
    assert [(one.name, one.executions) for one in data.sorted()] == [("a.json", 0), ("m.json", 1)]


def test_points_have_the_lines_of_their_file() -> None:
    assert covered().lines == {A: 4, NEXT: 6, B: 8}
    yaml = "StartAt: A\nStates:\n  A:\n    Type: Succeed\n"
    source = read_source(yaml, "m.yaml")
    assert DefinitionCoverage.of(load(source.text), "m.yaml", source).lines == {A: 3}
    assert DefinitionCoverage.of(load(DEFINITION), "m").lines == {}


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    data = CoverageData([covered(first={A: 1, NEXT: 1})])
    data.write(tmp_path / "data")
    assert CoverageData.read(tmp_path / "data").definitions == data.definitions
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_parts_are_merged_into_the_file(tmp_path: Path) -> None:
    file = tmp_path / "[data]"  # a name that is a pattern, too
    CoverageData([covered(first={A: 1})]).write_part(file)
    CoverageData([covered(second={A: 1, B: 1})]).write_part(file)
    assert len(parts_of(file)) == 2
    data = CoverageData([covered(third={A: 1})])
    combine(file, parts_of(file), data)
    assert [path.name for path in tmp_path.iterdir()] == ["[data]"]
    (one,) = CoverageData.read(file).sorted()
    assert one.counts() == {A: 3, B: 1}
    assert one.executions == 3


def plain(**changes: Any) -> str:
    point = {"kind": "state", "location": "/States/A", "place": "A", "state": "A", "target": None, "line": 1}
    definition = {"name": "m", "digest": "d", "executions": 1, "leftOut": [], "points": [point], "tests": {}}
    return json.dumps({"asl-coverage": 1, "definitions": [{**definition, **changes}]})


def test_the_plain_form_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").write_text(plain(tests={"t": {A: 3}}), encoding="utf-8")
    read = CoverageData.read(tmp_path / "data").definitions["d"]
    assert read.counts() == {A: 3}
    assert read.text is None  # an older file has no definition: its page has no graph


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data is no coverage data: Expecting value"),
        ("[1]", "data is no coverage data: it lacks the member asl-coverage"),
        ('{"StartAt": "A"}', "data is no coverage data: it lacks"),
        (b"SQLite format 3\x00\xff", "data is no coverage data: 'utf-8'"),
        ('{"asl-coverage": 2}', "data was written by another version of asl-engine"),
        ('{"asl-coverage": 1}', "data is damaged, measure again: KeyError: 'definitions'"),
        (plain(executions="one"), "data is damaged, measure again: TypeError: 'one' is no count"),
        (plain(name=None), "data is damaged, measure again: TypeError: None is no text"),
        (plain(points=[{"kind": "road"}]), "data is damaged, measure again: KeyError"),
        (plain(tests=[]), "data is damaged, measure again: AttributeError"),
        (plain(definition="{}"), "data is damaged, measure again: ValueError: the definition is not the one"),
        (plain(definition=1), "data is damaged, measure again: TypeError: 1 is no text"),
        (plain(tests={"t": {A: -1}}), "data is damaged, measure again: TypeError: -1 is no count"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    (tmp_path / "data").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidInput, match=message):
        CoverageData.read(tmp_path / "data")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no coverage data .*none: run the tests with coverage first"):
        CoverageData.read(tmp_path / "none")
    with pytest.raises(InvalidInput, match="is a folder, not coverage data"):
        CoverageData.read(tmp_path)


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot write the coverage data .*data: No such file or directory"):
        CoverageData().write(tmp_path / "nowhere" / "data")
