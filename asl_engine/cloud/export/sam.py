"""A SAM template, in JSON, for ``sam deploy``.  "AWS SAM specification" of its Developer Guide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.cloud.export.cloudformation import (
    MACHINE,
    environment,
    logging,
    logical_id,
    outputs,
    parameters,
    substituted,
    substitutions,
    written,
)

if TYPE_CHECKING:
    from asl_engine.cloud.export.parts import ExportedFunction, TemplateParts

__all__ = ["sam"]

ALIAS = "deployed"


def sam(parts: TemplateParts) -> dict[str, str]:
    """``template.json``, the definition and functions.zip, which SAM uploads."""
    given = parameters(parts)
    alias = {"Fn::Sub": f"${{{MACHINE}}}:{parts.alias}"}
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": f"The state machine {parts.name}",
        **({"Parameters": given} if given else {}),
        "Resources": {
            **{logical_id(function): _function(function, parts) for function in parts.functions},
            MACHINE: _machine(parts),
        },
        "Outputs": outputs(parts, alias),
    }
    return {"template.json": written(template), parts.file: parts.text}


def _version_id(function: ExportedFunction) -> str:
    """The version that SAM generates: "Generated CloudFormation resources" of its Developer Guide."""
    return f"{logical_id(function)}.Version"


def _function(function: ExportedFunction, parts: TemplateParts) -> dict[str, Any]:
    settings = parts.settings
    concurrency = function.settings.concurrency
    return {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "FunctionName": function.name,
            "CodeUri": "functions.zip",
            # SAM publishes a version only with an alias, which nothing here invokes.
            "AutoPublishAlias": ALIAS,
            "AutoPublishAliasAllProperties": True,
            "Handler": function.handler,
            "Runtime": settings.runtime,
            "Architectures": [function.settings.architecture],
            "MemorySize": function.settings.memory,
            "Timeout": function.settings.timeout,
            **({} if settings.function_role is None else {"Role": settings.function_role}),
            **({} if concurrency is None else {"ReservedConcurrentExecutions": concurrency}),
            **environment(function),
            "Tags": parts.tags,
        },
    }


def _machine(parts: TemplateParts) -> dict[str, Any]:
    filled, log = substitutions(parts, _version_id), logging(parts)
    permissions: dict[str, Any] = {"Policies": [substituted(parts.policy)]} if parts.policy["Statement"] else {}
    if parts.settings.role is not None:
        permissions = {"Role": parts.settings.role}
    return {
        "Type": "AWS::Serverless::StateMachine",
        "Properties": {
            "Name": parts.name,
            "Type": parts.settings.type,
            "DefinitionUri": parts.file,
            **({"DefinitionSubstitutions": filled} if filled else {}),
            **permissions,
            **({"AutoPublishAlias": parts.alias} if parts.alias is not None else {}),
            **({"Logging": log} if log else {}),
            **({"Tracing": {"Enabled": True}} if parts.settings.tracing else {}),
            "Tags": parts.tags,
        },
    }
