"""Where the executions of tests run, if not here: an endpoint of Step Functions, or an account of AWS."""

from __future__ import annotations

import json
import time
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING, Final, Self
from uuid import uuid4

from asl_engine.cloud.client import connect, explained
from asl_engine.engine.durations import milliseconds
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.testing.stations import Stations

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.cloud.client import Aws
    from asl_engine.engine.durations import Duration

__all__ = ["AWS", "RunTarget"]

AWS: Final = "aws"
A_WAIT: Final = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
SKIPS_WITHIN: Final = 1.0  # seconds, in which a server that skips time has ended a wait


def _nobody(line: str) -> None:
    del line


class RunTarget:
    """An endpoint, given by its URL, or ``"aws"``: the account that the AWS SDK finds.

    ``role`` is the ARN of the role of the state machines, which AWS needs.  ``patience`` is how long one run may
    take, where the target does not skip time.  ``tell`` is told how long a run is going to wait.  As a context it
    deletes its activities in the end.

    Raises ``InvalidInput``, ``AwsError``, and ``ProjectError`` where boto3 is not installed.
    """

    is_here = False

    def __init__(
        self,
        where: str,
        *,
        role: str | None = None,
        region: str | None = None,
        patience: Duration = "60s",
        tell: Callable[[str], None] = _nobody,
    ) -> None:
        self.patience = milliseconds(patience, "patience")
        self.tell = tell
        self.aws: Aws = connect(region, role=role, endpoint=None if where == AWS else where)
        if where == AWS and not self.aws.is_aws:
            raise InvalidInput(
                f"the AWS SDK finds Step Functions at {self.aws.url}, which is not AWS: name that as the endpoint"
            )
        if role is None and self.aws.is_aws:
            raise InvalidInput("AWS needs a role for the state machines: give its ARN with ", Parameter("role"))
        self._role = role
        self.stations = Stations(self.aws)

    @cached_property
    def role(self) -> str:
        return self._role or self.aws.role_arn("asl-test")

    @cached_property
    def skips_time(self) -> bool:
        """Whether waits take no time there.  Asked of an endpoint once, with a wait; AWS's own never skips."""
        return not self.aws.is_aws and self._skips()

    def _skips(self) -> bool:
        machine = self.create("wait", json.dumps(A_WAIT))
        try:
            with explained("see whether the endpoint skips time"):
                arn = self.aws.states.start_execution(stateMachineArn=machine)["executionArn"]
                end, pause = time.monotonic() + SKIPS_WITHIN, Event()
                while time.monotonic() < end:
                    if self.aws.states.describe_execution(executionArn=arn)["status"] != "RUNNING":
                        return True
                    pause.wait(0.02)
                self.aws.states.stop_execution(executionArn=arn)
            return False
        finally:
            self.delete(machine)

    def create(self, name: str, definition: str) -> str:
        """The ARN of a new state machine, whose name begins so."""
        unique = f"{name[:50]}-{uuid4().hex[:12]}"
        with explained(f"create the state machine {unique}"):
            made = self.aws.states.create_state_machine(name=unique, definition=definition, roleArn=self.role)
        return str(made["stateMachineArn"])

    def delete(self, machine: str) -> None:
        with explained(f"delete the state machine {machine}"):
            self.aws.states.delete_state_machine(stateMachineArn=machine)

    def close(self) -> None:
        """Delete what the runs have shared."""
        self.stations.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
