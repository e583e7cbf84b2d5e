"""Definitions that are refused: every reason at once, each where it is and with what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.errors import DefinitionError
from asl_engine.language.loader import check, load

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
MISSING = object()


def machine(state: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A sound machine of the state S, with its state or its fields replaced; MISSING takes a field out."""
    whole = {
        "StartAt": "S",
        "States": {"S": {"Type": "Pass", "End": True} if state is None else state},
        **fields,
    }
    return {key: value for key, value in whole.items() if value is not MISSING}


def task(**fields: Any) -> dict[str, Any]:
    whole = {"Type": "Task", "Resource": FUNCTION, "End": True, **fields}
    return machine({key: value for key, value in whole.items() if value is not MISSING})


def retry(**fields: Any) -> dict[str, Any]:
    return task(Retry=[{"ErrorEquals": ["E"], **fields}])


def catch(**fields: Any) -> dict[str, Any]:
    return task(Catch=[{"ErrorEquals": ["E"], "Next": "S", **fields}])


def wait(**fields: Any) -> dict[str, Any]:
    return machine({"Type": "Wait", "End": True, **fields})


def choice(*rules: Any, **fields: Any) -> dict[str, Any]:
    return machine({"Type": "Choice", "Choices": list(rules), **fields})


SCHEMA, TARGET, END = "SCHEMA_VALIDATION_FAILED", "MISSING_TRANSITION_TARGET", "MISSING_END_STATE"
NO_END = END, "Workflow has no terminal state", None

REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    # the machine
    (machine(StartAt=MISSING), SCHEMA, "", "'StartAt' is required but was missing"),
    (machine(States=MISSING), SCHEMA, "", "'States' is required but was missing"),
    (machine(States=[]), SCHEMA, "/States", "Expected value of type Object, but was []"),
    (machine(States={}), SCHEMA, "/States", "Value cannot be empty"),
    (machine(StartAt="s"), TARGET, "/StartAt", "Missing 'StartAt' target: s; did you mean"),
    (machine(Extra=1), SCHEMA, "/Extra", "'Extra' is not supported here; the supported fields are Comment,"),
    (machine(TimeoutSeconds=0), SCHEMA, "/TimeoutSeconds", "at least 1"),
    (machine(TimeoutSeconds=True), SCHEMA, "/TimeoutSeconds", "type Integer, but was True"),
    (machine(TimeoutSeconds=1.5), SCHEMA, "/TimeoutSeconds", "type Integer"),
    (machine(TimeoutSeconds=100_000_000), SCHEMA, "/TimeoutSeconds", "at most 99999999"),
    (machine(Version="2.0"), SCHEMA, "/Version", "Expected one of '1.0'"),
    (machine(Comment=1), SCHEMA, "/Comment", "type String"),
    # any state
    (machine([]), SCHEMA, "/States/S", "type Object"),  # type: ignore[arg-type]  # that is the point
    (machine({"End": True}), SCHEMA, "/States/S/Type", "Expected one of Choice, Fail, "),
    (machine({"Type": "Pas", "End": True}), SCHEMA, "/States/S/Type", "did you mean 'Pass'?"),
    (machine({"Type": 1, "End": True}), SCHEMA, "/States/S/Type", "Expected one of"),
    (machine({"Type": "Pass"}), END, "/States/S", 'either Next or "End": true'),
    (machine({"Type": "Pass", "End": False}), END, "/States/S", "either Next"),
    (machine({"Type": "Pass", "End": True, "Next": "S"}), SCHEMA, "/States/S", "only one of Next and End"),
    (machine({"Type": "Pass", "Next": "Q"}), TARGET, "/States/S/Next", "Missing 'Next' target: Q"),
    (machine({"Type": "Pass", "End": "yes"}), SCHEMA, "/States/S/End", "type Boolean, but was 'yes'"),
    (
        machine({"Type": "Pass", "End": True, "Nxt": "S"}),
        SCHEMA,
        "/States/S/Nxt",
        "'Nxt' is not supported here",
    ),
    (
        machine({"Type": "Pass", "End": True, "InputPath": "a"}),
        SCHEMA,
        "/States/S/InputPath",
        "A path begins with $",
    ),
    (machine({"Type": "Pass", "End": True, "InputPath": 1}), SCHEMA, "/States/S/InputPath", "type String"),
    (
        machine({"Type": "Pass", "End": True, "ResultPath": "$.a[*]"}),
        SCHEMA,
        "/States/S/ResultPath",
        "$.a[*]",
    ),
    (machine({"Type": "Pass", "End": True, "ResultPath": "$$.a"}), SCHEMA, "/States/S/ResultPath", "$$.a"),
    (
        machine({"Type": "Pass", "End": True, "Parameters": {"a": [{"b.$": "nothing"}]}}),
        SCHEMA,
        "/States/S/Parameters/a[0]/b.$",
        "must be a valid JSONPath",
    ),
    # tasks
    (task(Resource=MISSING), SCHEMA, "/States/S", "'Resource' is required"),
    (task(Resource="f"), SCHEMA, "/States/S/Resource", "Expected an ARN"),
    (task(TimeoutSeconds=5, HeartbeatSeconds=5), SCHEMA, "/States/S/HeartbeatSeconds", "must be smaller"),
    (
        task(TimeoutSeconds=5, TimeoutSecondsPath="$.t"),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [TimeoutSeconds, TimeoutSecondsPath]",
    ),
    (task(Retry={}), SCHEMA, "/States/S/Retry", "type Array"),
    (task(Retry=[1]), SCHEMA, "/States/S/Retry[0]", "type Object"),
    (retry(ErrorEquals=[]), SCHEMA, "/States/S/Retry[0]/ErrorEquals", "cannot be empty"),
    (retry(ErrorEquals=[1]), SCHEMA, "/States/S/Retry[0]/ErrorEquals[0]", "type String"),
    (retry(IntervalSeconds=0), SCHEMA, "/States/S/Retry[0]/IntervalSeconds", "at least 1"),
    (retry(MaxAttempts=-1), SCHEMA, "/States/S/Retry[0]/MaxAttempts", "at least 0"),
    (retry(BackoffRate=0.9), SCHEMA, "/States/S/Retry[0]/BackoffRate", "at least 1"),
    (retry(BackoffRate="2"), SCHEMA, "/States/S/Retry[0]/BackoffRate", "type Number"),
    (retry(MaxDelaySeconds=31_622_400), SCHEMA, "/States/S/Retry[0]/MaxDelaySeconds", "at most"),
    (retry(JitterStrategy="HALF"), SCHEMA, "/States/S/Retry[0]/JitterStrategy", "'FULL'"),
    (
        task(Retry=[{"ErrorEquals": ["States.ALL", "E"]}]),
        SCHEMA,
        "/States/S/Retry[0]/ErrorEquals",
        "must be the only error name",
    ),
    (
        task(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}]),
        SCHEMA,
        "/States/S/Retry[0]/ErrorEquals",
        "must be in the last entry",
    ),
    (catch(Next="Q"), TARGET, "/States/S/Catch[0]/Next", "Missing 'Next' target: Q"),
    (catch(ResultPath="$.a..b"), SCHEMA, "/States/S/Catch[0]/ResultPath", "$.a..b"),
    (catch(Nxt="S"), SCHEMA, "/States/S/Catch[0]/Nxt", "not supported"),
    # waits
    (wait(), SCHEMA, "/States/S", "One of Seconds, SecondsPath"),
    (
        wait(Seconds=1, Timestamp="2024-01-01T00:00:00Z"),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [Seconds, Timestamp]",
    ),
    (wait(Seconds=-1), SCHEMA, "/States/S/Seconds", "at least 0"),
    (wait(Timestamp="tomorrow"), SCHEMA, "/States/S/Timestamp", "ISO-8601"),
    # choices
    (choice(), SCHEMA, "/States/S/Choices", "cannot be empty"),
    (
        choice({"Variable": "$.a", "IsNull": True}),
        SCHEMA,
        "/States/S/Choices[0]",
        "'Next' is required but was missing",
    ),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": 1}),
        SCHEMA,
        "/States/S/Choices[0]",
        "must be a String",
    ),
    (choice({"Variable": "$.a", "IsNull": True, "Next": "Q"}), TARGET, "/States/S/Choices[0]/Next", "target: Q"),
    (
        choice({"Variable": "$.a", "IsNull": True, "Next": "S"}, Default="Q"),
        TARGET,
        "/States/S/Default",
        "Missing 'Next' target: Q",
    ),
    (
        machine({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"}),
        SCHEMA,
        "/States/S",
        "only be one of the following fields: [Error, ErrorPath]",
    ),
    *(
        (
            machine({"Type": "Fail", field: call}),
            SCHEMA,
            f"/States/S/{field}",
            f"{call.partition('(')[0]} gives no text: only States.Format, States.JsonToString, States.ArrayGet",
        )
        for field, call in (
            ("CausePath", "States.MathAdd(1, 2)"),
            ("ErrorPath", "States.StringToJson($.a)"),
            ("CausePath", "States.Array('a')"),
            ("CausePath", "States.MathRandom(1, 2)"),
            ("ErrorPath", "States.ArrayLength($.a)"),
            ("ErrorPath", "States.StringSplit('a,b', ',')"),
        )
    ),
    # what this version does not run yet
    (machine({"Type": "Map", "End": True}), SCHEMA, "/States/S", "'ItemProcessor' is required"),
    (machine({"Type": "Parallel", "End": True}), SCHEMA, "/States/S", "'Branches' is required"),
    (
        machine({"Type": "Map", "End": True, "ItemReader": {}}),
        SCHEMA,
        "/States/S",
        "'ItemProcessor' is required",
    ),
    (machine(QueryLanguage="XPath"), SCHEMA, "/QueryLanguage", "'JSONata'"),
    (
        machine({"Type": "Pass", "End": True, "Output": 1}),
        SCHEMA,
        "/States/S",
        "'Output' is only supported for the 'JSONata' QueryLanguage",
    ),
]


@pytest.mark.parametrize(("definition", "code", "location", "message"), REFUSED)
def test_refused(definition: dict[str, Any], code: str, location: str, message: str) -> None:
    text = json.dumps(definition, indent=2)
    compiled, findings = check(text)
    assert compiled is None
    found = [f for f in findings if f.location == location and message in f.message]
    assert found, [str(finding) for finding in findings]
    assert found[0].code == code
    assert found[0].line is not None
    with pytest.raises(DefinitionError) as refused:
        load(text, "order.json")
    assert "order.json:" in str(refused.value)


TEXTS = [
    ("", "SCHEMA_VALIDATION_FAILED", None),
    (" \n", "SCHEMA_VALIDATION_FAILED", None),
    ("{", "INVALID_JSON_DESCRIPTION", (1, 2)),
    ('{"StartAt": "S",\n "States": }', "INVALID_JSON_DESCRIPTION", (2, 12)),
    ('{"StartAt": "S", "StartAt": "T"}', "INVALID_JSON_DESCRIPTION", None),
    ('{"StartAt": NaN}', "INVALID_JSON_DESCRIPTION", None),
    ("[" * 100_000, "INVALID_JSON_DESCRIPTION", None),
    ("[]", "SCHEMA_VALIDATION_FAILED", None),
    ("null", "SCHEMA_VALIDATION_FAILED", None),
    (" " * 1_048_577, "INVALID_JSON_DESCRIPTION", None),
]


@pytest.mark.parametrize(("text", "code", "position"), TEXTS, ids=[text[:20] for text, _, _ in TEXTS])
def test_texts_that_are_no_definition(text: str, code: str, position: tuple[int, int] | None) -> None:
    compiled, findings = check(text)
    assert compiled is None
    assert [finding.code for finding in findings] == [code]
    if position is not None:
        assert (findings[0].line, findings[0].column) == position


def test_all_findings_at_once_in_the_order_of_the_text() -> None:
    definition = {
        "StartAt": "A",
        "States": {
            "A": {"Type": "Pass", "Next": "Nowhere", "InputPath": "x"},
            "B": {"Type": "Task", "Resource": FUNCTION, "Retry": [{"ErrorEquals": []}], "Next": "A"},
        },
        "TimeoutSeconds": -1,
    }
    _, findings = check(json.dumps(definition, indent=2))
    assert [finding.location for finding in findings] == [
        None,
        "/States/A/Next",
        "/States/A/InputPath",
        "/States/B/Retry[0]/ErrorEquals",
        "/TimeoutSeconds",
    ]
    lines = [finding.line for finding in findings]
    assert lines == sorted(lines, key=lambda line: line or 0)


END_CASES: list[tuple[dict[str, Any], list[tuple[str, str, str | None]]]] = [
    ({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}, [NO_END]),
    # As reported of AWS: that one comes after missing targets, and instead of unreachable states.
    ({"A": {"Type": "Pass", "Next": "Z"}}, [(TARGET, "Missing 'Next' target: Z", "/States/A/Next"), NO_END]),
    ({"A": {"Type": "Pass", "Next": "A"}, "C": {"Type": "Pass", "Next": "C"}}, [NO_END]),
    (
        {"A": {"Type": "Pass", "Next": "A"}, "C": {"Type": "Succeed"}},
        [(TARGET, 'State "C" is not reachable.', "/States/C")],
    ),
]


@pytest.mark.parametrize(("states", "expected"), END_CASES, ids=json.dumps)
def test_a_machine_has_to_end(states: dict[str, Any], expected: list[tuple[str, str, str | None]]) -> None:
    _, findings = check(json.dumps({"StartAt": "A", "States": states}), positions=False)
    assert [(finding.code, finding.message, finding.location) for finding in findings] == expected


LANGUAGE = "The QueryLanguage is set to '{}', but field '{}' is only supported for the '{}' QueryLanguage"


@pytest.mark.parametrize(
    ("language", "field", "other"), [("JSONPath", "Output", "JSONata"), ("JSONata", "InputPath", "JSONPath")]
)
def test_a_field_of_the_other_language(language: str, field: str, other: str) -> None:
    definition = machine({"Type": "Pass", "QueryLanguage": language, field: "$", "Foo": 1, "End": True})
    _, findings = check(json.dumps(definition), positions=False)
    assert [(finding.message.partition(" here")[0], finding.location) for finding in findings] == [
        (LANGUAGE.format(language, field, other), "/States/S"),
        ("The field 'Foo' is not supported", "/States/S/Foo"),
    ]


def test_a_state_that_nothing_leads_to() -> None:
    definition = machine()
    definition["States"]["Lost"] = {"Type": "Pass", "Next": "Alone"}
    definition["States"]["Alone"] = {"Type": "Pass", "Next": "Lost"}
    _, findings = check(json.dumps(definition))
    assert [(f.code, f.location) for f in findings] == [(TARGET, "/States/Lost"), (TARGET, "/States/Alone")]
    assert "not reachable" in findings[0].message


def test_a_state_that_only_a_catcher_or_a_rule_leads_to_is_reached() -> None:
    definition = {
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Choice",
                "Choices": [{"Variable": "$", "IsNull": True, "Next": "B"}],
                "Default": "C",
            },
            "B": {
                "Type": "Task",
                "Resource": FUNCTION,
                "Catch": [{"ErrorEquals": ["E"], "Next": "D"}],
                "End": True,
            },
            "C": {"Type": "Succeed"},
            "D": {"Type": "Fail"},
        },
    }
    compiled, findings = check(json.dumps(definition))
    assert findings == []
    assert compiled is not None
    assert compiled.resources == (FUNCTION,)


def test_a_name_that_is_too_long() -> None:
    name = "x" * 81
    definition = {"StartAt": name, "States": {name: {"Type": "Succeed"}}}
    _, findings = check(json.dumps(definition))
    assert [finding.message for finding in findings] == ["A state's name has at most 80 characters"]


def test_the_text_is_kept_to_the_letter() -> None:
    text = '{ "StartAt":"S",\t"States":{"S":{"Type":"Succeed"}} }'
    assert load(text).text == text
