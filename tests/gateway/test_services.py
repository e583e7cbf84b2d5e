"""Routes to services: executions that are started, events that are put, answers that are mapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.errors import StatesError
from tests.gateway.calling import MACHINE, STARTED, Backend, Client, http_route, route

STATES = "arn:aws:apigateway:us-east-1:states:action/"
OK = [{"StatusCode": "200"}, {"StatusCode": "400", "SelectionPattern": "400"}]
# As SAM writes it for an event of the type Api of a state machine.
OF_SAM = f'{{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": "{MACHINE}"}}'
# As the plugin serverless-step-functions does.
OF_SERVERLESS = (
    "\n#set( $body = $util.escapeJavaScript($input.json('$')).replaceAll(\"\\\\'\", \"'\") )\n"
    f'{{"input": "$body", "name": "$context.requestId", "stateMachineArn":"{MACHINE}"}}'
)
SYNC_ANSWER = """#set($inputRoot = $input.path('$'))
#if($input.path('$.status').toString().equals("FAILED"))
#set($context.responseOverride.status = 500)
{
"error": "$input.path('$.error')",
"cause": "$input.path('$.cause')"
}
#else
$input.path('$.output')
#end"""


def rest_route(template: str = OF_SAM, action: str = "StartExecution", **more: Any) -> Any:
    integration = {
        "Type": "AWS",
        "Uri": STATES + action,
        "RequestTemplates": {"application/json": template},
        "IntegrationResponses": OK,
        **more,
    }
    return route("POST", "/orders/{id}", target=MACHINE, integration=integration)


def http_service(parameters: dict[str, str], subtype: str = "StepFunctions-StartExecution", **more: Any) -> Any:
    integration = {"Type": "AWS_PROXY", "IntegrationSubtype": subtype, "RequestParameters": parameters}
    return http_route("POST", "/orders/{id}", **{"target": MACHINE, "integration": integration, **more})


def asked(client: Client) -> Any:
    (one,) = client.backend.asked
    return one


def test_a_rest_api_starts_an_execution() -> None:
    client = Client(rest_route())
    answer = client("POST", "/orders/1", '{"a": "b\\"c"}')
    assert (answer.status, answer.json) == (200, STARTED)
    operation, members = asked(client)
    assert (operation, members["stateMachineArn"]) == ("states:StartExecution", MACHINE)
    assert json.loads(members["input"]) == {"a": 'b"c'}


def test_the_plugin_of_serverless_names_the_execution_after_the_request() -> None:
    client = Client(rest_route(OF_SERVERLESS))
    answer = client("POST", "/orders/1", '{"a": "it\'s \\u00fc\\n"}')
    _, members = asked(client)
    assert json.loads(members["input"]) == {"a": "it's ü\n"}
    assert members["name"] == answer.header("x-amzn-requestid")


def test_an_empty_body_is_an_empty_object() -> None:
    client = Client(rest_route())
    client("POST", "/orders/1")
    assert asked(client)[1]["input"] == "{}"


def test_an_apostrophe_that_the_template_leaves_escaped_is_no_json_as_on_aws() -> None:
    client = Client(rest_route())
    answer = client("POST", "/orders/1", '{"a": "it\'s"}')
    assert (answer.status, answer.json) == (400, {"__type": "SerializationException"})
    assert "the request is not JSON" in client.told[0].why
    assert client.backend.asked == []


def test_a_body_that_is_not_json_is_refused() -> None:
    client = Client(rest_route())
    answer = client("POST", "/orders/1", "{")
    assert answer.status == 400
    assert answer.json["message"].startswith("Could not parse request body into json: ")


def test_the_response_is_chosen_by_the_status() -> None:
    error = {"__type": "InvalidName", "message": "no"}
    client = Client(rest_route(), backend=Backend(StartExecution=(400, error)))
    answer = client("POST", "/orders/1")
    assert (answer.status, answer.json) == (400, error)
    assert "InvalidName" in client.told[0].why


@pytest.mark.parametrize(
    ("given", "status", "body"),
    [
        ({"status": "SUCCEEDED", "output": '{"a": 1}'}, 200, {"a": 1}),
        ({"status": "FAILED", "error": "E", "cause": "why"}, 500, {"error": "E", "cause": "why"}),
    ],
)
def test_the_answer_of_a_synchronous_execution_is_mapped(given: Any, status: int, body: Any) -> None:
    responses = [{"StatusCode": "200", "ResponseTemplates": {"application/json": SYNC_ANSWER}}]
    made = rest_route(action="StartSyncExecution", IntegrationResponses=responses)
    answer = Client(made, backend=Backend(StartSyncExecution=(200, given)))("POST", "/orders/1")
    assert (answer.status, answer.json) == (status, body)


def test_headers_of_the_response_are_mapped() -> None:
    parameters = {
        "method.response.header.X-Fixed": "'yes'",
        "method.response.header.Location": "integration.response.body.executionArn",
        "method.response.header.X-Stage": "context.stage",
        "method.response.header.X-None": "integration.response.body.nothing",
    }
    made = rest_route(IntegrationResponses=[{"StatusCode": 201, "ResponseParameters": parameters}])
    answer = Client(made)("POST", "/orders/1")
    assert (answer.status, answer.header("x-fixed"), answer.header("x-stage")) == (201, "yes", "Prod")
    assert answer.header("location") == STARTED["executionArn"]
    assert answer.header("x-none") is None


