"""Aliases: all at once, by weight, promoted, rolled back by hand, by an alarm and by a check.

Against moto's server, and against our own, which has versions that can be listed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.project import machine
from tests.cloud.account import ACCOUNT, REGION, Account
from tests.server.harness import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.project import Project, Result

ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"


@pytest.fixture(params=["moto", "asl serve"], autouse=True)
def endpoint_of_states(
    request: pytest.FixtureRequest, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Who answers for Step Functions; IAM and CloudWatch are moto's."""
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", lambda _seconds: None)
    if request.param == "moto":
        yield "moto"
        return
    with running(tmp_path / "asl.db") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
        account.calls.clear()
        yield "asl serve"


def version(number: int) -> Any:
    return machine(Done={"Type": "Pass", "Result": number})


def deploy(project: Project, number: int, *options: str) -> Result:
    return project.asl("deploy", project.define("m", version(number)), "--alias", "live", *options)


def routes(account: Account) -> dict[str, int]:
    shown = account.client("stepfunctions").describe_state_machine_alias(stateMachineAliasArn=f"{ARN}:live")
    return {
        one["stateMachineVersionArn"].rpartition(":")[2]: one["weight"] for one in shown["routingConfiguration"]
    }


def test_all_at_once(project: Project, account: Account) -> None:
    assert deploy(project, 1).out == f"{ARN}:live\n"
    assert routes(account) == {"1": 100}
    assert deploy(project, 2).code == 0
    assert routes(account) == {"2": 100}
    account.calls.clear()
    assert deploy(project, 2).code == 0
    assert account.written == []


def test_by_weight_then_promoted(project: Project, account: Account) -> None:
    deploy(project, 1)
    result = deploy(project, 2, "--weight", "10")
    assert result.code == 0, result.err
    assert "move the alias live from version 1 (100 %) to version 1 (90 %), version 2 (10 %)" in result.err
    assert routes(account) == {"1": 90, "2": 10}
    account.calls.clear()
    assert deploy(project, 2, "--weight", "10").code == 0
    assert account.written == []
    # The weighted version is replaced by the next one: the rest stays with the proven version.
    deploy(project, 3, "--weight", "30")
    assert routes(account) == {"1": 70, "3": 30}
    assert deploy(project, 3, "--promote").code == 0
    assert routes(account) == {"3": 100}
    assert "already leads there" in deploy(project, 3, "--promote").err


def test_the_first_version_gets_all_whatever_the_weight(project: Project, account: Account) -> None:
    deploy(project, 1, "--weight", "10")
    assert routes(account) == {"1": 100}


def test_watched_then_promoted_in_one_go(project: Project, account: Account) -> None:
    deploy(project, 1)
    result = deploy(project, 2, "--weight", "10", "--check", "exit 0", "--promote")
    assert result.code == 0, result.err
    assert routes(account) == {"2": 100}
    moved = [line for line in result.err.splitlines() if line.startswith("  move the alias")]
    assert [line.rpartition(" to ")[2] for line in moved] == [
        "version 1 (90 %), version 2 (10 %)",
        "version 2 (100 %)",
    ]


def test_rolled_back_by_hand(project: Project, account: Account) -> None:
    deploy(project, 1)
    deploy(project, 2, "--weight", "10")
    assert deploy(project, 2, "--rollback").code == 0
    assert routes(account) == {"1": 100}
    refused = deploy(project, 2, "--rollback")
    assert refused.code == 2
    assert "there is no version before 1 to go back to" in refused.err
    deploy(project, 3)
    assert deploy(project, 3, "--rollback", "--dry-run").code == 0
    assert routes(account) == {"3": 100}
    assert deploy(project, 3, "--rollback").code == 0
    assert routes(account) == {"2": 100}


def test_a_check_that_fails_moves_it_back(project: Project, account: Account) -> None:
    deploy(project, 1)
    result = deploy(project, 2, "--check", 'test "${ASL_VERSION_ARN##*:}" = 1')
    assert result.code == 1
    assert "the check failed (exit code 1): the alias live is back on version 1 (100 %)" in result.err
    assert routes(account) == {"1": 100}
    # The machine itself has been updated: trying again is moving the alias again.
    result = deploy(project, 2, "--check", 'test "${ASL_VERSION_ARN##*:}" = 2')
    assert result.code == 0, result.err
    assert routes(account) == {"2": 100}


