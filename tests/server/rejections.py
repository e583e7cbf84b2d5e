"""One bad request for each constraint of each operation of botocore's service model, nested members included.

The rest of a request is sound, so that there is one thing to be refused.  What a refusal reads like is written
down here once more, and not taken from the server: AWS's own words, as reported of it for names that are too
long (github.com/wolfeidau/buildkite-serverless-agent/issues/37), for lists of texts, for sensitive members (AWS
CodePipeline, github.com/hashicorp/terraform-provider-aws/issues/41023), and for values of another JSON type
(Amazon Athena, which has the same protocol, as measured for github.com/aoyagikouhei/athena-local).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.server.botocore_model import service_model
from tests.server.harness import PASS, ROLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.server.harness import Server

__all__ = ["Case", "Figures", "cases", "disagreement", "figures", "operations", "own_cases", "prepare", "sound"]

KINDS = ("required", "type", "length", "pattern", "enum", "range")
STATES = "arn:aws:states:us-east-1:123456789012:"
# Sound values by the names of members; what is not here follows from the shape.
SAMPLES: dict[str, Any] = {
    "activityArn": f"{STATES}activity:a",
    "definition": json.dumps(PASS),
    "executionArn": f"{STATES}execution:m:e",
    "kmsKeyId": "alias/key",
    "logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:g:*",
    "mapRunArn": f"{STATES}mapRun:m/label:e",
    "resourceArn": f"{STATES}stateMachine:m",
    "roleArn": ROLE,
    "stateMachineAliasArn": f"{STATES}stateMachine:m:live",
    "stateMachineArn": f"{STATES}stateMachine:m",
    "stateMachineVersionArn": f"{STATES}stateMachine:m:1",
}
# A sound value of a structure takes more than its required members where the operation looks at them together.
FULL: dict[str, Any] = {
    "EncryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/key"},
    "StartSyncExecutionInput": {"stateMachineArn": f"{STATES}stateMachine:x"},
    "Tag": {"key": "k", "value": "v"},
    "TestStateInput": {"definition": json.dumps({"Type": "Pass", "End": True})},
    "UpdateStateMachineAliasInput": {"description": "d"},
}
# A text that breaks a pattern and nothing else.
OFF_PATTERN = {"CharacterRestrictedName": "1", "ClientToken": "ö", "TraceHeader": "ö"}
WRONG_TYPES: dict[str, tuple[Any, str]] = {
    "string": (1, "NUMBER_VALUE can not be converted to a String"),
    "boolean": ("true", "STRING_VALUE can not be converted to a Boolean"),
    "integer": ("1", "STRING_VALUE can not be converted to an Integer"),
    "long": (True, "TRUE_VALUE can not be converted to a Long"),
    "float": ([1], "Start of list found where not expected"),
    "list": ("x", "Expected list or null"),
    "structure": ("x", "Expected null"),
}


class OwnError(NamedTuple):
    """An error that AWS has for a value, with where AWS says so."""

    code: str
    message: str
    source: str


# Constraints of the model that have another error than ValidationException, by shape.
EXCEPTIONS = {
    "KmsDataKeyReusePeriodSeconds": OwnError(
        "InvalidEncryptionConfiguration",
        r"Invalid Encryption Configuration: kmsDataKeyReusePeriodSeconds must be between 60 and 900\.",
        "the model's documentation of that error: 'or kmsDataKeyReusePeriodSeconds is not between 60 and 900'",
    ),
}
# Values that the model's constraints let through, and an error of the operation's own does not, by shape.
OWN_ERRORS: dict[str, tuple[Any, OwnError]] = {
    "Arn": ("x", OwnError("InvalidArn", r"Invalid .*Arn: '.*x'", "InvalidArn: 'The provided ARN is not valid'")),
    "LongArn": ("x", OwnError("InvalidArn", r"Invalid Arn: '.*x'", "InvalidArn: 'The provided ARN is not valid'")),
    "Name": (
        "a b",
        OwnError(
            "InvalidName", "Invalid Name: 'a b'", "the documentation of 'name': 'must not contain white space'"
        ),
    ),
    "PageToken": (
        "x",
        OwnError("InvalidToken", "Invalid Token: '.*'", "the documentation of 'nextToken', and InvalidToken's"),
    ),
    "ListExecutionsPageToken": ("x", OwnError("InvalidToken", "Invalid Token: '.*'", "as for PageToken")),
    "TaskToken": ("x", OwnError("InvalidToken", "Invalid Token: '.*'", "InvalidToken: 'The token is not valid'")),
}
# Members of those shapes that are something else to their operation.
NOT_OWN = {
    "workerName": "'You can provide an arbitrary name'",
    "logGroupArn": "InvalidLoggingConfiguration: test_configuration has its cases",
    "stateMachineVersionArn": "in a routing ValidationException, as INVALID_ROUTING_CONFIGURATION: test_aliases",
}


class Case(NamedTuple):
    """A bad request; ``kind`` is that of the constraint, ``message`` a regular expression for the whole of it."""

    operation: str
    place: str
    kind: str
    data: dict[str, Any]
    code: str
    message: str


class Member(NamedTuple):
    """A member of a request, at any depth.  ``place`` is as AWS writes it: ``tags.1.member.key``.

    ``embed`` makes the request in which it has a value; without one where that is ``ABSENT``.
    """

    place: str
    shape: Any
    required: bool
    embed: Callable[[Any], dict[str, Any]]


class Figures(NamedTuple):
    """How many constraints were tried, by kind, and how many of all were answered as they should be."""

    tried: Counter[str]
    agreed: int


ABSENT = object()
ONE, TWO = "1 validation error detected: ", "2 validation errors detected: "


def operations() -> list[str]:
    return sorted(service_model().operation_names)


def sound(operation: str) -> dict[str, Any]:
    """A request that the model lets through, with what is required and no more."""
    request: dict[str, Any] = _sound("", _input(operation))
    return request


def cases(operation: str) -> Iterator[Case]:
    """A request for each constraint of the operation."""
    for member in _members(_input(operation), "", lambda whole: whole):
        for kind, value, code, message in _broken(member):
            yield Case(operation, member.place, kind, member.embed(value), code, message)


def own_cases(operation: str) -> Iterator[Case]:
    """A request for each value that has an error of its own there."""
    declared = {shape.name for shape in service_model().operation_model(operation).error_shapes}
    for member in _members(_input(operation), "", lambda whole: whole):
        value, own = OWN_ERRORS.get(member.shape.name, (None, None))
        routed = member.place.startswith("routing") or not member.place.endswith("VersionArn")
        if (
            own is not None
            and own.code in declared
            and not (member.place.rpartition(".")[2] in NOT_OWN and routed)
        ):
            yield Case(operation, member.place, "own", member.embed(value), own.code, own.message)


def disagreement(server: Server, case: Case) -> str | None:
    """What the server answers, where that is not what it should; None where it is."""
    status, _, body = server.post(case.operation, json.dumps(case.data))
    code, message = (body or {}).get("__type"), (body or {}).get("message") or ""
    if status == 400 and code == case.code and re.fullmatch(case.message, message):
        return None
    return f"{case.operation} {case.place} ({case.kind}): {code} {message[:300]!r} instead of {case.code}"


def prepare(server: Server) -> None:
    """What an operation looks for before it looks at the rest of its request."""
    client, definition = server.client(), SAMPLES["definition"]
    for name, kind in (("m", "STANDARD"), ("x", "EXPRESS")):
        with suppress(client.exceptions.StateMachineAlreadyExists):  # as an earlier case has left it
            client.create_state_machine(name=name, definition=definition, roleArn=ROLE, type=kind)


def figures(server: Server) -> Figures:
    """All of the cases, tried on a server."""
    prepare(server)
    everything = [case for operation in operations() for case in cases(operation)]
    agreed = sum(disagreement(server, case) is None for case in everything)
    return Figures(Counter(case.kind for case in everything), agreed)


# -- requests ------------------------------------------------------------------------------------------


def _input(operation: str) -> Any:
    return service_model().operation_model(operation).input_shape


def _members(shape: Any, prefix: str, embed: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[Member]:
    for name, member in shape.members.items():
        whole = Member(prefix + name, member, name in shape.required_members, _embedding(shape, name, embed))
        yield whole
        yield from _within(whole)


def _within(member: Member) -> Iterator[Member]:
    if member.shape.type_name == "structure":
        yield from _members(member.shape, f"{member.place}.", member.embed)
    elif member.shape.type_name == "list":
        place = f"{member.place}.1.member"
        item = Member(place, member.shape.member, required=False, embed=lambda value: member.embed([value]))
        yield item
        yield from _within(item)


def _embedding(
    shape: Any, name: str, embed: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[Any], dict[str, Any]]:
    def with_member(value: Any) -> dict[str, Any]:
        whole = {**_sound("", shape), name: value}
        if value is ABSENT:
            del whole[name]
        return embed(whole)

    return with_member


def _sound(name: str, shape: Any) -> Any:
    if shape.type_name == "structure":
        required = {member: _sound(member, shape.members[member]) for member in shape.required_members}
        return required | FULL.get(shape.name, {})
    if shape.type_name == "list":
        return [_sound(name, shape.member)]
    if shape.type_name == "string":
        return SAMPLES.get(name) or shape.metadata.get("enum", ["x"])[0]
    return max(1, shape.metadata.get("min", 0))


# -- constraints ---------------------------------------------------------------------------------------


def _broken(member: Member) -> Iterator[tuple[str, Any, str, str]]:
    """For each constraint: its kind, a value that breaks it, and the code and the message of the refusal."""
    shape, kind = member.shape, member.shape.type_name
    wrong, words = WRONG_TYPES[kind]
    yield "type", wrong, "SerializationException", re.escape(f"{words} (at '{member.place}')")
    if member.required:
        yield "required", ABSENT, *_refused(member, "null", "Member must not be null")
    if kind in {"string", "list"}:
        yield from _off_length(member)
    for value, constraint in _off_set(shape):
        yield ("enum" if "enum" in constraint else "pattern"), value, *_refused(member, value, constraint)
    exception = EXCEPTIONS.get(shape.name)
    for number, constraint in _off_range(shape, 1 if kind in {"integer", "long"} else 0.5):
        refused = _refused(member, number, constraint) if exception is None else exception[:2]
        yield "range", number, *refused


def _off_length(member: Member) -> Iterator[tuple[str, Any, str, str]]:
    shape, bounds = member.shape, member.shape.metadata
    one: Any = ["x"] if shape.type_name == "list" else "x"
    if shape.type_name == "list" and "max" in bounds:
        one = [_sound("", shape.member)]
    if bounds.get("min", 0) > 0:
        constraint = f"Member must have length greater than or equal to {bounds['min']}"
        code, message = _refused(member, one[:0], constraint)
        for _, pattern in _off_set(shape):  # a text that is too short breaks its pattern too
            second = _refused(member, one[:0], pattern)[1].removeprefix(ONE)
            message = f"{TWO}{message.removeprefix(ONE)}; {second}"
        yield "length", one[:0], code, message
    if "max" in bounds:
        constraint = f"Member must have length less than or equal to {bounds['max']}"
        long = one * (bounds["max"] + 1)
        yield "length", long, *_refused(member, long, constraint)


def _off_set(shape: Any) -> Iterator[tuple[str, str]]:
    if "enum" in shape.metadata:
        yield "NONE_OF_THEM", f"Member must satisfy enum value set: [{', '.join(shape.metadata['enum'])}]"
    if "pattern" in shape.metadata:
        pattern = shape.metadata["pattern"]
        yield OFF_PATTERN[shape.name], f"Member must satisfy regular expression pattern: {pattern}"


def _off_range(shape: Any, step: float) -> Iterator[tuple[float, str]]:
    if shape.type_name not in {"integer", "long", "float", "double"}:
        return
    if "min" in shape.metadata:
        least = shape.metadata["min"]
        yield least - step, f"Member must have value greater than or equal to {least}"
    if "max" in shape.metadata:
        most = shape.metadata["max"]
        yield most + step, f"Member must have value less than or equal to {most}"


def _refused(member: Member, value: Any, constraint: str) -> tuple[str, str]:
    """ValidationException, with its message."""
    place, shown = member.place, re.escape(f"'{value}' ")
    if value == "null":
        shown = "null "
    elif member.shape.metadata.get("sensitive"):
        shown = ""
    elif isinstance(value, list):
        shown = r"'\[.*\]' "
    if place.endswith(".1.member"):  # of a list of texts: one breach, with all that its members must satisfy
        place, shown = place.removesuffix(".1.member"), r"'\[.*\]' "
        bounds = member.shape.metadata
        constraint = (
            f"Member must satisfy constraint: [Member must have length less than or equal to {bounds['max']}, "
            f"Member must have length greater than or equal to {bounds['min']}, Member must not be null]"
        )
    rest = re.escape(f"at '{place}' failed to satisfy constraint: {constraint}")
    return "ValidationException", f"{ONE}Value {shown}{rest}"
