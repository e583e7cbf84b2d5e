"""The machines that the transcripts debug, by name."""

from __future__ import annotations

from typing import Any

from tests.core.steps import catch, each, parallel, retry, scope, state, wait
from tests.debugging.sessions import ACTIVITY, TOKEN, function


def call(name: str, **fields: Any) -> dict[str, Any]:
    return state("Task", Resource=function(name), **fields)


MACHINES: dict[str, dict[str, Any]] = {
    "row": scope(
        Double=call("double", Next="Wait"),
        Wait=wait(3600, Next="Check"),
        Check=state(
            "Choice", Choices=[{"Variable": "$.n", "NumericGreaterThan": 3, "Next": "Large"}], Default="Small"
        ),
        Large=state("Pass", Assign={"size": "large"}, Next="Small"),
        Small=state("Pass"),
    ),
    "loop": scope(
        Count=state("Pass", Parameters={"i.$": "States.MathAdd($.i, 1)"}, Next="Again"),
        Again=state(
            "Choice", Choices=[{"Variable": "$.i", "NumericLessThan": 5, "Next": "Count"}], Default="Done"
        ),
        Done=state("Succeed"),
    ),
    "errors": scope(
        Flaky=call("flaky", Retry=retry("OutOfStockError", IntervalSeconds=60), Next="Broken"),
        Broken=call("fail", Catch=catch("Report", "States.ALL", ResultPath="$.error"), Next="Report"),
        Report=state("Choice", Choices=[{"Variable": "$.nope", "IsString": True, "Next": "End"}]),
        End=state("Fail", Error="Ended", Cause="for good"),
    ),
    "branches": scope(
        Both=parallel(
            scope(A1=wait(5, Next="A2"), A2=state("Pass")),
            scope(B1=call("double", Next="B2"), B2=state("Pass", Result="b")),
            Next="Each",
        ),
        Each=each(scope(First=state("Pass", Next="Second"), Second=state("Pass")), Next="Last"),
        Last=state("Pass"),
    ),
    "jsonata": {
        "QueryLanguage": "JSONata",
        **scope(
            Sum=state("Pass", Output="{% $sum($states.input.lines) %}", Assign={"tax": 0.2}, Next="Tell"),
            Tell=state("Pass", Output="{% $states.input * (1 + $tax) %}"),
        ),
    },
    "outside": scope(
        Ask=state(
            "Task", Resource=TOKEN, Parameters={"t.$": "$$.Task.Token"}, ResultPath="$.asked", Next="Approve"
        ),
        Approve=state("Task", Resource=ACTIVITY, ResultPath="$.approved"),
    ),
    "two": scope(
        Both=parallel(
            scope(Ask=state("Task", Resource=TOKEN, TimeoutSeconds=60, Parameters={"t.$": "$$.Task.Token"})),
            scope(Wait=wait(3600, Next="After"), After=state("Pass")),
        )
    ),
    "fail": scope(End=state("Fail", ErrorPath="$.error", Cause="for good")),
    "leave": scope(Leave=call("leave", Catch=catch("Bye", "States.ALL"), Next="Bye"), Bye=state("Pass")),
    "distributed": scope(
        Many={
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                **scope(One=state("Pass", Next="Two"), Two=state("Pass")),
            },
            "Label": "Many",
            "Next": "Last",
        },
        Last=state("Pass"),
    ),
}
