"""The bus of a server: what it needs of the engine, and of the operations of Step Functions."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn, uuid_text
from asl_engine.events.bus import EventBus
from asl_engine.events.declared import declare
from asl_engine.events.delivering import DeliveryFailed
from asl_engine.events.entries import Home
from asl_engine.events.running import BusRunner
from asl_engine.events.senders import QueueSender, sender
from asl_engine.resources.aws.clients import AwsClients
from asl_engine.server.events.table import EVENT_OPERATIONS
from asl_engine.server.nested import NestedEvents
from asl_engine.server.operations.executions import start_execution
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import Caller, Request
from asl_engine.server.status_outbox import StatusOutbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Observer
    from asl_engine.events.declared import DeclaredRule
    from asl_engine.events.delivering import DeliveryAttempt, Sender
    from asl_engine.resources.services import Services
    from asl_engine.server.service import Service
    from asl_engine.store.protocol import Store

__all__ = ["begin_bus", "event_bus", "outbox_of", "own_events"]

# What does not change however often it is tried.
FINAL = frozenset({"StateMachineDoesNotExist", "InvalidArn", "InvalidExecutionInput", "StateMachineDeleting"})


def event_bus(store: Store, engine: Engine, default: Caller) -> EventBus | None:
    """The bus of a store; None for a store that keeps none."""
    return None if store.bus is None else EventBus(store.bus, engine.clock.now, Home(*default))


def own_events(store: Store, services: Services) -> NestedEvents:
    """What tasks put events on: the bus of this server, unless another endpoint of EventBridge was configured."""
    elsewhere = services.aws is not None and services.aws.is_given("events")
    return NestedEvents(EVENT_OPERATIONS, here=store.bus is not None and not elsewhere)


def outbox_of(bus: EventBus | None, engine: Engine) -> Observer | None:
    """What puts status events on the bus, as an observer of the engine; None without a bus."""
    if bus is None:
        return None
    outbox = StatusOutbox(bus, engine)
    bus.buses.along = outbox.along
    return outbox.observe


async def begin_bus(
    service: Service, services: Services, declared: tuple[list[str], list[DeclaredRule]]
) -> BusRunner | None:
    """Declare the configuration's rules, and make what delivers; None without a bus.

    Dead letters go to queues only where an endpoint for these was configured.
    """
    bus = service.bus
    if bus is None:
        return None
    await declare(bus, bus.home, *declared)
    await bus.book()
    clients = services.aws or AwsClients()
    queues = QueueSender(clients)
    return BusRunner(
        bus,
        service.engine.timers,
        service.engine.clock,
        sender(starting(service), service.catalog, queues),
        queues.send_dead if clients.is_given("sqs") else None,
    )


def starting(service: Service) -> Sender:
    """Starts executions.  The name says which delivery it is for, so none is started twice for the same one."""

    async def start(attempt: DeliveryAttempt) -> Mapping[str, Any]:
        arn = attempt.target.arn
        name = f"{attempt.delivery.event.id}_{uuid_text(sha256(attempt.key.encode()).digest())}"
        data: dict[str, Any] = {"stateMachineArn": arn, "name": name, "input": attempt.input}
        header = None
        if service.tracing is not None:  # as with EventBridge, what it starts is of the trace of what has put it
            header = await service.tracing.of_event(attempt.delivery.event.number)
        if header is not None:
            data["traceHeader"] = header
        request = Request(data, Caller(*Arn.of(arn).home))
        try:
            answer = await start_execution(request, service)
        except ApiError as error:
            if error.code == "ExecutionAlreadyExists":  # an earlier attempt has started it, and it has ended
                return {"name": name}
            raise DeliveryFailed(error.code, error.message, final=error.code in FINAL) from None
        return {"execution": answer["executionArn"]}

    return start
