"""For each optimised integration: a sound and a bad value of each of its fields, and what is said of the bad one.

Fields and kinds come from botocore's models, the words that some integrations have of their own from the
Developer Guide ("Create and manage Amazon EMR clusters with Step Functions", "Call HTTPS APIs", ...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.resources.aws.names import member_name, service_model
from asl_engine.resources.aws.optimised import OPTIMISED

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Bad", "bad_parameters", "integrations", "sound_parameters"]

# A value of another kind, and what AWS calls the right one: STRING and INTEGER are reported, the others ours.
WRONG: dict[str, tuple[Any, str]] = {
    "string": (1, "a STRING"),
    "blob": (True, "a STRING"),
    "boolean": ("yes", "a BOOLEAN"),
    "integer": ("1", "an INTEGER"),
    "long": (1.5, "a LONG"),
    "float": ("1", "a FLOAT"),
    "double": ("1", "a DOUBLE"),
    "timestamp": (False, "a TIMESTAMP"),
    "structure": ("x", "an OBJECT"),
    "map": ([], "an OBJECT"),
    "list": ({}, "an ARRAY"),
}
SOUND: dict[str, Any] = {
    "string": "x",
    "blob": {"any": "JSON"},
    "boolean": True,
    "integer": 1,
    "long": 1,
    "float": 1.5,
    "double": 1,
    "timestamp": "2026-01-01T00:00:00Z",
    "map": {},
}
# EMR's integrations: their fields by those of the API, in brackets where the API has a list of them.
OWN_WORDS: dict[str, dict[str, str]] = {
    "elasticmapreduce:addStep": {"JobFlowId": "ClusterId", "Steps": "[Step]"},
    "elasticmapreduce:cancelStep": {"StepIds": "[StepId]"},
    "elasticmapreduce:modifyInstanceGroupByName": {"InstanceGroups": "[InstanceGroup]"},
    "elasticmapreduce:setClusterTerminationProtection": {"JobFlowIds": "[ClusterId]"},
    "elasticmapreduce:terminateCluster": {"JobFlowIds": "[ClusterId]"},
}
# Texts that the integration has and the API has not; what it wants beside the API; what it refuses.
NAMES = {
    "elasticmapreduce:modifyInstanceFleetByName": "InstanceFleetName",
    "elasticmapreduce:modifyInstanceGroupByName": "InstanceGroupName",
}
NEEDED = {"elasticmapreduce:modifyInstanceGroupByName": ("ClusterId", "InstanceGroup")}
REFUSED = {
    "elasticmapreduce:createCluster": ("Steps",),
    "ecs:runTask.sync": ("Count", "StartedBy"),
}
# Sound values that do not follow from the model alone.
VALUES: dict[tuple[str, str], Any] = {
    ("elasticmapreduce:createCluster", "Instances"): {"KeepJobFlowAliveWhenNoSteps": True},
    ("elasticmapreduce:modifyInstanceFleetByName", "InstanceFleet"): {"TargetSpotCapacity": 1},
    ("elasticmapreduce:modifyInstanceGroupByName", "InstanceGroup"): {"InstanceCount": 1},
}


class Field(NamedTuple):
    """A sound value, a bad one, and what is said of that."""

    sound: Any
    bad: Any
    fault: str
    required: bool = False


class Bad(NamedTuple):
    """Parameters with one thing that is wrong."""

    parameters: Any
    fault: str


def kind(field: str, of: str) -> str:
    return f"The value for the field '{field}' must be {of}"


def form(field: str) -> str:
    return f"The value of the field '{field}' has an invalid format"


def text(field: str, *, required: bool = False) -> Field:
    return Field("x", 1, kind(field, "a STRING"), required)


ARN = "arn:aws:events:us-east-1:123456789012:connection/shop/1"
CONNECTION = Field({"ConnectionArn": ARN}, {"ConnectionArn": "shop"}, form("ConnectionArn"))
NATIVE: dict[str, dict[str, Field]] = {
    "lambda:invoke": {
        "FunctionName": text("FunctionName", required=True),
        "ClientContext": text("ClientContext"),
        "DurableExecutionName": text("DurableExecutionName"),
        "InvocationType": text("InvocationType"),
        "LogType": text("LogType"),
        "Payload": Field({"any": "JSON"}, 1, kind("Payload", "a STRING")),
        "Qualifier": text("Qualifier"),
        "TenantId": text("TenantId"),
    },
    "states:startExecution": {
        "StateMachineArn": text("StateMachineArn", required=True),
        "Input": Field(["any", "JSON"], 1, kind("Input", "a STRING")),
        "Name": text("Name"),
        "TraceHeader": text("TraceHeader"),
    },
    "http:invoke": {
        "ApiEndpoint": Field("https://api.example.com/x", "api.example.com", form("ApiEndpoint"), required=True),
        "Method": Field("GET", "BREW", form("Method"), required=True),
        "Authentication": CONNECTION,
        "Headers": Field({"X": "1"}, [], kind("Headers", "an OBJECT")),
        "InvocationConfig": CONNECTION,
        "QueryParameters": Field({"q": 1}, "?q=1", kind("QueryParameters", "an OBJECT")),
        "RequestBody": Field(7, None, ""),
        "Transform": Field(
            {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "COMMAS"}},
            {"RequestBodyEncoding": "XML"},
            form("RequestBodyEncoding"),
        ),
    },
    "apigateway:invoke": {
        "ApiEndpoint": Field("a.execute-api.us-east-1.amazonaws.com", "a/b", form("ApiEndpoint"), required=True),
        "Method": Field("PUT", 1, form("Method"), required=True),
        "AllowNullValues": Field(True, "true", form("AllowNullValues")),
        "AuthType": Field("IAM_ROLE", "NONE", form("AuthType")),
        "Headers": Field({"X": ["1"]}, {"X": "1"}, kind("X", "an ARRAY")),
        "Path": Field("bills", 1, form("Path")),
        # As reported of AWS for a text.
        "QueryParameters": Field({"q": ["1"]}, "?q=1", form("QueryParameters")),
        "RequestBody": Field({"any": "JSON"}, None, ""),
        "Stage": Field("prod", 1, form("Stage")),
    },
}


def integrations() -> list[str]:
    """Every action, and with ``.sync`` those of which fields are taken by it."""
    return sorted([*OPTIMISED, *NATIVE, *(name for name in REFUSED if "." in name)])


def sound_parameters(name: str) -> Iterator[tuple[str, Any]]:
    """For each field, parameters with it and with what is required, and for "" with that alone."""
    fields = _fields(name)
    least = _least(fields)
    yield "", least
    for field, one in fields.items():
        yield field, {**least, field: one.sound}


def bad_parameters(name: str) -> Iterator[Bad]:
    """For each field another kind of value, and none where it is required; and what is no field at all."""
    fields = _fields(name)
    least = _least(fields)
    for field, one in fields.items():
        if one.fault:
            yield Bad({**least, field: one.bad}, one.fault)
        if one.required:
            rest = {other: value for other, value in least.items() if other != field}
            yield Bad(rest, f"The field '{field}' is required but was missing")
    for field in ("NoSuchField", *REFUSED.get(name, ())):
        yield Bad({**least, field: "x"}, f"The field '{field}' is not supported by Step Functions")


def _least(fields: dict[str, Field]) -> dict[str, Any]:
    return {field: one.sound for field, one in fields.items() if one.required}


def _fields(name: str) -> dict[str, Field]:
    action = name.partition(".")[0]
    if action in NATIVE:
        return NATIVE[action]
    entry = OPTIMISED[action]
    shape = service_model(entry.service).operation_model(entry.operation).input_shape
    words, needed = OWN_WORDS.get(action, {}), NEEDED.get(action, ())
    fields: dict[str, Field] = {}
    for member, inner in shape.members.items():
        place = words.get(member, member_name(member))
        field = place.strip("[]")
        of = inner.member if place.startswith("[") else inner
        if field in REFUSED.get(name, ()):
            continue
        token = bool(inner.metadata.get("idempotencyToken")) and member.lower().endswith("token")
        wanted = (member in shape.required_members and not token) or field in needed
        value = VALUES.get((action, field), _sound(of))
        if getattr(of, "is_document_type", False):
            fields[field] = Field(value, None, "", wanted)
        else:
            bad, right = WRONG[of.type_name]
            fields[field] = Field(value, bad, kind(field, right), wanted)
    if action in NAMES:
        fields[NAMES[action]] = text(NAMES[action], required=True)
    return fields


def _sound(shape: Any) -> Any:
    """With what is required, at any depth."""
    if getattr(shape, "is_document_type", False):
        return 7
    if shape.type_name == "structure":
        return {member_name(name): _sound(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [_sound(shape.member)]
    return SOUND[shape.type_name]
