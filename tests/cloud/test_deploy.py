"""``asl deploy`` against moto's server: create, update, unchanged, conflicts, interruptions, destroy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cloud.deploy.deployment import deploy
from asl_engine.cloud.deploy.machines import converge
from tests.cli.project import PASS, machine, task
from tests.cloud.account import ACCOUNT, REGION, REQUEST_ID, Account, Interruption, where_to_interrupt

if TYPE_CHECKING:
    from tests.cli.project import Project

ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"
TWO = machine(Double=task("double"), Done={"Type": "Pass"})


def deployed(account: Account, arn: str = ARN) -> Any:
    return account.client("stepfunctions").describe_state_machine(stateMachineArn=arn)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing sleeps."""
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", lambda _seconds: None)


# -- create, update, unchanged ------------------------------------------------------------------------


def test_from_nothing(project: Project, account: Account) -> None:
    text = '{\n\t"StartAt": "Done", "States":\n  {"Done": {"Type": "Pass",   "End": true}} }\n'
    result = project.asl("deploy", project.define("m", text))
    assert (result.code, result.out) == (0, f"{ARN}\n"), result.err
    shown = deployed(account)
    assert shown["definition"] == text
    assert shown["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/asl-m-{REGION}"
    assert [line for line in result.err.splitlines() if line.startswith("create")] == [
        f"create the role asl-m-{REGION}",
        "create the state machine m",
    ]
    tags = account.client("stepfunctions").list_tags_for_resource(resourceArn=ARN)["tags"]
    assert {tag["key"]: tag["value"] for tag in tags} == {
        "asl-engine:project": "project",
        "asl-engine:machine": "m",
    }


def test_unchanged_makes_no_call_that_writes(project: Project, account: Account) -> None:
    path = project.define("m", TWO)
    assert project.asl("deploy", path, "--alias", "live").code == 0
    account.calls.clear()
    result = project.asl("deploy", path, "--alias", "live")
    assert (result.code, result.out) == (0, f"{ARN}:live\n")
    assert account.written == []
    assert result.err == f"m: nothing to change in {REGION}, account {ACCOUNT}, at {account.url}\n"


def test_an_update_shows_what_is_different(project: Project, account: Account) -> None:
    project.asl("deploy", project.define("m", PASS))
    changed = machine(Done={"Type": "Pass", "Result": 7})
    result = project.asl("deploy", project.define("m", changed), "--json")
    assert result.json["stateMachineVersionArn"] == f"{ARN}:2"
    assert result.json["changes"] == ["update the state machine m"]
    assert json.loads(deployed(account)["definition"]) == changed
    assert '+      "Result": 7,' in result.err.splitlines()


def test_a_text_that_only_looks_different_is_deployed_to_the_letter(project: Project, account: Account) -> None:
    project.asl("deploy", project.define("m", PASS))
    result = project.asl("deploy", project.define("m", json.dumps(PASS, indent=7)))
    assert "definition: the same values, written in another way" in result.err
    assert deployed(account)["definition"] == json.dumps(PASS, indent=7)


def test_a_dry_run_writes_nothing_and_says_everything(project: Project, account: Account) -> None:
    result = project.asl("deploy", project.define("m", TWO), "--dry-run", "--alias", "live")
    assert result.code == 0
    assert account.written == []
    assert result.out.splitlines()[0] == f"create the role asl-m-{REGION}"
    policy = result.out[result.out.index("{") : result.out.rindex("}") + 1]
    assert json.loads(policy)["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:double"],
        }
    ]
    assert result.out.splitlines()[-2:] == ["create the state machine m", "move the alias live to the new version"]


def test_region_account_and_substitutions_are_filled_in(project: Project, account: Account) -> None:
    text = (
        '{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,\n'
        '"Resource": "arn:aws:lambda:region:account:function:double", "Comment": "for ${Stage}"}}}'
    )
    result = project.asl("deploy", project.define("m", text), "--substitute", "Stage=test")
    assert result.code == 0, result.err
    expected = text.replace("${Stage}", "test").replace("region:account", f"{REGION}:{ACCOUNT}")
    assert deployed(account)["definition"] == expected


