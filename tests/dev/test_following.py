"""A template under development: its functions, routes and rules are those of the files, whatever changes."""

from __future__ import annotations

import socket
import textwrap
from functools import partial
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import boto3

from tests.cli.project import wait_for
from tests.dev.developing import developing

if TYPE_CHECKING:
    from tests.dev.developing import Dev
    from tests.server.harness import Server

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, CodeUri: src/}}
Resources:
  Orders: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.greet
      Environment: {Variables: {WORD: hello}}
      Events:
        Get: {Type: HttpApi, Properties: {Path: '/greet/{name}', Method: GET}}
        Ordered: {Type: EventBridgeRule, Properties: {EventBusName: !Ref Orders, Pattern: {source: [shop]}}}
"""
CODE = """
import os

def greet(event, context):
    print("asked")
    if "detail" in event:
        return None
    return f"{os.environ['WORD']} {event['pathParameters']['name']}"
"""
PLACE = "template.yaml:"


def template(dev: Dev, text: str = TEMPLATE) -> None:
    dev.write("template.yaml", text)


def code(dev: Dev, text: str = CODE) -> None:
    (dev.root / "src").mkdir(exist_ok=True)
    dev.write("src/app.py", textwrap.dedent(text))


def address(dev: Dev) -> str:
    line = next(line for line in dev.told if "http://" in line)
    return line.partition("http://")[2].partition("/")[0]


def get(dev: Dev, path: str) -> tuple[int, str]:
    connection = HTTPConnection(address(dev), timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def put(server: Server, **entry: Any) -> Any:
    client = boto3.client(
        "events",
        endpoint_url=f"http://{server.host}:{server.port}",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106  nobody checks it
    )
    return client.put_events(Entries=[{"Source": "shop", "DetailType": "Ordered", "Detail": "{}", **entry}])


def begins(dev: Dev, *starts: str) -> None:
    """Each of these begins a line that was said."""
    for start in starts:
        wait_for(partial(_begins, dev, start))


def says(dev: Dev, text: str) -> bool:
    return any(text in line for line in dev.told)


def _begins(dev: Dev, start: str) -> bool:
    return any(line.startswith(start) for line in dev.told)


def test_routes_rules_and_functions_are_there_and_follow_their_files(dev: Dev) -> None:
    code(dev)
    template(dev)
    with developing(dev) as server:
        dev.hears("bus orders: rule GreetOrdered -> Greet")
        wait_for(lambda: any(line.startswith("GET http://") for line in dev.told))
        assert any(line.endswith("/greet/{name} -> Greet") for line in dev.told)
        assert get(dev, "/greet/you") == (200, "hello you")
        begins(dev, "Greet | asked", "GET /greet/you -> Greet 200 in ")
        put(server, EventBusName="orders")
        dev.hears("Ordered: GreetOrdered -> Greet delivered")
        # new code, and then another environment
        code(dev, CODE.replace("{os.environ['WORD']}", "{os.environ['WORD']},"))
        dev.hears("the function Greet has new code: the next calls run it")
        assert get(dev, "/greet/you") == (200, "hello, you")
        template(dev, TEMPLATE.replace("hello", "good day"))
        dev.hears("the function Greet has changed: the next calls are the new one's")
        assert get(dev, "/greet/you") == (200, "good day, you")
        # other routes and rules
        template(dev, TEMPLATE.replace("/greet/", "/hi/").replace("Ordered:", "Paid:"))
        dev.hears("the rule GreetOrdered is gone")
        dev.hears("bus orders: rule GreetPaid -> Greet")
        wait_for(lambda: any(line.endswith("/hi/{name} -> Greet") for line in dev.told))
        assert get(dev, "/hi/you") == (200, "hello, you")
        assert get(dev, "/greet/you") == (404, '{"message":"Not Found"}')
        # no functions at all
        template(dev, "Resources: {}\n")
        dev.hears("the function Greet is gone")
        dev.hears("the rule GreetPaid is gone")


def test_a_handler_that_cannot_be_imported_is_told_and_the_rest_goes_on(dev: Dev) -> None:
    code(dev, CODE + "\ndef other(event, context):\n    return 1\n")
    template(dev, TEMPLATE.replace("  Greet:\n", OTHER + "  Greet:\n", 1))
    with developing(dev):
        wait_for(lambda: any(line.endswith("/other -> Other") for line in dev.told))
        code(dev, "def other(event, context):\n    return 2\n")
        wait_for(lambda: any("Greet.handler: src/app.py has no greet" in line for line in dev.told))
        assert get(dev, "/greet/you")[0] == 500
        begins(dev, "GET /greet/you -> Greet 500 in ")
        assert any("(States.Runtime: " in line and "has no greet" in line for line in dev.told)
        assert get(dev, "/other") == (200, "2")
        # what only shows when the module is imported
        code(dev, f"import nowhere\n{CODE}\ndef other(event, context):\n    return 3\n")
        wait_for(
            lambda: get(dev, "/greet/you")[0] == 500 and any("No module named 'nowhere'" in x for x in dev.told)
        )
        code(dev)
        wait_for(lambda: get(dev, "/greet/you") == (200, "hello you"))


def test_a_bus_that_the_configuration_needs_and_no_template_has_any_more(dev: Dev) -> None:
    code(dev)
    template(dev)
    rule = '[events.rules.all]\nbus = "orders"\npattern = {source = ["shop"]}\n'
    with (dev.root / "asl.toml").open("a", encoding="utf-8") as file:
        file.write(rule)
    with developing(dev):
        dev.hears("bus orders: rule all -> nothing")
        template(dev, TEMPLATE.replace("Name: orders", "Name: parcels"))
        wait_for(lambda: says(dev, "what the files say is not followed: "))
        assert says(dev, "events.rules.all.bus: there is no bus 'orders'; there are default, parcels")
        template(dev, TEMPLATE.replace("Ordered:", "Paid:"))
        dev.hears("bus orders: rule GreetPaid -> Greet")


def test_a_template_that_cannot_be_read_any_more_leaves_all_as_it_was(dev: Dev) -> None:
    code(dev)
    machine = """  M:
    Type: AWS::Serverless::StateMachine
    Properties: {Name: m, Definition: {StartAt: P, States: {P: {Type: Pass, Result: 1, End: true}}}}
