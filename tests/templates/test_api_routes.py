"""Routes of APIs that a template of CloudFormation or of the CDK has: resources and methods, routes, documents."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.declarations import Surroundings
from asl_engine.templates.recognition import read_template
from tests.templates.reading import ACCOUNT, FUNCTION, MACHINE, cloudformation, sam, told

AROUND = """
  F: {Type: AWS::Lambda::Function, Properties: {FunctionName: take, Runtime: python3.12, Handler: a.b}}
  M: {Type: AWS::StepFunctions::StateMachine, Properties: {StateMachineName: order, Definition: {}}}
"""
REST = """
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shop}}
  Orders:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: orders}
  Order:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !Ref Orders, PathPart: "{id}"}
  Live:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, StageName: live, DeploymentId: !Ref Deployed}
  Deployed: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
"""
PROXY = """
  Method:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Order
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri:
          Fn::Join:
            - ""
            - - "arn:"
              - !Ref AWS::Partition
              - ":apigateway:"
              - !Ref AWS::Region
              - ":lambda:path/2015-03-31/functions/"
              - !GetAtt F.Arn
              - /invocations
"""
START = """
  Method:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Orders
      HttpMethod: POST
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Uri: !Sub "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartSyncExecution"
        RequestTemplates:
          application/json: !Sub |
            #set($inputString = $input.json('$'))
            {"input": "$util.escapeJavaScript($inputString)", "stateMachineArn": "${M}"}
        IntegrationResponses:
          - {StatusCode: "200", ResponseTemplates: {application/json: "$input.path('$.output')"}}
          - {StatusCode: "400", SelectionPattern: "4\\\\d{2}"}
"""
MOCK = """
  Method:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: OPTIONS
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 204}'}
        IntegrationResponses:
          - StatusCode: "204"
            ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}
"""


def resources(*texts: str) -> Any:
    return cloudformation(f"Resources:\n{''.join(texts)}")


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (PROXY, ("GET", "/orders/{id}", f"{FUNCTION}:take", "AWS_PROXY")),
        (START, ("POST", "/orders", f"{MACHINE}:order", "AWS")),
        (MOCK, ("OPTIONS", "/", None, "MOCK")),
    ],
    ids=["a function", "an execution", "an answer for browsers"],
)
def test_methods_of_resources(method: str, expected: tuple[Any, ...]) -> None:
    [route] = resources(AROUND, REST, method).routes
    assert (route.method, route.path, route.target, route.integration["Type"]) == expected
    assert (route.api, route.stage, route.payload, route.findings) == ("Api", "live", "1.0", ())


def test_an_api_has_its_routes_in_its_first_stage() -> None:
    more = "  Test: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, StageName: test}}\n"
    found = resources(AROUND, REST, PROXY, more)
    assert [one.stage for one in found.routes] == ["live"]
    assert [(one.severity, one.message) for one in found.findings] == [
        ("WARNING", "Of the stages of an API only the first is served here: live, and not test")
    ]


HTTP = """
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: shop, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ["*"]}}
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
  Take:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt F.Arn
      PayloadFormatVersion: "2.0"
  Start:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationSubtype: StepFunctions-StartExecution
      PayloadFormatVersion: "1.0"
      RequestParameters: {StateMachineArn: !Ref M, Input: $request.body}
  GetOrder:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: "GET /orders/{id}", Target: !Sub "integrations/${Take}"}
  PostOrder:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: POST /orders, Target: !Join [/, [integrations, !Ref Start]]}
  Rest:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Take}"}
"""


def test_routes_of_an_http_api() -> None:
    found = resources(AROUND, HTTP).routes
    assert [(one.method, one.path, one.target, one.payload) for one in found] == [
        ("GET", "/orders/{id}", f"{FUNCTION}:take", "2.0"),
        ("POST", "/orders", f"{MACHINE}:order", "1.0"),
        ("ANY", "$default", f"{FUNCTION}:take", "2.0"),
    ]
    assert {(one.api, one.stage, one.findings) for one in found} == {("Api", "$default", ())}
    assert found[0].cors == {"AllowOrigins": ["*"]}
    assert found[1].integration["IntegrationSubtype"] == "StepFunctions-StartExecution"
    assert found[1].integration["RequestParameters"] == {
        "StateMachineArn": f"{MACHINE}:order",
        "Input": "$request.body",
    }


def test_an_api_with_nothing_but_a_target() -> None:
    api = "  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: HTTP, Target: !GetAtt F.Arn}}\n"
    [route] = resources(AROUND, api).routes
    assert (route.method, route.path, route.target, route.payload) == (
        "ANY",
        "$default",
        f"{FUNCTION}:take",
        "2.0",
    )


@pytest.mark.parametrize(
    "reference", ["!Ref F", "!GetAtt F.Arn", "!Ref Live"], ids=["its name", "its ARN", "an alias"]
)
def test_the_url_of_a_function(reference: str) -> None:
    alias = "  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref F, Name: live}}\n"
    url = f"  Url: {{Type: AWS::Lambda::Url, Properties: {{TargetFunctionArn: {reference}, AuthType: NONE}}}}\n"
    [route] = resources(AROUND, alias, url).routes
    assert (route.api, route.path, route.payload) == ("take", "$default", "2.0")
    assert route.target == f"{FUNCTION}:take{':live' if 'Live' in reference else ''}"


DOCUMENT = """
openapi: 3.0.1
paths:
  /orders:
    post:
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri:
          Fn::Sub: arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations
    get: {summary: nothing behind it}
