"""``asl run --fault``: what goes wrong, and that a resume goes on with it."""

from __future__ import annotations

import json
from signal import SIGINT
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

RETRY = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1}]
DOUBLE = machine(Double=task("double", Retry=RETRY))


def attempts(project: Project, name: str) -> list[str]:
    events = project.asl("history", name, "--json").json["events"]
    return [event["type"] for event in events if event["type"].startswith("LambdaFunction")]


def test_the_second_attempt_succeeds(project: Project) -> None:
    result = project.ran(DOUBLE, "-i", '{"n": 2}', "--fault", "Double:Busy@1", "--time", "skip", name="one")
    assert (result.code, result.out) == (0, '{"n":4}\n'), result.err
    assert "LambdaFunctionFailed" in attempts(project, "one")
    assert "seed" not in result.err


def test_the_seed_is_told_and_repeats_what_happened(project: Project) -> None:
    each = machine(Each={"Type": "Map", "ItemProcessor": machine(One=task("double", Catch=[CATCH]), Hit=HIT)})
    given = ["-i", json.dumps([{"n": 1}] * 12), "--fault", "One:Busy%50", "--time", "skip"]
    first = project.ran(each, *given, name="one")
    told = next(line for line in first.err.splitlines() if line.startswith("seed "))
    seed = told.split()[1].rstrip(":")
    assert told == f"seed {seed}: the faults happen again with --seed {seed}"
    again = project.ran(each, *given, "--seed", seed, name="again")
    assert first.code == again.code == 0
    assert first.out == again.out
    assert {"n": 2} in json.loads(first.out) or "hit" in json.loads(first.out)


CATCH: Any = {"ErrorEquals": ["Busy"], "Next": "Hit"}
HIT: Any = {"Type": "Pass", "Result": "hit"}


def test_a_resume_goes_on_with_the_faults(project: Project) -> None:
    """The second state's fault is that of the execution's options; the first state has interrupted the run."""
    definition = machine(First=task("interrupt", ResultPath=None), Second=task("double", Retry=RETRY))
    definition["States"]["First"].pop("End", None)
    definition["States"]["First"]["Next"] = "Second"
    faults = ["--fault", "Second:Busy@1", "--fault", "Second:Gone@2", "--time", "skip"]
    result = project.ran(definition, "-i", json.dumps({"signal": int(SIGINT)}), *faults, name="one")
    assert result.code == 130, result.err
    (project.root / "tasks" / "callables.py").write_text("def interrupt(event): ...\ndef double(event): ...\n")
    import sys

    for name in [name for name in sys.modules if name.endswith(".callables")]:
        del sys.modules[name]
    resumed = project.asl("resume", "one")
    assert resumed.code == 1
    assert "Gone" in resumed.err
    assert attempts(project, "one").count("LambdaFunctionFailed") == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--fault", "Double"], "--fault Double: expected STATE:ERROR"),
        (["--fault", "Duble:E"], "--fault Duble:E: the machine has no state 'Duble'; did you mean 'Double'"),
        (["--seed", "3"], "--seed decides which faults happen: it goes with --fault"),
    ],
)
def test_refused(project: Project, given: list[str], message: str) -> None:
    result = project.ran(DOUBLE, *given)
    assert result.code == 2
    assert message in result.err
    assert "Traceback" not in result.err
    assert not project.db.exists()
