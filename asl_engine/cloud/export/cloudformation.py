"""A CloudFormation template, in JSON.  "Template reference" of the CloudFormation User Guide."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from asl_engine.cloud.deploy.policy import trust
from asl_engine.cloud.deploy.roles import LAMBDA_SERVICE, STATES_SERVICE
from asl_engine.cloud.export.parts import (
    ACCOUNT,
    ACCOUNT_PLACEHOLDER,
    PARTITION,
    POLICY_NAME,
    REGION,
    REGION_PLACEHOLDER,
    code_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.cloud.export.parts import ExportedFunction, TemplateParts

__all__ = [
    "cloudformation",
    "environment",
    "logging",
    "outputs",
    "parameters",
    "substituted",
    "substitutions",
    "written",
]

_PSEUDO = {PARTITION: "${AWS::Partition}", REGION: "${AWS::Region}", ACCOUNT: "${AWS::AccountId}"}
MACHINE = "StateMachine"
# A version stays when the next one replaces it: executions and rollbacks go on needing it.
_KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
_NOT_A_PARAMETER = re.compile(r"\$\{(?!\w+\})")  # Fn::Sub would look for something of that name


def cloudformation(parts: TemplateParts) -> dict[str, str]:
    """``template.json`` and the definition; a parameter names the bucket with the functions' code."""
    resources: dict[str, Any] = {}
    given = parameters(parts)
    if parts.bundle is not None:
        described = f"The bucket into which functions.zip has been put as {code_key(parts.name, parts.bundle)}"
        given["CodeBucket"] = {"Type": "String", "Description": described}
    if parts.functions and parts.settings.function_role is None:
        resources["FunctionRole"] = _role(LAMBDA_SERVICE, parts.function_policy)
    for function in parts.functions:
        resources[logical_id(function)] = _function(function, parts)
        resources[_version_id(function)] = _version(function, parts)
    if parts.settings.role is None:
        resources["StateMachineRole"] = _role(STATES_SERVICE, parts.policy)
    resources[MACHINE] = _machine(parts)
    if parts.alias is not None:
        resources |= _version_and_alias(parts.alias)
    template: dict[str, Any] = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The state machine {parts.name}",
        **({"Parameters": given} if given else {}),
        "Resources": resources,
        "Outputs": outputs(parts, {"Ref": "StateMachineAlias"}),
    }
    return {"template.json": written(template), parts.file: parts.text}


def written(template: dict[str, Any]) -> str:
    return f"{json.dumps(template, indent=2, ensure_ascii=False)}\n"


def logical_id(function: ExportedFunction) -> str:
    return f"{function.label}Function"


def parameters(parts: TemplateParts) -> dict[str, Any]:
    return {
        name: {"Type": "String", "Description": f"What {name} stands for in the definition"}
        for name in parts.parameters
    }


def substituted(value: Any) -> Any:
    """The value with Fn::Sub for each string that has something to fill in."""
    if isinstance(value, dict):
        return {key: substituted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner) for inner in value]
    if not isinstance(value, str):
        return value
    filled = _NOT_A_PARAMETER.sub("${!", value)
    for token, pseudo in _PSEUDO.items():
        filled = filled.replace(token, pseudo)
    return {"Fn::Sub": filled} if "${" in filled else filled


def substitutions(parts: TemplateParts, version_id: Callable[[ExportedFunction], str]) -> dict[str, Any]:
    """DefinitionSubstitutions: the meaning of each placeholder of the definition.

    A function's ARN is that of the version that ``version_id`` names: after a rollback the machine invokes the
    code that it was deployed with, and the role allows versions only.
    """
    found: dict[str, Any] = {}
    if f"${{{REGION_PLACEHOLDER}}}" in parts.text:
        found[REGION_PLACEHOLDER] = {"Ref": "AWS::Region"}
    if f"${{{ACCOUNT_PLACEHOLDER}}}" in parts.text:
        found[ACCOUNT_PLACEHOLDER] = {"Ref": "AWS::AccountId"}
    found |= {one.placeholder: {"Ref": version_id(one)} for one in parts.functions}
    return found | {name: {"Ref": name} for name in parts.parameters}


