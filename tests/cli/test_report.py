"""How a failure is told: the message, where it was raised, and what it was caused by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.report import failure_lines
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

TASKS = """
def look_up(event):
    return {}["12C"]


def find_seat(event):
    try:
        look_up(event)
    except KeyError as error:
        raise ValueError("no such seat") from error
"""


def test_a_failure_names_task_state_place_and_cause(project: Project) -> None:
    file = project.root / "tasks" / "callables.py"
    file.write_text(TASKS, encoding="utf-8")
    ran = project.ran(machine(Find=task("findSeat")), "--quiet")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "ValueError: no such seat",
        f'    File "{file}", line 10, in find_seat',
        '      raise ValueError("no such seat") from error',
        f"    the task findSeat ({file}:6) of the state Find",
        "    caused by KeyError: '12C'",
        f'    File "{file}", line 3, in look_up',
        '      return {}["12C"]',
    ]


FRAMES = ['  File "a.py", line 1, in f\n    g()\n', '  File "a.py", line 2, in g\n    h()\n']


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        (FRAMES, ['    File "a.py", line 2, in g', "      h()"]),  # as Lambda reports
        ([*FRAMES, "  a word\n"], ['    File "a.py", line 2, in g', "      h()", "    a word"]),
        (["  a word\n"], ["    a word"]),
        ([], []),
        ([1], []),
        ("text", []),
    ],
)
def test_of_each_stack_trace_the_last_frame_is_told(trace: Any, told: list[str]) -> None:
    cause = json.dumps({"errorMessage": "no", "errorType": "E", "stackTrace": trace})
    assert failure_lines("E", cause) == ["E: no", *told]
