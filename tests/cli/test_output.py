"""Texts for people: durations, tables, progress."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli import output, progress
from asl_engine.cli.output import clean, err, out, plain_lines, seconds, short_name, style_of, table
from asl_engine.core.stimuli import ClockSetReported, TimerReported
from asl_engine.projections.moments import iso, utc
from tests.cli.project import PASS, SUM, machine, task
from tests.core.driver import NOW
from tests.core.steps import Steps, scope, wait

if TYPE_CHECKING:
    from tests.cli.project import Project


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


DURATIONS = {
    -1: "0.00 s",
    0: "0.00 s",
    50: "0.05 s",
    9_994: "9.99 s",
    9_996: "10.0 s",
    59_949: "59.9 s",
    59_960: "1 min 0 s",
    247_000: "4 min 7 s",
    3_600_000: "1 h 0 min",
    86_400_000: "1 d 0 h",
    190_800_000: "2 d 5 h",
}


@pytest.mark.parametrize(("milliseconds", "text"), DURATIONS.items())
def test_durations(milliseconds: int, text: str) -> None:
    assert seconds(milliseconds) == text


def test_moments() -> None:
    assert iso(1_700_000_000_007) == "2023-11-14T22:13:20.007000+00:00"
    assert utc(1_700_000_000_007) == "2023-11-14 22:13:20.007"


def test_names() -> None:
    assert short_name("3f9a1c2e-0000-4000-8000-000000000000") == "3f9a1c2e"
    assert short_name("order-2024-01-31") == "order-2024-01-31"


def test_nothing_commands_the_terminal() -> None:
    assert clean("plain ü") == "plain ü"
    assert clean("\x1b[2Jgone\nnext") == "\\x1b[2Jgone\\nnext"


def test_plain_tables() -> None:
    assert plain_lines(("a", "long name"), [["1", "x"], ["222", ""]]) == ["a    long name", "1    x", "222"]


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    table(("id", "status"), [["1", "[bold]FAILED[/bold]"], ["2", "FAILED"]])
    assert "[bold]FAILED[/bold]" in terminal.getvalue()  # what is in a cell is not markup


STYLES = {
    "SUCCEEDED": "green",
    "FAILED": "red",
    "LambdaFunctionFailed": "red",
    "TaskTimedOut": "red",
    "Failed to": "",
}


@pytest.mark.parametrize(("cell", "style"), STYLES.items())
def test_styles(cell: str, style: str) -> None:
    assert style_of(cell) == style


def test_closed_streams_are_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    out("nobody hears this")
    output.flush()
    err("nor this")


def test_output_for_a_terminal_is_indented(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    project.ran(PASS, "-i", '{"a":1}', "-q")
    assert terminal.getvalue() == '{\n  "a": 1\n}\n'


# -- progress -----------------------------------------------------------------------------------------

RETRY = [{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 1, "BackoffRate": 1}]


def watched(project: Project, monkeypatch: pytest.MonkeyPatch, definition: object, *arguments: str) -> list[str]:
    """What a terminal gets to see, without the time at the beginning of each line."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    project.ran(definition, *arguments)
    return [" ".join(line.split()[2:]) for line in terminal.getvalue().splitlines()]


def test_progress_says_what_happens(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    definition = machine(
        Flaky=task("flaky", Retry=RETRY), Rest={"Type": "Wait", "Seconds": 5}, Late=task("fail", TimeoutSeconds=9)
    )
    lines = watched(project, monkeypatch, definition, "--time", "skip")
    expected = [
        "Flaky entered (Task)",
        "Flaky calls flaky",
        "Flaky failed: OutOfStockError: attempt 0",
        "Flaky retry in 1.00 s",
        "Flaky calls flaky, retry 1",
        "Flaky failed: OutOfStockError: attempt 1",
        "Flaky retry in 1.00 s",
        "Flaky calls flaky, retry 2",
        "Flaky done, next is Rest",
        "Rest entered (Wait)",
        "Rest waits for 5.00 s",
        "Rest done, next is Late",
        "Late entered (Task)",
        "Late calls fail",
        "Late failed: OutOfStockError: nothing left",
    ]
    assert lines[: len(expected)] == expected


def test_progress_counts_down(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.cli.signals.PROGRESS_SECONDS", 0.01)
    definition = machine(
        Flaky=task(
            "flaky",
            Retry=[{**RETRY[0], "MaxAttempts": 1}],
            Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Rest"}],
        ),
        Rest={"Type": "Wait", "Seconds": 1},
        Late=task("never", TimeoutSeconds=1),
    )
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    project.ran(definition)
    drawn = terminal.getvalue()
    for said in (
        "Flaky  retry in 0.",
        "Rest  waits for 0.",
        "Late  running, 0.",
        "Late                      failed: States.Timeout",
    ):
        assert said in drawn


@pytest.mark.parametrize("silent", ["-q", "--json"])
def test_no_progress_where_it_is_not_wanted(
    project: Project, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    assert "Double entered (Task)" not in watched(project, monkeypatch, SUM, "-i", '{"n": 1}', silent)


def test_progress_of_a_resumed_run_knows_the_state(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    import json
    from signal import SIGINT

    definition = machine(Again=task("interrupt", TimeoutSeconds=60))
    project.ran(definition, "-i", json.dumps({"signal": int(SIGINT)}))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    project.asl("resume", "one")
    assert "Again                     calls again what had been interrupted" in terminal.getvalue()


def test_a_task_that_has_not_started_is_not_waited_for() -> None:
    from asl_engine.core.execution import Frame, OpenTask
    from asl_engine.payload import Payload

    scheduled = OpenTask(1, Frame(0, Payload({})), "arn", Payload({}), 0, None, None)
    assert progress._waiting(scheduled, 0) == ""
    scheduled.started = True
    assert progress._waiting(scheduled, 0).endswith("  running")


def test_progress_tells_that_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    steps = Steps(scope(A=wait(60, Next="B"), B=wait(5)))
    run: Any = SimpleNamespace(execution=steps.execution)
    told = progress.Progress()
    told.observe(run, steps.log)
    told.observe(run, steps.take(ClockSetReported(NOW - 3_590_000, -3_600_000)))
    told.observe(run, steps.take(TimerReported(NOW - 3_540_000, next(iter(steps.execution.open)))))
    told.observe(run, steps.take(ClockSetReported(NOW + 60_000, 3_600_000)))
    assert [" ".join(line.split()) for line in terminal.getvalue().splitlines()] == [
        "0.00 s A entered (Wait)",
        "0.00 s A waits for 1 min 0 s",
        "10.0 s A the clock was set back by 1 h 0 min",
        "1 min 0 s A done, next is B",
        "1 min 0 s B entered (Wait)",
        "1 min 0 s B waits for 5.00 s",
        "1 min 0 s B the clock was set forward by 1 h 0 min",
    ]