def logging(parts: TemplateParts) -> dict[str, Any]:
    log = parts.settings.logging
    if log is None:
        return {}
    group = log.group if log.group.endswith(":*") else f"{log.group}:*"
    return {
        "Level": log.level,
        "IncludeExecutionData": log.data,
        "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
    }


def environment(function: ExportedFunction) -> dict[str, Any]:
    variables = dict(function.settings.environment)
    return {"Environment": {"Variables": variables}} if variables else {}


def outputs(parts: TemplateParts, alias: Any) -> dict[str, Any]:
    found = {"StateMachineArn": {"Value": {"Ref": MACHINE}}}
    return found | ({"StateMachineAliasArn": {"Value": alias}} if parts.alias is not None else {})


def _role(service: str, policy: dict[str, Any]) -> dict[str, Any]:
    account = {"Ref": "AWS::AccountId"} if service == STATES_SERVICE else None
    properties: dict[str, Any] = {"AssumeRolePolicyDocument": trust(service, account)}
    if policy["Statement"]:
        properties["Policies"] = [{"PolicyName": POLICY_NAME, "PolicyDocument": substituted(policy)}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _version_id(function: ExportedFunction) -> str:
    return f"{logical_id(function)}Version{function.digest}"


def _version(function: ExportedFunction, parts: TemplateParts) -> dict[str, Any]:
    """A version is immutable: for other code another resource takes its place, and this one is retained."""
    assert parts.bundle is not None  # noqa: S101  there are functions
    properties = {"FunctionName": {"Ref": logical_id(function)}, "CodeSha256": parts.bundle.sha256}
    return {"Type": "AWS::Lambda::Version", **_KEPT, "Properties": properties}


def _function(function: ExportedFunction, parts: TemplateParts) -> dict[str, Any]:
    assert parts.bundle is not None  # noqa: S101  there are functions
    settings = parts.settings
    concurrency = function.settings.concurrency
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": function.name,
            "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": code_key(parts.name, parts.bundle)},
            "Handler": function.handler,
            "Runtime": settings.runtime,
            "Architectures": [function.settings.architecture],
            "MemorySize": function.settings.memory,
            "Timeout": function.settings.timeout,
            "Role": settings.function_role or {"Fn::GetAtt": ["FunctionRole", "Arn"]},
            **({} if concurrency is None else {"ReservedConcurrentExecutions": concurrency}),
            **environment(function),
            "Tags": _tags(parts),
        },
    }


def _tags(parts: TemplateParts) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in parts.tags.items()]


def _machine(parts: TemplateParts) -> dict[str, Any]:
    filled, log = substitutions(parts, _version_id), logging(parts)
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": parts.name,
            "StateMachineType": parts.settings.type,
            "RoleArn": parts.settings.role or {"Fn::GetAtt": ["StateMachineRole", "Arn"]},
            "DefinitionString": parts.text,
            **({"DefinitionSubstitutions": filled} if filled else {}),
            **({"LoggingConfiguration": log} if log else {}),
            **({"TracingConfiguration": {"Enabled": True}} if parts.settings.tracing else {}),
            "Tags": _tags(parts),
        },
    }


def _version_and_alias(name: str) -> dict[str, Any]:
    version = {
        "StateMachineArn": {"Ref": MACHINE},
        "StateMachineRevisionId": {"Fn::GetAtt": [MACHINE, "StateMachineRevisionId"]},
    }
    preference = {"StateMachineVersionArn": {"Ref": "StateMachineVersion"}, "Type": "ALL_AT_ONCE"}
    return {
        "StateMachineVersion": {"Type": "AWS::StepFunctions::StateMachineVersion", **_KEPT, "Properties": version},
        "StateMachineAlias": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {"Name": name, "DeploymentPreference": preference},
        },
    }
