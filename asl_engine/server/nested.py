"""Executions that tasks start: they run in this server, through the operations that clients use."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from asl_engine.arn import Arn, parse_arn
from asl_engine.errors import AslError
from asl_engine.resources.nested import Refused
from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.request import Caller, Request
from asl_engine.server.protocol.service_model import EVENTS
from asl_engine.server.protocol.validation import check

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from asl_engine.resources import TaskCall
    from asl_engine.server.service import Operations, Service

__all__ = ["NestedEvents", "NestedExecutions"]

LOOK_SECONDS = 0.2  # between looks at an execution that this process does not drive, or not yet


class NestedExecutions:
    """``Executions`` for the tasks of a server, through its ``operations``.

    ``service`` is set once it exists.  ``elsewhere`` says that another endpoint of Step Functions was configured,
    which then gets all calls.
    """

    def __init__(self, operations: Operations, *, elsewhere: bool = False) -> None:
        self._operations = operations
        self.service: Service | None = None
        self.whole = not elsewhere

    def serves(self, machine: str) -> bool:
        del machine
        return self.whole

    async def ask(self, operation: str, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        assert self.service is not None, "the server has begun"  # noqa: S101  for the type checker
        try:
            check(operation, data, self.service.engine.limits)
            answer = self._operations.get(operation)
            if answer is None:
                raise ApiError("UnknownOperationException", f"The operation '{operation}' is not supported")
            ask = partial(answer, Request(data, _caller(call), started_by=call.key), self.service)
            # What the task starts knows who has started it: it is not started twice.
            return await self.service.engine.retrying.insist(call.execution, ask)
        except ApiError as error:
            raise Refused(error.code, error.message, error.status) from error

    async def ended(self, execution: str) -> None:
        assert self.service is not None, "the server has begun"  # noqa: S101  for the type checker
        while True:
            run = self.service.engine.runs.get(execution)
            if run is not None:
                with suppress(AslError):  # another process may have taken it over: keep looking
                    await run.wait()
                    return
            look = partial(self.service.store.record, execution)
            record = await self.service.engine.retrying.insist(execution, look)
            if record is None or record.status != "RUNNING":
                return
            await asyncio.sleep(LOOK_SECONDS)


class NestedEvents:
    """``PutsEvents`` for the tasks of a server, which has a bus.

    ``service`` is set once it exists.  ``here``: no other endpoint of EventBridge was configured.
    """

    def __init__(self, operations: Operations, *, here: bool = True) -> None:
        self._operations = operations
        self.service: Service | None = None
        self.here = here

    async def put(self, data: dict[str, Json], call: TaskCall) -> dict[str, Any]:
        assert self.service is not None, "the server has begun"  # noqa: S101  for the type checker
        try:
            check("PutEvents", data, self.service.engine.limits, EVENTS)
            # The key is the task's: what it puts is put once, even if it is called again after a crash.
            request = Request(data, _caller(call), started_by=call.key)
            ask = partial(self._operations["PutEvents"], request, self.service)
            return await self.service.engine.retrying.insist(call.execution, ask)
        except ApiError as error:
            raise Refused(error.code, error.message, error.status) from error


def _caller(call: TaskCall) -> Caller:
    """The region of the calling execution, and its account or that of the role it assumes."""
    region, account = Arn.of(call.execution).home
    taken = None if call.role is None else parse_arn(call.role)
    return Caller(region, account if taken is None else taken.account)
