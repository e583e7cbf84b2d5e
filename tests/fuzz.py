"""Definitions and inputs that nobody would write: ``python -m tests.fuzz [--seconds N] [--seed N]``.

Definitions of this file, and those recorded from AWS where they are at hand, are changed at random and run by the
pure core with random inputs against a world that answers at random.  Whatever comes of it has to be findings
or a history: any exception is a defect, and so is a log that folds, stores or replays to something else.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from asl_engine.core.apply import fold
from asl_engine.core.execution import Execution, OpenTask
from asl_engine.core.interpreter import MACHINE_TIMER, advance, machine_deadline
from asl_engine.core.replay import replay
from asl_engine.core.stimuli import Resumed, Started, StopRequested, TaskReported, TimerReported
from asl_engine.language.loader import check
from asl_engine.limits import Limits
from asl_engine.payload import Payload
from asl_engine.projections.history import project
from asl_engine.store.sqlite.codec import decode, encode, rows_of
from tests.core.driver import IDENTITY, NOW

if TYPE_CHECKING:
    from asl_engine.core.events import Event
    from asl_engine.core.machine import StateMachine

RECORDED = Path(__file__).parents[2] / "shared" / "conformance" / "aws_cases_dev.json"
MAX_STIMULI = 60
LIMITS = Limits(payload_bytes=20_000, history_events=400)

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
INNER = {"StartAt": "I", "States": {"I": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
END = {"Type": "Succeed"}
RECOVERY = {
    "Retry": [
        {"ErrorEquals": ["E", "States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.5}
    ],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z", "ResultPath": "$.error", "Assign": {"e.$": "$.Error"}}],
}
EXAMPLES: list[dict[str, Any]] = [
    {"A": {"Type": "Pass", "Parameters": {"x.$": "States.Format('{} {}', $.a, $$.State.Name)"}, "Next": "Z"}},
    {
        "A": {"Type": "Pass", "Result": [1, {"b": None}], "ResultPath": "$.a.b", "Next": "B"},
        "B": {"Type": "Pass", "InputPath": "$.a..b[?(@.c > 1)]", "End": True},
    },
    {
        "A": {
            "Type": "Task",
            "Resource": FUNCTION,
            "TimeoutSeconds": 3,
            "ResultSelector": {"r.$": "$"},
            **RECOVERY,
            "Next": "Z",
        }
    },
    {
        "A": {"Type": "Wait", "SecondsPath": "$.s", "Next": "B"},
        "B": {"Type": "Wait", "Timestamp": "2030-01-01T00:00:00Z", "Next": "Z"},
    },
    {
        "A": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.a", "IsNumeric": True},
                        {"Not": {"Variable": "$.a", "NumericLessThanPath": "$.b"}},
                    ],
                    "Next": "B",
                },
                {"Variable": "$.t", "StringMatches": "a*\\*", "Next": "Z"},
            ],
            "Default": "Z",
        },
        "B": {"Type": "Pass", "Parameters": {"a.$": "States.MathAdd($.a, -1)", "b.$": "$.b"}, "Next": "A"},
    },
    {
        "A": {
            "Type": "Parallel",
            "Branches": [
                INNER,
                {"StartAt": "J", "States": {"J": {"Type": "Fail", "ErrorPath": "$.e", "Cause": "c"}}},
            ],
            **RECOVERY,
            "Next": "Z",
        }
    },
    {
        "A": {
            "Type": "Map",
            "ItemsPath": "$.items",
            "MaxConcurrency": 2,
            "ItemSelector": {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"},
            "ItemProcessor": INNER,
            **RECOVERY,
            "Next": "Z",
        }
    },
    {
        "A": {"Type": "Pass", "Assign": {"v.$": "$", "w": 1}, "Next": "B"},
        "B": {
            "Type": "Pass",
            "Parameters": {"x.$": "$v.a[0]", "y.$": "States.ArrayPartition($v.items, $w)"},
            "End": True,
        },
    },
    {
        "A": {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": FUNCTION,
            "Arguments": {"x": "{% $states.input.a ~> $string() %}"},
            "Output": "{% $merge([$states.input, {'r': $states.result}]) %}",
            "Assign": {"q": "{% $sum($states.input.items) %}"},
            "Next": "B",
        },
        "B": {
            "Type": "Choice",
            "QueryLanguage": "JSONata",
            "Choices": [{"Condition": "{% $q > 3 and $states.input.a.b = 'x' %}", "Next": "Z"}],
            "Default": "Z",
        },
    },
    {
        "A": {
            "Type": "Map",
            "QueryLanguage": "JSONata",
            "Items": "{% $range(1, $states.input.a, 1) %}",
            "ItemProcessor": INNER,
            "Output": "{% $states.result[$ > 1]^(>$) %}",
            "Next": "Z",
        }
    },
]
INPUTS: list[Any] = [
    {},
    {"a": 3, "b": 1, "items": [1, 0, None, "", False, {"c": 2}], "s": 1, "t": "abc*", "e": "E"},
    [],
    None,
    0,
    "x",
    {"a": {"b": {"c": [{"c": 5}, 7]}}, "items": {"k": 1}, "s": "1", "e": 5},
    {"a": [1, [2, [3]]], "items": [[1], [2]]},
]
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**20,
    1e308,
    "",
    " ",
    "$",
    "$$",
    "$.a",
    "$..a",
    "$.a[*]",
    "$[0:2]",
    "$.a[-1:]",
    "$x",
    "$.a[?(@.b=='c')]",
    "$$.Map.Item.Value",
    "States.UUID()",
    "States.Format('{}', $)",
    "States.ArrayRange(0, 900, 1)",
    "States.StringToJson($.t)",
    "States.Nothing($)",
    "{% %}",
    "{% $ %}",
    "{% $states.input %}",
    "{% 1/0 %}",
    "{% $x.y %}",
    "{% $map([1..5], function($i) { $i * 2 }) %}",
    "{% $error('e') %}",
    "{% ($f := function($n) { $f($n + 1) }; $f(1)) %}",
    "States.ALL",
    "States.Timeout",
    "A",
    "Z",
    "I",
    [],
    {},
    [[]],
    {"a.$": "$.b"},
    {"": {}},
    "\u0000",
    "é\U0001f600",
    "x" * 300,
    "2024-01-31T00:00:00Z",
    "2024-13-01",
    FUNCTION,
    "JSONata",
    "JSONPath",
    "FULL",
    [{}],
    ["E"],
    {"x": [None]},
]
KEYS = [
    "Next",
    "End",
    "Type",
    "Retry",
    "Catch",
    "Assign",
    "Output",
    "Parameters",
    "ResultPath",
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "Items",
    "Seconds",
    "TimeoutSeconds",
    "HeartbeatSeconds",
    "QueryLanguage",
    "Comment",
    "a.$",
    "Default",
    "ResultSelector",
    "ItemSelector",
    "MaxConcurrency",
    "Condition",
    "Arguments",
    "ErrorPath",
    "CausePath",
    "Label",
    "ToleratedFailureCount",
    "ItemReader",
    "ItemBatcher",
    "Credentials",
    "ProcessorConfig",
    "x",
]


def corpus() -> list[dict[str, Any]]:
    found = [{"StartAt": "A", "States": {"Z": END, **states}} for states in deepcopy(EXAMPLES)]
    if RECORDED.is_file():
        cases = json.loads(RECORDED.read_text(encoding="utf-8"))["cases"]
        found += [case["definition"] for case in cases if isinstance(case.get("definition"), dict)]
    return found


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in ``value`` with each of its keys or indices."""
    found: list[tuple[Any, Any]] = []
    left = [value]
    while left:
        container = left.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list):
                left.append(container[key])
    return found