def test_a_check_that_fails_moves_a_weighted_alias_back(project: Project, account: Account) -> None:
    deploy(project, 1)
    assert deploy(project, 2, "--weight", "20", "--check", "false").code == 1
    assert routes(account) == {"1": 100}


def test_a_version_that_was_moved_to_before_is_checked_all_the_same(project: Project, account: Account) -> None:
    deploy(project, 1)
    deploy(project, 2)
    result = deploy(project, 2, "--check", "exit 3")
    assert result.code == 1
    assert "(exit code 3): the alias live is back on version 1 (100 %)" in result.err
    assert routes(account) == {"1": 100}


def test_an_alarm_that_goes_off_moves_it_back(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        MetricName="ExecutionsFailed",
        Namespace="AWS/States",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1.0,
        Statistic="Sum",
    )
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")

    deploy(project, 1)
    assert deploy(project, 2, "--alarm", "errors", "--watch", "12").code == 0
    assert routes(account) == {"2": 100}
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", wait)
    result = deploy(project, 3, "--alarm", "errors", "--weight", "25")
    assert result.code == 1
    assert "the alarm errors is in ALARM: the alias live is back on version 2 (100 %)" in result.err
    assert routes(account) == {"2": 100}
    assert waited == [5, 5, 5]
    # An alarm that is off already says nothing about a new version.
    refused = deploy(project, 4, "--alarm", "errors")
    assert refused.code == 2
    assert "is in ALARM before the alias live is moved" in refused.err
    assert routes(account) == {"2": 100}
    missing = deploy(project, 4, "--alarm", "nobody")
    assert missing.code == 2
    assert f"there is no alarm 'nobody' in {REGION}" in missing.err


def test_interrupted_while_it_is_watched_it_goes_back(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    deploy(project, 1)
    monkeypatch.setattr("asl_engine.cloud.deploy.aliases._checked", interrupt)
    result = deploy(project, 2, "--check", "true")
    assert result.code == 130
    assert "run the same command again" in result.err
    assert routes(account) == {"1": 100}


def test_the_definitions_of_all_versions_stay_as_they_were(project: Project, account: Account) -> None:
    for number in (1, 2):
        deploy(project, number)
    client = account.client("stepfunctions")
    for number in (1, 2):
        shown = client.describe_state_machine(stateMachineArn=f"{ARN}:{number}")
        assert json.loads(shown["definition"]) == version(number)


def test_a_machine_without_a_version_gets_one(
    project: Project, account: Account, endpoint_of_states: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by other means, or by a run that was interrupted between two calls."""
    if endpoint_of_states == "moto":
        pytest.skip("it cannot publish")
    states = account.client("stepfunctions")
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    states.create_state_machine(name="m", definition=json.dumps(version(1)), roleArn=role)
    result = deploy(project, 1, "--role", role)
    assert result.code == 0, result.err
    assert "publish a version of m" in result.err
    assert routes(account) == {"1": 100}
    states.update_state_machine(stateMachineArn=ARN, definition=json.dumps(version(2)))

    def meanwhile(*_: Any) -> None:
        states.update_state_machine(stateMachineArn=ARN, definition=json.dumps(version(9)))

    assert deploy(project, 2, "--role", role, "--dry-run").code == 0
    monkeypatch.setattr("asl_engine.cloud.deploy.machines._published", meanwhile)
    refused = deploy(project, 2, "--role", role)
    assert refused.code == 2
    assert "somebody else" in refused.err
    assert routes(account) == {"1": 100}


def test_an_alarm_that_cannot_be_looked_at_moves_it_back(project: Project, account: Account) -> None:
    deploy(project, 1)
    quiet = {"MetricAlarms": [{"AlarmName": "errors", "StateValue": "OK"}]}
    refused = {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}, "ResponseMetadata": {}}
    account.answers["DescribeAlarms"] = [(200, quiet), (200, quiet), (400, refused)]
    result = deploy(project, 2, "--alarm", "errors")
    assert result.code == 2
    assert "cannot look at the alarms" in result.err
    assert routes(account) == {"1": 100}


def test_destroy(project: Project, account: Account) -> None:
    for number in (1, 2):
        deploy(project, number)
    result = project.asl("deploy", "statemachines/m.json", "--destroy", "--yes")
    assert result.code == 0, result.err
    assert account.client("stepfunctions").list_state_machines()["stateMachines"] == []
