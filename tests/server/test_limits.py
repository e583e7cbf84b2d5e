"""AWS's limits at the API: as they are, set otherwise, and off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits
from asl_engine.store.sqlite.store import SqliteStore
from tests.server.harness import PASS, WAIT, created, ended, ran, refusal, running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("bytes_", "fits"), [(262_143, True), (262_144, True), (262_145, False)])
def test_the_input_of_an_execution(client: Any, name: str, bytes_: int, fits: bool) -> None:
    machine = created(client, PASS, name=name)
    # A character of two bytes, so that the text has fewer characters than bytes.
    text = json.dumps("ü" + "x" * (bytes_ - 4), ensure_ascii=False)
    if fits:
        client.start_execution(stateMachineArn=machine, input=text)
    else:
        told = (
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length"
        )
        expected = ("ValidationException", f"{told} less than or equal to 262144")
        assert refusal(client.start_execution, stateMachineArn=machine, input=text) == expected


def test_what_is_longer_than_aws_allows_where_it_may_be(tmp_path: Path) -> None:
    long_name = {"StartAt": "n" * 100, "States": {"n" * 100: {"Type": "Pass", "End": True}}}
    padded = {**PASS, "Comment": "x" * 1_100_000}
    with running(tmp_path / "asl.db") as server:
        client = server.client()
        for definition in (long_name, padded):
            code, _ = refusal(
                client.create_state_machine, name="m", definition=json.dumps(definition), roleArn="arn:x"
            )
            assert code in {"InvalidDefinition", "ValidationException"}
    with running(tmp_path / "free.db", limits=NO_LIMITS) as server:
        client = server.client()
        assert ran(client, long_name, name="n" * 90)["status"] == "SUCCEEDED"
        machine = created(client, PASS, name="m")
        started = client.start_execution(stateMachineArn=machine, name="e" * 90, input=json.dumps("x" * 300_000))
        assert len(ended(client, started["executionArn"])["output"]) == 300_002
        waiting = client.start_execution(stateMachineArn=machine, name="w")["executionArn"]
        client.stop_execution(executionArn=waiting, error="E" * 300, cause="C" * 40_000)
    with running(tmp_path / "free.db") as server:  # what has been accepted stays so
        arn = started["executionArn"]
        assert server.client().describe_execution(executionArn=arn)["status"] == "SUCCEEDED"


def test_how_many_executions_may_be_open(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", skip_time=False, limits=Limits(open_executions=2)) as server:
        client = server.client()
        machine = created(client, WAIT)
        arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(2)]
        assert refusal(client.start_execution, stateMachineArn=machine)[0] == "ExecutionLimitExceeded"
        client.stop_execution(executionArn=arns[0])
        client.start_execution(stateMachineArn=machine)
        assert refusal(client.redrive_execution, executionArn=arns[0])[0] == "ExecutionLimitExceeded"


def test_an_express_execution_ends_after_five_minutes(tmp_path: Path) -> None:
    for limits, status in ((AWS_LIMITS, "TIMED_OUT"), (Limits(express_seconds=None), "SUCCEEDED")):
        with running(tmp_path / f"{status}.db", limits=limits) as server:
            client = server.client()
            machine = created(client, WAIT, type="EXPRESS")
            assert client.start_sync_execution(stateMachineArn=machine)["status"] == status


def test_the_limits_are_kept_with_the_execution(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", limits=Limits(history_events=10)) as server:
        arn = ran(server.client(), PASS)["executionArn"]

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        record = await store.record(arn)
        await store.close()
        assert record is not None
        assert record.options.limits == AWS_LIMITS._replace(history_events=10)

    anyio.run(main)


IN_JSONATA = {"Type": "Pass", "Output": {"a": "{% $states.input %}"}, "Next": "B"}
AGAIN = {"Type": "Choice", "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "C"}], "Default": "A"}
NESTING: dict[str, dict[str, Any]] = {
    "a template": {"Type": "Pass", "Parameters": {"a.$": "$"}, "Next": "B"},
    "JSONata": IN_JSONATA | {"QueryLanguage": "JSONata"},
    "variables": {"Type": "Pass", "Assign": {"v.$": "$"}, "Parameters": {"a.$": "$"}, "Next": "B"},
}


@pytest.mark.parametrize("state", NESTING.values(), ids=NESTING)
def test_a_value_that_is_nested_ever_deeper(client: Any, name: str, state: dict[str, Any]) -> None:
    shown = ran(client, {"StartAt": "A", "States": {"A": state, "B": AGAIN, "C": {"Type": "Succeed"}}}, name=name)
    assert (shown["status"], shown["error"]) == ("FAILED", "States.Runtime")
    assert "more than 500 levels" in shown["cause"]
    assert client.get_execution_history(executionArn=shown["executionArn"])["events"]


@pytest.mark.parametrize(("levels", "fits"), [(500, True), (501, False), (800, False)])
def test_how_deep_an_input_may_be(client: Any, name: str, levels: int, fits: bool) -> None:
    given = "[" * levels + "]" * levels
    machine = created(client, PASS, name=name)
    if fits:
        arn = client.start_execution(stateMachineArn=machine, name="e", input=given)["executionArn"]
        assert ended(client, arn)["output"] == given
    else:
        assert refusal(client.start_execution, stateMachineArn=machine, input=given)[0] == "InvalidExecutionInput"
