"""Map: the same states for each item, so many at once, their results in order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.core.events import MapIterationStarted, MapStateStarted
from asl_engine.errors import StatesError
from asl_engine.language.loader import check
from tests.core.driver import drive, history, outcome
from tests.core.steps import Steps, catch, check_steps, each, parallel, retry, scope, state, task, told, types

BROKEN = StatesError("E", "C")
PASS = scope(P=state("Pass"))
TASK = scope(T=task())
SELECT = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"}
ODD = [False, 0, "", None, {}, []]


def numbered(items: list[Any], **more: Any) -> list[Any]:
    return [{"i": index, "v": value, **more} for index, value in enumerate(items)]


FLOWS: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("each item", each(PASS), [1, "two", None], [1, "two", None]),
    ("values that are not true", each(PASS), ODD, ODD),
    ("no items", each(PASS), [], []),
    ("no items, by a path", each(PASS, ItemsPath="$.a", ResultPath="$.r"), {"a": []}, {"a": [], "r": []}),
    ("ItemsPath", each(PASS, ItemsPath="$.a.b"), {"a": {"b": [1]}}, [1]),
    ("ItemsPath from the context", each(PASS, ItemsPath="$$.Execution.Input.a"), {"a": [1]}, [1]),
    ("an ItemsPath that finds many", each(PASS, ItemsPath="$.a[*].n"), {"a": [{"n": 1}, {"n": 2}]}, [1, 2]),
    ("InputPath, then ItemsPath", each(PASS, InputPath="$.a", ItemsPath="$.b"), {"a": {"b": [1]}}, [1]),
    ("ItemSelector", each(PASS, ItemSelector=SELECT), ODD, numbered(ODD)),
    (
        "ItemSelector with outer data",
        each(PASS, ItemsPath="$.a", ItemSelector={**SELECT, "o.$": "$.outer", "c": [0]}),
        {"a": ["x", "y"], "outer": None},
        numbered(["x", "y"], o=None, c=[0]),
    ),
    (
        "ItemSelector sees what InputPath selects",
        each(PASS, InputPath="$.in", ItemsPath="$.a", ItemSelector={"o.$": "$.o"}),
        {"in": {"a": [1], "o": 2}},
        [{"o": 2}],
    ),
    ("an ItemSelector that is constant", each(PASS, ItemSelector={"c": 1}), [1, 2], [{"c": 1}, {"c": 1}]),
    ("an ItemSelector that is text", each(PASS, ItemSelector="c"), [1, 2], ["c", "c"]),
    (
        "the old Iterator and Parameters",
        state("Map", Iterator=PASS, ItemsPath="$.a", Parameters={**SELECT, "o.$": "$.o"}),
        {"a": [5], "o": 6},
        numbered([5], o=6),
    ),
    ("ResultSelector", each(PASS, ResultSelector={"last.$": "$[-1:]"}), [1, 2], {"last": [2]}),
    ("ResultPath", each(PASS, ItemsPath="$.a", ResultPath="$.r"), {"a": [1]}, {"a": [1], "r": [1]}),
    ("ResultPath null", each(PASS, ItemsPath="$.a", ResultPath=None), {"a": [1]}, {"a": [1]}),
    ("OutputPath", each(PASS, OutputPath="$[1]"), [1, 0], 0),
    ("a Map in a Map", each(scope(M=each(PASS))), [[1], [], [2, 3]], [[1], [], [2, 3]]),
    ("a Map of nothing in a Map", each(scope(M=each(PASS))), [[], []], [[], []]),
    (
        "the item of a Map in a Map is the inner one",
        each(scope(M=each(scope(Q=state("Pass", Parameters=SELECT))))),
        [["a"], ["b", "c"]],
        [numbered(["a"]), numbered(["b", "c"])],
    ),
    (
        "the selector of a Map in a Map is given the inner item, its work the outer one",
        each(
            scope(
                A=state("Pass", Parameters=SELECT, ResultPath="$.outer", Next="M"),
                M=each(PASS, ItemsPath="$.items", ItemSelector={**SELECT, "o.$": "$.outer.i"}),
            )
        ),
        [{"items": ["a"]}, {"items": ["b"]}],
        [numbered(["a"], o=0), numbered(["b"], o=1)],
    ),
    (
        "a Parallel in a Map knows the item",
        each(scope(X=parallel(scope(Q=state("Pass", Parameters=SELECT)), PASS))),
        ["a", "b"],
        [[{"i": 0, "v": "a"}, "a"], [{"i": 1, "v": "b"}, "b"]],
    ),
    (
        "the item is what ItemsPath found, whatever ItemSelector made of it",
        each(scope(Q=state("Pass", Parameters={"p.$": "$$.Map.Item.Value"})), ItemSelector={"x": 1}),
        [7],
        [{"p": 7}],
    ),
    (
        "iterations that take different ways",
        each(
            scope(
                C=state(
                    "Choice",
                    Choices=[{"Variable": "$", "NumericGreaterThan": 1, "Next": "Big"}],
                    Default="Small",
                ),
                Big=state("Pass", Result="big"),
                Small=state("Succeed"),
            )
        ),
        [1, 2],
        [1, "big"],
    ),
    ("MaxConcurrencyPath", each(PASS, ItemsPath="$.a", MaxConcurrencyPath="$.n"), {"a": [1, 2], "n": 1}, [1, 2]),
]


@pytest.mark.parametrize("concurrency", [0, 1, 2])
@pytest.mark.parametrize(("name", "fork", "data", "output"), FLOWS, ids=[case[0] for case in FLOWS])
def test_what_a_map_makes_of_its_input(
    name: str, fork: dict[str, Any], data: Any, output: Any, concurrency: int
) -> None:
    fields = {} if "MaxConcurrencyPath" in fork else {"MaxConcurrency": concurrency}
    steps = Steps(scope(S={**fork, **fields}), data)
    assert outcome(steps.execution) == ("SUCCEEDED", output), name
    check_steps(steps)


@pytest.mark.parametrize(
    "fields",
    [
        {"MaxConcurrencyPath": "$.n"},
        {"ToleratedFailureCountPath": "$.n"},
        {"ToleratedFailurePercentagePath": "$.n"},
        {"ToleratedFailurePercentagePath": "$.half"},
        {"MaxConcurrencyPath": "$n"},
        {"ToleratedFailureCountPath": "$n"},
        {"ToleratedFailurePercentagePath": "$n"},
    ],
)
def test_the_text_of_a_number_is_one(fields: dict[str, Any]) -> None:
    definition = scope(A=state("Pass", Assign={"n": "1"}, Next="M"), M=each(PASS, ItemsPath="$.a", **fields))
    execution, _ = drive(definition, {"a": [1, 2], "n": "1", "half": "12.5"})
    assert outcome(execution) == ("SUCCEEDED", [1, 2])


def test_a_text_bounds_the_concurrency() -> None:
    definition = scope(M=each(PASS, ItemsPath="$.a", MaxConcurrencyPath="$.n"))
    _, events = drive(definition, {"a": [1], "n": "1"})
    assert [event.concurrency for event in events if isinstance(event, MapStateStarted)] == [1]


TOLERANCES = [
    ("ToleratedFailureCountPath", "1.0", 'refers to value "1.0" which is not a valid integer: $.n'),
    ("ToleratedFailureCountPath", " 1", 'refers to value " 1" which is not a valid integer: $.n'),
    ("ToleratedFailureCountPath", "-1", "ToleratedFailureCount cannot be negative."),
    ("ToleratedFailurePercentagePath", "1,5", 'refers to value "1,5" which is not a valid float: $.n'),
    ("ToleratedFailurePercentagePath", "100.5", "ToleratedFailurePercentage must be between 0 and 100."),
]


@pytest.mark.parametrize(("field", "text", "said"), TOLERANCES)
def test_texts_that_are_no_tolerance(field: str, text: str, said: str) -> None:
    execution, _ = drive(scope(M=each(PASS, ItemsPath="$.a", **{field: "$.n"})), {"a": [1], "n": text})
    status, (error, cause) = outcome(execution)
    assert (status, error) == ("FAILED", "States.Runtime")
    assert cause.endswith(said)


def failure(detail: str) -> tuple[str, tuple[str, str]]:
    prefix = "An error occurred while executing the state 'S' (entered at the event id #2). "
    return "FAILED", ("States.Runtime", prefix + detail)


BAD_CONCURRENCY = 'The MaxConcurrencyPath field refers to value "{}" which is not a valid integer: $.n'
NO_ITEMS = 'Reference path "{}" must point to array.'

RUNTIME_FAILURES: list[tuple[dict[str, Any], Any, str]] = [
    (each(PASS), {}, NO_ITEMS.format("$")),
    (each(PASS), "text", NO_ITEMS.format("$")),
    (each(PASS, ItemsPath="$.a"), {"a": None}, NO_ITEMS.format("$.a")),
    (each(PASS, ItemsPath="$.a"), {"b": []}, "Invalid path '$.a' : No results for path: $['a']"),
    *(
        (
            each(PASS, ItemsPath="$.a", MaxConcurrencyPath="$.n"),
            {"a": [], "n": value},
            BAD_CONCURRENCY.format(shown),
        )
        for value, shown in (("two", "two"), (-1, "-1"), (1.5, "1.5"), (True, "true"), (None, "null"), ([], "[]"))
    ),
    (
        each(PASS, ItemsPath="$.a", MaxConcurrencyPath="$.n"),
        {"a": []},
        "Invalid path '$.n' : No results for path: $['n']",
    ),
]


@pytest.mark.parametrize(("fork", "data", "detail"), RUNTIME_FAILURES)
def test_runtime_failures(fork: dict[str, Any], data: Any, detail: str) -> None:
    caught = {**fork, "Retry": retry("States.ALL"), "Catch": catch("Z", "States.ALL")}
    execution, events = drive(scope(S=caught, Z=state("Pass")), data)
    # Recorded from AWS: the state is not named where there are no items.
    expected = ("FAILED", ("States.Runtime", detail)) if detail.startswith("Reference") else failure(detail)
    assert outcome(execution) == expected
    assert types(events) == ["ExecutionStarted", "MapStateEntered", "ExecutionFailed"]


# -- how many at once ----------------------------------------------------------------------------------

CONCURRENCY = [
    ({}, 5, 5),
    ({"MaxConcurrency": 0}, 5, 5),
    ({"MaxConcurrency": 1}, 5, 1),
    ({"MaxConcurrency": 2}, 5, 2),
    ({"MaxConcurrency": 5}, 5, 5),
    ({"MaxConcurrency": 100}, 5, 5),
    ({"MaxConcurrency": 100}, 60, 60),
    ({}, 60, 40),  # inline, AWS runs 40 at once
    ({"MaxConcurrencyPath": "$$.Execution.Input[0].n"}, 5, 3),
    ({"MaxConcurrencyPath": "$$.Execution.Input[1].n"}, 60, 40),
]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize(("fields", "length", "at_once"), CONCURRENCY)
def test_so_many_are_under_way_at_once_whoever_answers_first(
    fields: dict[str, Any], length: int, at_once: int, newest_first: bool
) -> None:
    items = [{"n": 3}, {"n": 0}, *range(2, length)]
    steps = Steps(scope(S=each(TASK, ItemSelector=SELECT, **fields)), items)
    remaining = length
    while steps.execution.status == "RUNNING":
        open_tasks = steps.tasks()
        assert len(open_tasks) == min(at_once, remaining)
        work = open_tasks[-1 if newest_first else 0]
        steps.answer(work, work.frame.index)
        remaining -= 1
    assert outcome(steps.execution) == ("SUCCEEDED", list(range(length)))
    assert [e.number for e in steps.log if isinstance(e, MapIterationStarted)] == list(range(length))
    check_steps(steps)


def test_a_map_in_a_map_has_its_own_count() -> None:
    definition = scope(S=each(scope(M=each(TASK, MaxConcurrency=2)), MaxConcurrency=2))
    steps = Steps(definition, [[1, 2, 3], [4, 5], [6]])
    seen = []
    while steps.execution.status == "RUNNING":
        seen.append(len(steps.tasks()))
        work = steps.tasks()[0]
        steps.answer(work, work.parameters.value)
    assert outcome(steps.execution) == ("SUCCEEDED", [[1, 2, 3], [4, 5], [6]])
    assert seen == [4, 4, 3, 2, 2, 1]
    check_steps(steps)


# -- how events follow from each other -----------------------------------------------------------------


def test_how_the_events_follow_from_each_other() -> None:
    """As recorded where one iteration follows the other: it begins where the last one that ended did."""
    _, events = drive(scope(S=each(PASS, MaxConcurrency=2, Next="Z"), Z=state("Succeed")), [1, 2, 3])
    assert told(events) == [
        "1 0 ExecutionStarted",
        "2 0 MapStateEntered",
        "3 2 MapStateStarted",
        "4 3 MapIterationStarted",
        "5 3 MapIterationStarted",
        "6 4 PassStateEntered",
        "7 6 PassStateExited",
        "8 7 MapIterationSucceeded",
        "9 7 MapIterationStarted",
        "10 5 PassStateEntered",
        "11 10 PassStateExited",
        "12 11 MapIterationSucceeded",
        "13 9 PassStateEntered",
        "14 13 PassStateExited",
        "15 14 MapIterationSucceeded",
        "16 15 MapStateSucceeded",
        "17 15 MapStateExited",
        "18 17 SucceedStateEntered",
        "19 18 SucceedStateExited",
        "20 19 ExecutionSucceeded",
    ]


def test_an_empty_map_starts_and_succeeds() -> None:
    _, events = drive(scope(S=each(PASS)), [])
    assert told(events)[1:] == [
        "2 0 MapStateEntered",
        "3 2 MapStateStarted",
        "4 3 MapStateSucceeded",
        "5 3 MapStateExited",
        "6 5 ExecutionSucceeded",
    ]
    assert history(events)[2]["mapStateStartedEventDetails"] == {"length": 0}


def test_events_and_steps_grow_with_the_items() -> None:
    """Four events for each item, and no more for the thousandth than for the first."""
    lengths = {}
    for count in (10, 100, 1000):
        steps = Steps(scope(S=each(PASS)), list(range(count)))
        lengths[count] = len(steps.log)
    assert lengths == {count: 6 + 4 * count for count in lengths}


def test_what_an_iteration_is_given_is_kept_as_one_payload() -> None:
    _, events = drive(scope(S=each(PASS, ItemsPath="$")), [[1], [2]])
    started = next(event for event in events if isinstance(event, MapStateStarted))
    assert started.items is events[0].input  # type: ignore[union-attr]  # ExecutionStarted


# -- definitions ---------------------------------------------------------------------------------------

SCHEMA, TARGET, DUPLICATE = "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET", "DUPLICATE_STATE_NAME"

REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    (scope(S=state("Map")), SCHEMA, "/States/S", "'ItemProcessor' is required but was missing"),
    (
        scope(S=each(PASS, Iterator=PASS)),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [ItemProcessor, Iterator]",
    ),
    (
        scope(S=each(PASS, ItemSelector={}, Parameters={})),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [ItemSelector, Parameters]",
    ),
    (
        scope(S=each(PASS, MaxConcurrency=1, MaxConcurrencyPath="$.n")),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [MaxConcurrency, MaxConcurrencyPath]",
    ),
    (scope(S=each(PASS, MaxConcurrency=-1)), SCHEMA, "/States/S/MaxConcurrency", "at least 0"),
    (scope(S=each(PASS, MaxConcurrency=1.5)), SCHEMA, "/States/S/MaxConcurrency", "Integer"),
    (scope(S=each(PASS, MaxConcurrencyPath="n")), SCHEMA, "/States/S/MaxConcurrencyPath", "begins with $"),
    (scope(S=each(PASS, ItemsPath="a")), SCHEMA, "/States/S/ItemsPath", "begins with $"),
    (scope(S=each(PASS, ItemsPath=None)), SCHEMA, "/States/S/ItemsPath", "String"),
    (scope(S=each(PASS, ItemSelector={"a.$": "b"})), SCHEMA, "/States/S/ItemSelector/a.$", "JSONPath"),
    (scope(S=state("Map", ItemProcessor=[])), SCHEMA, "/States/S/ItemProcessor", "type Object"),
    (scope(S=each({})), SCHEMA, "/States/S/ItemProcessor", "'StartAt' is required"),
    (scope(S=each(PASS, ItemReader={})), SCHEMA, "/States/S/ItemReader", "Mode DISTRIBUTED"),
    (
        scope(S=each(scope(A=state("Pass", Next="Z")), Next="Z"), Z=state("Pass")),
        TARGET,
        "/States/S/ItemProcessor/States/A/Next",
        "target: Z",
    ),
    (scope(S=each(PASS, Next="P")), TARGET, "/States/S/Next", "target: P"),
    (scope(P=each(PASS)), DUPLICATE, "/States/P/ItemProcessor/States/P", "two states 'P'"),
    (
        scope(S=state("Map", Iterator=scope(A=state("Pass"), B=state("Pass")))),
        TARGET,
        "/States/S/Iterator/States/B",
        "not reachable",
    ),
]


@pytest.mark.parametrize(("definition", "code", "location", "message"), REFUSED)
def test_refused(definition: dict[str, Any], code: str, location: str, message: str) -> None:
    machine, findings = check(json.dumps(definition, indent=1))
    assert machine is None
    found = [f for f in findings if (f.code, f.location) == (code, location) and message in f.message]
    assert found, [str(finding) for finding in findings]
    assert found[0].line is not None


def test_inline_mode_can_be_named() -> None:
    definition = scope(S=each({**PASS, "ProcessorConfig": {"Mode": "INLINE"}}))
    assert outcome(drive(definition, [1])[0]) == ("SUCCEEDED", [1])
