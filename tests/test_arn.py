"""ARNs and the names in them."""

from __future__ import annotations

import re

import pytest
from botocore.session import get_session

from asl_engine.arn import (
    Arn,
    FunctionReference,
    activity_arn,
    execution_arn,
    executions_of,
    express_arn,
    function_arn,
    function_name,
    function_qualifier,
    function_reference,
    integration_name,
    is_activity,
    is_alias_name,
    is_express,
    is_name,
    is_of_states,
    is_qualifier,
    is_submitted,
    labelled,
    last_part,
    machine_arn_of,
    map_run_arn,
    name_from,
    names_activity,
    parse_arn,
    partition_of,
    resource_names,
    role_arn,
    s3_action,
    service_integration,
    starts_executions,
    state_machine_arn,
    unlabelled,
    unqualified,
    version_number,
)
from asl_engine.core.execution import Identity

HERE = "arn:aws:states:eu-west-1:123456789012"
MACHINE = f"{HERE}:stateMachine:order"
EXECUTION = f"{HERE}:execution:order:one"


def test_the_parts_of_an_arn() -> None:
    arn = Arn.of("arn:aws-cn:states:cn-north-1:123456789012:execution:order/each:one")
    assert arn == ("aws-cn", "states", "cn-north-1", "123456789012", "execution:order/each:one")
    assert arn.home == ("cn-north-1", "123456789012")
    assert (arn.kind, arn.name, arn.qualifier) == ("execution", "order/each", "one")
    assert arn.parts == ["execution", "order/each", "one"]


def test_what_an_arn_lacks() -> None:
    machine = Arn.of(MACHINE)
    assert (machine.kind, machine.name, machine.qualifier) == ("stateMachine", "order", None)
    role = Arn.of("arn:aws:iam::123456789012:role/path/worker")
    assert (role.region, role.kind, role.name, role.qualifier) == ("", "role/path/worker", "", None)
    assert Arn.of(f"{MACHINE}:").qualifier == ""


@pytest.mark.parametrize(
    "text", ["", "order", "arn", "arn:", "arn:aws:states:eu-west-1:1", "urn:aws:s:r:1:x", "Arn:a:b:c:d:e"]
)
def test_what_is_no_arn(text: str) -> None:
    assert parse_arn(text) is None
    with pytest.raises(ValueError, match="is not an ARN"):
        Arn.of(text)


def identity(arn: str, machine: str) -> Identity:
    return Identity(arn, "one", f"{HERE}:stateMachine:{machine}", machine, "arn:aws:iam::1:role/r", 0)


@pytest.mark.parametrize(
    ("arn", "kind"),
    [
        (EXECUTION, "STANDARD"),
        (f"{HERE}:express:order:one:id", "EXPRESS"),
        (f"{HERE}:express:order:one", "EXPRESS"),
        # The word is only a name here.
        (f"{HERE}:execution:express:one", "STANDARD"),
        (f"{HERE}:express:express:express:id", "EXPRESS"),
    ],
)
def test_the_type_of_an_execution(arn: str, kind: str) -> None:
    assert identity(arn, "order").type == kind
    assert is_express(arn) == (kind == "EXPRESS")


def test_the_map_run_of_an_execution() -> None:
    assert identity(EXECUTION, "order").map_run is None
    assert identity(f"{HERE}:execution:order/each:one", "order/each").map_run == "each"


def test_labels_do_not_pile_up() -> None:
    assert labelled("order", "each") == "order/each"
    assert labelled(f"{MACHINE}/each", "inner") == f"{MACHINE}/inner"
    assert unlabelled(f"{MACHINE}/each") == (MACHINE, "each")
    assert unlabelled(f"{MACHINE}/") == (MACHINE, "")
    assert unlabelled("order") == ("order", None)
    assert map_run_arn(f"{MACHINE}/each", "inner", "id") == f"{HERE}:mapRun:order/inner:id"


def test_qualifiers() -> None:
    assert unqualified(MACHINE) == (MACHINE, None)
    assert unqualified(f"{MACHINE}:3") == (MACHINE, "3")
    assert unqualified(f"{MACHINE}:3:4") == (MACHINE, "3:4")
    assert [is_qualifier(text) for text in ("3", "PROD", "", "3:4")] == [True, True, False, False]
    assert version_number(f"{MACHINE}:12") == 12
    assert [last_part(text) for text in (f"{MACHINE}:PROD", "order")] == ["PROD", "order"]


