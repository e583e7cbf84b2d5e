"""What serverless-step-functions makes of the events of a state machine: routes, rules, schedules.

"Events" in the README of the plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import did_you_mean
from asl_engine.templates.expansion import NOT_RUN_HERE
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.sam import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.templates.expansion import EventOwner, Expansion
    from asl_engine.templates.serverless_apis import ServerlessApis
    from asl_engine.templates.serverless_events import FunctionEvents

__all__ = ["add_machine_events"]

RULES: Final = ("cloudwatchEvent", "eventBridge")
KINDS: Final = ("http", "schedule", *RULES)
ACTION: Final = "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/"
# JavaScript's escapes go too far for JSON, which knows no \'.
ESCAPED: Final = """$util.escapeJavaScript({}).replaceAll("\\\\'", "'")"""
STARTED: Final = '{"input": "$body", "name": "$context.requestId", "stateMachineArn": "${Machine}"}'
# The body of the request is the input of the execution, which is called as the request is.
BODY: Final = f"#set($body = {ESCAPED.format('$input.json(' + chr(39) + '$' + chr(39) + ')')})\n{STARTED}"
TYPES: Final = ("application/json", "application/x-www-form-urlencoded")
PARTS: Final = {"headers": "header", "queryStringParameters": "querystring", "pathParameters": "path"}
CONTEXT: Final = ("accountId", "domainName", "httpMethod", "path", "protocol", "requestId", "requestTime", "stage")
DEFAULT_RESPONSES: Final = {
    "200": {"statusCode": 200, "selectionPattern": ""},
    "400": {"statusCode": 400, "selectionPattern": "400"},
}


def add_machine_events(
    machine: Mapping[str, Any],
    owner: EventOwner,
    place: str,
    *,
    into: Expansion,
    rules: FunctionEvents,
    apis: ServerlessApis,
) -> None:
    """All events of a state machine; ``rules`` makes rules of those that functions have too."""
    events = machine.get("events")
    if events is not None and not isinstance(events, list):
        into.tell(BROKEN_TEMPLATE, "events has to be a list", f"{place}/events")
        return
    for index, event in enumerate(events or ()):
        where, name = f"{place}/events[{index}]", str(index + 1)
        for kind, given in event.items() if isinstance(event, dict) else [(str(event), None)]:
            if kind == "http":
                apis.put_rest(given, _integration(given, owner), f"{where}/{kind}")
            elif kind == "schedule":
                rules.schedule(given, name, owner, f"{where}/{kind}")
            elif kind in RULES:
                rules.machine_rule(given, name, owner, f"{where}/{kind}")
            elif kind == "websocket":
                message = f"Nothing here runs {kind} events: {owner.name} is not started by them"
                into.tell(NOT_RUN_HERE, message, where)
            else:
                message = f"State machines have no events called {kind}{did_you_mean(kind, KINDS)}"
                into.tell(BROKEN_TEMPLATE, message, where)


def _integration(given: Any, owner: EventOwner) -> dict[str, Any]:
    own = given if isinstance(given, dict) else {}
    action = own.get("action")
    return {
        "type": "aws",
        "httpMethod": "POST",
        "uri": {"Fn::Sub": f"{ACTION}{action or 'StartExecution'}"},
        "passthroughBehavior": "WHEN_NO_TEMPLATES" if action else "NEVER",
        "requestTemplates": _request_templates(own, owner),
        "responses": _responses(own),
    }


def _request_templates(own: Mapping[str, Any], owner: EventOwner) -> dict[str, Any]:
    default = {kind: _filled(BODY, owner) for kind in TYPES}
    given = table_of(own, "request").get("template")
    if given == "lambda_proxy":
        return {kind: _filled(_proxy(), owner) for kind in TYPES}
    if isinstance(given, dict):
        return {**default, **given}
    # With an action and no template the request has to be that of the action.
    return {} if own.get("action") else default


def _filled(template: str, owner: EventOwner) -> dict[str, Any]:
    return {"Fn::Sub": [template, {"Machine": owner.arn}]}


def _proxy() -> str:
    """The template of lambda_proxy: the input is what a function would be given of the request."""
    parts = [f'"{name}": {{{_pairs(kind)}}}' for name, kind in PARTS.items()]
    context = ", ".join(f'"{name}": "$context.{name}"' for name in CONTEXT)
    body = ESCAPED.format("$input.body")
    event = (
        '{"resource": "$context.resourcePath", "path": "$context.path", "httpMethod": "$context.httpMethod", '
        f'{", ".join(parts)}, "requestContext": {{{context}}}, "body": "{body}", "isBase64Encoded": false}}'
    )
    return f"#define($event){event}#end\n#set($body = {ESCAPED.format(chr(34) + '$event' + chr(34))})\n{STARTED}"


def _pairs(kind: str) -> str:
    name, value = ESCAPED.format("$name"), ESCAPED.format(f"$input.params().{kind}.get($name)")
    loop = f"#foreach($name in $input.params().{kind}.keySet())"
    return f'{loop}"{name}": "{value}"#if($foreach.hasNext), #end#end'


def _responses(own: Mapping[str, Any]) -> dict[str, Any]:
    """What the responses of the integration are: their keys are the patterns that select them."""
    given = own.get("responses")
    if not isinstance(given, dict):
        given = {name: {**one} for name, one in DEFAULT_RESPONSES.items()}
        response = table_of(own, "response")
        headers = table_of(response, "headers")
        given["200"]["responseParameters"] = {
            f"method.response.header.{name}": value for name, value in headers.items()
        }
        given["200"]["responseTemplates"] = table_of(response, "template")
    found: dict[str, Any] = {}
    for status, one in given.items():
        members = {"statusCode": status, **(one if isinstance(one, dict) else {})}
        pattern = members.pop("selectionPattern", str(status))
        if origin := _origin(own):
            parameters = table_of(members, "responseParameters")
            allowed = {"method.response.header.Access-Control-Allow-Origin": f"'{origin}'"}
            members["responseParameters"] = {**parameters, **allowed}
        found[str(pattern) or "default"] = members
    return found


def _origin(own: Mapping[str, Any]) -> str:
    cors = own.get("cors")
    if not cors:
        return ""
    given = cors.get("origins", cors.get("origin", "*")) if isinstance(cors, dict) else "*"
    return ",".join(map(str, given)) if isinstance(given, list) else str(given)
