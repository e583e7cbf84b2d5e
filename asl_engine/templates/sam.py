"""What SAM adds to a template: properties that all functions share, and resources that it makes by itself.

"Globals section of the AWS SAM template" and "Generated CloudFormation resources" in its Developer Guide.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["generated", "is_serverless", "shared"]

FUNCTION: Final = "AWS::Serverless::Function"
MACHINE: Final = "AWS::Serverless::StateMachine"
APIS: Final = {"ServerlessRestApi": "AWS::ApiGateway::RestApi", "ServerlessHttpApi": "AWS::ApiGatewayV2::Api"}


def is_serverless(document: dict[str, Any]) -> bool:
    return "AWS::Serverless" in str(document.get("Transform")) or any(
        isinstance(one, dict) and str(one.get("Type")).startswith("AWS::Serverless::")
        for one in _table(document, "Resources").values()
    )


def generated(document: dict[str, Any]) -> dict[str, Any]:
    """The resources that SAM makes of others, by their logical ids."""
    made: dict[str, Any] = {logical: {"Type": kind} for logical, kind in APIS.items()}
    for logical, resource in _table(document, "Resources").items():
        if isinstance(resource, dict) and str(resource.get("Type")) in {FUNCTION, MACHINE}:
            made[f"{logical}Role"] = {"Type": "AWS::IAM::Role"}
    return made


def shared(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties that Globals give to the resources of a type."""
    section = {FUNCTION: "Function", MACHINE: "StateMachine"}.get(kind)
    return {} if section is None else _table(_table(document, "Globals"), section)


def _table(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
