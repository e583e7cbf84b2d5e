"""Which services AWS SDK integrations call: the table, and what follows from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from asl_engine.errors import ProjectError
from asl_engine.resources.aws import names
from asl_engine.resources.aws.sdk_services import STATUSES, SUPPORTED, TABLE, sdk_services
from asl_engine.resources.catalog import Catalog, resolve
from asl_engine.resources.integrations import recognised
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.recognition import unlisted_services, unrecognised


def arn(name: str) -> str:
    return f"arn:aws:states:::aws-sdk:{name}"


def machine(name: str) -> Any:
    state = {"Type": "Task", "Resource": arn(name), "Parameters": {}, "End": True}
    return {"StartAt": "A", "States": {"A": state}}


def test_the_table() -> None:
    text = TABLE.read_text(encoding="utf-8")
    assert re.search(r"^# As of \d{4}-\d\d-\d\d\.", text, re.MULTILINE)
    rows = [line.split("\t")[0] for line in text.splitlines() if not line.startswith("#")][1:]
    assert rows == sorted(set(rows))
    for name, service in sdk_services().items():
        assert re.fullmatch(r"[a-z0-9]+", name)
        assert service.status in STATUSES
        assert re.fullmatch(r"(\d{4}-\d\d-\d\d)?", service.since), name
        assert (service.status == "removed") == bool(service.removed), name
        assert all(action[0].islower() for action in service.unsupported), name
    assert len([one for one in sdk_services().values() if one.status == SUPPORTED]) > 400


def test_the_table_has_the_names_that_follow_from_the_services() -> None:
    """Services of botocore that the table does not have are newer than the lists, or were never in one."""
    known = names.services()
    assert len(known.keys() & sdk_services().keys()) > 380
    assert {
        "sfn",
        "cloudwatchlogs",
        "cognitoidentityprovider",
        "eventbridge",
    } <= known.keys() & sdk_services().keys()


def test_actions_that_are_not_supported_are_spelled_as_the_services_have_them() -> None:
    known = names.services()
    spelled = {
        (name, action): names.operation_name(known[name], action)
        for name, service in sdk_services().items()
        for action in service.unsupported
        if name in known
    }
    gone = {name for (name, _), operation in spelled.items() if operation is None}
    assert gone <= {"iotdeviceadvisor", "s3control", "securitylake"}


REFUSED = [
    "lexruntime:postText",
    "lexmodelbuilding:getBots",
    "qldb:listLedgers",
    "opsworks:describeStacks",
    "elastictranscoder:listJobs",
    "apigatewaymanagementapi:postToConnection",
    "sts:assumeRole",
    "dataexchange:sendApiAsset",
    "rdsdata:executeSql",
    "bedrockruntime:converseStream",
    "lambda:invokeAsync",
]


@pytest.mark.parametrize("name", REFUSED)
def test_what_step_functions_does_not_call_is_refused_at_creation(name: str) -> None:
    (finding,) = unrecognised(machine(name))
    assert (finding.code, finding.location, finding.severity) == (
        "SCHEMA_VALIDATION_FAILED",
        "/States/A/Resource",
        "ERROR",
    )
    assert finding.message == (
        f"The resource provided {arn(name)} is not recognized. The value is not a valid resource ARN, or the "
        "resource is not available in this region."
    )
    with pytest.raises(ProjectError, match="is not recognized"):
        resolve([arn(name)], Catalog(Registry()))


@pytest.mark.parametrize("name", REFUSED)
def test_the_table_decides_without_botocore_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.resources.integrations.services", dict)
    recognised.cache_clear()
    try:
        assert not recognised(arn(name))
        assert recognised(arn("s3:anyAction"))
    finally:
        recognised.cache_clear()


def test_a_service_that_no_list_names_is_accepted_with_a_warning() -> None:
    definition = machine("cloudsearchdomain:suggest")
    assert [finding.severity for finding in unrecognised(definition)] == ["ERROR"] * 2  # its fields are missing
    (warning,) = unlisted_services(definition)
    assert (warning.code, warning.severity, warning.location) == (
        "UNLISTED_SERVICE",
        "WARNING",
        "/States/A/Resource",
    )
    assert "'cloudsearchdomain'" in warning.message
    assert list(unlisted_services(machine("s3:listBuckets"))) == []
    local: Any = {
        "StartAt": "A",
        "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage"}},
    }
    assert list(unlisted_services(local)) == []


def test_a_service_that_this_sdk_does_not_have_cannot_be_called() -> None:
    resource = arn("honeycode:listTables")  # botocore has dropped it
    assert recognised(resource)
    assert list(unrecognised(machine("honeycode:listTables"))) == []
    with pytest.raises(ProjectError) as caught:
        resolve([resource], Catalog(Registry()))
    assert f"the resource {resource} needs an AWS SDK that has the service 'honeycode'" in str(caught.value)
    assert "pip install -U boto3" in str(caught.value)
