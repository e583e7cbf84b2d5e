"""``events:putEvents`` and ``aws-sdk:eventbridge:putEvents``, answered by the bus of the task's server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from asl_engine.resources.aws.calling import ServiceAnswer
from asl_engine.resources.aws.failures import refused
from asl_engine.resources.aws.names import service_model
from asl_engine.resources.aws.requests import read_request, unfit
from asl_engine.resources.aws.shapes import to_result
from asl_engine.resources.aws.tasks import optimised_resource, sdk_resource
from asl_engine.resources.nested import Refused

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import Direct, TaskCall
    from asl_engine.resources.aws.calling import Operation
    from asl_engine.resources.aws.clients import AwsClients
    from asl_engine.resources.integrations import Integration

__all__ = ["PutsEvents", "put_events_resource"]


class PutsEvents(Protocol):
    """A bus in this process.  ``here``: it is the one that tasks put events on."""

    here: bool

    async def put(self, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        """PutEvents' answer; the events are on disk.  Raises ``Refused``.

        What the same task has put before a crash is not put again.
        """
        ...


def put_events_resource(integration: Integration, clients: AwsClients, bus: PutsEvents) -> Direct:
    """The integration as it always is, but for whom it asks."""

    async def ask(_clients: AwsClients, operation: Operation, parameters: Json, call: TaskCall) -> ServiceAnswer:
        model = service_model(operation.service)
        shapes = model.operation_model(operation.name)
        request, faults = read_request(shapes.input_shape, parameters, operation.spelling, tokens=operation.tokens)
        if faults:
            raise unfit(parameters, faults, model, operation.family)
        try:
            answer = await bus.put(_in_seconds(request), call)
        except Refused as error:
            told = {"Code": error.code, "Message": error.message}
            raise refused(told, {"HTTPStatusCode": error.status}, model, operation.family) from error
        identifier = str(uuid4())
        metadata: dict[str, Json] = {
            "SdkHttpMetadata": {"AllHttpHeaders": {}, "HttpHeaders": {}, "HttpStatusCode": 200},
            "SdkResponseMetadata": {"RequestId": identifier},
        }
        return ServiceAnswer(to_result(shapes.output_shape, answer, operation.spelling), metadata)

    return (sdk_resource if integration.sdk else optimised_resource)(integration, clients, ask)


def _in_seconds(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its times as the API has them: botocore's are datetimes."""
    entries = [
        entry | {"Time": entry["Time"].timestamp()} if hasattr(entry.get("Time"), "timestamp") else entry
        for entry in request.get("Entries") or ()
    ]
    return {**request, "Entries": entries}
