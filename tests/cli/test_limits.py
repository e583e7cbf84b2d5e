"""--limit and --time, where they are given, and what is kept of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.project import PASS, machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

DOUBLED = machine(A=task("double"))
WAIT = machine(W={"Type": "Wait", "Seconds": 3600})


def test_a_limit_for_one_run(project: Project) -> None:
    failed = project.ran(DOUBLED, "-i", '{"n": 1}', "--limit", "history_events=6")
    assert (failed.code, failed.out) == (1, "")
    assert "maximum number of history events (6)" in failed.err
    assert project.ran(DOUBLED, "-i", '{"n": 1}', "--limit", "history_events=7", name="two").code == 0
    assert project.asl("replay", "one").code == 0  # by the limits that it ran with
    refused = project.asl("redrive", "one")
    assert (refused.code, "maximum history event limit" in refused.err) == (2, True)


def test_a_limit_that_is_off(project: Project) -> None:
    large = project.root / "large.json"
    large.write_text(json.dumps("x" * 300_000))
    refused = project.ran(PASS, "-i", "large.json")
    assert (refused.code, "--limit payload_bytes=none" in refused.err) == (2, True)
    assert project.ran(PASS, "-i", "large.json", "--limit", "payload_bytes=none").code == 0
    assert project.ran(PASS, "-i", "large.json", "--no-aws-limits", name="two").code == 0
    again = ("--no-aws-limits", "--limit", "payload_bytes=262144")
    assert project.ran(PASS, "-i", "large.json", *again, name="three").code == 2


def test_the_limits_of_a_project(project: Project) -> None:
    (project.root / "asl.toml").write_text('limits = { history-events = 6, name_length = "none" }\n')
    assert project.ran(DOUBLED, "-i", '{"n": 1}', name="n" * 81).code == 1
    assert project.ran(DOUBLED, "-i", '{"n": 1}', "--limit", "history_events=none").code == 0
    (project.root / "asl.toml").write_text("limits = { history = 6 }\n")
    refused = project.ran(DOUBLED, name="two")
    assert (refused.code, refused.err.count("asl.toml: limits: history: there is no such limit")) == (2, 1)
    (project.root / "asl.toml").write_text("limits = 6\n")
    assert "limits has to be a table" in project.ran(DOUBLED, name="two").err


def test_a_definition_that_was_accepted_once(project: Project) -> None:
    """Without limits; what shows, replays and redrives it later does not refuse it."""
    long_name = machine(**{"n" * 90: {"Type": "Fail"}})
    assert project.ran(long_name).code == 2
    assert project.ran(long_name, "--limit", "name_length=none").code == 1
    assert project.asl("replay", "one").code == 0
    assert project.asl("redrive", "one").code == 1


def test_a_scaled_time(project: Project) -> None:
    done = project.ran(WAIT, "--time", "scale=0.00001")
    assert done.code == 0
    shown = project.asl("show", "one", "--json").json
    assert shown["stopDate"] > shown["startDate"]
    assert "1 h" in done.err or "3600" in done.err or "60 min" in done.err


def test_resume_with_another_time(project: Project) -> None:
    waiting = machine(I=task("interrupt", ResultPath=None), W={"Type": "Wait", "Seconds": 3600})
    assert project.ran(waiting, "-i", '{"signal": 2}').code == 130
    (project.root / "tasks" / "callables.py").write_text("def interrupt(event):\n    return 1\n")
    import sys

    for name in [name for name in sys.modules if name.endswith(".callables")]:
        del sys.modules[name]
    assert project.asl("resume", "one", "--time", "never").code == 2
    assert project.asl("resume", "one", "--time", "skip").code == 0
