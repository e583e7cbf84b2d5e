"""What is left out of a page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from asl_engine.errors import InvalidInput
from asl_engine.views.redaction import HIDDEN, Redaction

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
VALUES: dict[str, tuple[Any, Any]] = {
    "a password": ({"password": "p"}, {"password": HIDDEN}),
    "whatever the case": (
        {"DB_PASSWORD": 1, "dbPassphrase": "x"},
        {"DB_PASSWORD": HIDDEN, "dbPassphrase": HIDDEN},
    ),
    "a token": ({"paymentToken": "tok", "TaskToken": "t"}, {"paymentToken": HIDDEN, "TaskToken": HIDDEN}),
    "a header": ({"Authorization": "Basic x", "Cookie": "c"}, {"Authorization": HIDDEN, "Cookie": HIDDEN}),
    "keys": (
        {"apiKey": 1, "x-api-key": 2, "AWS_SECRET_ACCESS_KEY": 3},
        dict.fromkeys(("apiKey", "x-api-key", "AWS_SECRET_ACCESS_KEY"), HIDDEN),
    ),
    "cards": (
        {"cardNumber": "4111", "cvv": 123, "iban": "DE"},
        {"cardNumber": HIDDEN, "cvv": HIDDEN, "iban": HIDDEN},
    ),
    "a whole object": ({"credentials": {"user": "u"}, "n": [1]}, {"credentials": HIDDEN, "n": [1]}),
    "at any depth": ([{"a": {"secret": "s"}}], [{"a": {"secret": HIDDEN}}]),
    "nothing where there is nothing": ({"token": None, "isSecret": True}, {"token": None, "isSecret": True}),
    "what only sounds so": (
        {"pinned": 1, "spin": 2, "key": "k", "author": "a"},
        {"pinned": 1, "spin": 2, "key": "k", "author": "a"},
    ),
    "JSON in a text": ({"body": '{"password":"p","n":1}'}, {"body": '{"password":"' + HIDDEN + '","n":1}'}),
    "a text": ("password=hunter2, user=u", f"password={HIDDEN}, user=u"),
    "a header in a text": ("Authorization: Bearer abc.def", f"Authorization: {HIDDEN}"),
    "a bearer": ("sent Bearer abcdefghijk", f"sent {HIDDEN}"),
    "an access key": ("by AKIAIOSFODNN7EXAMPLE", f"by {HIDDEN}"),
    "a signed token": (f"got {JWT}!", f"got {HIDDEN}!"),
    "a user in a URL": ("postgres://me:pw@host/db", f"postgres://{HIDDEN}@host/db"),
    "a private key": ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", HIDDEN),
    "an ordinary text": ("the order o-1 of u-42 costs 12.50", "the order o-1 of u-42 costs 12.50"),
    "a number, a boolean": ([1, 2.5, True, None], [1, 2.5, True, None]),
}


@pytest.mark.parametrize(("value", "shown"), VALUES.values(), ids=VALUES)
def test_the_rule_for_everything(value: Any, shown: Any) -> None:
    assert json.loads(Redaction().json(json.dumps(value))) == shown


def test_patterns_of_one_s_own() -> None:
    redaction = Redaction([r"^customer", r"u-\d+"])
    given = {"customerName": "Ada", "text": "order of u-42", "list": ["u-1", "v-1"]}
    assert json.loads(redaction.json(json.dumps(given))) == {
        "customerName": HIDDEN,
        "text": f"order of {HIDDEN}",
        "list": [HIDDEN, "v-1"],
    }
    assert redaction.hidden == 3
    assert redaction.text("by u-7") == f"by {HIDDEN}"


def test_a_cause_may_be_json() -> None:
    assert Redaction().text('{"errorMessage": "token: abc"}') == f'{{"errorMessage":"token: {HIDDEN}"}}'
    assert Redaction().text("{no JSON, secret=x}") == f"{{no JSON, secret={HIDDEN}}}"


def test_what_is_too_deep_to_look_through_is_hidden() -> None:
    deep: Any = {"password": "p"}
    for _ in range(250):
        deep = [deep]
    shown = Redaction().json(json.dumps(deep))
    assert '"p"' not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "it is no regular expression"), ("x*", "finds the empty text")]
)
def test_a_pattern_that_cannot_be_used(pattern: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        Redaction([pattern])
