"""Where services are."""

from __future__ import annotations

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.resources.endpoints import VARIABLES, endpoints

HERE = "http://localhost:4566"


def test_options_come_before_variables_and_those_before_the_project() -> None:
    env = {"SQS_ENDPOINT": "http://env", "SAGE_MAKER_ENDPOINT": "http://env", "ECS_ENDPOINT": ""}
    configured = {"sqs": "http://project", "sagemaker": "http://project", "eventbridge": "http://project"}
    assert endpoints([f"sqs={HERE}", f"sfn={HERE}"], env, configured) == {
        "sqs": HERE,
        "stepfunctions": HERE,
        "sagemaker": "http://env",
        "events": "http://project",
    }
    assert endpoints() == {}


def test_every_variable_names_a_service() -> None:
    assert set(endpoints((), dict.fromkeys(VARIABLES, HERE))) == set(VARIABLES.values())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sqs", "endpoint=sqs: it is SERVICE=URL, such as sqs=http://localhost:4566"),
        (
            "sqs=localhost",
            "endpoint=sqs=localhost: it has to be a URL, such as http://localhost:4566: 'localhost'",
        ),
        (f"dynamo={HERE}", f"endpoint=dynamo={HERE}: there is no AWS service 'dynamo'; did you mean 'dynamodb'?"),
    ],
)
def test_refused(option: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        endpoints([option])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("env", "configured", "message"),
    [
        ({"SQS_ENDPOINT": "x"}, {}, "SQS_ENDPOINT=x: it has to be a URL, such as http://localhost:4566: 'x'"),
        ({}, {"sqs": "x"}, "p/asl.toml: endpoints.sqs: it has to be a URL, such as http://localhost:4566: 'x'"),
        ({}, {"sqss": HERE}, "p/asl.toml: endpoints.sqss: there is no AWS service 'sqss'; did you mean 'sqs'?"),
    ],
)
def test_a_refusal_names_what_has_named_the_endpoint(
    env: dict[str, str], configured: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        endpoints((), env, configured, "p/asl.toml")
    assert str(caught.value) == message
