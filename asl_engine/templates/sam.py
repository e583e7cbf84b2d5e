"""What SAM adds to a template: properties that all functions share, and resources that it makes by itself.

"Globals section of the AWS SAM template" and "Generated CloudFormation resources" in its Developer Guide.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["FUNCTION", "MACHINE", "generated", "is_serverless", "section_of", "shared", "table_of"]

FUNCTION: Final = "AWS::Serverless::Function"
MACHINE: Final = "AWS::Serverless::StateMachine"
SECTIONS: Final = {
    FUNCTION: "Function",
    MACHINE: "StateMachine",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::HttpApi": "HttpApi",
    "AWS::Serverless::SimpleTable": "SimpleTable",
}


def is_serverless(document: dict[str, Any]) -> bool:
    return "AWS::Serverless" in str(document.get("Transform")) or any(
        isinstance(one, dict) and str(one.get("Type")).startswith("AWS::Serverless::")
        for one in table_of(document, "Resources").values()
    )


def generated(document: dict[str, Any]) -> dict[str, Any]:
    """What SAM makes by itself, by logical ids: roles, and versions and aliases of functions."""
    made: dict[str, Any] = {}
    for logical, resource in table_of(document, "Resources").items():
        kind = str(resource.get("Type")) if isinstance(resource, dict) else ""
        if kind in {FUNCTION, MACHINE}:
            made[f"{logical}Role"] = {"Type": "AWS::IAM::Role"}
        own = {**shared(document, kind), **table_of(resource, "Properties")}
        alias = own.get("AutoPublishAlias")
        if kind != FUNCTION or alias is None:
            continue
        # Ref takes them by a name with a dot: Function.Alias, Function.Version.
        named = {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": logical}, "Name": alias}}
        made[f"{logical}.Alias"] = named
        made[f"{logical}.Version"] = {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": logical}},
        }
        if isinstance(alias, str):
            made[f"{logical}Alias{alias}"] = named
    return made


def section_of(kind: str) -> str:
    """The section of Globals for a type, "" where it has none."""
    return SECTIONS.get(kind, "")


def shared(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """The properties that Globals give to the resources of a type."""
    section = section_of(kind)
    return table_of(table_of(document, "Globals"), section) if section else {}


def table_of(holder: Any, name: str) -> dict[str, Any]:
    """The object that another one has under a name; an empty one where it has none."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, dict) else {}