@pytest.mark.parametrize(
    ("behavior", "templates", "status"),
    [
        ("NEVER", True, 415),
        ("WHEN_NO_TEMPLATES", True, 415),
        ("WHEN_NO_TEMPLATES", False, 200),
        ("WHEN_NO_MATCH", True, 200),
        (None, True, 200),
    ],
)
def test_a_body_of_another_kind(behavior: str | None, templates: bool, status: int) -> None:
    given = {"application/json": OF_SAM} if templates else {}
    client = Client(rest_route(RequestTemplates=given, PassthroughBehavior=behavior))
    body = json.dumps({"stateMachineArn": MACHINE})
    assert client("POST", "/orders/1", body, {"Content-Type": "text/plain"}).status == status
    assert [members for _, members in client.backend.asked] == [{"stateMachineArn": MACHINE}] * (status == 200)


def test_a_broken_template_is_told_with_its_line() -> None:
    client = Client(rest_route("{\n#if(true"))
    assert client("POST", "/orders/1").status == 500
    assert client.told[0].why.startswith("template.yaml:1: line 2: ')' is expected")


def test_a_function_may_be_mapped_too() -> None:
    integration = {
        "Type": "AWS",
        "RequestTemplates": {"application/json": '{"name": "$input.params(\'id\')"}'},
        "IntegrationResponses": [
            {"StatusCode": "200", "ResponseTemplates": {"application/json": "$input.path('$.name')"}},
            {"StatusCode": "404", "SelectionPattern": ".*not found.*"},
        ],
    }
    made = route("GET", "/orders/{id}", integration=integration)
    assert Client(made, backend=Backend(lambda event: event))("GET", "/orders/o-1").body == b"o-1"

    def missing(_event: Any) -> Any:
        raise StatesError("Missing", json.dumps({"errorMessage": "it was not found", "errorType": "Missing"}))

    answer = Client(made, backend=Backend(missing))("GET", "/orders/o-1")
    assert answer.status == 404


# -- HTTP APIs -----------------------------------------------------------------------------------------------


def test_an_http_api_starts_an_execution() -> None:
    client = Client(
        http_service(
            {
                "StateMachineArn": MACHINE,
                "Input": "$request.body",
                "Name": "${request.path.id}-$request.querystring.n",
                "TraceHeader": "$request.header.x-trace",
                "Region": "us-east-1",
            }
        )
    )
    answer = client("POST", "/orders/o-1?n=2", '{"a":1}')
    assert (answer.status, answer.json) == (200, STARTED)
    assert asked(client) == (
        "states:StartExecution",
        {"stateMachineArn": MACHINE, "input": '{"a":1}', "name": "o-1-2"},
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$request.body.order", '{"id":[7]}'),
        ("$request.body.order.id[0]", "7"),
        ("$request.body.text", "plain"),
        ("$request.header.x-tag", "a"),
        ("$request.path", "/orders/o-1"),
        ("$context.stage", "$default"),
        ("$context.identity.sourceIp", "127.0.0.1"),
        ('{"id": "$request.path.id", "n": ${request.body.order.id[0]}}', '{"id": "o-1", "n": 7}'),
        ("$request.body.nothing", None),
    ],
)
def test_parameters_are_taken_out_of_the_request(text: str, value: str | None) -> None:
    client = Client(http_service({"Input": text}))
    client("POST", "/orders/o-1", '{"order": {"id": [7]}, "text": "plain"}', {"X-Tag": "a"})
    assert asked(client)[1].get("input") == value
    assert asked(client)[1]["stateMachineArn"] == MACHINE


def test_a_part_of_a_body_that_is_not_json() -> None:
    client = Client(http_service({"Input": "$request.body.a"}))
    answer = client("POST", "/orders/1", "a=b")
    assert (answer.status, answer.json) == (400, {"message": "Bad Request"})
    assert "the body is not JSON" in client.told[0].why


def test_an_http_api_puts_an_event() -> None:
    parameters = {"Detail": "$request.body", "DetailType": "Ordered", "Source": "shop", "Resources": "a,b"}
    put = {"FailedEntryCount": 0, "Entries": [{"EventId": "e"}]}
    client = Client(
        http_service(parameters, "EventBridge-PutEvents", target=None), backend=Backend(PutEvents=(200, put))
    )
    assert client("POST", "/orders/1", '{"id": 1}').json == put
    entry = {"Detail": '{"id": 1}', "DetailType": "Ordered", "Source": "shop", "Resources": ["a", "b"]}
    assert asked(client) == ("events:PutEvents", {"Entries": [entry]})


def test_what_is_not_run_here_says_so() -> None:
    made = route(target=None, integration={"Type": "HTTP_PROXY", "Uri": "https://example.com"})
    client = Client(made)
    assert client("GET", "/hello").status == 501
    assert "the integration https://example.com is not run here" in client.told[0].why
