"""Failures of a service, or of reaching it: the error names and causes that a definition sees."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from uuid import uuid4

from asl_engine.errors import StatesError
from asl_engine.resources.aws.names import client_name, exception_name

__all__ = ["Family", "clean", "declared_errors", "refused", "sdk_family", "unreachable", "unsendable"]

# What must not reach a history: the user part of a URL, and access key ids (the IAM User Guide's prefixes).
_SECRETS = re.compile(r"(?<=//)[^/@\s\"]+@|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")


class Family(NamedTuple):
    """The errors of one service: ``prefix.Name``, with ``base`` for whatever the service does not declare.

    ``service`` is the service's name in causes.  Optimised integrations word them as version 1 of the AWS
    SDK for Java does (``legacy``), the others as version 2.  ``judges_values``: values of another kind are
    refused by the service, and not by Step Functions.
    """

    prefix: str
    base: str
    service: str
    legacy: bool = True
    judges_values: bool = False


def sdk_family(model: Any) -> Family:
    name = client_name(model.metadata["serviceId"])
    return Family(name, f"{name}Exception", name, legacy=False)


def refused(detail: dict[str, Any], meta: dict[str, Any], model: Any, family: Family) -> StatesError:
    """The failure that a service reports: the Error and the ResponseMetadata of botocore's ``ClientError``."""
    code = str(detail.get("Code", "Unknown"))
    # Some services once used another protocol; within a stream of events, an error is called by its member.
    codes = {code, detail.get("QueryErrorCode", code), code[:1].upper() + code[1:]}
    name = _declared(codes, model, legacy=family.legacy) or family.base
    status, request = meta.get("HTTPStatusCode"), meta.get("RequestId") or str(uuid4())
    if family.legacy:
        facts = (
            f"Service: {family.service}; Status Code: {status}; Error Code: {code}; "
            f"Request ID: {request}; Proxy: null"
        )
    else:
        facts = f"Service: {family.service}, Status Code: {status}, Request ID: {request}"
        if meta.get("HostId"):
            facts += f", Extended Request ID: {meta['HostId']}"
    return StatesError(f"{family.prefix}.{name}", f"{clean(str(detail.get('Message', '')))} ({facts})")


def _declared(codes: set[str], model: Any, *, legacy: bool) -> str | None:
    """The class of the error with one of these codes, None if the service's model has none."""
    for shape in model.error_shapes:
        if codes & {shape.name, shape.metadata.get("error", {}).get("code")}:
            return _class_of(shape.name, legacy=legacy)
    return None


def _class_of(shape: str, *, legacy: bool) -> str:
    if not legacy:
        return exception_name(shape)
    return shape if shape.endswith("Exception") else f"{shape}Exception"


def declared_errors(operation: Any, family: Family) -> list[str]:
    """The errors that an operation's model declares, by the names that a definition sees."""
    names = [_class_of(shape.name, legacy=family.legacy) for shape in operation.error_shapes]
    return [f"{family.prefix}.{name}" for name in dict.fromkeys(names)]


def unsendable(reason: str, family: Family) -> StatesError:
    """The failure of a request that the client cannot make, so that no service ever sees it."""
    return StatesError(f"{family.prefix}.SdkClientException", f"Unable to marshall request: {clean(reason)}")


def unreachable(error: Exception, family: Family) -> StatesError:
    """The failure when no answer came: no connection, no credentials, a timeout, or no such endpoint."""
    from botocore import exceptions

    name = f"{family.prefix}.SdkClientException"
    if isinstance(error, exceptions.CredentialRetrievalError):  # quotes the output of the user's own command
        return StatesError(name, "The AWS SDK could not retrieve credentials.")
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return StatesError(name, f"Unable to load credentials: {clean(str(error))}")
    return StatesError(name, f"Unable to execute HTTP request: {clean(str(error))}")


def clean(text: str) -> str:
    return _SECRETS.sub("", text)
