"""Input transformers: AWS's documented examples, the quotes, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.events.language.faults import InvalidTransformer
from asl_engine.events.language.transformers import RuleFacts, compile_input

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2015-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {
        "instance-id": "i-0123456789",
        "state": "RUNNING",
        "quote": 'say "hi"\n',
        "n": 3,
        "deep": [{"a": 1}, {"a": 2}],
    },
}
FACTS = RuleFacts("arn:aws:events:us-east-1:123456789012:rule/example", "example", "2023-11-14T22:13:20Z")
PATHS = {
    "timestamp": "$.time",
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "resource": "$.resources[0]",
    "quote": "$.detail.quote",
    "n": "$.detail.n",
    "deep": "$.detail.deep",
    "all": "$.detail.deep[*].a",
    "none": "$.detail.nothing.here",
}
# A template, and the text that the target gets.
FILLED = [
    ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
    ('"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'),
    ('{"instance": <instance>, "state": <state>}', '{"instance": "i-0123456789", "state": "RUNNING"}'),
    (
        '{"instance": <instance>, "state": "<state>", "status2": "instance \\"<instance>\\" is in <state>"}',
        '{"instance": "i-0123456789", "state": "RUNNING", "status2": "instance \\"i-0123456789\\" is in RUNNING"}',
    ),
    (
        '{"state": [9, <state>, true], "Transformed": "Yes"}',
        '{"state": [9, "RUNNING", true], "Transformed": "Yes"}',
    ),
    ("<instance> is in state <state>", '"i-0123456789 is in state RUNNING"'),
    ("the <state>", '"the RUNNING"'),
    ("<n>", "3"),
    ("<deep>", '[{"a":1},{"a":2}]'),
    (
        '{"a": <all>, "n": "<n>", "q": "<quote>", "none": <none>, "empty": "<none>"}',
        '{"a": [1,2], "n": "3", "q": "say \\"hi\\"\\n", "none": "", "empty": ""}',
    ),
    ('"<deep>"', '"[{a:1},{a:2}]"'),
    ('"<aws.events.rule-name> at <aws.events.event.ingestion-time>"', '"example at 2023-11-14T22:13:20Z"'),
    ('{"rule": <aws.events.rule-arn>}', f'{{"rule": "{FACTS.rule_arn}"}}'),
    ('{"braces": "<>", "a": <n>}', '{"braces": "<>", "a": 3}'),
    ('{"path": "C:\\\\", "s": <state>}', '{"path": "C:\\\\", "s": "RUNNING"}'),
]


@pytest.mark.parametrize(("template", "wanted"), FILLED, ids=[template for template, _ in FILLED])
def test_templates_are_filled(template: str, wanted: str) -> None:
    transform = compile_input({"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}})
    made = transform(EVENT, FACTS)
    assert made == wanted
    json.loads(made)


def test_whole_events_in_a_template() -> None:
    transform = compile_input(
        {"InputTransformer": {"InputTemplate": '{"all": <aws.events.event.json>, "head": <aws.events.event>}'}}
    )
    made = json.loads(transform(EVENT, FACTS))
    assert made["all"] == EVENT
    assert made["head"] == {name: value for name, value in EVENT.items() if name != "detail"}


def test_a_target_gets_the_event_a_part_or_a_constant() -> None:
    assert json.loads(compile_input({})(EVENT, FACTS)) == EVENT
    assert compile_input({"InputPath": "$.detail.deep[1].a"})(EVENT, FACTS) == "2"
    assert compile_input({"InputPath": "$.detail['instance-id']"})(EVENT, FACTS) == '"i-0123456789"'
    assert json.loads(compile_input({"InputPath": "$"})(EVENT, FACTS)) == EVENT
    assert compile_input({"InputPath": "$.detail.none"})(EVENT, FACTS) == "null"
    assert compile_input({"Input": '{"a": 1}'})(EVENT, FACTS) == '{"a": 1}'


def transformer(template: str, **paths: str) -> dict[str, Any]:
    return {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}


REFUSED = [
    ({"Input": "{}", "InputPath": "$"}, "Only one of Input, InputPath, or InputTransformer"),
    ({"Input": "{"}, "Input: this is not JSON"),
    ({"InputPath": "detail"}, "InputPath: 'detail' is not a JSON path of EventBridge, at character 0"),
    ({"InputPath": "$.a[?(@.b)]"}, "is not a JSON path of EventBridge, at character 3"),
    (transformer("<a>", a="$..b"), "InputPathsMap: a: '\\$..b' is not a JSON path"),
    (
        transformer('{"x": <state>}', stat="$.a"),
        "InputTemplate:1:7: there is no variable <state>; did you mean 'stat'",
    ),
    (transformer('{\n"x": <y>}'), "InputTemplate:2:6: there is no variable <y>"),
    (transformer('{"<a>": 1}', a="$.a"), "InputTemplate:1:3: the placeholder <a> cannot be used as an object key"),
    (transformer("{<a>: 1}", a="$.a"), "InputTemplate:1:2: it does not become JSON"),
    (transformer('{"x": 1<a>}', a="$.a"), "InputTemplate:1:8: it does not become JSON"),
    (transformer('{"x": <a><a>}', a="$.a"), "InputTemplate:1:10: it does not become JSON"),
    (transformer('{"x": a<a>}', a="$.a"), "InputTemplate:1:7: it does not become JSON"),
    (transformer("{}", **{"aws.x": "$.a"}), "InputPathsMap: 'aws.x' cannot be a name"),
    (transformer("{}", **{f"n{n}": "$.a" for n in range(101)}), "there may be 100 paths; there are 101"),
]


@pytest.mark.parametrize(("target", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_is_no_transformer_is_refused(target: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidTransformer, match=reason):
        compile_input(target)
