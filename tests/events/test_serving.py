"""The bus of a server, asked by boto3: rules, targets, deliveries, dead letters, archives and replays."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import StatesError, StoreUnavailable
from asl_engine.resources.concurrency import THROTTLED
from asl_engine.resources.python.registry import Registry
from asl_engine.server.events.table import EVENT_OPERATIONS
from asl_engine.server.protocol.service_model import EVENTS, input_shapes
from asl_engine.server.protocol.validation import KINDS
from asl_engine.server.status_outbox import StatusOutbox
from asl_engine.store.sqlite.bus import BusTable
from tests.events.serving import entry, events_client, receiving, until
from tests.server.botocore_model import service_model
from tests.server.harness import WAIT, Server, created, ended, refusal, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from asl_engine.store.bus_records import Delivery

BUS = "arn:aws:events:us-east-1:123456789012:event-bus/"
calls: list[Any] = []
failures: list[Exception] = []


def note(event: Any) -> None:
    calls.append(event)
    if failures:
        raise failures.pop()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    registry = Registry()
    registry.add("note", note)
    db = tmp_path_factory.mktemp("events") / "asl.db"
    with running(db, registry) as server:
        yield server, db


@pytest.fixture
def server(home: tuple[Server, Path]) -> Iterator[Server]:
    calls.clear()
    failures.clear()
    yield home[0]
    client = events_client(home[0])
    for bus in client.list_event_buses()["EventBuses"]:
        for rule in client.list_rules(EventBusName=bus["Name"])["Rules"]:
            name, of = rule["Name"], {"EventBusName": bus["Name"]}
            ids = [one["Id"] for one in client.list_targets_by_rule(Rule=name, **of)["Targets"]]
            if ids:
                client.remove_targets(Rule=name, Ids=ids, **of)
            client.delete_rule(Name=name, **of)
        if bus["Name"] != "default":
            client.delete_event_bus(Name=bus["Name"])


@pytest.fixture
def client(server: Server) -> Any:
    return events_client(server)


def pending(db: Path) -> bool:
    with closing(sqlite3.connect(db)) as connection:
        return bool(connection.execute("SELECT 1 FROM deliveries WHERE status = 'PENDING'").fetchall())


def deliveries(db: Path, status: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute("SELECT note FROM deliveries WHERE status = ?", (status,)).fetchall()
    return [json.loads(row[0] or "{}") for row in rows]


def ruled(client: Any, pattern: Any, *targets: dict[str, Any], name: str = "r", **more: Any) -> str:
    """The ARN of a rule with targets."""
    arn: str = client.put_rule(Name=name, EventPattern=json.dumps(pattern), **more)["RuleArn"]
    client.put_targets(
        Rule=name,
        Targets=[{"Id": f"t{n}", **target} for n, target in enumerate(targets)],
        **{key: value for key, value in more.items() if key == "EventBusName"},
    )
    return arn


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:note"


def test_an_event_gets_to_functions_and_state_machines(server: Server, client: Any) -> None:
    states = server.client()
    machine = created(states, name="of-events")
    ruled(
        client,
        {"source": ["shop"], "detail": {"n": [1]}},
        {"Arn": FUNCTION, "InputPath": "$.detail"},
        {"Arn": machine},
    )
    answer = client.put_events(Entries=[entry({"n": 1}, Resources=["r"]), entry({"n": 2})])
    assert answer["FailedEntryCount"] == 0
    assert until(lambda: calls) == [{"n": 1}]
    (started,) = until(lambda: states.list_executions(stateMachineArn=machine)["executions"])
    assert started["name"].startswith(answer["Entries"][0]["EventId"])
    shown = json.loads(ended(states, started["executionArn"])["input"])
    assert shown["id"] == answer["Entries"][0]["EventId"]
    assert (shown["source"], shown["detail-type"], shown["detail"]) == ("shop", "Order", {"n": 1})
    assert (shown["account"], shown["region"], shown["resources"]) == ("123456789012", "us-east-1", ["r"])


def test_entries_are_refused_one_by_one(client: Any) -> None:
    answer = client.put_events(
        Entries=[
            entry(),
            {"Source": "shop", "DetailType": "d"},
            entry(Detail="[1]"),
            entry(Detail="{"),
            entry(Source="aws.ec2"),
            entry(EventBusName="nowhere"),
            entry(Time=datetime(1969, 1, 1, tzinfo=UTC)),
            {},
        ]
    )
    assert answer["FailedEntryCount"] == 7
    codes = [one.get("ErrorCode") for one in answer["Entries"]]
    assert codes == [
        None,
        "InvalidArgument",
        "MalformedDetail",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
        "ResourceNotFoundException",
        "InvalidArgument",
        "InvalidArgument",
    ]
    assert answer["Entries"][0]["EventId"]
    assert "Detail is a required argument" in answer["Entries"][1]["ErrorMessage"]


def test_requests_over_a_limit_are_refused(client: Any) -> None:
    half = entry({"x": "y" * 131_072})
    code, message = refusal(client.put_events, Entries=[half, half])
    assert code == "ValidationException"
    assert message.startswith("Total size of the entries in the request is over the limit: 262")
    code, message = refusal(client.put_events, Entries=[entry()] * 11)
    assert "'Entries' failed to satisfy constraint: Member must have length less than or equal to 10" in message
    code, message = refusal(client.put_events, Entries=[])
    assert "length greater than or equal to 1" in message


def test_what_is_no_rule_is_refused_with_its_place(client: Any) -> None:
    code, message = refusal(client.put_rule, Name="r", EventPattern='{"source": [{"prefx": "a"}]}')
    assert code == "InvalidEventPatternException"
    assert "Unrecognized match type prefx; did you mean 'prefix'?" in message
    assert "line: 1, column: 13" in message
    code, message = refusal(client.put_rule, Name="r", ScheduleExpression="cron(*/5 * * * *)")
    assert code == "ValidationException"
    assert "the five fields of Unix" in message
    assert refusal(client.put_rule, Name="r")[0] == "ValidationException"
    assert (
        refusal(client.put_rule, Name="r", EventPattern="{}", EventBusName="x")[0]
        == "InvalidEventPatternException"
    )
    pattern = '{"source": ["a"]}'
    assert refusal(client.put_rule, Name="r", EventPattern=pattern, EventBusName="x") == (
        "ResourceNotFoundException",
        "Event bus x does not exist.",
    )
    code, message = refusal(client.put_rule, Name="a b", EventPattern=pattern)
    assert "failed to satisfy constraint" in message


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"Arn": "arn:aws:sns:us-east-1:123456789012:topic"}, "is not a state machine, a Lambda function"),
        ({"Arn": FUNCTION, "InputPath": "detail"}, "is not a JSON path"),
        ({"Arn": FUNCTION, "Input": "{}", "InputPath": "$"}, "Only one of"),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}, "MessageGroupId must be specified"),
        ({"Arn": FUNCTION, "DeadLetterConfig": {"Arn": FUNCTION}}, "is not the ARN of an SQS queue"),
        ({"Arn": FUNCTION, "RetryPolicy": {"MaximumRetryAttempts": 186}}, "less than or equal to 185"),
        ({"Arn": FUNCTION, "InputTransformer": {"InputTemplate": "<x>"}}, "there is no variable <x>"),
    ],
)
def test_what_is_no_target_is_refused(client: Any, target: dict[str, Any], told: str) -> None:
    client.put_rule(Name="r", EventPattern='{"source": ["a"]}')
    code, message = refusal(client.put_targets, Rule="r", Targets=[{"Id": "t", **target}])
    assert code == "ValidationException"
    assert told in message
    assert client.list_targets_by_rule(Rule="r")["Targets"] == []


def test_rules_are_described_listed_switched_and_deleted(client: Any) -> None:
    arn = ruled(
        client,
        {"source": ["a"]},
        {"Arn": FUNCTION},
        name="one",
        Description="first",
        Tags=[{"Key": "k", "Value": "v"}],
    )
    client.put_rule(Name="two", ScheduleExpression="rate(5 minutes)", State="DISABLED")
    shown = client.describe_rule(Name="one")
    assert {**shown, "ResponseMetadata": None} == {
        "Name": "one",
        "Arn": arn,
        "EventPattern": '{"source": ["a"]}',
        "State": "ENABLED",
        "Description": "first",
        "EventBusName": "default",
        "ResponseMetadata": None,
    }
    assert arn == "arn:aws:events:us-east-1:123456789012:rule/one"
    first = client.list_rules(Limit=1)
    assert [rule["Name"] for rule in first["Rules"]] == ["one"]
    rest = client.list_rules(Limit=1, NextToken=first["NextToken"])
    assert [rule["Name"] for rule in rest["Rules"]] == ["two"]
    assert "NextToken" not in rest
    assert [rule["Name"] for rule in client.list_rules(NamePrefix="t")["Rules"]] == ["two"]
    assert client.list_rule_names_by_target(TargetArn=FUNCTION)["RuleNames"] == ["one"]
    assert client.list_targets_by_rule(Rule="one")["Targets"] == [{"Id": "t0", "Arn": FUNCTION}]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "l", "Value": "w"}])
    client.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "l", "Value": "w"}]
    client.disable_rule(Name="one")
    assert client.describe_rule(Name="one")["State"] == "DISABLED"
    client.put_events(Entries=[entry(Source="a")])
    client.enable_rule(Name="one")
    client.put_events(Entries=[entry({"after": True}, Source="a")])
    assert [call["detail"] for call in until(lambda: calls)] == [{"after": True}]
    assert "has targets" in refusal(client.delete_rule, Name="one")[1]
    removed = client.remove_targets(Rule="one", Ids=["t0", "t9"])
    assert [one["TargetId"] for one in removed["FailedEntries"]] == ["t9"]
    client.delete_rule(Name="one")
    assert refusal(client.describe_rule, Name="one") == (
        "ResourceNotFoundException",
        "Rule one does not exist on EventBus default.",
    )
    client.delete_rule(Name="one")


def test_buses_pass_events_on(client: Any) -> None:
    made = client.create_event_bus(Name="orders", Description="of the shop")
    assert made["EventBusArn"] == f"{BUS}orders"
    assert refusal(client.create_event_bus, Name="orders")[0] == "ResourceAlreadyExistsException"
    assert refusal(client.create_event_bus, Name="default")[0] == "ResourceAlreadyExistsException"
    assert client.describe_event_bus(Name="orders")["Description"] == "of the shop"
    assert [bus["Name"] for bus in client.list_event_buses()["EventBuses"]] == ["default", "orders"]
    ruled(client, {"source": ["shop"]}, {"Arn": f"{BUS}orders"})
    ruled(client, {"source": ["shop"]}, {"Arn": FUNCTION}, EventBusName="orders")
    client.put_events(Entries=[entry({"to": "default"}), entry({"to": "orders"}, EventBusName=f"{BUS}orders")])
    got = until(lambda: calls if len(calls) == 2 else None)
    assert sorted(call["detail"]["to"] for call in got) == ["default", "orders"]
    assert "has rules" in refusal(client.delete_event_bus, Name="orders")[1]
    assert refusal(client.delete_event_bus, Name="default")[0] == "ValidationException"


def test_events_that_go_round_end_as_a_dead_letter(home: tuple[Server, Path], client: Any) -> None:
    client.create_event_bus(Name="other")
    ruled(client, {"source": ["round"]}, {"Arn": f"{BUS}other"})
    ruled(client, {"source": ["round"]}, {"Arn": f"{BUS}default"}, EventBusName="other")
    client.put_events(Entries=[entry(Source="round")])
    assert until(lambda: [one for one in deliveries(home[1], "FAILED") if one["code"] == "Loop"])


def test_a_failing_target_is_tried_again_and_the_rest_goes_on(client: Any) -> None:
    with receiving(500, 503, 200) as flaky, receiving() as sound:
        first = {"Arn": f"{flaky.url}/hook", "HttpParameters": {"HeaderParameters": {"X-Key": "k"}}}
        second = {
            "Arn": f"{sound.url}/a/*?x=1",
            "HttpParameters": {"PathParameterValues": ["b c"], "QueryStringParameters": {"q": "1"}},
            "InputTransformer": {"InputPathsMap": {"n": "$.detail.n"}, "InputTemplate": '{"n": <n>}'},
        }
        ruled(client, {"source": ["shop"]}, first, second)
        client.put_events(Entries=[entry({"n": 5})])
        until(lambda: len(flaky.got) == 3)
        assert until(lambda: sound.got)[0][0] == "/a/b%20c?x=1&q=1"
        assert sound.got[0][2] == {"n": 5}
        assert {path for path, _, _ in flaky.got} == {"/hook"}
        keys = {headers["idempotency-key"] for _, headers, _ in flaky.got}
        assert len(keys) == 1
        assert flaky.got[0][1]["x-key"] == "k"


def test_what_cannot_be_delivered_is_kept_as_a_dead_letter(home: tuple[Server, Path], client: Any) -> None:
    before = len(deliveries(home[1], "FAILED"))
    with receiving(400) as refusing, receiving(500) as broken:
        gone = "arn:aws:states:us-east-1:123456789012:stateMachine:gone"
        few = {"MaximumRetryAttempts": 2}
        ruled(
            client,
            {"source": ["shop"]},
            {"Arn": refusing.url},
            {"Arn": broken.url, "RetryPolicy": few},
            {"Arn": gone},
            {"Arn": FUNCTION.replace("note", "nothing")},
            {"Arn": FUNCTION},
        )
        client.put_events(Entries=[entry()])
        failed = until(lambda: (found := deliveries(home[1], "FAILED")[before:]) and len(found) == 4 and found)
        assert len(refusing.got) == 1
        assert len(broken.got) == 3
    notes = {one["code"]: one for one in failed}
    assert {*notes} == {"HTTP 400", "HTTP 500", "StateMachineDoesNotExist", "Lambda.ResourceNotFoundException"}
    assert notes["HTTP 500"]["exhausted"] == "MaximumRetryAttempts"
    assert calls


def test_a_function_that_raises_is_called_twice_more(client: Any) -> None:
    failures.extend([ValueError("once"), ValueError("twice")])
    ruled(client, {"source": ["shop"]}, {"Arn": FUNCTION})
    client.put_events(Entries=[entry()])
    until(lambda: len(calls) == 3)


def test_a_call_that_is_throttled_is_tried_again_and_does_not_count(
    home: tuple[Server, Path], client: Any
) -> None:
    before = deliveries(home[1], "FAILED")
    # The last one is raised first: some of both, in turn.
    failures.extend([ValueError("twice"), *[StatesError(THROTTLED, "Rate Exceeded.")] * 3, ValueError("once")])
    failures.append(StatesError(THROTTLED, "Rate Exceeded."))
    ruled(client, {"source": ["shop"]}, {"Arn": FUNCTION})
    client.put_events(Entries=[entry()])
    until(lambda: len(calls) == 7)
    until(lambda: not pending(home[1]))
    assert deliveries(home[1], "FAILED") == before


def test_patterns_are_tried(client: Any) -> None:
    event = dict.fromkeys(("id", "account", "source", "time", "region", "resources", "detail-type"), "x")
    assert client.test_event_pattern(EventPattern='{"source": ["x"]}', Event=json.dumps(event))["Result"] is True
    assert client.test_event_pattern(EventPattern='{"source": ["y"]}', Event=json.dumps(event))["Result"] is False
    assert (
        "must contain id, account"
        in refusal(client.test_event_pattern, EventPattern='{"a": ["y"]}', Event="{}")[1]
    )
    assert "line 1, column 2" in refusal(client.test_event_pattern, EventPattern='{"a": ["y"]}', Event="{")[1]


def test_an_archive_is_replayed_once(client: Any) -> None:
    arn = client.create_archive(
        ArchiveName="kept", EventSourceArn=f"{BUS}default", EventPattern='{"source": ["old"]}', RetentionDays=2
    )["ArchiveArn"]
    try:
        times = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
        client.put_events(Entries=[entry({"day": one.day}, Source="old", Time=one) for one in times] + [entry()])
        shown = client.describe_archive(ArchiveName="kept")
        assert (shown["EventCount"], shown["State"], shown["RetentionDays"]) == (3, "ENABLED", 2)
        assert shown["SizeBytes"] > 0
        assert [one["ArchiveName"] for one in client.list_archives()["Archives"]] == ["kept"]
        rule = ruled(client, {"source": ["old"]}, {"Arn": FUNCTION})
        other = ruled(client, {"source": ["old"]}, {"Arn": FUNCTION}, name="other")
        span = {"EventStartTime": times[0], "EventEndTime": times[2]}
        to = {"Arn": f"{BUS}default", "FilterArns": [rule]}
        client.start_replay(ReplayName="again", EventSourceArn=arn, Destination=to, **span)
        done = until(lambda: (one := client.describe_replay(ReplayName="again"))["State"] == "COMPLETED" and one)
        assert done["EventLastReplayedTime"] == times[1]
        assert [one["ReplayName"] for one in client.list_replays(State="COMPLETED")["Replays"]] == ["again"]
        got = until(lambda: calls if len(calls) == 2 else None)
        assert sorted(call["detail"]["day"] for call in got) == [1, 2]
        assert {call["replay-name"] for call in got} == {"again"}
        assert client.describe_archive(ArchiveName="kept")["EventCount"] == 3
        assert refusal(client.start_replay, ReplayName="again", EventSourceArn=arn, Destination=to, **span)[0] == (
            "ResourceAlreadyExistsException"
        )
        assert refusal(client.cancel_replay, ReplayName="again")[0] == "IllegalStatusException"
        wrong = {"Arn": other}
        assert (
            "replayed to the event bus"
            in refusal(client.start_replay, ReplayName="n", EventSourceArn=arn, Destination=wrong, **span)[1]
        )
        client.update_archive(ArchiveName="kept", RetentionDays=0)
    finally:
        client.delete_archive(ArchiveName="kept")
    assert refusal(client.describe_archive, ArchiveName="kept")[0] == "ResourceNotFoundException"


def test_status_changes_are_on_the_default_bus(server: Server, client: Any) -> None:
    states = server.client()
    machine = created(states, name="watched")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    ruled(client, pattern, {"Arn": FUNCTION, "InputPath": "$.detail.status"})
    states.start_execution(stateMachineArn=machine)
    assert until(lambda: sorted(calls) if len(calls) == 2 else None) == ["RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize(
    "resource", ["arn:aws:states:::events:putEvents", "arn:aws:states:::aws-sdk:eventbridge:putEvents"]
)
def test_a_task_puts_events(server: Server, client: Any, resource: str) -> None:
    states = server.client()
    ruled(client, {"source": ["task"]}, {"Arn": FUNCTION})
    given = [{"Source": "task", "DetailType": "d", "Detail": {"a.$": "$.a"}}]
    if "sdk" in resource:
        given = [{"Source": "task", "DetailType": "d", "Detail.$": "States.JsonToString($)"}]
    definition = {
        "StartAt": "P",
        "States": {"P": {"Type": "Task", "Resource": resource, "Parameters": {"Entries": given}, "End": True}},
    }
    machine = created(states, definition, name=f"puts-{'sdk' in resource}")
    arn = states.start_execution(stateMachineArn=machine, input='{"a": 1}')["executionArn"]
    shown = ended(states, arn)
    assert shown["status"] == "SUCCEEDED", shown
    output = json.loads(shown["output"])
    (call,) = until(lambda: calls)
    assert call["detail"] == {"a": 1}
    assert output["Entries"][0]["EventId"] == call["id"]
    assert output["FailedEntryCount"] == 0
    if "sdk" not in resource:
        assert call["resources"] == [arn, machine]


def test_a_task_whose_entry_is_refused_fails(server: Server) -> None:
    states = server.client()
    given = [{"Source": "aws.x", "DetailType": "d", "Detail": {}}]
    definition = {
        "StartAt": "P",
        "States": {
            "P": {
                "Type": "Task",
                "Resource": "arn:aws:states:::events:putEvents",
                "Parameters": {"Entries": given},
                "End": True,
            }
        },
    }
    machine = created(states, definition, name="refused")
    shown = ended(states, states.start_execution(stateMachineArn=machine)["executionArn"])
    assert shown["error"] == "EventBridge.FailedEntry"
    assert "NotAuthorizedForSourceException" in shown["cause"]


def test_an_execution_is_started_once_whatever_is_lost(
    home: tuple[Server, Path], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = home[0].client()
    machine = created(states, name="once")
    ruled(client, {"source": ["once"]}, {"Arn": machine})
    settle = BusTable.settle
    lost: list[int] = []

    async def losing(self: BusTable, delivery: Delivery, *arguments: Any, **more: Any) -> None:
        if not lost:
            lost.append(delivery.number)
            raise StoreUnavailable("the disk is full")
        await settle(self, delivery, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(BusTable, "settle", losing)
        answer = client.put_events(Entries=[entry(Source="once")])
        until(lambda: lost)
        until(lambda: not pending(home[1]))
    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    assert execution["name"].startswith(answer["Entries"][0]["EventId"])


def test_a_status_event_is_stored_with_the_change_of_status(
    server: Server, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nowhere(*_: Any) -> None:
        """What is not stored with the change does not come later."""

    monkeypatch.setattr(StatusOutbox, "_put", nowhere)
    states = server.client()
    machine = created(states, WAIT, name="with-it")
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [machine]}}
    ruled(client, pattern, {"Arn": FUNCTION, "InputPath": "$.detail.status"})
    ended(states, states.start_execution(stateMachineArn=machine)["executionArn"])
    assert until(lambda: sorted(calls) if len(calls) == 2 else None) == ["RUNNING", "SUCCEEDED"]


def test_a_task_waits_for_whom_its_event_reaches(server: Server, client: Any) -> None:
    states = server.client()
    ruled(client, {"source": ["ask"]}, {"Arn": FUNCTION, "InputPath": "$.detail.token"})
    given = [{"Source": "ask", "DetailType": "d", "Detail": {"token.$": "$$.Task.Token"}}]
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents.waitForTaskToken",
        "Parameters": {"Entries": given},
        "End": True,
    }
    machine = created(states, {"StartAt": "P", "States": {"P": state}}, name="asks")
    arn = states.start_execution(stateMachineArn=machine)["executionArn"]
    (token,) = until(lambda: calls)
    states.send_task_success(taskToken=token, output='"answered"')
    assert ended(states, arn)["output"] == '"answered"'


def test_other_apis_are_not_answered(server: Server) -> None:
    kind = "application/x-amz-json-1.1"
    for target, told in (("AWSEvents.Fly", "'Fly'"), ("AWSLambda.PutEvents", "'AWSLambda.PutEvents'")):
        status, headers, answer = server.post("", "{}", X_Amz_Target=target, Content_Type=kind)
        assert (status, answer["__type"]) == (400, "UnknownOperationException")
        assert told in answer["message"]
    status, headers, _ = server.post("", "{}", X_Amz_Target="AWSEvents.ListEventBuses", Content_Type=kind)
    assert (status, headers["content-type"]) == (200, kind)
    status, _, answer = server.post("", "{}", X_Amz_Target="AWSEvents.ListEventBuses")
    assert (status, answer["__type"]) == (400, "SerializationException")
    status, _, answer = server.post("", '{"Colour": 1}', X_Amz_Target="AWSEvents.PutRule", Content_Type=kind)
    assert "There is no member 'Colour'" in answer["message"]


def test_regions_and_accounts_see_nothing_of_each_other(server: Server, client: Any) -> None:
    ruled(client, {"source": ["shop"]}, {"Arn": FUNCTION})
    for other in (events_client(server, region="eu-west-1"), events_client(server, key="999999999999")):
        assert other.list_rules()["Rules"] == []
        assert refusal(other.describe_rule, Name="r")[0] == "ResourceNotFoundException"
        assert other.put_events(Entries=[entry()])["FailedEntryCount"] == 0
    client.put_events(Entries=[entry({"mine": True})])
    assert [call["detail"] for call in until(lambda: calls)] == [{"mine": True}]


def test_requests_are_checked_against_botocores_model() -> None:
    model = service_model("events")
    ours = input_shapes(EVENTS) or {}
    assert {*EVENT_OPERATIONS} <= {*model.operation_names} == {*ours}

    def types(shape: Any) -> set[str]:
        inner = {
            "structure": lambda: [*shape.members.values()],
            "list": lambda: [shape.member],
            "map": lambda: [shape.key, shape.value],
        }.get(shape.type_name, list)()
        return {shape.type_name}.union(*(types(one) for one in inner))

    for name in EVENT_OPERATIONS:
        assert types(ours[name]) == types(model.operation_model(name).input_shape) <= KINDS.keys()