def test_a_role_of_one_s_own_is_left_alone(project: Project, account: Account) -> None:
    role = "arn:aws:iam::123456789012:role/mine"
    assert project.asl("deploy", project.define("m", PASS), "--role", role).code == 0
    assert deployed(account)["roleArn"] == role
    assert not [call for call in account.calls if call.startswith("iam.")]


def test_express_logging_and_tracing(project: Project, account: Account) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/vendedlogs/states/m"
    (project.root / "asl.toml").write_text(
        f'[deploy]\ntype = "EXPRESS"\ntracing = true\n[deploy.logging]\nlevel = "ALL"\ngroup = "{group}"\n'
    )
    path = project.define("m", PASS)
    assert project.asl("deploy", path).code == 0
    shown = deployed(account)
    assert shown["type"] == "EXPRESS"
    assert shown["tracingConfiguration"] == {"enabled": True}
    log = {"level": "ALL", "includeExecutionData": False}
    assert shown["loggingConfiguration"] == log | {
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": f"{group}:*"}}]
    }
    policy = account.state()["roles"][f"asl-m-{REGION}"]["asl-engine"]
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {"logs:CreateLogDelivery", "xray:PutTraceSegments"} <= actions
    account.calls.clear()
    assert project.asl("deploy", path).code == 0
    assert account.written == []
    refused = project.asl("deploy", path, "--type", "STANDARD")
    assert refused.code == 2
    assert "the state machine m is EXPRESS, which cannot be changed to STANDARD" in refused.err


# -- interrupted, and changed by others ---------------------------------------------------------------


def test_interrupted_after_any_call_a_second_run_comes_to_the_same_end(project: Project, account: Account) -> None:
    first, second = project.define("m", TWO), project.define("n", machine(Done={"Type": "Pass"}))
    assert project.asl("deploy", first, "--alias", "live").code == 0
    creating, account.calls = account.calls, []
    assert project.asl("deploy", second, "--name", "m", "--alias", "live").code == 0
    updating = account.calls
    wanted = account.state()
    steps = [(True, step) for step in where_to_interrupt(creating)]
    steps += [(False, step) for step in where_to_interrupt(updating)]
    for creates, step in steps:
        account.reset()
        if not creates:
            assert project.asl("deploy", first, "--alias", "live").code == 0
            account.calls.clear()
        path = first if creates else second
        account.fail_after = step
        with pytest.raises(Interruption):
            project.asl("deploy", path, "--name", "m", "--alias", "live")
        account.fail_after = None
        for again in (first, second) if creates else (second,):
            result = project.asl("deploy", again, "--name", "m", "--alias", "live")
            assert result.code == 0, (creates, step, result.err)
        assert account.state() == wanted, (creates, step)


