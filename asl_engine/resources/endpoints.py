"""The endpoints of services, from options, environment variables and the project's configuration.

``endpoint_variable`` is the other way round: by which variable the AWS SDK of another process finds a service.

The names of the variables are those of Step Functions Local.  For other services the AWS
SDK's own settings apply (``AWS_ENDPOINT_URL``, ``AWS_ENDPOINT_URL_SQS``, profiles).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asl_engine.errors import InvalidInput, Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ENDPOINT_URL", "VARIABLES", "endpoint_variable", "endpoints"]

ENDPOINT_URL: Final = "AWS_ENDPOINT_URL"

VARIABLES = {
    "BATCH_ENDPOINT": "batch",
    "DYNAMODB_ENDPOINT": "dynamodb",
    "ECS_ENDPOINT": "ecs",
    "GLUE_ENDPOINT": "glue",
    "LAMBDA_ENDPOINT": "lambda",
    "SAGE_MAKER_ENDPOINT": "sagemaker",
    "SNS_ENDPOINT": "sns",
    "SQS_ENDPOINT": "sqs",
    "STEP_FUNCTIONS_ENDPOINT": "stepfunctions",
}

# Services whose variable is not called after botocore's name of them, but after their id; others are looked up.
_SERVICE_IDS: Final = {
    "dynamodbstreams": "DYNAMODB_STREAMS",
    "events": "EVENTBRIDGE",
    "logs": "CLOUDWATCH_LOGS",
    "secretsmanager": "SECRETS_MANAGER",
    "stepfunctions": "SFN",
}
_NAMED_BY_THEMSELVES: Final = frozenset({"dynamodb", "kinesis", "lambda", "s3", "sns", "sqs", "ssm", "sts"})


def endpoint_variable(service: str) -> str:
    """The variable that tells the AWS SDK the endpoint of a service: ``AWS_ENDPOINT_URL_SQS``."""
    known = _SERVICE_IDS.get(service)
    if known is None and service not in _NAMED_BY_THEMSELVES:
        from asl_engine.resources.aws.names import has_service, service_model

        if has_service(service):
            known = str(service_model(service).service_id).replace(" ", "_").replace("-", "_").upper()
    return f"{ENDPOINT_URL}_{known or service.upper()}"


def endpoints(
    given: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    configured: Mapping[str, str] | None = None,
    source: str = "asl.toml",
) -> dict[str, str]:
    """URLs by botocore's names of services: options (``sqs=http://localhost:4566``) before variables.

    ``configured`` is the project's setting, used if neither is given, and ``source`` the file that it is from.  A
    service may go by either of its names: ``events`` or ``eventbridge``.  Raises ``InvalidInput``.
    """
    found: dict[str, tuple[str, str | Parameter]] = {}
    for name, url in (configured or {}).items():
        place = f"{source}: endpoints.{name}"
        found[_service(name, place)] = url, place
    for name, service in VARIABLES.items():
        if env and env.get(name):
            found[service] = env[name], f"{name}={env[name]}"
    for option in given:
        name, equals, url = option.partition("=")
        named_by = Parameter("endpoint", option)
        if not equals:
            raise InvalidInput(named_by, ": it is SERVICE=URL, such as sqs=http://localhost:4566")
        found[_service(name, named_by)] = url, named_by
    for url, where in found.values():
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(where, f": it has to be a URL, such as http://localhost:4566: {url!r}")
    return {service: url for service, (url, _) in found.items()}


def _service(name: str, where: str | Parameter) -> str:
    from asl_engine.resources.aws.names import services

    known = services()
    if name in known:
        return known[name]
    if known and name not in known.values():
        from difflib import get_close_matches

        close = get_close_matches(name, [*known, *known.values()], n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidInput(where, f": there is no AWS service {name!r}{hint}")
    return name
