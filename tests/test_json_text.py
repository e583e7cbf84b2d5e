"""Reading texts of our own: by whichever decoder, the same values."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine import json_text
from asl_engine.json_text import LONG_TEXT, loads_own
from asl_engine.json_values import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable


def numbers() -> list[str]:
    random = Random(1)
    digits: Callable[[int], str] = lambda most: str(random.randrange(10 ** random.randint(1, most)))  # noqa: E731
    return [
        *(f"{sign}{digits(40)}" for sign in ("", "-") for _ in range(200)),
        *(f"{digits(30)}.{digits(30)}" for _ in range(400)),
        *(f"-{digits(18)}e{random.randint(-330, 290)}" for _ in range(400)),
        *(f"{digits(3)}.{digits(20)}E+{random.randint(0, 300)}" for _ in range(400)),
        *("0", "-0", "-0.0", "1.0", "1e23", "5e-324", "9007199254740993", "9007199254740993.0", "1e16"),
    ]


TEXTS: dict[str, str] = {
    "numbers": f"[{','.join(numbers())}]",
    "characters": json.dumps([chr(code) for code in range(0xD7FF)] + ["\U0001f600", "\\u0041"]),
    "escapes": '["\\ud83d\\ude00", "\\/", "\\b\\f\\n\\r\\t\\"\\\\", "\\u0000"]' + " " * LONG_TEXT,
    "keys given twice": '{"a": 1, "b": 2, "a": {"": 3}}' + " " * LONG_TEXT,
    "depth": "[" * MAX_DEPTH + '{"a": 1}' + "]" * MAX_DEPTH + " " * LONG_TEXT,
    "a scalar": " " * LONG_TEXT + "12",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_long_text_has_the_value_that_it_has_for_python(name: str) -> None:
    text = TEXTS[name]
    assert len(text) >= LONG_TEXT
    value = loads_own(text)
    assert repr(value) == repr(json.loads(text))  # 1, 1.0 and True are equal in Python


def test_a_version_that_reads_numbers_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounding(text: str) -> Any:
        return json.loads(text, parse_int=float)

    monkeypatch.setattr("pydantic_core.from_json", rounding)
    json_text._fast_decoder.cache_clear()
    try:
        assert loads_own(f"[12345678901234567890{' ' * LONG_TEXT}]") == [12345678901234567890]
        assert json_text._fast_decoder() is None
    finally:
        json_text._fast_decoder.cache_clear()
