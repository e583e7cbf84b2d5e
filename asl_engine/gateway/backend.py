"""What routes lead to: the functions and the operations of this server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pydantic_core import to_json

from asl_engine.resources.calling import call_function
from asl_engine.server.events.table import EVENT_OPERATIONS
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.http import OF_EVENTS, OF_STATES, perform
from asl_engine.server.protocol.request import Request

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.server.protocol.request import Caller
    from asl_engine.server.service import Operations, Service

__all__ = ["Backend", "ServerBackend"]


class Backend(Protocol):
    async def call(self, function: str, event: Json, *, key: str, caller: str, name: str) -> Json:
        """What a function returns.  Raises ``StatesError``."""
        ...

    async def ask(self, service: str, operation: str, members: dict[str, Any]) -> tuple[int, bytes]:
        """The status and the body with which an operation of ``states`` or ``events`` answers."""
        ...


class ServerBackend:
    """Those of a server.  An execution has been stored when it is said to have started."""

    def __init__(self, service: Service, operations: Operations, caller: Caller) -> None:
        self._service = service
        self._operations = operations
        self._caller = caller

    async def call(self, function: str, event: Json, *, key: str, caller: str, name: str) -> Json:
        answer = await call_function(self._service.catalog, function, event, key=key, caller=caller, name=name)
        return answer.value

    async def ask(self, service: str, operation: str, members: dict[str, Any]) -> tuple[int, bytes]:
        of_events = service == "events"
        operations = EVENT_OPERATIONS if of_events else self._operations
        dialect = OF_EVENTS if of_events else OF_STATES
        try:
            answer = await perform(operations, operation, Request(members, self._caller), self._service, dialect)
        except ApiError as error:
            return error.status, to_json({"__type": error.code, "message": error.message, **error.members})
        return 200, to_json(answer)
