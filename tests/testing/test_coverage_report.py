"""What reports say of what was covered."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from asl_engine.graph.overlay import TIMES
from asl_engine.language.document import read_source
from asl_engine.language.loader import load
from asl_engine.testing.coverage_data import DefinitionCoverage
from asl_engine.testing.coverage_html import html_page
from asl_engine.testing.coverage_report import Share, cobertura, report_json, report_lines, share_of
from tests.core.steps import parallel, scope, state, task

ALL = {"ErrorEquals": ["States.ALL"]}
DEFINITION = scope(
    Do=task(Retry=[ALL], Catch=[{**ALL, "Next": "Sorry"}], Next="Fork"),
    Fork=parallel(scope(In=state("Pass")), scope(Out=state("Pass"))),
    Sorry=state("Fail"),
)
HAPPY = {
    "state /States/Do": 1,
    "transition /States/Do/Next": 1,
    "state /States/Fork": 1,
    "branch /States/Fork/Branches[0]": 1,
    "branch /States/Fork/Branches[1]": 1,
    "state /States/Fork/Branches[0]/States/In": 1,
    "transition /States/Fork/Branches[0]/States/In/End": 1,
    "state /States/Fork/Branches[1]/States/Out": 1,
    "transition /States/Fork/Branches[1]/States/Out/End": 1,
    "transition /States/Fork/End": 1,
}


def covered(*taken: dict[str, int], name: str = "m.json", file: bool = True) -> DefinitionCoverage:
    text = json.dumps(DEFINITION, indent=2)
    one = DefinitionCoverage.of(load(text), name, read_source(text, name) if file else None)
    for number, counts in enumerate(taken):
        one.add(f"test_{number}", counts)
    return one


def test_a_gap_has_its_place_and_its_line() -> None:
    text = json.dumps(DEFINITION, indent=2).splitlines()
    sorry = 1 + next(number for number, one in enumerate(text) if '"Sorry": {' in one)
    line = 1 + next(number for number, one in enumerate(text) if '"Retry"' in one) + 1  # the first entry is below
    assert list(report_lines([covered(HAPPY)])) == [
        "m.json: 71.4 %, 10 of 14 points in 1 execution",
        f"  m.json:{line}: States.Do.Retry[0] was never attempted",
        f"  m.json:{line}: States.Do.Retry[0] was never exhausted",
        f"  m.json:{line + 7}: States.Do.Catch[0] was never taken",
        f"  m.json:{sorry}: States.Sorry was never entered",
    ]


def test_without_a_file_a_gap_has_its_place() -> None:
    lines = list(report_lines([covered(HAPPY, file=False, name="m")]))
    assert lines[1] == "  States.Do.Retry[0] was never attempted"


def test_what_lies_within_a_gap_is_counted() -> None:
    only = {"state /States/Do": 1, "retry /States/Do/Retry[0]": 1}
    lines = list(report_lines([covered(only, file=False)]))
    assert "  States.Fork was never entered, nor its 7 points" in lines
    assert "  States.Sorry was never entered" in lines
    assert len(lines) == 1 + 3 + 2
    half = {**HAPPY, "branch /States/Fork/Branches[1]": 0, "state /States/Fork/Branches[1]/States/Out": 0}
    half["transition /States/Fork/Branches[1]/States/Out/End"] = 0
    assert "  States.Fork.Branches[1] was never started, nor its 2 points" in report_lines(
        [covered(half, file=False)]
    )


def test_several_definitions_are_summed_up() -> None:
    complete = covered({point.key: 1 for point in covered().points}, name="a.json")
    lines = list(report_lines([complete, covered()]))
    assert lines[0] == "a.json: 100 %, 14 of 14 points in 1 execution"
    assert lines[1] == "m.json: 0 %, 0 of 14 points in 0 executions"
    assert lines[-1] == "all 2 definitions: 50 %, 14 of 28 points"
    assert list(report_lines([])) == ["no state machine was run"]


def test_executions_that_were_left_out_are_told() -> None:
    one = covered(HAPPY)
    one.left_out = ["test_other: it is another's"]
    assert list(report_lines([one]))[-1] == "  not counted: test_other: it is another's"


@pytest.mark.parametrize(
    ("share", "shown"), [(Share(9999, 10000), "99.9 %"), (Share(3, 3), "100 %"), (Share(0, 0), "0 %")]
)
def test_a_share_is_rounded_down(share: Share, shown: str) -> None:
    assert str(share) == shown


def test_json_names_the_tests_that_take_a_point() -> None:
    report = report_json([covered(HAPPY, {"state /States/Do": 2})])
    assert (report["percent"], report["covered"], report["total"]) == (71.43, 10, 14)
    (one,) = report["definitions"]
    assert (one["name"], one["executions"], one["covered"]) == ("m.json", 2, 10)
    assert one["points"][0] == {
        "place": "States.Do",
        "kind": "state",
        "state": "Do",
        "target": None,
        "location": "/States/Do",
        "line": 4,
        "count": 3,
        "takenBy": {"test_0": 1, "test_1": 2},
    }
    assert json.loads(json.dumps(report)) == report


# What the DTD of Cobertura 4 requires: the attributes of each element, and its children.
REQUIRED = {
    "coverage": "line-rate branch-rate lines-covered lines-valid branches-covered branches-valid complexity "
    "version timestamp",
    "package": "name line-rate branch-rate complexity",
    "class": "name filename line-rate branch-rate complexity",
    "line": "number hits",
}
CHILDREN = {
    "coverage": ["sources", "packages"],
    "sources": ["source"],
    "packages": ["package"],
    "package": ["classes"],
    "class": ["methods", "lines"],
}


def test_cobertura_has_what_its_dtd_requires() -> None:
    text = cobertura([covered(HAPPY), covered(file=False, name="no file")], Path("/home/me"), 1_700_000, "1.2.3")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE coverage SYSTEM "http://')
    root = ET.fromstring(text)  # noqa: S314  we have just written it
    for element in root.iter():
        assert set(REQUIRED.get(element.tag, "").split()) <= set(element.attrib)
        if element.tag in CHILDREN:
            assert [child.tag for child in element] == CHILDREN[element.tag]
    assert (root.get("version"), root.get("timestamp")) == ("1.2.3", "1700000")
    assert root.findtext("sources/source") == "/home/me"
    assert [one.get("filename") for one in root.iter("class")] == ["m.json"]  # the other has no lines


def test_cobertura_counts_lines_and_points_that_share_a_line() -> None:
    root = ET.fromstring(cobertura([covered(HAPPY, HAPPY)], Path(), 0, "1"))  # noqa: S314  we have just written it
    lines = {line.get("number"): line.attrib for line in root.iter("line")}
    retry = next(line for line in lines.values() if line.get("branch"))
    assert retry == {**retry, "hits": "0", "branch": "true", "condition-coverage": "0% (0/2)"}
    assert lines["4"] == {"number": "4", "hits": "2"}
    assert (root.get("lines-covered"), root.get("lines-valid"), root.get("line-rate")) == ("10", "13", "0.7692")
    assert (root.get("branches-covered"), root.get("branches-valid"), root.get("branch-rate")) == ("0", "2", "0")
    half = {**HAPPY, "retry /States/Do/Retry[0]": 3}
    root = ET.fromstring(cobertura([covered(half)], Path(), 0, "1"))  # noqa: S314  we have just written it
    retry = next(line.attrib for line in root.iter("line") if line.get("branch"))
    assert (retry["hits"], retry["condition-coverage"]) == ("3", "50% (1/2)")


class _Page(HTMLParser):
    """Every element is closed, and nothing is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "img"}
        assert not {name for name, _ in attrs} & {"src", "href"}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    one = covered(name="<m>.json")
    one.add("test_<b>", HAPPY)
    text = html_page([one, covered(name="other.json")])
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert "<m>.json: 71.4 %" in page.texts
    assert "test_<b>" in page.texts
    assert re.search(r'<tr class="missing"><td><code>States.Do.Catch\[0\]</code></td><td>Sorry</td>', text)
    assert ">never taken<" in text
    assert re.search(r'<tr class="taken state"><td><code>States.Do</code></td>.*?>entered 1<', text)