def mutate(random: Random, value: Any, others: list[dict[str, Any]]) -> None:
    """One change, in place."""
    found = places(value)
    if not found:
        return
    container, key = random.choice(found)
    match random.randrange(6):
        case 0:
            container[key] = deepcopy(random.choice(ODD))
        case 1:
            del container[key]
        case 2:
            other, its = random.choice(places(random.choice(others)))
            container[key] = deepcopy(other[its])
        case 3 if isinstance(container, dict):
            container[random.choice(KEYS)] = deepcopy(random.choice(ODD))
        case 4 if isinstance(container[key], str) and container[key]:
            text, at = container[key], random.randrange(len(container[key]))
            container[key] = text[:at] + random.choice("$.[]{}()%'\\*?@ 0aé") + text[at + random.randrange(2) :]
        case _:
            other, its = random.choice(found)
            container[key] = deepcopy(other[its])


def answer(random: Random, at: int, key: int) -> TaskReported:
    if random.random() < 0.3:
        error = random.choice(["E", "States.Timeout", "States.TaskFailed", "Lambda.Unknown", "", "x" * 300])
        return TaskReported(at, key, None, error, random.choice(["", "c", None, "{" * 100]))
    return TaskReported(at, key, Payload(deepcopy(random.choice([*INPUTS, *ODD]))))