def test_from_an_execution_to_its_machine_and_back() -> None:
    assert machine_arn_of(EXECUTION) == MACHINE
    assert machine_arn_of(f"{HERE}:express:order:one:id") == MACHINE
    assert executions_of(MACHINE) == f"{HERE}:execution:order:*"
    assert executions_of(f"{MACHINE}:PROD") == f"{HERE}:execution:order:*"
    assert executions_of("${Child}") is None
    assert executions_of("arn:aws:s3:::bucket") is None


@pytest.mark.parametrize(
    ("resource", "of_states", "strictly", "loosely"),
    [
        (f"{HERE}:activity:pack", True, True, True),
        ("arn:aws:states:${AWS::Region}:${AWS::AccountId}:activity:pack", True, False, True),
        ("arn:${AWS::Partition}:states:::sqs:sendMessage", True, False, False),
        ("arn:aws:lambda:eu-west-1:1:function:activity:PROD", False, False, False),
        ("arn:aws:lambda:eu-west-1:1:function:states:PROD", False, False, False),
        ("${Activity}", False, False, False),
    ],
)
def test_what_a_resource_is(resource: str, *, of_states: bool, strictly: bool, loosely: bool) -> None:
    assert is_of_states(resource) == of_states
    assert is_activity(resource) == strictly
    assert names_activity(resource) == loosely


def test_integrations() -> None:
    assert integration_name("arn:aws:states:::states:startExecution.sync:2") == "states:startExecution.sync:2"
    assert integration_name(f"{HERE}:sqs:sendMessage.waitForTaskToken") == "sqs:sendMessage.waitForTaskToken"
    assert integration_name("arn:aws:states:eu-west-1::aws-sdk:s3:getObject") == "aws-sdk:s3:getObject"
    for own in ("activity:pack", "stateMachine:pack", "execution:pack:a", "express:pack:a:b", "mapRun:pack/a:b"):
        assert integration_name(f"{HERE}:{own}") is None
    assert integration_name("arn:aws:lambda:::x:y") is None
    assert starts_executions("arn:aws:states:::states:startExecution.sync:2")
    assert not starts_executions("arn:aws:states:::sqs:sendMessage")
    assert s3_action("arn:aws-us-gov:states:::s3:getObject") == "getObject"
    assert s3_action(f"{HERE}:s3:listObjectsV2") == "listObjectsV2"
    assert s3_action("arn:aws:states:::sqs:getObject") is None


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ("sqs:sendMessage.waitForTaskToken", ("sqs", "sendMessage.waitForTaskToken")),
        ("ecs:runTask.sync", ("ecs", "runTask.sync")),
        ("states:startExecution.sync:2", ("states", "startExecution.sync:2")),
        ("aws-sdk:s3:getObject", ("aws-sdk:s3", "getObject")),
        ("aws-sdk:sfn:startExecution.waitForTaskToken", ("aws-sdk:sfn", "startExecution.waitForTaskToken")),
    ],
)
def test_how_a_history_shows_an_integration(resource: str, shown: tuple[str, str]) -> None:
    assert service_integration(f"arn:aws:states:::{resource}") == shown


FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:pay"
FUNCTIONS: dict[str, tuple[str | None, str | None]] = {
    FUNCTION: ("pay", None),
    f"{FUNCTION}:live": ("pay", "live"),
    "arn:aws-cn:lambda:REGION:ACCOUNT:function:pay": ("pay", None),
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:pay:${Alias}": ("pay", "${Alias}"),
    "arn:aws:lambda:::function:${Shop::Pay}": ("${Shop::Pay}", None),
    f"{FUNCTION}:": (None, None),
    f"{FUNCTION}:live:more": (None, None),
    "arn:aws:lambda:eu-west-1:123456789012:function:": (None, None),
    "arn:aws:lambda:eu-west-1:123456789012:functon:pay": (None, None),
    f"{HERE}:activity:function:pay": (None, None),
    "arn:aws:states:::lambda:invoke": (None, None),
    "arn:" + "${x}" * 40 + ":lambda": (None, None),
}


@pytest.mark.parametrize("resource", FUNCTIONS)
def test_the_function_that_a_resource_is(resource: str) -> None:
    assert (function_name(resource), function_qualifier(resource)) == FUNCTIONS[resource]


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("mx-central-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("nowhere", "aws"),
    ],
)
def test_the_partition_of_a_region(region: str, partition: str) -> None:
    assert partition_of(region) == partition
    start, home = f"arn:{partition}:", (region, "123456789012")
    made = (
        state_machine_arn(*home, "m"),
        execution_arn(*home, "m", "e"),
        express_arn(*home, "m", "e", "1"),
        activity_arn(*home, "a"),
        function_arn(*home, "f"),
        role_arn(*home),
        machine_arn_of(execution_arn(*home, "m", "e")),
    )
    assert all(arn.startswith(start) for arn in made), made


