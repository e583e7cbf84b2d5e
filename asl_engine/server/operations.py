"""The operations that are answered.  To add one: write its function, and name it here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from asl_engine.server.executions import (
    describe_execution,
    list_executions,
    start_execution,
    start_sync_execution,
    stop_execution,
)
from asl_engine.server.histories import get_execution_history
from asl_engine.server.state_machines import (
    create_state_machine,
    delete_state_machine,
    describe_state_machine,
    list_state_machines,
    validate_state_machine_definition,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.server.request import Request
    from asl_engine.server.service import Service

    Operation: TypeAlias = Callable[[Request, Service], Awaitable[dict[str, Any]]]

__all__ = ["OPERATIONS"]

OPERATIONS: Final[dict[str, Operation]] = {
    "CreateStateMachine": create_state_machine,
    "DeleteStateMachine": delete_state_machine,
    "DescribeExecution": describe_execution,
    "DescribeStateMachine": describe_state_machine,
    "GetExecutionHistory": get_execution_history,
    "ListExecutions": list_executions,
    "ListStateMachines": list_state_machines,
    "StartExecution": start_execution,
    "StartSyncExecution": start_sync_execution,
    "StopExecution": stop_execution,
    "ValidateStateMachineDefinition": validate_state_machine_definition,
}