"""


def test_the_paths_of_a_document_beside_the_template() -> None:
    api = """
        Resources:
          F: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: a.b}}
          Shop: {Type: AWS::Serverless::Api, Properties: {StageName: live, DefinitionUri: api.yaml}}
    """
    document, locate = read_template(dedent(api), "template.yaml")
    assert isinstance(document, dict)
    read = {"api.yaml": read_template(DOCUMENT, "api.yaml")[0]}.get
    around = Surroundings("us-east-1", ACCOUNT, "shop", {}, read=read)
    found = CloudFormation(document, locate, around).declarations()
    assert [(one.stage, one.method, one.path, one.target) for one in found.routes] == [
        ("live", "POST", "/orders", f"{FUNCTION}:F"),
        ("live", "GET", "/orders", None),
    ]
    assert told(found.routes[1].findings) == [("WARNING", "Nothing here runs routes without an integration", 4)]
    missing = CloudFormation(document, locate, around._replace(read=lambda _: None)).declarations()
    assert told(missing.findings) == [("ERROR", "There is no file api.yaml that can be read", 4)]


def test_an_explicit_api_of_sam_takes_the_events_that_name_it() -> None:
    found = sam(
        "Events: {E: {Type: Api, Properties: {Path: /a, Method: get, RestApiId: !Ref Shop}}}",
        rest="""
            Shop:
              Type: AWS::Serverless::Api
              Properties: {StageName: live, Cors: {AllowOrigin: "'https://a.example'", AllowCredentials: true}}
        """,
    )
    get, options = found.routes
    assert [(one.api, one.stage, one.path) for one in found.routes] == [("Shop", "live", "/a")] * 2
    assert (get.method, options.method, options.target) == ("GET", "OPTIONS", None)
    responses: Any = options.integration["IntegrationResponses"]
    assert responses[0]["ResponseParameters"] == {
        "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
        "method.response.header.Access-Control-Allow-Origin": "'https://a.example'",
        "method.response.header.Access-Control-Allow-Credentials": "'true'",
    }


OWN_DOCUMENT = """
    Shop:
      Type: {kind}
      Properties:
        StageName: live
        {more}
        DefinitionBody:
          openapi: 3.0.1
          paths:
            /own: {{get: {{x-amazon-apigateway-integration: {{type: mock}}}}}}
"""


@pytest.mark.parametrize(
    ("event", "kind", "more", "paths"),
    [
        ("Api, Properties: {RestApiId", "AWS::Serverless::Api", "", ["/own"]),
        ("Api, Properties: {RestApiId", "AWS::Serverless::Api", "MergeDefinitions: true", ["/own", "/a"]),
        ("HttpApi, Properties: {ApiId", "AWS::Serverless::HttpApi", "", ["/own", "/a"]),
    ],
)
def test_a_document_of_sam_with_events(event: str, kind: str, more: str, paths: list[str]) -> None:
    found = sam(
        f"Events: {{E: {{Type: {event}: !Ref Shop, Path: /a, Method: get}}}}}}",
        rest=OWN_DOCUMENT.format(kind=kind, more=more),
    )
    assert [one.path for one in found.routes] == paths
    told_of_it = "Shop has a document without /a, and SAM adds nothing to that: say MergeDefinitions"
    assert told(found.findings) == ([] if "/a" in paths else [("WARNING", told_of_it, 8)])


WRONG = {
    "an integration with another service": (
        START.replace("states:action/StartSyncExecution", "sqs:path/q"),
        "WARNING",
        "Nothing here runs integrations with arn:aws:apigateway:us-east-1:sqs:path/q",
    ),
    "a template that names no machine": (
        START.replace("stateMachineArn", "machine"),
        "ERROR",
        "No stateMachineArn can be found in the request template",
    ),
    "a web page": (
        MOCK.replace("MOCK", "HTTP_PROXY"),
        "WARNING",
        "Nothing here runs integrations of the type HTTP_PROXY",
    ),
    "no way to the root": (
        MOCK.replace("!GetAtt Api.RootResourceId", "elsewhere"),
        "ERROR",
        "There is no way from this method to the root of Api: elsewhere has no parent",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_method_cannot_do_is_told(case: str) -> None:
    method, severity, message = WRONG[case]
    [route] = resources(AROUND, REST, method).routes
    assert [(one.severity, one.message) for one in route.findings] == [(severity, message)]
    assert route.target is None


def test_web_sockets_are_told() -> None:
    found = resources("  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}\n")
    assert told(found.findings) == [("WARNING", "Nothing here runs WebSocket APIs", 2)]