@pytest.mark.parametrize(
    "name", ["work", "123456789012:function:work", "arn:aws:lambda:eu-west-1:123456789012:function:work"]
)
def test_the_ways_to_name_a_function(name: str) -> None:
    assert function_arn("eu-west-1", "123456789012", name) == "arn:aws:lambda:eu-west-1:123456789012:function:work"


@pytest.mark.parametrize("name", ["a", "order-1_x.y", "Bestellung-Größe", "注文", "🚀", "a@b=c(d)'!+", "x" * 80])
def test_names(name: str) -> None:
    assert is_name(name)
    assert name_from(name) == name


NOT_NAMES = {
    "": "",
    "x" * 81: "x" * 80,
    "a b": "a_b",
    "a\u00a0b\tc": "a_b_c",
    "a:b/c,d;e": "a_b_c_d_e",
    "<{[?*": "_____",
    '"#%\\^|~`$&': "__________",
    "a\x00b\x85c\ufffe": "a_b_c_",
    "\ud800": "_",
    "\U0010ffff": "_",
}


@pytest.mark.parametrize(("text", "name"), NOT_NAMES.items(), ids=ascii)
def test_what_is_no_name(text: str, name: str) -> None:
    assert not is_name(text)
    assert name_from(text) == name


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hello", ("hello",)),
        ("hello:live", ("hello", "live")),
        ("function:hello", ("hello",)),
        ("123456789012:function:hello", ("hello", "", "123456789012")),
        ("123456789012:function:hello:3", ("hello", "3", "123456789012")),
        (function_arn("eu-west-1", "123456789012", "hello"), ("hello", "", "123456789012", "eu-west-1")),
        (
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:hello:$LATEST",
            ("hello", "$LATEST", "123456789012", "us-gov-west-1"),
        ),
        ("arn:aws:lambda:region:account:function:hello", ("hello",)),
    ],
)
def test_what_the_ways_to_name_a_function_say(text: str, named: tuple[str, ...]) -> None:
    assert function_reference(text) == FunctionReference(*named)


@pytest.mark.parametrize("text", ["", "a:b:c", "arn:aws:states:::sqs:sendMessage", f"{HERE}:activity:paint"])
def test_what_names_no_function(text: str) -> None:
    assert function_reference(text) is None


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        (
            "arn:aws:states:::ecs:runTask.sync",
            [
                "arn:aws:states:::ecs:runTask.sync",
                "ecs:runTask.sync",
                "arn:aws:states:::ecs:runTask",
                "ecs:runTask",
            ],
        ),
        (
            "arn:aws:states:::aws-sdk:s3:listBuckets",
            ["arn:aws:states:::aws-sdk:s3:listBuckets", "aws-sdk:s3:listBuckets"],
        ),
        (f"{HERE}:activity:paint.sync", [f"{HERE}:activity:paint.sync", "paint.sync"]),
        ("arn:aws:lambda:us-east-1:123456789012:function:f", ["arn:aws:lambda:us-east-1:123456789012:function:f"]),
    ],
)
def test_what_a_resource_can_be_called(resource: str, names: list[str]) -> None:
    assert resource_names(resource) == names


@pytest.mark.parametrize(
    ("resource", "submitted"),
    [
        ("arn:aws:states:::ecs:runTask.sync", True),
        ("arn:aws:states:::states:startExecution.sync:2", True),
        ("arn:aws:states:::sqs:sendMessage.waitForTaskToken", True),
        ("arn:aws:states:::sqs:sendMessage", False),
        (f"{HERE}:activity:paint.sync", False),
    ],
)
def test_which_tasks_are_submitted(resource: str, submitted: bool) -> None:
    assert is_submitted(resource) == submitted


@pytest.mark.parametrize(
    "name",
    [
        "live",
        "_",
        "-",
        "1.",
        "v1",
        "1" * 79 + "v",
        "",
        "1",
        "0123",
        "a b",
        "live:1",
        "l" * 80,
        "l" * 81,
        "é",
        "live\n",
        "٣",
    ],
)
def test_the_name_of_an_alias_is_what_the_model_allows(name: str) -> None:
    shape = get_session().get_service_model("stepfunctions").operation_model("CreateStateMachineAlias").input_shape
    allowed = shape.members["name"].metadata
    fits = allowed["min"] <= len(name) <= allowed["max"] and re.fullmatch(allowed["pattern"], name) is not None
    assert is_alias_name(name) == fits
