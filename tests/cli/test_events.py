"""``asl events``: the bus from the command line, and a server that delivers what was put."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.arn import last_part
from asl_engine.cli.events import delivery_line
from asl_engine.events.delivering import DeliveryFailed
from asl_engine.store.bus_records import BusEvent, Delivery
from tests.cli.project import resource
from tests.cli.test_serve import serving
from tests.events.serving import entry, events_client, until

if TYPE_CHECKING:
    from tests.cli.project import Project

CONFIGURATION = f"""
[events.rules.big]
pattern = {{ source = ["shop"], detail = {{ n = [{{ numeric = [">", 100] }}] }} }}

[events.rules.big.targets]
double = {{ Arn = "{resource("double")}", InputPath = "$.detail" }}
gone = "arn:aws:states:us-east-1:123456789012:stateMachine:gone"
"""

TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Resources:
  AllOrders:
    Type: AWS::Events::Rule
    Properties:
      Name: all-orders
      EventPattern: {{source: [shop]}}
      Targets: [{{Id: double, Arn: "{resource("double")}"}}]
"""


@pytest.fixture
def shop(project: Project) -> Project:
    (project.root / "asl.toml").write_text(CONFIGURATION, encoding="utf-8")
    return project


def put(shop: Project, n: int) -> str:
    done = shop.asl(
        "events", "put", "--source", "shop", "--detail-type", "Order", "--detail", json.dumps({"n": n})
    )
    assert done.code == 0, done.err
    return done.out.strip()


def logged(shop: Project, *arguments: str) -> list[Any]:
    found: list[Any] = json.loads(shop.asl("events", "log", "--json", *arguments).out)["Events"]
    return found


def test_what_is_put_is_delivered_by_the_next_server(shop: Project) -> None:
    identifier = put(shop, 120)
    put(shop, 5)
    done = shop.asl("events", "put", "--source", "shop", "--detail-type", "Order", "--detail", '{"n": 101}')
    assert done.err == "2 deliveries to be made by `asl serve` or `asl dev`\n"
    first, second, _ = logged(shop)
    assert first["Event"]["id"] == identifier
    assert [one["Status"] for one in first["Deliveries"]] == ["PENDING", "PENDING"]
    assert second["Deliveries"] == []
    assert logged(shop, "--failed") == []
    with serving(shop):
        until(lambda: len(logged(shop, "--failed")) == 2)
        until(lambda: {one["Status"] for one in logged(shop)[0]["Deliveries"]} == {"DELIVERED", "FAILED"})
    shown = shop.asl("events", "log", "--failed")
    assert "big/gone  FAILED: StateMachineDoesNotExist: State Machine Does Not Exist" in shown.out
    assert shown.err == "2 dead letters; try them again: asl events redrive --all\n"
    number = logged(shop, "--failed")[0]["Deliveries"][0]["Delivery"]
    again = shop.asl("events", "redrive", str(number))
    assert again.err == "1 delivery to be made again by `asl serve` or `asl dev`\n"
    assert len(logged(shop, "--failed")) == 1
    assert shop.asl("events", "redrive", "--all").code == 0
    assert logged(shop, "--failed") == []


