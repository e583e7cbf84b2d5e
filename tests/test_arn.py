"""The names of state machines and executions."""

from __future__ import annotations

import pytest

from asl_engine.arn import is_name, name_from


@pytest.mark.parametrize("name", ["a", "order-1_x.y", "Bestellung-Größe", "注文", "🚀", "a@b=c(d)'!+", "x" * 80])
def test_names(name: str) -> None:
    assert is_name(name)
    assert name_from(name) == name


NOT_NAMES = {
    "": "",
    "x" * 81: "x" * 80,
    "a b": "a_b",
    "a\u00a0b\tc": "a_b_c",
    "a:b/c,d;e": "a_b_c_d_e",
    "<{[?*": "_____",
    '"#%\\^|~`$&': "__________",
    "a\x00b\x85c\ufffe": "a_b_c_",
    "\ud800": "_",
    "\U0010ffff": "_",
}


@pytest.mark.parametrize(("text", "name"), NOT_NAMES.items(), ids=ascii)
def test_what_is_no_name(text: str, name: str) -> None:
    assert not is_name(text)
    assert name_from(text) == name