"""
    template(dev, TEMPLATE + machine)
    with developing(dev):
        wait_for(lambda: any(line.startswith("GET http://") for line in dev.told))
        for broken in (TEMPLATE + machine + "  [", TEMPLATE.replace("Events:", "Evnts: !Nope") + machine):
            dev.said.clear()
            template(dev, broken)
            begins(dev, "template.yaml")
            assert not any("gone" in line or "not answered" in line for line in dev.told)
            assert dev.output("m") == 1
        dev.said.clear()
        template(dev, TEMPLATE.replace("hello", "good day") + machine)
        dev.hears("the function Greet has changed: the next calls are the new one's")


OTHER = """  Other:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.other, Events: {Get: {Type: HttpApi, Properties: {Path: /other, Method: GET}}}}
"""


def test_two_functions_on_one_route_and_a_route_to_nothing(dev: Dev) -> None:
    code(dev, CODE + "\ndef other(event, context):\n    return 1\n")
    missing = """  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: api, ProtocolType: HTTP}}
  Lost:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: arn:aws:lambda:us-east-1:123456789012:function:nobody
      PayloadFormatVersion: '2.0'
  LostRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: GET /lost, Target: !Sub 'integrations/${Lost}'}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default}}
"""
    both = TEMPLATE + OTHER.replace("/other", "'/greet/{id}'") + missing
    template(dev, both)
    with developing(dev):
        wait_for(lambda: any(line.endswith("/lost -> nobody") for line in dev.told))
        twice = next(line for line in dev.told if "too, and leads to Greet" in line or "twice" in line)
        assert twice.startswith(PLACE)
        lost = next(line for line in dev.told if line.endswith("there is no function nobody"))
        assert lost.startswith(PLACE)
        assert get(dev, "/greet/you") == (200, "hello you")
        assert get(dev, "/lost")[0] == 500


def test_a_rule_on_a_bus_that_there_is_not(dev: Dev) -> None:
    code(dev)
    template(dev, TEMPLATE.replace("!Ref Orders", "parcels"))
    with developing(dev):
        begins(dev, f"{PLACE}")
        assert any("there is no bus 'parcels'; there are default, orders" in line for line in dev.told)
        assert get(dev, "/greet/you") == (200, "hello you")


def test_a_rule_on_a_bus_that_nobody_knows_is_told_and_left_out(dev: Dev) -> None:
    code(dev)
    template(dev, TEMPLATE.replace("!Ref Orders", "!Ref Nobody"))
    with developing(dev):
        begins(dev, "GET http://")
        told = "\n".join(dev.told)
        assert "There is no parameter or resource Nobody" in told
        assert "GreetOrdered -> Greet" not in told


def test_an_event_that_nothing_runs_is_told_once(dev: Dev) -> None:
    code(dev)
    template(dev, TEMPLATE.replace("      Events:\n", "      Events:\n        Voice: {Type: AlexaSkill}\n"))
    with developing(dev):
        begins(dev, "GET http://")
        code(dev, CODE.replace("asked", "asked again"))
        begins(dev, "the function Greet")
        said = [line for line in dev.told if "Nothing here runs events of the type AlexaSkill" in line]
        assert len(said) == 1
        assert said[0].startswith(f"{PLACE}12:")


def test_a_machine_behind_a_route_is_told_where_no_file_defines_it(dev: Dev) -> None:
    code(dev)
    start = """  Start:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition: {StartAt: P, States: {P: {Type: Pass, Edn: true}}}
      Events: {Post: {Type: Api, Properties: {Path: /start, Method: post}}}
