"""A Terraform configuration.  The argument names are those of the provider hashicorp/aws."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.cloud.deploy.policy import trust
from asl_engine.cloud.deploy.roles import LAMBDA_SERVICE, STATES_SERVICE
from asl_engine.cloud.export.hcl import Block, Raw, document, quoted
from asl_engine.cloud.export.parts import (
    ACCOUNT,
    ACCOUNT_PLACEHOLDER,
    PARTITION,
    POLICY_NAME,
    REGION,
    REGION_PLACEHOLDER,
)

if TYPE_CHECKING:
    from asl_engine.cloud.export.parts import ExportedFunction, TemplateParts

__all__ = ["terraform"]

_ACCOUNT_ID = "data.aws_caller_identity.current.account_id"
_REGION_ID = "data.aws_region.current.id"
_KNOWN = {
    PARTITION: "${data.aws_partition.current.partition}",
    REGION: f"${{{_REGION_ID}}}",
    ACCOUNT: f"${{{_ACCOUNT_ID}}}",
}
_PARAMETER = re.compile(r"\$\$\{(\w+)\}")


def terraform(parts: TemplateParts) -> dict[str, str]:
    """``main.tf`` and the definition."""
    blocks = [
        Block(
            "terraform",
            (),
            [
                ("required_version", ">= 1.5"),
                Block("required_providers", (), [("aws", {"source": "hashicorp/aws", "version": ">= 5.40"})]),
            ],
        ),
        *(Block("data", (kind, "current"), []) for kind in ("aws_caller_identity", "aws_partition", "aws_region")),
        *(
            Block(
                "variable",
                (snake(name),),
                [("type", Raw("string")), ("description", f"For {name} in the definition")],
            )
            for name in parts.parameters
        ),
    ]
    if parts.functions and parts.settings.function_role is None:
        blocks += _role("functions", LAMBDA_SERVICE, parts.function_policy)
    blocks += [_function(function, parts) for function in parts.functions]
    if parts.settings.role is None:
        blocks += _role("state_machine", STATES_SERVICE, parts.policy)
    blocks.append(_machine(parts))
    if parts.alias is not None:
        blocks.append(_alias(parts.alias))
    blocks.append(Block("output", ("state_machine_arn",), [("value", Raw("aws_sfn_state_machine.this.arn"))]))
    return {"main.tf": document(blocks), parts.file: parts.text}


def snake(name: str) -> str:
    """``validateOrder`` -> ``validate_order``"""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).lower()


def interpolated(value: Any) -> Any:
    """The value with a template for each string that has something to fill in."""
    if isinstance(value, dict):
        return {key: interpolated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner) for inner in value]
    if not isinstance(value, str):
        return value
    text = _PARAMETER.sub(lambda match: f"${{var.{snake(match[1])}}}", quoted(value))
    for token, reference in _KNOWN.items():
        text = text.replace(token, reference)
    return Raw(text)


def _encoded(value: Any) -> Raw:
    """``jsonencode({...})``"""
    from asl_engine.cloud.export.hcl import expression

    return Raw(f"jsonencode({expression(value, '  ')})")


def _role(label: str, service: str, policy: dict[str, Any]) -> list[Block]:
    trusting = trust(service, Raw(_ACCOUNT_ID) if service == STATES_SERVICE else None)
    blocks = [Block("resource", ("aws_iam_role", label), [("assume_role_policy", _encoded(trusting))])]
    if policy["Statement"]:
        body: list[tuple[str, Any]] = [
            ("name", POLICY_NAME),
            ("role", Raw(f"aws_iam_role.{label}.id")),
            ("policy", _encoded(interpolated(policy))),
        ]
        blocks.append(Block("resource", ("aws_iam_role_policy", label), body))
    return blocks


def _function(function: ExportedFunction, parts: TemplateParts) -> Block:
    settings, own = parts.settings, function.settings
    body: list[tuple[str, Any] | Block] = [
        ("function_name", function.name),
        ("role", settings.function_role or Raw("aws_iam_role.functions.arn")),
        ("runtime", settings.runtime),
        ("architectures", [own.architecture]),
        ("handler", function.handler),
        ("filename", Raw('"${path.module}/functions.zip"')),
        ("source_code_hash", Raw('filebase64sha256("${path.module}/functions.zip")')),
        ("memory_size", own.memory),
        ("timeout", own.timeout),
        *([] if own.concurrency is None else [("reserved_concurrent_executions", own.concurrency)]),
        ("publish", True),
        ("tags", parts.tags),
    ]
    if own.environment:
        body.append(Block("environment", (), [("variables", dict(own.environment))]))
    return Block("resource", ("aws_lambda_function", snake(function.label)), body)


def _definition(parts: TemplateParts) -> Raw:
    """The file with its placeholders replaced; ``templatefile`` would also interpret other parts of the text."""
    values = {one.placeholder: f"aws_lambda_function.{snake(one.label)}.qualified_arn" for one in parts.functions}
    values |= {name: f"var.{snake(name)}" for name in parts.parameters}
    values |= {REGION_PLACEHOLDER: _REGION_ID, ACCOUNT_PLACEHOLDER: _ACCOUNT_ID}
    text = f'file("${{path.module}}/{parts.file}")'
    for name, value in values.items():
        if f"${{{name}}}" in parts.text:
            text = f"replace({text}, {quoted(f'${{{name}}}')}, {value})"
    return Raw(text)


def _machine(parts: TemplateParts) -> Block:
    settings = parts.settings
    body: list[tuple[str, Any] | Block] = [
        ("name", parts.name),
        ("type", settings.type),
        ("role_arn", settings.role or Raw("aws_iam_role.state_machine.arn")),
        ("definition", _definition(parts)),
        ("publish", True),
        ("tags", parts.tags),
    ]
    if settings.logging is not None:
        group = settings.logging.group
        log: list[tuple[str, Any]] = [
            ("level", settings.logging.level),
            ("include_execution_data", settings.logging.data),
            ("log_destination", group if group.endswith(":*") else f"{group}:*"),
        ]
        body.append(Block("logging_configuration", (), log))
    if settings.tracing:
        body.append(Block("tracing_configuration", (), [("enabled", True)]))
    if settings.role is None and parts.policy["Statement"]:
        body.append(("depends_on", Raw("[aws_iam_role_policy.state_machine]")))
    return Block("resource", ("aws_sfn_state_machine", "this"), body)


def _alias(name: str) -> Block:
    route: list[tuple[str, Any]] = [
        ("state_machine_version_arn", Raw("aws_sfn_state_machine.this.state_machine_version_arn")),
        ("weight", 100),
    ]
    return Block(
        "resource", ("aws_sfn_alias", "this"), [("name", name), Block("routing_configuration", (), route)]
    )
