"""The options of pytest that say where executions run, in a pytest of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.harness import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["pytester"]

NAMED = ["-p", "asl_engine.testing.plugin", "-p", "no:cacheprovider", "-p", "no:cov"]

TESTS = """
import pytest

from asl_engine.errors import AslError
from asl_engine.testing import fails, returns

TASK = {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 1}], "End": True}
ONE = {"StartAt": "A", "States": {"A": TASK}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}


def test_retries(asl):
    called = []
    run = asl(ONE, {"f": [fails("E"), lambda event: called.append(event) or 1]}).run({"n": 1})
    run.assert_succeeded(1).state("A").assert_attempts(2, delays=[1])
    assert called == [{"n": 1}]

def test_fails(asl):
    asl(ONE, {"f": 1}).run().assert_succeeded(2)

def test_needs_time(asl):
    asl(ONE, {"f": returns(1, after="40s")}).run().assert_succeeded()

def test_swallows(asl):
    with pytest.raises(AslError):
        asl(ONE, {"f": returns(1, after="40s")}).run()
        raise AslError("here")

def test_waits(asl):
    asl(WAIT).run().assert_succeeded()

@pytest.fixture
def made_before(asl):
    return asl(ONE, {"f": [fails("E"), 1]})

def test_with_a_workflow_of_a_fixture(made_before):
    made_before.run().assert_succeeded(1)
    made_before.run(tasks={"f": 2}).assert_succeeded(2)
    assert len(made_before.runs) == 2

def test_of_chance(asl):
    chance = {"Type": "Pass", "Parameters": {"n.$": "States.MathRandom(1, 100000)"}, "End": True}
    asl({"StartAt": "P", "States": {"P": chance}}).run().assert_succeeded()
"""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("endpoint") / "asl.db") as server:
        yield f"http://127.0.0.1:{server.port}"


def ran(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    pytester.makepyfile(TESTS)
    return pytester.runpytest_subprocess(*NAMED, *arguments)


def test_here_and_there(pytester: pytest.Pytester, endpoint: str) -> None:
    ran(pytester).assert_outcomes(passed=6, failed=1)
    result = ran(pytester, "--asl-target=endpoint", "--asl-endpoint", endpoint, "-rs")
    result.assert_outcomes(passed=4, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*test_fails*",
            "E*output: $: expected 2, got 1",
            "*SKIPPED*tasks: 'f' answers after a while, and time is not the test's on a target",
        ]
    )


def test_parity_names_the_event_that_differs(pytester: pytest.Pytester, endpoint: str) -> None:
    result = ran(pytester, "--asl-target=endpoint", "--asl-endpoint", endpoint, "--asl-parity", "-k", "not fails")
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*test_of_chance*",
            "the target does otherwise:",
            "run 1 of StateMachine: event 3, PassStateExited of P: output.n is * here, * there",
        ]
    )


def test_a_server_that_takes_its_time(pytester: pytest.Pytester, tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", skip_time=False) as server:
        endpoint = ["--asl-target=endpoint", "--asl-endpoint", f"http://127.0.0.1:{server.port}"]
        result = ran(pytester, *endpoint, "-rs", "-k", "waits or retries")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*waited on the target*",
            "test_a_server_that_takes_its_time.py::test_retries: A waits for 1s there",
            "*SKIPPED*W waits for 1h there, and time is not skipped; a run may take --asl-patience 1m",
        ]
    )


WRONG = {
    "no endpoint": (["--asl-target=endpoint"], "*--asl-target=endpoint: name it with --asl-endpoint URL"),
    "an endpoint for nothing": (["--asl-endpoint", "http://x"], "*--asl-endpoint is for --asl-target=endpoint"),
    "nothing to compare with": (["--asl-parity"], "*--asl-parity and --asl-role are for a target*"),
}


@pytest.mark.parametrize("what", WRONG)
def test_options_that_do_not_go_together(pytester: pytest.Pytester, what: str) -> None:
    arguments, said = WRONG[what]
    result = ran(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


USELESS = {
    "no URL": (["--asl-target=endpoint", "--asl-endpoint", "nowhere"], "*--asl-endpoint nowhere: it is a URL*"),
    "no duration": (
        ["--asl-target=endpoint", "--asl-endpoint", "http://127.0.0.1:1", "--asl-patience", "soon"],
        "*patience: 'soon' is no duration*",
    ),
    "no role": (["--asl-target=aws"], "*AWS needs a role for the state machines: give its ARN with --asl-role*"),
}


@pytest.mark.parametrize("what", USELESS)
def test_a_target_that_cannot_be_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SFN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    arguments, said = USELESS[what]
    result = ran(pytester, *arguments, "-k", "retries")
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines([said])
