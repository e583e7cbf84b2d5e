"""`asl graph`: a state machine as a picture, and an execution on it."""

from __future__ import annotations

import json
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from asl_engine.graph.text import columns
from tests.cli.project import PASS, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

CAUGHT = machine(
    Fail=task("fail", Catch=[{"ErrorEquals": ["OutOfStockError"], "Next": "Sorry"}], Next="Done"),
    Done={"Type": "Succeed"},
    Sorry={"Type": "Succeed"},
)


def test_in_a_terminal(project: Project) -> None:
    result = project.asl("graph", project.define("m", PASS))
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "     ●",
        "     ▼",
        "╭ Pass ───╮",
        "│  Done   │",
        "╰─────────╯",
        "     ▼",
        "     ◉",
    ]


def test_where_the_terminal_is_too_narrow(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = project.define("m", CAUGHT)
    monkeypatch.setenv("COLUMNS", "120")
    assert "╭" in project.asl("graph", definition).out
    monkeypatch.setenv("COLUMNS", "20")
    lines = project.asl("graph", definition).out.splitlines()
    assert lines[0] == "Fail  Task fail"
    assert "  catch OutOfStockError → Sorry" in lines


@pytest.mark.parametrize(
    ("name", "begins"),
    [("m.svg", "<svg "), ("m.mmd", "flowchart TD"), ("m.dot", 'digraph "m" {'), ("m.txt", " "), ("m", " ")],
)
def test_the_ending_says_the_format(project: Project, name: str, begins: str) -> None:
    result = project.asl("graph", project.define("m", PASS), "--output", name)
    assert (result.code, result.out, result.err) == (0, "", "")
    assert (project.root / name).read_text(encoding="utf-8").startswith(begins)


@pytest.mark.parametrize(("form", "begins"), [("svg", "<svg "), ("mermaid", "flowchart"), ("dot", "digraph")])
def test_to_the_standard_output(project: Project, form: str, begins: str) -> None:
    drawn = project.asl("graph", project.define("m", PASS), "--format", form).out
    assert drawn.startswith(begins)
    assert project.asl("graph", "statemachines/m.json", "--format", form, "--output", "-").out == drawn
    assert not (project.root / "-").exists()


def classes(text: str) -> dict[str | None, str | None]:
    root = ET.fromstring(text)  # noqa: S314  our own
    return {one.get("data-state"): one.get("class") for one in root.iter() if one.get("data-state")}


def test_an_execution_is_overlaid(project: Project) -> None:
    project.ran(CAUGHT)
    shown = project.asl("graph", "statemachines/m.json", "--execution", "one", "--format", "svg")
    assert classes(shown.out) == {
        "Fail": "node type-Task caught",
        "Done": "node type-Succeed not-reached",
        "Sorry": "node type-Succeed succeeded",
    }
    assert project.asl("graph", "--execution", "one", "--format", "svg").out == shown.out
    text = project.asl("graph", "--execution", "one").out
    assert "! OutOfStockError" in text
    assert "✓" in text


def test_an_execution_of_another_text(project: Project) -> None:
    project.ran(CAUGHT)
    result = project.asl("graph", project.define("m", PASS), "--execution", "one")
    assert result.code == 2
    assert "one ran another text of statemachines/m.json: leave the DEFINITION out" in result.err
    assert "Sorry" in project.asl("graph", "--execution", "one").out


def distributed(items: int) -> dict[str, Any]:
    processor = machine(Item=task("double", Retry=[{"ErrorEquals": ["E"]}]))
    config = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    selector = {"ItemSelector": {"n": items}}
    return machine(Each={"Type": "Map", "Label": "each", "ItemProcessor": {**processor, **config}, **selector})


def test_children_of_a_map_run(project: Project) -> None:
    """The parent shows them together, and each by itself shows the item processor only."""
    project.ran(distributed(3), "-i", "[1, 2, 3]")
    shown = project.asl("graph", "--execution", "one", "--format", "svg").out
    assert classes(shown) == {"Each": "node type-Map box succeeded", "Item": "node type-Task succeeded"}
    assert "✓ 3 succeeded" in shown
    found = [line.split()[1] for line in project.asl("history", "one").out.splitlines() if "child" in line]
    assert len(found) == 3
    child = project.asl("graph", "--execution", found[0], "--format", "svg").out
    assert list(classes(child)) == ["Item"]
    for form in ("svg", "text"):
        assert "each item" not in project.asl("graph", "--execution", found[0], "--format", form).out
    for view in ("timeline", "history"):
        assert "✓ Item" in project.asl(view, found[0]).out
    assert project.asl("open", found[0], "--html", "child.html").code == 0
    page = project.asl("open", found[0], "--html", "-")
    assert (page.code, page.err) == (0, "0 values were redacted\n")
    assert page.out == (project.root / "child.html").read_text(encoding="utf-8")
    assert not (project.root / "-").exists()


def test_children_that_are_left_out_are_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.views.account.MANY_CHILDREN", 2)
    project.ran(distributed(3), "-i", "[1, 2, 3, 4, 5]")
    result = project.asl("graph", "--execution", "one")
    assert result.err == "asl: of the children of Each, 3 are not counted\n"


def test_a_placeholder_without_a_value_is_drawn(project: Project) -> None:
    definition = project.define("m", machine(T={"Type": "Task", "Resource": "${Function}"}))
    assert project.asl("graph", definition, "--format", "svg").code == 0
    filled = project.asl(
        "graph", definition, "--format", "dot", "--substitute", "Function=arn:aws:lambda:r:1:function:f"
    )
    assert "Task · f" in filled.out


def test_from_the_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(json.dumps(PASS).encode())))
    assert "Done" in project.asl("graph", "-").out


