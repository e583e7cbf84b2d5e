"""Secrets of Secrets Manager and parameters of Systems Manager."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from asl_engine.emulation.kinds.making import ResourceKind, is_refused, request_of
from asl_engine.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.emulation.kinds.making import Maker
    from asl_engine.templates.declarations import DeclaredResource

__all__ = ["PARAMETER", "SECRET"]


def make_secret(maker: Maker, secret: DeclaredResource) -> bool:
    from botocore.exceptions import ClientError

    client, properties = maker.client("secretsmanager"), secret.properties
    given = {name: properties[name] for name in ("Description", "SecretString") if name in properties}
    if "GenerateSecretString" in properties:
        given["SecretString"] = _generated(client, properties["GenerateSecretString"])
    given.setdefault("SecretString", "{}")  # one without a value cannot be read
    try:
        client.create_secret(Name=secret.name, **request_of(client, "CreateSecret", given))
    except ClientError as error:
        if is_refused(error, "ResourceExistsException"):
            return False
        raise
    return True


def _generated(client: Any, rules: Any) -> str:
    """A password as the rules want it, alone or as a member of the template."""
    if not isinstance(rules, dict):
        raise InvalidInput(f"GenerateSecretString has to be an object; it is {rules!r}")
    password: str = client.get_random_password(**request_of(client, "GetRandomPassword", rules))["RandomPassword"]
    template, key = rules.get("SecretStringTemplate"), rules.get("GenerateStringKey")
    if template is None and key is None:
        return password
    try:
        around = json.loads(template or "")
    except (TypeError, ValueError):
        around = None
    if not isinstance(around, dict) or not isinstance(key, str):
        raise InvalidInput(
            "GenerateSecretString has to have a SecretStringTemplate, the text of a JSON object, and a "
            "GenerateStringKey, or neither"
        )
    return json.dumps({**around, key: password})


def make_parameter(maker: Maker, parameter: DeclaredResource) -> bool:
    from botocore.exceptions import ClientError

    ssm = maker.client("ssm")
    properties: Mapping[str, Any] = parameter.properties
    given = {
        name: properties[name]
        for name in ("AllowedPattern", "DataType", "Description", "Type", "Value")
        if name in properties
    }
    value = given.get("Value")
    if isinstance(value, list):  # of a StringList, as some write it
        given["Value"] = ",".join(map(str, value))
    try:
        ssm.put_parameter(Name=parameter.name, **request_of(ssm, "PutParameter", given))
    except ClientError as error:
        if is_refused(error, "ParameterAlreadyExists"):
            return False
        raise
    return True


SECRET: Final = ResourceKind(
    "secretsmanager",
    make_secret,
    frozenset(
        {
            "Description",
            "GenerateSecretString",
            "KmsKeyId",
            "Name",
            "ReplicaRegions",
            "SecretString",
            "Tags",
            "Type",
        }
    ),
)
PARAMETER: Final = ResourceKind(
    "ssm",
    make_parameter,
    frozenset(
        {
            "AllowedPattern",
            "DataType",
            "Description",
            "Name",
            "Policies",
            "Tags",
            "Tier",
            "Type",
            "Value",
        }
    ),
)
