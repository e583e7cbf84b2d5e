"""A project with something of everything to look at: for the tests in a browser and for the screenshots."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

__all__ = ["MACHINES", "ROLE", "create_machines", "write_project"]

ROOT: Final = Path(__file__).parents[3]
ROLE: Final = "arn:aws:iam::123456789012:role/demo"
CONFIGURATION: Final = '[tool.asl]\ntasks = "tasks"\n'


def _task(name: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{name}", **fields}


def _asking(**fields: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": "askSomebody",
            "Payload": {"token.$": "$$.Task.Token", "request.$": "$.request", "amount.$": "$.amount"},
        },
        **fields,
    }


MACHINES: Final[dict[str, dict[str, Any]]] = {
    "order": json.loads((ROOT / "statemachines" / "order.json").read_text("utf-8")),
    "approval": {
        "Comment": "Somebody has to say yes",
        "StartAt": "AskForApproval",
        "States": {
            "AskForApproval": _asking(ResultPath="$.answer", TimeoutSeconds=86400, Next="Decide"),
            "Decide": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.answer.approved", "BooleanEquals": True, "Next": "Approved"}],
                "Default": "Rejected",
            },
            "Approved": {"Type": "Succeed"},
            "Rejected": {"Type": "Fail", "Error": "Rejected", "Cause": "Somebody said no."},
        },
    },
    "thumbnails": {
        "Comment": "A picture at a time",
        "StartAt": "List",
        "States": {
            "List": {
                "Type": "Pass",
                "Parameters": {"numbers.$": "States.ArrayRange(1, $.pictures, 1)"},
                "Next": "Each",
            },
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.numbers",
                "ItemSelector": {"n.$": "$$.Map.Item.Value"},
                "ItemProcessor": {
                    "StartAt": "Shrink",
                    "States": {
                        "Shrink": _task(
                            "shrink", Next="Sign", Catch=[{"ErrorEquals": ["BadPicture"], "Next": "Skip"}]
                        ),
                        "Sign": {"Type": "Pass", "Result": "signed", "ResultPath": "$.mark", "End": True},
                        "Skip": {"Type": "Pass", "End": True},
                    },
                },
                "ResultPath": "$.made",
                "Next": "Report",
            },
            "Report": {"Type": "Pass", "Parameters": {"count.$": "States.ArrayLength($.made)"}, "End": True},
        },
    },
    "pricing": {
        "Comment": "JSONata, with variables",
        "QueryLanguage": "JSONata",
        "StartAt": "Rate",
        "States": {
            "Rate": {
                "Type": "Pass",
                "Assign": {"rate": "{% $states.input.amount > 1000 ? 0.05 : 0.1 %}"},
                "Output": "{% {'net': $states.input.amount, 'currency': 'EUR'} %}",
                "Next": "Quote",
            },
            "Quote": {
                **_task("quote"),
                "Arguments": {"net": "{% $states.input.net %}", "rate": "{% $rate %}"},
                "Output": "{% $merge([$states.input, $states.result]) %}",
                "End": True,
            },
        },
    },
    "delivery": {
        "Comment": "The door is shut until somebody opens it: see the task",
        "StartAt": "Pack",
        "States": {
            "Pack": {"Type": "Pass", "Result": {"parcel": 1}, "ResultPath": "$.packed", "Next": "Deliver"},
            "Deliver": _task("deliver", Next="Thank"),
            "Thank": {"Type": "Pass", "End": True},
        },
    },
    "stock": {
        "Comment": "A worker counts",
        "StartAt": "Count",
        "States": {
            "Count": {
                "Type": "Task",
                "Resource": "arn:aws:states:us-east-1:123456789012:activity:count-shelf",
                "HeartbeatSeconds": 3600,
                "End": True,
            }
        },
    },
}

TASKS: Final = '''"""Tasks of the demonstration."""

from pathlib import Path

from asl_engine import task


class BadPicture(Exception):
    pass


@task
def shrink(event):
    if event["n"] % 13 == 0:
        raise BadPicture(f"picture {event['n']} has no pixels")
    return {"n": event["n"], "width": 320, "height": 200}


class DoorShut(Exception):
    pass


@task
def deliver(event):
    if event["door"] != "open" and not Path(event["door"]).exists():
        raise DoorShut(f"nobody opens at {event['street']}")
    return {**event, "delivered": True}


@task
def ask_somebody(event):
    return None


@task
def quote(event):
    return {"gross": _gross(event["net"], event["rate"])}


def _gross(net, rate):
    return round(net * (1 + rate), 2)
'''


def write_project(folder: Path) -> None:
    """The order's own tasks and samples, and what the other machines need."""
    for name in ("tasks", "inputs", "statemachines"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tasks" / "demonstration.py").write_text(TASKS, "utf-8")
    (folder / "pyproject.toml").write_text(CONFIGURATION, "utf-8")


def create_machines(client: Any) -> dict[str, str]:
    """Their ARNs by name."""
    client.create_activity(name="count-shelf")
    return {
        name: client.create_state_machine(name=name, definition=json.dumps(machine, indent=2), roleArn=ROLE)[
            "stateMachineArn"
        ]
        for name, machine in MACHINES.items()
    }