BAD: dict[str, tuple[list[str], str]] = {
    "nothing to draw": (["graph"], "give a DEFINITION to draw, or an execution with --execution"),
    "no such file": (["graph", "nowhere.json"], "nowhere.json"),
    "no such format": (
        ["graph", "statemachines/m.json", "--format", "png"],
        "--format png: it is text, svg, mermaid, dot",
    ),
    "an ending that is no format": (
        ["graph", "statemachines/m.json", "-o", "m.png"],
        "--output m.png: its ending is none of .svg, .mmd, .mermaid, .dot, .gv, .txt: name a format with --format",
    ),
    "a folder as the output": (["graph", "statemachines/m.json", "-o", "tasks"], "cannot write tasks: "),
    "a target that does not exist": (
        ["graph", "statemachines/broken.json"],
        "statemachines/broken.json:1:51: /States/A/Next: Missing 'Next' target: Nowhere",
    ),
    "no such execution": (["graph", "--execution", "nope"], "there is no execution 'nope'"),
    "no such execution for a timeline": (["timeline", "nope"], "there is no execution 'nope'"),
    "no such execution for a page": (["open", "nope", "--html", "x.html"], "there is no execution 'nope'"),
    "a machine's ARN": (
        ["timeline", "arn:aws:states:us-east-1:123456789012:stateMachine:m"],
        "is the ARN of a state machine, not of an execution",
    ),
    "no pattern": (
        ["open", "one", "--html", "x.html", "--redact", "("],
        "--redact (: it is no regular",
    ),
    "no such folder": (["open", "one", "--html", "no/x.html"], "cannot write no/x.html: "),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input(project: Project, arguments: list[str], message: str) -> None:
    project.ran(PASS)
    project.define("broken", {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}})
    result = project.asl(*arguments)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err


def test_timeline(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    retried = task("flaky", Retry=[{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 10}])
    project.ran(machine(F=retried), "--time", "skip")
    lines = project.asl("timeline", "one").out.splitlines()
    assert lines[0].startswith("m  one  SUCCEEDED in 30.")
    assert lines[2].count("/") > 30
    assert columns(lines[2]) <= 60
    told = project.asl("timeline", "one", "--json").json
    assert [bar["kind"] for bar in told["rows"][0]["bars"]] == ["failed", "backoff", "failed", "backoff", "work"]


def test_an_execution_that_is_interrupted_says_so(project: Project) -> None:
    given = {"signal": 9}
    process = project.spawn(
        "run", project.define("m", machine(I=task("interrupt"))), "--name", "one", "-i", json.dumps(given)
    )
    process.communicate()
    for view in ("timeline", "history"):
        result = project.asl(view, "one")
        assert (result.code, result.err) == (0, "interrupted: asl resume one\n")
        assert "RUNNING for" in result.out
    assert project.asl("open", "one", "--html", "one.html").code == 0


def test_a_page(project: Project) -> None:
    project.ran(CAUGHT, "-i", '{"password": "p", "customer": "Ada"}')
    result = project.asl("open", "one", "--html", "one.html", "--redact", "customer")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("wrote one.html: ")
    text = (project.root / "one.html").read_text(encoding="utf-8")
    assert "Ada" not in text
    assert "OutOfStockError" in text


def test_a_page_in_the_browser(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def show(url: str) -> bool:
        shown.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    project.ran(PASS)
    result = project.asl("open", "one")
    (url,) = shown
    assert url.startswith("file://")
    assert url.endswith(result.out.strip().rpartition("/")[2])
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    refused = project.asl("open", "one")
    assert (refused.code, "write the page to a file with --html FILE" in refused.err) == (2, True)
