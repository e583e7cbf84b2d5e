"""The least privilege for a definition: from its Resources to an IAM policy.

Follows "IAM policies for integrated services" of the Step Functions Developer Guide.  What a definition
names literally is granted exactly; what it computes (``TableName.$``, ``{% ... %}``) can only be granted for
all resources of its kind, and a note says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from asl_engine.arn import function_name, integration_name, is_arn, unqualified
from asl_engine.cloud.deploy.grants import RULES, SDK_PREFIXES, Grant
from asl_engine.language.tree import all_states
from asl_engine.resources.aws.optimised import OPTIMISED
from asl_engine.states.processor_config import is_distributed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.cloud.deploy.account import AwsAccount
    from asl_engine.language.tree import StateSource

__all__ = ["covers", "document_of", "grants", "trust"]

_INTEGRATION = re.compile(r"(?P<service>aws-sdk:[\w-]+|[\w-]+):(?P<action>\w+)(?P<pattern>\.[\w:]+)?")


def grants(document: Any, place: AwsAccount) -> list[Grant]:
    """The permissions that the states of a definition need, each once."""
    found: list[Grant] = []
    for state in all_states(document):
        found.extend(_of_state(state, place))
    return list(dict.fromkeys(found))


def _of_state(state: StateSource, place: AwsAccount) -> Iterator[Grant]:
    if state.type == "Task":
        yield from _of_task(str(state.source.get("Resource", "")), arguments_of(state.source), place)
        yield from _of_credentials(state.source.get("Credentials"), place)
    elif state.type == "Map":
        yield from _of_map(state, place)


def arguments_of(state: dict[str, Any]) -> dict[str, Any]:
    """Parameters or Arguments; empty if they are computed as a whole."""
    given = state.get("Arguments", state.get("Parameters"))
    return given if isinstance(given, dict) else {}


def _of_task(resource: str, arguments: dict[str, Any], place: AwsAccount) -> Iterator[Grant]:
    # A parameter is a function: what else has an ARN of its own?
    if function_name(resource) is not None or resource.startswith("${"):
        yield _invoke(resource, place)
        return
    match = _INTEGRATION.fullmatch(integration_name(resource) or "")
    if match is None:  # an activity: its workers need permission, the machine does not
        return
    service, action, pattern = match["service"], match["action"], match["pattern"] or ""
    if service == "lambda":
        yield _invoke(_function_of(arguments, place), place)
    elif service.startswith("aws-sdk:"):
        yield from _of_sdk(service.removeprefix("aws-sdk:"), action, arguments, place)
    else:
        rule = RULES.get((service, action))
        if rule is not None:
            yield from rule(arguments, place, pattern)
        else:
            more = (
                "; a role of your own has to allow what .sync needs besides" if pattern.startswith(".sync") else ""
            )
            entry = OPTIMISED.get(f"{service}:{action}")  # which may call an operation of another name
            name = _pascal(action) if entry is None else entry.operation
            yield Grant(f"{service}:{name}", "*", note=f"{service}:{action} on all resources{more}")
            if entry is not None and entry.named is not None:
                yield Grant(f"{service}:{entry.named.listing}", "*")


def _function_of(arguments: dict[str, Any], place: AwsAccount) -> str:
    name = literal(arguments, "FunctionName")
    if name is None:
        return place.arn("lambda", "function:*")
    arn = name if is_arn(name) else place.arn("lambda", f"function:{name}")
    version = literal(arguments, "Qualifier")
    return f"{arn}:{version}" if version else arn


def _invoke(arn: str, place: AwsAccount) -> Grant:
    plain = unqualified(arn)[0]
    if plain in place.functions:  # earlier versions of the machine go on invoking earlier versions of it
        return Grant("lambda:InvokeFunction", f"{plain}:*")
    note = "lambda:InvokeFunction on all functions: FunctionName is computed" if arn.endswith(":*") else None
    return Grant("lambda:InvokeFunction", arn, note=note)


def _of_sdk(service: str, action: str, arguments: dict[str, Any], place: AwsAccount) -> Iterator[Grant]:
    """An AWS SDK integration needs the action of its name, on the resource if an optimised one knows it."""
    optimised = RULES.get((SDK_PREFIXES.get(service, service), action))
    if optimised is not None and service in {"dynamodb", "sqs", "sns", "sfn", "s3"}:
        yield from optimised(arguments, place, "")
        return
    bucket, key = literal(arguments, "Bucket"), literal(arguments, "Key")
    if service == "s3" and bucket is not None:
        on = bucket if action.startswith("list") else f"{bucket}/{key or '*'}"
        name = "ListBucket" if action.startswith("listObjects") else _pascal(action)
        yield Grant(f"s3:{name}", place.arn("s3", on, glob=True))
        return
    prefix = SDK_PREFIXES.get(service, service)
    yield Grant(f"{prefix}:{_pascal(action)}", "*", note=f"aws-sdk:{service}:{action} on all resources")


def _of_credentials(credentials: Any, place: AwsAccount) -> Iterator[Grant]:
    if not isinstance(credentials, dict):
        return
    role = literal(credentials, "RoleArn")
    note = None if role else "sts:AssumeRole on all roles of the account: Credentials are computed"
    everything = f"arn:{place.partition}:iam::{place.account}:role/*"
    yield Grant("sts:AssumeRole", role or everything, note=note)


def _of_map(state: StateSource, place: AwsAccount) -> Iterator[Grant]:
    """A distributed Map starts executions of its own machine, and reads and writes S3."""
    if any(is_distributed(scope.source) for scope in state.scopes()):
        yield Grant("states:StartExecution", place.arn("states", f"stateMachine:{place.machine}"))
        for action in ("DescribeExecution", "StopExecution", "RedriveExecution"):
            yield Grant(f"states:{action}", place.arn("states", f"execution:{place.machine}:*"))
            yield Grant(f"states:{action}", place.arn("states", f"execution:{place.machine}/*"))
    reader, writer = state.source.get("ItemReader"), state.source.get("ResultWriter")
    if isinstance(reader, dict):
        yield from _of_reader(reader, place)
    if isinstance(writer, dict) and writer.get("Resource"):
        arguments = arguments_of(writer)
        bucket, prefix = literal(arguments, "Bucket") or "*", literal(arguments, "Prefix") or ""
        for action in ("PutObject", "GetObject", "ListMultipartUploadParts", "AbortMultipartUpload"):
            yield Grant(f"s3:{action}", place.arn("s3", f"{bucket}/{prefix}*", glob=True))


def _of_reader(reader: dict[str, Any], place: AwsAccount) -> Iterator[Grant]:
    arguments = arguments_of(reader)
    bucket, key = literal(arguments, "Bucket") or "*", literal(arguments, "Key") or "*"
    config = reader.get("ReaderConfig")
    settings = config if isinstance(config, dict) else {}
    if str(reader.get("Resource", "")).endswith(":listObjectsV2"):
        yield Grant("s3:ListBucket", place.arn("s3", bucket, glob=True))
        if settings.get("Transformation") == "LOAD_AND_FLATTEN":
            prefix = literal(arguments, "Prefix") or ""
            yield Grant("s3:GetObject", place.arn("s3", f"{bucket}/{prefix}*", glob=True))
        return
    # A manifest names objects that only it knows.
    manifest = settings.get("InputType") == "MANIFEST"
    yield Grant("s3:GetObject", place.arn("s3", f"{bucket}/{'*' if manifest else key}", glob=True))


def literal(arguments: dict[str, Any], name: str) -> str | None:
    """The text of a literal argument; None if it is computed or absent."""
    value = arguments.get(name)
    return value if isinstance(value, str) and not value.lstrip().startswith("{%") else None


def _pascal(action: str) -> str:
    return action[:1].upper() + action[1:]


# -- documents ----------------------------------------------------------------------------------------


def trust(service: str, account: Any = None) -> dict[str, Any]:
    """The trust policy of a role that a service assumes; with ``account``, for that account's resources only.

    The Step Functions Developer Guide advises this against a confused deputy; Lambda does not support it.
    """
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if account is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def document_of(needed: Iterable[Grant]) -> dict[str, Any]:
    """The policy document: one statement for all actions on the same resources."""
    by_action: dict[tuple[str, str | None], list[str]] = {}
    for grant in needed:
        resources = by_action.setdefault((grant.action, grant.condition), [])
        if grant.resource not in resources:
            resources.append(grant.resource)
    by_resources: dict[tuple[tuple[str, ...], str | None], list[str]] = {}
    for (action, condition), resources in sorted(by_action.items(), key=lambda item: item[0][0]):
        by_resources.setdefault((tuple(sorted(resources)), condition), []).append(action)
    statements = []
    for (names, condition), actions in by_resources.items():
        statement: dict[str, Any] = {"Effect": "Allow", "Action": actions, "Resource": list(names)}
        if condition is not None:
            statement["Condition"] = {"StringEquals": {"iam:PassedToService": condition}}
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


def covers(existing: dict[str, Any], needed: dict[str, Any]) -> bool:
    """Whether a policy from an earlier deployment grants, to the letter, all that is needed now."""
    return _triples(existing) >= _triples(needed)


def _triples(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (action, resource, str(statement.get("Condition")))
        for statement in document.get("Statement", ())
        for action in _list(statement.get("Action"))
        for resource in _list(statement.get("Resource"))
    }


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
