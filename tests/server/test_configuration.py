"""Logging, tracing and encryption: what is accepted, kept and refused."""

from __future__ import annotations

from typing import Any

import pytest

from asl_engine.server.configuration import configured, shown_configuration, without_defaults
from asl_engine.server.protocol.errors import ApiError

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/m"


def to(*arns: str) -> list[dict[str, Any]]:
    return [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}} for arn in arns]


DEFAULT: dict[str, Any] = {
    "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
    "tracingConfiguration": {"enabled": False},
    "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
}
MINE: dict[str, Any] = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/mine"}

ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "no logging": ({"loggingConfiguration": {}}, {}),
    "null": ({"loggingConfiguration": None}, {}),
    "off, with a destination": (
        {"loggingConfiguration": {"level": "OFF", "destinations": to(f"{GROUP}:*")}},
        {
            "loggingConfiguration": {
                "level": "OFF",
                "includeExecutionData": False,
                "destinations": to(f"{GROUP}:*"),
            }
        },
    ),
    "everything": (
        {
            "loggingConfiguration": {
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": to(f"{GROUP}:*"),
            }
        },
        {
            "loggingConfiguration": {
                "level": "ALL",
                "includeExecutionData": True,
                "destinations": to(f"{GROUP}:*"),
            }
        },
    ),
    "no tracing": ({"tracingConfiguration": {}}, {}),
    "logging to a destination, without data": (
        {"loggingConfiguration": {"level": "ERROR", "destinations": to(f"{GROUP}:*")}},
        {
            "loggingConfiguration": {
                "level": "ERROR",
                "includeExecutionData": False,
                "destinations": to(f"{GROUP}:*"),
            }
        },
    ),
    "no destinations": ({"loggingConfiguration": {"level": "OFF", "destinations": []}}, {}),
    "tracing": ({"tracingConfiguration": {"enabled": True}}, {"tracingConfiguration": {"enabled": True}}),
    "a key of one's own": (
        {"encryptionConfiguration": MINE},
        {"encryptionConfiguration": MINE | {"kmsDataKeyReusePeriodSeconds": 300}},
    ),
    "AWS's key": ({"encryptionConfiguration": {"type": "AWS_OWNED_KEY"}}, {}),
}


@pytest.mark.parametrize(("given", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_kept(given: dict[str, Any], expected: dict[str, Any]) -> None:
    kept = configured(given)
    assert shown_configuration(kept) == DEFAULT | expected
    assert without_defaults(kept) == expected
    assert shown_configuration(without_defaults(kept)) == DEFAULT | expected
    assert configured({}, kept) == kept


def test_an_update_leaves_the_rest() -> None:
    before = configured({"tracingConfiguration": {"enabled": True}}) | {"other": 1}
    after = configured({"encryptionConfiguration": MINE}, before)
    assert after["tracingConfiguration"] == {"enabled": True}
    assert after["other"] == 1


def test_what_an_update_mentions_is_replaced_as_a_whole() -> None:
    logged: dict[str, Any] = {"level": "ALL", "includeExecutionData": True, "destinations": to(f"{GROUP}:*")}
    before = configured({"tracingConfiguration": {"enabled": True}, "loggingConfiguration": logged})
    assert configured({"tracingConfiguration": {}, "loggingConfiguration": {}}, before) == DEFAULT


ONE = "Invalid Logging Configuration: Must specify exactly one Log Destination."
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no destination": ({"loggingConfiguration": {"level": "ALL"}}, "InvalidLoggingConfiguration", ONE),
    "an empty list": (
        {"loggingConfiguration": {"level": "FATAL", "destinations": []}},
        "InvalidLoggingConfiguration",
        ONE,
    ),
    "two destinations": (
        {"loggingConfiguration": {"level": "OFF", "destinations": to(f"{GROUP}:*", f"{GROUP}2:*")}},
        "InvalidLoggingConfiguration",
        ONE,
    ),
    "an empty destination": (
        {"loggingConfiguration": {"level": "ALL", "destinations": [{}]}},
        "InvalidLoggingConfiguration",
        ONE,
    ),
    "no qualifier": (
        {"loggingConfiguration": {"level": "ALL", "destinations": to(GROUP)}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Log Group ARN must be provided with '*' qualifier.",
    ),
    "another service": (
        {"loggingConfiguration": {"level": "ALL", "destinations": to("arn:aws:s3:::bucket")}},
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Log Destination is not the ARN of a log group: arn:aws:s3:::bucket",
    ),
    "no key": (
        {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}},
        "InvalidEncryptionConfiguration",
        "Invalid Encryption Configuration: kmsKeyId must be specified for the type CUSTOMER_MANAGED_KMS_KEY.",
    ),
    "a key too many": (
        {"encryptionConfiguration": {"type": "AWS_OWNED_KEY", "kmsKeyId": "alias/mine"}},
        "InvalidEncryptionConfiguration",
        "Invalid Encryption Configuration: kmsKeyId must not be specified for the type AWS_OWNED_KEY.",
    ),
}


@pytest.mark.parametrize(("given", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(given: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        configured(given)
    assert (caught.value.code, caught.value.message) == (code, message)
