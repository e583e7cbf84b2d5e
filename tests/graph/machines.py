"""Definitions to draw: what is said of each picture is in the tests."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from tests.core.steps import catch, each, parallel, scope, state, wait
from tests.testing.machines import task

ORDER: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "statemachines" / "order.json").read_text(encoding="utf-8")
)
LAMBDA = "arn:aws:lambda:us-east-1:123456789012:function:"


def call(function: str, **fields: Any) -> dict[str, Any]:
    return task(f"{LAMBDA}{function}", **fields)


def rule(target: str, variable: str = "$.v", **test: Any) -> dict[str, Any]:
    return {"Variable": variable, **test, "Next": target}


DISTRIBUTED = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
NESTED = scope(
    Prepare=call("prepare", Next="Fan"),
    Fan=parallel(
        scope(A1=call("a1", Next="A2"), A2=wait(30)),
        scope(
            B1=state("Choice", Choices=[rule("B2", NumericGreaterThan=10)], Default="B3"),
            B2=call("b2"),
            B3=state("Pass"),
        ),
        scope(Inner=each(scope(Item=call("item")))),
        Next="Each",
        Catch=catch("Cleanup", "States.ALL"),
    ),
    Each=each(
        {"ProcessorConfig": DISTRIBUTED, **scope(Load=call("load", Catch=catch("Skip")), Skip=state("Pass"))},
        Label="each",
    ),
    Cleanup=call("cleanup", Next="Broken"),
    Broken=state("Fail", Error="Broken"),
)
LOOP = scope(
    Submit=call("submit", Next="Pause"),
    Pause=wait(60, Next="Check"),
    Check=call("check", Next="Done?"),
    **{
        "Done?": state(
            "Choice",
            Choices=[
                rule("Finish", "$.status", StringEquals="SUCCEEDED"),
                rule("Give up", "$.status", StringEquals="FAILED"),
                rule("Submit", "$.status", StringEquals="UNKNOWN"),
            ],
            Default="Pause",
        ),
        "Finish": state("Succeed"),
        "Give up": state("Fail", Error="TooLong"),
    },
)
WIDE = scope(
    Route=state(
        "Choice", Choices=[rule(f"Kind {n}", "$.kind", StringEquals=f"k{n}") for n in range(12)], Default="Unknown"
    ),
    **{
        f"Kind {n}": call(f"f{n}", Next="Collect", **({"Catch": catch("Unknown")} if n % 5 == 0 else {}))
        for n in range(12)
    },
    Collect=call("collect"),
    Unknown=state("Fail", Error="Unknown"),
)
SELF = scope(
    Ask=state("Choice", Choices=[rule("Ask", IsPresent=False)], Default="End"), End=state("Succeed")
)  # an edge from a state to itself, and a state with the name of a mark
LONG_NAME = "An.Error.With.A.Long.Name"
BUSY = scope(
    First=call("first", Next="Second", Catch=catch("First", LONG_NAME)),
    Second=call("second", Next="Third", Catch=[*catch("Second", LONG_NAME), *catch("First", "C")]),
    Third=call("third", Next="Fourth", Catch=[*catch("Third", LONG_NAME), *catch("Second", "D")]),
    Fourth=each(
        scope(One=call("one", Catch=catch("One", "E"))), Catch=[*catch("Fourth", "F"), *catch("First", "G")]
    ),
)  # edges from states to themselves, and back, and on, side by side
TANGLED = scope(
    First=call("f", Next="Pick", Catch=[*catch("Pick", "E0"), *catch("First", "E1"), *catch("Last", "E2")]),
    Pick=state("Choice", Choices=[rule("First", NumericEquals=0)], Default="Second"),
    Second=call("f", Next="Third"),
    Third=call("f", Next="Last", Catch=[*catch("Third", "E0"), *catch("Pick", "E1")]),
    Last=call("f"),
)  # a catcher's line and a loop's would change sides
HOSTILE = scope(
    **{
        "<script>alert(1)</script>": state("Pass", Next="Überprüfung 🚀 家族"),
        "Überprüfung 🚀 家族": state("Pass", Next="مرحبا"),
        "مرحبا": state("Pass", Next="evil \u202e txet"),
        "evil \u202e txet": state("Pass", Next='"]}--> |x| \\'),
        '"]}--> |x| \\': state("Pass", Next="A" * 80),
        "A" * 80: state("Choice", Choices=[rule("end", StringEquals="</title><b>&amp;\n\x1b[31m")]),
        "end": state("Fail", Error="<i>"),
    }
)


def long_machine(states: int, seed: int = 5, comment: int = 0) -> dict[str, Any]:
    """A machine of that many states with branches, catchers and loops; each has a comment of that length."""
    random = Random(seed)
    found: dict[str, Any] = {}
    for number in range(states - 1):
        following = f"Step{number + 1}"
        if random.random() < 0.2:
            ahead = [min(states - 1, number + random.randint(2, 8)) for _ in range(random.randint(1, 3))]
            rules = [rule(f"Step{one}", NumericEquals=index) for index, one in enumerate(ahead)]
            if number > 6 and random.random() < 0.3:
                rules.append(rule(f"Step{number - random.randint(1, 6)}", IsNull=True))
            found[f"Step{number}"] = state("Choice", Choices=rules, Default=following)
        else:
            caught = {"Catch": catch("Sorry")} if random.random() < 0.3 else {}
            found[f"Step{number}"] = call(f"f{number}", Next=following, **caught)
        found[f"Step{number}"]["Comment"] = "x" * comment
    found[f"Step{states - 1}"] = state("Succeed")
    return scope(**found, Sorry=state("Fail", Error="Sorry"))


MACHINES = {
    "order": ORDER,
    "nested": NESTED,
    "loop": LOOP,
    "wide": WIDE,
    "self": SELF,
    "busy": BUSY,
    "tangled": TANGLED,
    "hostile": HOSTILE,
    "sixty": long_machine(60),
    **{f"random-{seed}": long_machine(25, seed) for seed in range(20, 32)},
}
