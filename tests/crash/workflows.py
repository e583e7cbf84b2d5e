"""The workflows that are killed: between them every type of state, and every way of going on.

A second of theirs takes ten milliseconds.  What may run at the same time ends in the same way in whatever order
it does: a kill changes the order.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACTIVITY", "EXECUTION", "HANGING", "SCALE", "WORKFLOWS", "Workflow", "machine_arn"]

SCALE: Final = "scale=0.01"
EXECUTION: Final = "one"
ACCOUNT: Final = "us-east-1:123456789012"
FUNCTION: Final = f"arn:aws:lambda:{ACCOUNT}:function:"
ACTIVITY: Final = f"arn:aws:states:{ACCOUNT}:activity:paint"
CALLBACK: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"
STARTED: Final = "arn:aws:states:::states:startExecution.sync:2"


class Workflow(NamedTuple):
    """``machines`` begins with the one that is started.  ``outside``: it needs workers, so it runs in a server.

    ``max_deaths`` is the project's: a task that has seen one less gets a process of its own, which takes as long
    to start as ten kills.
    """

    name: str
    machines: Mapping[str, Any]
    ends: str = "SUCCEEDED"
    redrives: int = 0
    outside: bool = False
    max_deaths: int = 1000

    @property
    def main(self) -> str:
        return next(iter(self.machines))

    @property
    def modes(self) -> tuple[str, ...]:
        return ("serve",) if self.outside else ("run", "serve")


def machine_arn(name: str) -> str:
    return f"arn:aws:states:{ACCOUNT}:stateMachine:{name}"


def task(function: str, **more: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION + function, **more}


def row(*, timeout: int | None = None, **states: dict[str, Any]) -> dict[str, Any]:
    """A machine of states one after the other; one that says where it goes on goes there."""
    names = [*states, None]
    made = {}
    for (name, state), following in zip(states.items(), names[1:], strict=True):
        onwards = {"End": True} if following is None else {"Next": following}
        goes_on = not state.keys() & {"Next", "Choices"} and state["Type"] not in {"Succeed", "Fail"}
        made[name] = {**state, **(onwards if goes_on else {})}
    return {"StartAt": names[0], "States": made} | ({} if timeout is None else {"TimeoutSeconds": timeout})


def again(*errors: str, attempts: int = 3) -> list[dict[str, Any]]:
    return [{"ErrorEquals": [*errors], "IntervalSeconds": 1, "MaxAttempts": attempts, "BackoffRate": 2}]


def parallel(*branches: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "Parallel", "Branches": [*branches], **more}


def caught(target: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": ["States.ALL"], "Next": target, "ResultPath": "$.caught"}]


SECOND: Final = {"Type": "Wait", "Seconds": 1}
A_YEAR: Final = {"Type": "Wait", "Seconds": 31_536_000}
PASS: Final = {"Type": "Pass"}

STATES = row(
    Init={"Type": "Pass", "Result": {"n": 0, "until": 3}, "ResultPath": "$"},
    Loop={
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericLessThan": 3, "Next": "Add"}],
        "Default": "Evaluate",
    },
    Add=task("add"),
    Pause={**SECOND, "Next": "Loop"},
    Evaluate={
        "Type": "Pass",
        "QueryLanguage": "JSONata",
        "Assign": {"squares": "{% [1..3].($ * $) %}", "random": "{% $random() < 1 %}"},
        "Output": {"n": "{% $states.input.n %}"},
    },
    Call={
        "Type": "Task",
        "QueryLanguage": "JSONata",
        "Resource": FUNCTION + "add",
        "Arguments": {"n": "{% $sum($squares) + $states.input.n %}"},
        "Output": {"n": "{% $states.result.n %}", "squares": "{% $squares %}"},
    },
    Done={"Type": "Succeed"},
)
RETRIES = row(
    Unready=task("fail_twice", Retry=again("Unready")),
    Slow=task("hang", TimeoutSeconds=8, Retry=again("States.Timeout", attempts=1), Catch=caught("Silent")),
    Silent=task("hang", TimeoutSeconds=600, HeartbeatSeconds=8, Catch=caught("Beating")),
    Beating=task("beat", TimeoutSeconds=6000, HeartbeatSeconds=3000),
    Refusing=task("refuse", Retry=again("Refused", attempts=1), Catch=caught("Sorry")),
    Sorry=PASS,
)
ITEM = row(Both=parallel(row(Add=task("add")), row(Pause=SECOND, AddLater=task("add"))))
NESTED = row(
    All=parallel(
        row(
            Items={
                "Type": "Map",
                "ItemsPath": "$.items",
                "MaxConcurrency": 2,
                "ItemSelector": {"n.$": "$$.Map.Item.Value"},
                "ItemProcessor": ITEM,
            }
        ),
        row(Unready=task("fail_twice", Retry=again("Unready"))),
        row(
            Given=parallel(row(Refusing=task("refuse")), row(Year=A_YEAR), Catch=caught("Up")),
            Never={"Type": "Fail"},
            Up=PASS,
        ),
    ),
    After={"Type": "Pass", "Parameters": {"n": 7, "all.$": "$"}},
    Last=task("add", ResultPath="$.added"),
)
CHILD = row(Add=task("add"), Pause=SECOND, Unready=task("fail_twice", Retry=again("Unready")))
READER = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "JSON"},
    "Parameters": {"Bucket": "crash", "Key": "items.json"},
}
WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "crash", "Prefix": "results"}}


def distributed(processor: dict[str, Any], **more: Any) -> dict[str, Any]:
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    return {"Type": "Map", "Label": "L", "ItemProcessor": {"ProcessorConfig": mode, **processor}, **more}


DISTRIBUTED = row(
    Items=distributed(CHILD, ItemReader=READER, ResultWriter=WRITER, MaxConcurrency=2),
    After={"Type": "Pass", "Result": {"n": 1}},
    Last=task("add"),
)
STARTS = row(
    Start={
        "Type": "Task",
        "Resource": STARTED,
        "Parameters": {
            "StateMachineArn": machine_arn("child"),
            "Name.$": "States.Format('{}-child', $$.Execution.Name)",
            "Input": {"n.$": "$.n"},
        },
        "OutputPath": "$.Output",
    },
    Last=task("add"),
)
# The second item fails until it is mended; one at a time, so nothing else is under way then.
SECOND_BREAKS = row(
    Add=task("add"),
    Which={
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericEquals": 3, "Next": "Broken"}],
        "Default": "Fine",
    },
    Broken=task("need_mending"),
    Fine={"Type": "Succeed"},
)
REDRIVEN = row(
    Before=task("add", ResultPath="$.before"),
    Items={
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 1,
        "ItemSelector": {"n.$": "$$.Map.Item.Value"},
        "ItemProcessor": SECOND_BREAKS,
    },
    Last={"Type": "Pass", "Parameters": {"n": 1}},
    After=task("add"),
)
REDRIVEN_MAP = row(
    Items=distributed(SECOND_BREAKS, ItemReader=READER, ToleratedFailureCount=0, MaxConcurrency=1),
    Last={"Type": "Pass", "Parameters": {"n": 1}},
)
TIMED_OUT = row(Year=A_YEAR, timeout=20)
OUTSIDE = row(
    All=parallel(
        row(
            Paint={
                "Type": "Task",
                "Resource": ACTIVITY,
                "HeartbeatSeconds": 30,
                "Retry": [
                    {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 99, "BackoffRate": 1}
                ],
            }
        ),
        row(
            Ask={
                "Type": "Task",
                "Resource": CALLBACK,
                "HeartbeatSeconds": 6000,
                "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
            }
        ),
        row(
            Doubt={
                "Type": "Task",
                "Resource": CALLBACK,
                "Parameters": {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}},
                "Retry": again("Doubtful"),
            }
        ),
    )
)

# Their tasks answer nobody, and on a busy machine their time may be over before they begin.
HANGING: Final = frozenset({"Slow", "Silent"})
WORKFLOWS: Final = {
    workflow.name: workflow
    for workflow in (
        Workflow("states", {"states": STATES}),
        Workflow("suspects", {"suspects": CHILD}, max_deaths=2),
        Workflow("retries", {"retries": RETRIES}),
        Workflow("nested", {"nested": NESTED}),
        Workflow("distributed", {"distributed": DISTRIBUTED}),
        Workflow("starts", {"starts": STARTS, "child": CHILD}),
        Workflow("redriven", {"redriven": REDRIVEN}, redrives=1),
        Workflow("redriven-map", {"redriven-map": REDRIVEN_MAP}, redrives=1),
        Workflow("timed-out", {"timed-out": TIMED_OUT}, ends="TIMED_OUT"),
        Workflow("outside", {"outside": OUTSIDE, "waiting": row(Year=A_YEAR)}, outside=True),
    )
}
INPUT: Final = json.dumps({"n": 1, "items": [1, 2, 3]})