def run(random: Random, machine: StateMachine, given: Any) -> tuple[Execution, list[Event]]:
    """Run to the end, or for some time, and then stop it."""
    execution = Execution(IDENTITY)
    events = advance(machine, execution, Started(NOW, Payload(given)), LIMITS)
    at = NOW
    for _ in range(MAX_STIMULI):
        if execution.status != "RUNNING":
            break
        tasks = [work for work in execution.open.values() if isinstance(work, OpenTask) and work.started]
        timers = [(work.due, work.key) for work in execution.open.values() if work.due is not None]
        deadline = machine_deadline(machine, execution)
        timers += [] if deadline is None else [(deadline, MACHINE_TIMER)]
        if tasks and (not timers or random.random() < 0.9):
            events += advance(machine, execution, answer(random, at, random.choice(tasks).key), LIMITS)
        elif timers:
            at, key = min(timers)
            events += advance(machine, execution, TimerReported(at, key), LIMITS)
        else:
            events += advance(
                machine,
                execution,
                Resumed(at, restarted=random.random() < 0.5, died=random.random() < 0.5),
                LIMITS,
            )
    events += advance(machine, execution, StopRequested(at, "Stop", None), LIMITS)
    return execution, events


def one_round(random: Random, definitions: list[dict[str, Any]]) -> str:
    """What came of one definition and input.  Raises whatever is a defect."""
    document = deepcopy(random.choice(definitions))
    for _ in range(random.choice([0, 0, 1, 1, 2, 4])):
        mutate(random, document, definitions)
    given = {"value": deepcopy(random.choice(INPUTS))}
    if random.random() < 0.5:
        mutate(random, given, definitions)
    text = json.dumps(document)
    machine, findings = check(text)
    if machine is None:
        assert any(finding.severity == "ERROR" for finding in findings)
        return "refused"
    execution, events = run(random, machine, given.get("value"))
    assert execution.status != "RUNNING"
    again = decode(rows_of(encode(1, events)), {})
    folded = fold(IDENTITY, again)
    assert (folded.status, folded.seq, folded.output, folded.error) == (
        execution.status, execution.seq, execution.output, execution.error,
    )  # fmt: skip
    json.dumps(list(project(IDENTITY, again)))
    assert replay(machine, IDENTITY, again, LIMITS) is None
    return execution.status


def fuzz(seed: int, rounds: int | None = None, seconds: float = 0) -> Counter[str]:
    """Raises ``AssertionError`` with the seed of the round that has found a defect."""
    definitions = corpus()
    outcomes: Counter[str] = Counter()
    ends = time.monotonic() + seconds
    number = seed
    while (time.monotonic() < ends) if rounds is None else (number < seed + rounds):
        try:
            outcomes[one_round(Random(number), definitions)] += 1
        except Exception as error:
            raise AssertionError(f"a defect: python -m tests.fuzz --seed {number} --rounds 1") from error
        number += 1
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int)
    given = parser.parse_args()
    outcomes = fuzz(given.seed, given.rounds, given.seconds)
    sys.stdout.write(f"{outcomes.total()} rounds: {dict(outcomes.most_common())}\n")


if __name__ == "__main__":
    main()
