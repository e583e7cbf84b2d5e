"""From a service integration to the resource that serves it."""

from __future__ import annotations

from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.arn import CALLBACK
from asl_engine.errors import ProjectError
from asl_engine.resources.integrations import Integration, integration, not_recognised, recognised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.resources import Direct, Resource
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.http.connections import Connection
    from asl_engine.resources.lambda_.local import LocalFunction
    from asl_engine.resources.lambda_.service import LambdaService
    from asl_engine.resources.nested import Executions
    from asl_engine.resources.own_bus import PutsEvents
    from asl_engine.resources.python.registry import Registry

__all__ = ["NotRunHere", "Services", "service_resource"]


class NotRunHere(NamedTuple):
    """Why a declared function cannot be run here.  ``served``: what else may serve it is a part of the message."""

    why: str
    served: bool = False


class Services(NamedTuple):
    """What tasks may call besides the project's callables; None for what the AWS SDK finds by itself.

    ``executions`` are the state machines that run here, ``connections`` are those of http:invoke by name,
    ``functions`` are the Lambda functions that the project runs in processes of their own, ``refused`` those that
    it declares and that cannot be run here, with the reasons.  ``events`` is the bus of this server.
    """

    aws: AwsClients | None = None
    executions: Executions | None = None
    connections: Mapping[str, Connection] = MappingProxyType({})
    functions: Mapping[str, LocalFunction] = MappingProxyType({})
    events: PutsEvents | None = None
    refused: Mapping[str, NotRunHere] = MappingProxyType({})


def service_resource(
    resource: str, registry: Registry, remote: LambdaService | None, services: Services
) -> Resource | None:
    """The resource of a service integration, None for a Resource of another kind.

    Raises ``ProjectError`` for an integration that AWS does not have, and if a package is missing.
    """
    found = integration(resource)
    if found is None:
        return None
    if not recognised(resource):
        raise ProjectError(not_recognised(resource))
    service = _requested(found, resource, registry, remote, services)
    if service is None or found.pattern != CALLBACK:
        return service
    from asl_engine.resources.callback import until_answered

    return until_answered(service)


def _requested(
    found: Integration, resource: str, registry: Registry, remote: LambdaService | None, services: Services
) -> Direct | None:
    if found.name == "lambda:invoke":
        from asl_engine.resources.lambda_.invoke import lambda_integration

        return lambda_integration(registry, remote, services.functions)
    if found.name == "states:startExecution":
        from asl_engine.resources.aws.clients import AwsClients
        from asl_engine.resources.nested import nested_resource

        pattern = "" if found.pattern == CALLBACK else found.pattern
        return nested_resource(pattern, services.executions, services.aws or AwsClients())
    if found.name in {"http:invoke", "apigateway:invoke"} and find_spec("httpx") is None:
        raise ProjectError(f'the resource {resource} needs httpx: pip install "asl-engine[http]"')
    if found.name == "apigateway:invoke":
        from asl_engine.resources.aws.clients import AwsClients
        from asl_engine.resources.http.api_gateway import api_gateway_resource

        return api_gateway_resource(services.aws or AwsClients())
    if found.name == "http:invoke":
        from asl_engine.resources.http.invoke import http_resource

        return http_resource(services.connections)
    return _aws(found, resource, services)


# PutEvents by the names of its optimised and its SDK integration.
PUT_EVENTS = {("events", "putEvents"), ("eventbridge", "putEvents")}


def _check_service(found: Integration, resource: str) -> None:
    """Raises ``ProjectError`` where the AWS SDK does not have the service of a recognised Resource."""
    from asl_engine.resources.aws.names import has_service, services
    from asl_engine.resources.aws.optimised import OPTIMISED

    service = services().get(found.service) if found.sdk else OPTIMISED[found.name].service
    if service is None or not has_service(service):
        import botocore

        raise ProjectError(
            f"the resource {resource} needs an AWS SDK that has the service {found.service!r}: botocore "
            f"{botocore.__version__} has not, and a newer one may (pip install -U boto3)"
        )


def _aws(found: Integration, resource: str, services: Services) -> Direct | None:
    from asl_engine.resources.aws.optimised import OPTIMISED, SYNC

    if not found.sdk and found.name not in OPTIMISED:
        return None
    if find_spec("boto3") is None:
        raise ProjectError(f'the resource {resource} needs boto3: pip install "asl-engine[aws]"')
    _check_service(found, resource)
    if found.sdk and found.service == "sfn" and services.executions is not None and services.executions.whole:
        from asl_engine.resources.aws.names import operation_name
        from asl_engine.resources.nested import own_api_resource

        operation = operation_name("stepfunctions", found.action)
        assert operation is not None, "a recognised action"  # noqa: S101  for the type checker
        return own_api_resource(operation, services.executions)
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.aws.tasks import optimised_resource, sdk_resource, synced_resource

    clients = services.aws or AwsClients()
    if services.events is not None and services.events.here and (found.service, found.action) in PUT_EVENTS:
        from asl_engine.resources.own_bus import put_events_resource

        return put_events_resource(found, clients, services.events)
    if found.sdk:
        return sdk_resource(found, clients)
    return (synced_resource if found.pattern == SYNC else optimised_resource)(found, clients)
