"""The context of a task: what Lambda's context object has, and what only a state machine's task knows."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from time import time
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import function_arn, function_name, function_qualifier, parse_arn
from asl_engine.resources.log_subjects import about
from asl_engine.resources.steady import time_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.resources import TaskCall
    from asl_engine.resources.lambda_.worker import ClientContext, CognitoIdentity

__all__ = ["InvokeOptions", "TaskContext", "context_of", "invoked_arn", "lambda_variables", "request_id"]

LAMBDA_LONGEST = 900_000  # milliseconds: what a Lambda function has at most
LATEST = "$LATEST"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DEFAULT_MEMORY = "128"  # megabytes: what a Lambda function has unless it is configured


class InvokeOptions(NamedTuple):
    """What Invoke was given beside the event: the client context and the tenant.

    ``context`` is parsed JSON, or in Lambda itself the object that its runtime has made of it.
    """

    context: Any = None
    tenant: str | None = None


def _no_heartbeat() -> None:
    """Do nothing: outside a run there is no state to tell."""


class TaskContext(NamedTuple):
    """The context of a call, with everything that a Lambda function's context object has.

    ``idempotency_key`` names this attempt and stays the same when the attempt is repeated after a crash;
    ``attempt`` is 0 for the first.  ``deadline`` is in milliseconds since the epoch, None if the state
    sets no timeout.  ``heartbeat()`` tells the state that the task is alive; any thread may call it.
    ``invoked`` is what Lambda's Invoke was given beside the event.  ``time_left`` tells the milliseconds to the
    deadline; without it the wall clock does.  ``execution_id`` tells the execution from others of the same name.
    """

    idempotency_key: str = ""
    attempt: int = 0
    function_name: str = ""
    execution_arn: str = ""
    state_name: str = ""
    deadline: int | None = None
    heartbeat: Callable[[], None] = _no_heartbeat
    invoked_function_arn: str = ""
    invoked: InvokeOptions = InvokeOptions()
    time_left: Callable[[], int] | None = None
    execution_id: str = ""

    @property
    def request_id(self) -> str:
        """A UUID that follows from ``idempotency_key``."""
        return request_id(self.idempotency_key)

    @property
    def aws_request_id(self) -> str:
        """``request_id``, by the name that Lambda gives it."""
        return self.request_id

    @property
    def function_version(self) -> str:
        """The version that ``invoked_function_arn`` names, or "$LATEST"."""
        qualifier = function_qualifier(self.invoked_function_arn) or ""
        return qualifier if qualifier.isdecimal() else os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", LATEST)

    @property
    def memory_limit_in_mb(self) -> str:
        """A text, as in Lambda.  Nothing limits the memory of a task here."""
        return _variable("MEMORY_SIZE", self.function_name)

    @property
    def log_group_name(self) -> str:
        """The name that the function's log group has on AWS; nothing is sent there from here."""
        return _variable("LOG_GROUP_NAME", self.function_name)

    @property
    def log_stream_name(self) -> str:
        """A name for what this process logs, in the form of Lambda's."""
        return _variable("LOG_STREAM_NAME", self.function_name)

    @property
    def identity(self) -> CognitoIdentity:
        """An object, as in Lambda; its members are None, because no caller has a Cognito identity."""
        from asl_engine.resources.lambda_.worker import CognitoIdentity

        return CognitoIdentity()

    @property
    def client_context(self) -> ClientContext | None:
        """What ``lambda:invoke`` was given as ClientContext, None without one."""
        from asl_engine.resources.lambda_.worker import ClientContext

        given = self.invoked.context
        made: ClientContext | None = ClientContext(given) if isinstance(given, dict) else given
        return made

    @property
    def tenant_id(self) -> str | None:
        """What ``lambda:invoke`` was given as TenantId."""
        return self.invoked.tenant

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds to the deadline, never below 0; 900000 without a deadline.

        In a call it does not matter whether the wall clock is set meanwhile.
        """
        if self.time_left is not None:
            return self.time_left()
        if self.deadline is None:
            return LAMBDA_LONGEST
        return max(0, self.deadline - int(time() * 1000))

    def log(self, message: object) -> None:
        """Write a message where the task's prints go, without a line break of its own."""
        sys.stdout.write(str(message))
        sys.stdout.flush()

    def log_keys(self) -> dict[str, Any]:
        """Which call this is, as keys for a structured log: the execution, the state, the attempt.

        None outside of an execution.
        """
        if not self.execution_arn:
            return {}
        return {**about(self.execution_arn), "state": self.state_name, "attempt": self.attempt}

    def w3c(self) -> dict[str, str]:
        """The W3C trace context that the client context carries."""
        from asl_engine.resources.lambda_.worker import trace_fields

        return trace_fields(self.invoked.context)


def context_of(call: TaskCall, name: str, invoked: InvokeOptions) -> TaskContext:
    """The context of a call of the function with this name."""
    return TaskContext(
        call.key,
        call.attempt,
        name,
        call.execution,
        call.state,
        call.deadline,
        call.heartbeat,
        invoked_arn(call, name),
        invoked,
        None if call.deadline is None else time_left(call.deadline),
        call.execution_id,
    )


def invoked_arn(call: TaskCall, name: str) -> str:
    """The ARN by which a call names its function."""
    if function_name(call.resource) is not None:
        return call.resource
    execution = parse_arn(call.execution)
    region, account = ("", "") if execution is None else execution.home
    return function_arn(region, account, name)


def request_id(key: str) -> str:
    """The UUID (version 5, RFC 9562 section 5.5, in a namespace of zeros) of an attempt's key.

    A key that is a UUID itself, as in Lambda, where the request's id is all that is known, stays as it is.
    """
    if UUID.fullmatch(key):
        return key
    from hashlib import sha1

    digits = sha1(bytes(16) + key.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _variable(name: str, function: str) -> str:
    """A variable of Lambda's; where this runs in Lambda, its real value."""
    variable = f"AWS_LAMBDA_{'FUNCTION_' if name == 'MEMORY_SIZE' else ''}{name}"
    return os.environ.get(variable) or lambda_variables(function)[variable]


def lambda_variables(function: str) -> dict[str, str]:
    """The environment variables from which Lambda's runtime takes what a context object says."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": LATEST,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": DEFAULT_MEMORY,
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": _log_stream(),
    }


@cache
def _log_stream() -> str:
    """``2026/01/31/[$LATEST]`` and 32 hexadecimal digits, the same for as long as this process lives."""
    from datetime import UTC, datetime
    from uuid import uuid4

    return f"{datetime.now(UTC):%Y/%m/%d}/[{LATEST}]{uuid4().hex}"
