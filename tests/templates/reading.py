"""Templates as texts, read to what they declare."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.declarations import Declarations, Surroundings
from asl_engine.templates.recognition import read_template
from asl_engine.templates.serverless import serverless_declarations
from asl_engine.templates.serverless_variables import Outside

if TYPE_CHECKING:
    from asl_engine.findings import Finding

__all__ = ["ACCOUNT", "FUNCTION", "MACHINE", "cloudformation", "sam", "serverless", "told"]

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine"


def cloudformation(text: str, **given: str) -> Declarations:
    document, locate = read_template(dedent(text), "template.yaml")
    assert isinstance(document, dict), text
    return CloudFormation(document, locate, _around(given)).declarations()


def sam(function: str = "", machine: str = "", rest: str = "") -> Declarations:
    """A SAM template with the function F, the machine M and whatever else is among its resources."""
    text = f"""\
Transform: AWS::Serverless-2016-10-31
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.12
{_indented(function, 6)}
  M:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition: {{StartAt: A, States: {{A: {{Type: Succeed}}}}}}
{_indented(machine, 6)}
{_indented(rest, 2)}
"""
    return cloudformation(text)


def serverless(function: str = "", machine: str = "", rest: str = "", **given: str) -> Declarations:
    """A serverless.yml with the function f and the machine m."""
    text = f"""\
service: shop
functions:
  f:
    handler: app.handler
{_indented(function, 4)}
stepFunctions:
  stateMachines:
    m:
      definition: {{StartAt: A, States: {{A: {{Type: Succeed}}}}}}
{_indented(machine, 6)}
{dedent(rest) or "provider: {name: aws, runtime: python3.12}"}
"""
    document, locate = read_template(text, "serverless.yml")
    assert isinstance(document, dict), text
    outside = Outside("us-east-1", ACCOUNT, {}, given, lambda _: None)
    return serverless_declarations(document, locate, _around(given), outside)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, Any]]:
    """The severity, the message and the line of each."""
    return [(one.severity, one.message, one.line) for one in findings]


def _around(given: dict[str, str]) -> Surroundings:
    return Surroundings("us-east-1", ACCOUNT, "shop", given)


def _indented(text: str, blanks: int) -> str:
    return "\n".join(" " * blanks + line for line in dedent(text).strip("\n").splitlines())