def test_the_page_has_the_graph_with_hit_counts_on_its_edges() -> None:
    one = covered(HAPPY, HAPPY)
    text = html_page([one])
    pictures = re.findall(r"<svg .*?</svg>", text, re.DOTALL)
    assert len(pictures) == 1
    root = ET.fromstring(pictures[0])  # noqa: S314  we have just written it
    classes = {
        one.get("data-state"): str(one.get("class")).split()[-1] for one in root.iter() if one.get("data-state")
    }
    assert classes == {
        "Do": "succeeded",
        "Fork": "succeeded",
        "In": "succeeded",
        "Out": "succeeded",
        "Sorry": "not-reached",
    }
    edges = {
        one.get("data-places"): str(one.get("class"))
        for one in root.iter()
        if str(one.get("class")).startswith("edge")
    }
    assert edges["/States/Do/Next"] == "edge next taken"
    assert edges["/States/Do/Catch[0]"] == "edge catch never"
    counts = [text.text for text in root.iter() if "count" in str(text.get("class"))]
    assert sorted(map(str, counts)) == ["never", "never", f"{TIMES} 2", f"{TIMES} 2"]
    one.text = None
    assert "<svg " not in html_page([one])


def test_the_share_of_a_definition() -> None:
    shares: list[Any] = [share_of(covered()), share_of(covered(HAPPY))]
    assert shares == [(0, 14), (10, 14)]