"""
    template(dev, TEMPLATE + start)
    with developing(dev):
        wait_for(
            lambda: any("no file of the project defines the state machine Start" in line for line in dev.told)
        )
        assert any("template.yaml" in line and "'Edn' is not supported here" in line for line in dev.told)
        assert get(dev, "/greet/you") == (200, "hello you")


def test_a_port_that_is_taken(dev: Dev) -> None:
    code(dev)
    template(dev)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with developing(dev, http_port=port):
            begins(dev, f"the APIs are not answered: cannot listen on 127.0.0.1:{port}: ")


QUEUE = """  Jobs: {Type: AWS::SQS::Queue}
  Work:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.greet
      Events: {Some: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn, BatchSize: 5}}}
  Lost: {Type: AWS::Serverless::Function, Properties: {Handler: app.lost}}
  Wrong:
    Type: AWS::Serverless::StateMachine
    Properties: {Definition: {StartAt: P, States: {P: {Type: Pass, Edn: true}}}}
"""


def test_a_comment_on_top_of_a_template_changes_nothing(dev: Dev) -> None:
    code(dev)
    voice = TEMPLATE.replace("      Events:\n", "      Events:\n        Voice: {Type: AlexaSkill}\n")
    both = voice.replace("Ordered:", "Lost: {Type: HttpApi, Properties: {Method: get}}\n        Ordered:") + QUEUE
    template(dev, both)
    with developing(dev):
        wait_for(lambda: says(dev, "'Edn' is not supported here"))
        wait_for(lambda: says(dev, "GET http://"))
        assert says(dev, "app.py has no lost")
        dev.said.clear()
        template(dev, "# what is ordered here\n\n" + both.replace("hello", "good day"))
        dev.hears("the function Greet has changed: the next calls are the new one's")
        template(dev, both.replace("hello", "good day").replace("BatchSize: 5", "BatchSize: 6"))
        dev.hears("the event source mapping WorkSome has changed: that counts from the next start on")
        template(dev, TEMPLATE)
        dev.hears("the event source mapping WorkSome is gone: that counts from the next start on")
        assert dev.told[:2] == [
            "the function Greet has changed: the next calls are the new one's",
            "the event source mapping WorkSome has changed: that counts from the next start on",
        ]


def test_what_is_right_again_is_told_once(dev: Dev) -> None:
    code(dev)
    template(dev)
    with developing(dev):
        wait_for(lambda: says(dev, "GET http://"))
        code(dev, CODE.replace("greet", "gret"))
        wait_for(lambda: says(dev, "app.py has no greet"))
        code(dev)
        dev.hears("the function Greet is right again")
        dev.said.clear()
        template(dev, TEMPLATE + "  [")
        begins(dev, "template.yaml")
        template(dev)
        dev.hears("template.yaml is right again")
        template(dev, TEMPLATE.replace("hello", "good day"))
        dev.hears("the function Greet has changed: the next calls are the new one's")
        assert len([line for line in dev.told if "right again" in line]) == 1