def test_without_a_server_the_rules_of_templates_count_too(shop: Project) -> None:
    (shop.root / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    put(shop, 120)
    (event,) = logged(shop)
    rules = {last_part(one["RuleArn"]).removeprefix("rule/"): one["Status"] for one in event["Deliveries"]}
    assert rules == {"big": "PENDING", "all-orders": "PENDING"}


def test_of_what_a_function_reports_its_message_is_shown() -> None:
    report = json.dumps({"errorType": "WarehouseClosed", "errorMessage": "o-3", "stackTrace": ["a", "b"]})
    event = BusEvent(1, "e-1", "arn:aws:events:us-east-1:123456789012:event-bus/default", 0, 0, "{}")
    note = {"code": "WarehouseClosed", "message": report}
    rule = "arn:aws:events:us-east-1:123456789012:rule/paid"
    shown = delivery_line(Delivery(7, event, rule, "ship", "FAILED", 2, 0, 0, note))
    assert shown == "7  paid/ship  FAILED after 2 attempts: WarehouseClosed: o-3"
    assert str(DeliveryFailed("WarehouseClosed", report)) == "WarehouseClosed: o-3"


def test_a_running_server_delivers_what_a_command_puts(shop: Project) -> None:
    with serving(shop) as (server, _):
        # Whatever the files have come to say, its rules are what it has declared.
        (shop.root / "asl.toml").write_text("[events.rules]", encoding="utf-8")
        client = events_client(server)
        assert client.describe_rule(Name="big")["ManagedBy"] == "asl"
        with pytest.raises(
            client.exceptions.ManagedRuleException, match="declared in the project's configuration"
        ):
            client.disable_rule(Name="big")
        put(shop, 120)
        until(lambda: logged(shop, "--failed"))
        client.put_events(Entries=[entry({"n": 7})])
        tailed = shop.asl("events", "tail", "--last", "2", "--limit", "2")
        assert [line.split("  ")[1:4] for line in tailed.out.splitlines()] == [["default", "shop", "Order"]] * 2
        some = shop.asl(
            "events", "tail", "--last", "9", "--limit", "1", "--json", "--pattern", '{"detail": {"n": [7]}}'
        )
        assert json.loads(some.out)["detail"] == {"n": 7}


def test_an_archive_is_replayed_from_the_command_line(shop: Project) -> None:
    with serving(shop) as (server, _):
        client = events_client(server)
        bus = client.describe_event_bus()["Arn"]
        client.create_archive(ArchiveName="kept", EventSourceArn=bus)
        put(shop, 120)
        until(lambda: logged(shop, "--failed"))
        done = shop.asl("events", "replay", "kept", "--rule", "big", "--name", "again")
        assert (done.code, done.out) == (0, "again\n")
        until(lambda: len(logged(shop, "--failed")) == 2)
        assert client.describe_replay(ReplayName="again")["State"] == "COMPLETED"
    for arguments, told in (
        (["nope"], "there is no archive 'nope'; there are: kept"),
        (["kep"], "did you mean 'kept'"),
        (["kept", "--rule", "small"], "--rule small: there is no such rule"),
        (["kept", "--from", "today"], "--from today: it is a time with its offset"),
        (["kept", "--name", "again"], "--name again: there is such a replay already"),
        (["kept", "--from", "2020-01-02T00:00:00Z", "--to", "2020-01-01T00:00:00Z"], "is not before"),
    ):
        done = shop.asl("events", "replay", *arguments)
        assert done.code == 2
        assert told in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["put"], "give --source and --detail-type"),
        (["put", "{}", "--source", "x"], "give either entries, or --source"),
        (["put", "nothing.json"], "there is no file nothing.json (the entries)"),
        (["put", '{"a"'], "the entries: this is not JSON"),
        (["put", "[1]"], "entry 0 is not an object"),
        (["put", '{"Source": 1}'], "entry 0: Source has to be a text; it is 1"),
        (
            ["put", json.dumps([entry({"x": "y" * 300_000})])],
            "Total size of the entries in the request is over the",
        ),
        (["tail", "--pattern", "[]"], "Filter is not an object"),
        (["redrive"], "name the deliveries to make again, or pass --all"),
        (["redrive", "--all", "3"], "name the deliveries to make again, or pass --all"),
        (["log", "--limit", "0"], "--limit 0: it is at least 1"),
    ],
)
def test_what_cannot_be_done_is_refused(shop: Project, arguments: list[str], told: str) -> None:
    done = shop.asl("events", *arguments)
    assert done.code == 2
    assert told in done.err
    assert not (shop.root / ".asl").exists() or logged(shop) == []


def test_entries_of_a_file_are_put_and_refused_one_by_one(shop: Project) -> None:
    entries = [{"Source": "shop", "DetailType": "d", "Detail": {"n": n}} for n in range(25)]
    entries[3]["Source"] = "aws.shop"
    Path("entries.json").write_text(json.dumps(entries), encoding="utf-8")
    done = shop.asl("events", "put", "entries.json")
    assert done.code == 1
    assert done.err.startswith("entry 3: NotAuthorizedForSourceException")
    assert len(done.out.splitlines()) == 24
    assert [one["Event"]["detail"]["n"] for one in logged(shop)] == [n for n in range(25) if n != 3]
    told = json.loads(shop.asl("events", "put", "--json", '{"Source": "a", "DetailType": "b", "Detail": "x"}').out)
    assert told["FailedEntryCount"] == 1
    assert told["Entries"][0]["ErrorCode"] == "MalformedDetail"


def test_patterns_are_tried(shop: Project) -> None:
    assert shop.asl("events", "test-pattern", '{"a": [1]}').out == "this is an event pattern\n"
    for event, code in (('{"a": 1}', 0), ('{"a": 2}', 1)):
        assert shop.asl("events", "test-pattern", '{"a": [1]}', event).code == code
    wrong = shop.asl("events", "test-pattern", '{"a": [{"prefx": 1}],\n "b": {}}')
    assert wrong.code == 2
    assert wrong.err.splitlines() == [
        "1:8: /a[0]: Unrecognized match type prefx; did you mean 'prefix'?",
        "2:2: /b: Empty objects are not allowed",
        "asl: error: this is no event pattern",
    ]


def test_a_configuration_that_is_none_stops_the_server_at_once(shop: Project) -> None:
    (shop.root / "asl.toml").write_text('[events.rules.a]\nschedule = "0 3 * * *"\n', encoding="utf-8")
    for command in (["serve", "--port", "0"], ["events", "put", "{}"]):
        done = shop.asl(*command)
        assert done.code == 2
        assert "events.rules.a.schedule" in done.err
        assert "the five fields of Unix" in done.err
