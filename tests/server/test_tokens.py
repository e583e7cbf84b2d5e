"""Page tokens: whose they are, and for how long."""

from __future__ import annotations

import pytest

from asl_engine.server.protocol.errors import ApiError
from asl_engine.server.protocol.tokens import VALID_SECONDS, expiring, page_token, position_of, unexpired

NOW = 1_700_000_000.5
QUERY = ("ListExecutions", "arn", None)


@pytest.mark.parametrize("position", ["arn:aws:states", 7])
def test_a_token_leads_to_its_position(position: str | int) -> None:
    token = expiring(page_token(QUERY, position), NOW)
    assert position_of(unexpired(token, NOW), QUERY) == position
    assert position_of(unexpired(token, NOW + VALID_SECONDS - 1), QUERY) == position


OTHERS = {
    "a day old": expiring(page_token(QUERY, 1), NOW - VALID_SECONDS - 1),
    "of tomorrow": expiring(page_token(QUERY, 1), NOW + 86_400),
    "without a date": page_token(QUERY, 1),
    "of another list": expiring(page_token(("ListExecutions", "other", None), 1), NOW),
    "no token at all": "nothing",
    "not ASCII": "é.é.é",
    "a date beyond all numbers": "f" * 1000,
}


@pytest.mark.parametrize("token", OTHERS.values(), ids=OTHERS)
def test_tokens_that_are_refused(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        position_of(unexpired(token, NOW), QUERY)
    assert caught.value.code == "InvalidToken"


def test_any_change_is_noticed() -> None:
    token = expiring(page_token(QUERY, 1234), NOW)
    changed = {token[:place] + chr(ord(token[place]) ^ 1) + token[place + 1 :] for place in range(len(token))}
    shorter = {token[:length] for length in range(len(token))}
    for other in changed | shorter | {token + "=", token + "\n", token.upper()}:
        with pytest.raises(ApiError) as caught:
            unexpired(other, NOW)
        assert caught.value.code == "InvalidToken"
