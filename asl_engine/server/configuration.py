"""The configuration of state machines: logging, tracing and encryption, with AWS's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.arn import LOG_GROUP_ARN
from asl_engine.server.protocol.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.json_values import Json

__all__ = ["configured", "shown_configuration", "without_defaults"]

SHORTEST_PERIOD, DEFAULT_PERIOD, MAX_PERIOD = 60, 300, 900  # seconds
ONE_DESTINATION = "Must specify exactly one Log Destination."
NO_QUALIFIER = "Log Group ARN must be provided with '*' qualifier."


def configured(data: Mapping[str, Json], before: Mapping[str, Json] | None = None) -> dict[str, Json]:
    """The configuration that a request asks for.

    A configuration that the request leaves out stays as it was ``before``, or gets AWS's default.  One that it
    gives is replaced as a whole: SDKs leave out members that are zero (Go's sends ``{}`` for tracing that is
    off), so a missing member means its default.
    Raises InvalidLoggingConfiguration and InvalidEncryptionConfiguration.
    """
    kept: dict[str, Json] = dict(before) if before is not None else {**DEFAULTS}
    for field, checked in _CHECKED.items():
        given = data.get(field)
        if given is not None:
            kept[field] = checked(given)
    return kept


def shown_configuration(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """The members of DescribeStateMachine's answer."""
    return {field: configuration.get(field, default) for field, default in DEFAULTS.items()}


def without_defaults(configuration: Mapping[str, Json]) -> dict[str, Json]:
    """The part of a configuration that must be stored."""
    return {
        field: value for field, value in shown_configuration(configuration).items() if value != DEFAULTS[field]
    }


def _logging(given: Any) -> Json:
    level = given.get("level") or "OFF"
    destinations = given.get("destinations")
    if len(destinations or []) > 1 or (level != "OFF" and not destinations):
        raise _invalid("Logging", ONE_DESTINATION)
    for destination in destinations or []:
        arn = (destination.get("cloudWatchLogsLogGroup") or {}).get("logGroupArn")
        if arn is None:
            raise _invalid("Logging", ONE_DESTINATION)
        match = LOG_GROUP_ARN.fullmatch(arn)
        if match is None:
            raise _invalid("Logging", f"Log Destination is not the ARN of a log group: {arn}")
        if match[1] is None:
            raise _invalid("Logging", NO_QUALIFIER)
    kept: dict[str, Json] = {"level": level, "includeExecutionData": bool(given.get("includeExecutionData"))}
    return kept | ({"destinations": destinations} if destinations else {})


def _tracing(given: Any) -> Json:
    return {"enabled": bool(given.get("enabled"))}


def _encryption(given: Any) -> Json:
    managed = given["type"] == "CUSTOMER_MANAGED_KMS_KEY"
    if managed and given.get("kmsKeyId") is None:
        raise _invalid("Encryption", "kmsKeyId must be specified for the type CUSTOMER_MANAGED_KMS_KEY.")
    for member in ("kmsKeyId", "kmsDataKeyReusePeriodSeconds"):
        if not managed and given.get(member) is not None:
            raise _invalid("Encryption", f"{member} must not be specified for the type AWS_OWNED_KEY.")
    if not managed:
        return DEFAULTS["encryptionConfiguration"]
    period = given.get("kmsDataKeyReusePeriodSeconds")
    if period is None:
        period = DEFAULT_PERIOD
    elif not SHORTEST_PERIOD <= period <= MAX_PERIOD:
        bounds = f"between {SHORTEST_PERIOD} and {MAX_PERIOD}"
        raise _invalid("Encryption", f"kmsDataKeyReusePeriodSeconds must be {bounds}.")
    return {"kmsKeyId": given["kmsKeyId"], "kmsDataKeyReusePeriodSeconds": period, "type": given["type"]}


def _invalid(what: str, reason: str) -> ApiError:
    return ApiError(f"Invalid{what}Configuration", f"Invalid {what} Configuration: {reason}")


DEFAULTS: dict[str, Json] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
}
_CHECKED: dict[str, Callable[[Any], Json]] = {
    "loggingConfiguration": _logging,
    "tracingConfiguration": _tracing,
    "encryptionConfiguration": _encryption,
}