def test_a_change_by_somebody_else_in_between_is_not_overwritten(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.asl("deploy", project.define("m", PASS))
    theirs = json.dumps(machine(Theirs={"Type": "Succeed"}))

    def meanwhile(aws: Any, order: Any, changes: Any, seen: Any = None) -> Any:
        if changes.apply:
            account.client("stepfunctions").update_state_machine(stateMachineArn=ARN, definition=theirs)
        return deploy(aws, order, changes, seen)

    monkeypatch.setattr("asl_engine.cli.commands.deploy.deploy", meanwhile)
    result = project.asl("deploy", project.define("m", TWO))
    assert result.code == 2
    assert "has been changed by somebody else" in result.err
    assert deployed(account)["definition"] == theirs


# -- what AWS takes its time for, and what it refuses ---------------------------------------------------


def test_a_new_role_is_waited_for(project: Project, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", waited.append)
    words = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to "
    account.refuse("CreateStateMachine", "AccessDeniedException", f"{words}assume the provided role.", times=3)
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 0, result.err
    assert waited == [1, 2, 3]
    assert result.err.count("waiting until AWS knows the role everywhere") == 3
    account.refuse("UpdateStateMachine", "AccessDeniedException", f"{words}assume the provided role.", times=99)
    refused = project.asl("deploy", project.define("m", TWO))
    assert refused.code == 2
    assert "cannot update the state machine m: AccessDeniedException" in refused.err
    assert f"(AWS request id {REQUEST_ID})" in refused.err
    assert 30 < sum(waited) < 120


def test_another_refusal_is_not_waited_for(project: Project, account: Account) -> None:
    account.refuse("CreateStateMachine", "AccessDeniedException", "User: x is not authorized to perform", times=1)
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "the credentials do not permit this call" in result.err
    assert project.asl("deploy", project.define("m", PASS)).code == 0


def test_a_definition_that_aws_refuses(project: Project, account: Account) -> None:
    diagnostic = {
        "severity": "ERROR",
        "code": "SCHEMA_VALIDATION_FAILED",
        "message": "No.",
        "location": "/States/A",
    }
    answer = {"result": "FAIL", "diagnostics": [diagnostic], "ResponseMetadata": {"RequestId": REQUEST_ID}}
    account.answers["ValidateStateMachineDefinition"] = [(200, answer)]
    path = project.define("m", PASS)
    result = project.asl("deploy", path)
    assert result.code == 2
    assert f"{path}: /States/A: No. [SCHEMA_VALIDATION_FAILED]" in result.err
    assert f"(AWS request id {REQUEST_ID})" in result.err
    assert account.written == []
    account.refuse("CreateStateMachine", "InvalidDefinition", "Invalid State Machine Definition: 'x'")
    result = project.asl("deploy", path)
    assert result.code == 2
    assert "AWS refuses the definition" in result.err


def test_what_is_live_later_is_waited_for(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", waited.append)
    project.asl("deploy", project.define("m", PASS))
    states = account.client("stepfunctions")

    def stale(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            states.update_state_machine(stateMachineArn=ARN, definition=json.dumps(TWO))

    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", stale)
    old = states.describe_state_machine(stateMachineArn=ARN)
    before = len([call for call in account.calls if call.endswith("DescribeStateMachine")])
    assert before
    # What the first looks after the update see is the machine as it was.

    def slow(*arguments: Any, **more: Any) -> Any:
        version = converge(*arguments, **more)
        if version is not None:
            account.answers["DescribeStateMachine"] = [(200, old), (200, old)]
        return version

    monkeypatch.setattr("asl_engine.cloud.deploy.deployment.converge", slow)
    result = project.asl("deploy", project.define("m", TWO))
    assert result.code == 0, result.err
    assert waited == [0.5, 1]


def test_a_machine_that_is_being_deleted(project: Project, account: Account) -> None:
    path = project.define("m", PASS)
    project.asl("deploy", path)
    shown = account.client("stepfunctions").describe_state_machine(stateMachineArn=ARN)
    account.answers["DescribeStateMachine"] = [(200, shown | {"status": "DELETING"})] * 9
    result = project.asl("deploy", path)
    assert result.code == 2
    assert "the state machine m is being deleted: run the command again when it is gone" in result.err


def test_a_change_while_a_version_is_published(project: Project, account: Account) -> None:
    """The machine is as wanted, but has no version: one is published of the revision that was looked at."""
    states = account.client("stepfunctions")
    role = f"arn:aws:iam::{ACCOUNT}:role/r"
    states.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=role)
    account.refuse("PublishStateMachineVersion", "ConflictException", "The revision has changed")
    result = project.asl("deploy", project.define("m", PASS), "--role", role)
    assert result.code == 2
    assert "somebody else is changing it at this moment" in result.err


def test_what_an_alias_still_leads_to_stays_allowed(project: Project, account: Account) -> None:
    """Half of the executions go on invoking what only the version before names."""

    def allowed() -> set[str]:
        statements = account.state()["roles"][f"asl-m-{REGION}"]["asl-engine"]["Statement"]
        return {arn.rpartition(":")[2] for statement in statements for arn in statement["Resource"]}

    options = ("--alias", "live")
    project.asl("deploy", project.define("m", machine(A=task("double"))), *options)
    project.asl("deploy", project.define("m", machine(A=task("add_one"))), *options, "--weight", "50")
    assert allowed() == {"double", "add_one"}
    project.asl("deploy", project.define("m", machine(A=task("count"))), *options, "--weight", "50")
    assert allowed() == {"double", "add_one", "count"}
    path = project.define("m", machine(A=task("fail")))
    project.asl("deploy", path, *options)
    assert allowed() == {"double", "count", "fail"}
    account.calls.clear()
    assert project.asl("deploy", path, *options).code == 0
    assert account.written == []
    project.asl("deploy", project.define("m", PASS), *options)
    assert allowed() == {"fail"}


# -- destroy ------------------------------------------------------------------------------------------


def test_destroy_takes_away_what_was_made_and_nothing_else(project: Project, account: Account) -> None:
    empty = account.state()
    iam = account.client("iam")
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument="{}")
    other = project.define("other", PASS)
    assert project.asl("deploy", other, "--role", f"arn:aws:iam::{ACCOUNT}:role/mine").code == 0
    before = account.state()
    path = project.define("m", TWO)
    assert project.asl("deploy", path, "--alias", "live").code == 0
    asked = project.asl("deploy", path, "--destroy")
    assert asked.code == 2
    assert "give --yes" in asked.err
    result = project.asl("deploy", path, "--destroy", "--yes")
    assert result.code == 0, result.err
    assert account.state() == before != empty
    again = project.asl("deploy", path, "--destroy", "--yes")
    assert again.code == 0
    assert "there is nothing to delete" in again.err


def test_destroy_interrupted_after_any_call_goes_on(project: Project, account: Account) -> None:
    empty = account.state()
    path = project.define("m", TWO)
    assert project.asl("deploy", path, "--alias", "live").code == 0
    account.calls.clear()
    assert project.asl("deploy", path, "--destroy", "--yes").code == 0
    for step in where_to_interrupt(account.calls):
        account.reset()
        assert project.asl("deploy", path, "--alias", "live").code == 0
        account.calls.clear()
        account.fail_after = step
        with pytest.raises(Interruption):
            project.asl("deploy", path, "--destroy", "--yes")
        account.fail_after = None
        assert project.asl("deploy", path, "--destroy", "--yes").code == 0
        assert account.state() == empty, step


def test_a_machine_of_others_can_be_updated_and_is_never_deleted(project: Project, account: Account) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/theirs"
    states = account.client("stepfunctions")
    states.create_state_machine(name="m", definition=json.dumps(PASS), roleArn=role)
    path = project.define("m", TWO)
    result = project.asl("deploy", path)
    assert result.code == 0
    assert "was not made by this project" in result.err
    assert deployed(account)["roleArn"] == role
    refused = project.asl("deploy", path, "--destroy", "--yes")
    assert refused.code == 2
    assert "nothing is deleted" in refused.err
    assert json.loads(deployed(account)["definition"]) == TWO


def test_a_role_that_has_become_somebody_elses_stays(project: Project, account: Account) -> None:
    path = project.define("m", TWO)
    project.asl("deploy", path)
    iam, name = account.client("iam"), f"asl-m-{REGION}"
    iam.untag_role(RoleName=name, TagKeys=["asl-engine:project"])
    result = project.asl("deploy", path, "--destroy", "--yes")
    assert result.code == 0
    assert f"leaving the role {name} alone: it has not been made for this deployment" in result.err
    assert iam.get_role(RoleName=name)["Role"]["RoleName"] == name


def test_a_role_of_others_is_not_taken(project: Project, account: Account) -> None:
    account.client("iam").create_role(RoleName=f"asl-m-{REGION}", AssumeRolePolicyDocument="{}")
    result = project.asl("deploy", project.define("m", PASS))
    assert result.code == 2
    assert "has not been made for this deployment" in result.err
    assert account.written == []
