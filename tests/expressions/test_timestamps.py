"""Timestamps: what is one, and which instant it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asl_engine.expressions.timestamps import format_timestamp, parse_timestamp

SECOND = 1_000_000_000

VALID = {
    "1970-01-01T00:00:00Z": 0,
    "1970-01-01T00:00:01Z": SECOND,
    "1969-12-31T23:59:59Z": -SECOND,
    "1970-01-01T01:00:00+01:00": 0,
    "1969-12-31T18:30:00-05:30": 0,
    "1970-01-01T00:00:00-00:00": 0,
    "1970-01-01T18:00:00+18:00": 0,
    "2000-02-29T00:00:00Z": 951_782_400 * SECOND,
    "2016-03-05T21:29:29.243167252Z": 1_457_213_369_243_167_252,
    "1970-01-01T00:00:00.5Z": SECOND // 2,
    "1970-01-01T00:00:00.000000Z": 0,
    "1970-01-01T00:00:00.0000000019Z": 1,
    "1969-12-31T23:59:59.5Z": -SECOND // 2,
    "9999-12-31T23:59:59Z": 253_402_300_799 * SECOND,
}


@pytest.mark.parametrize(("text", "instant"), VALID.items())
def test_valid(text: str, instant: int) -> None:
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2016-12-05",
        "2016-12-05 21:29:29Z",  # recorded from AWS, as are the next two
        "2016-12-05T21:29:29",
        "2016-12-05T25:29:29Z",
        "2016-12-05t21:29:29Z",
        "2016-12-05T21:29:29z",
        "2016-12-05T21:29Z",
        "2016-12-05T21:29:29.Z",
        "2016-12-05T21:29:29,5Z",
        "2016-12-05T21:60:29Z",
        "2016-12-05T21:29:60Z",
        "2016-12-05T24:00:00Z",
        "2016-13-05T21:29:29Z",
        "2016-00-05T21:29:29Z",
        "2015-02-29T21:29:29Z",
        "0000-01-01T00:00:00Z",
        "2016-12-05T21:29:29+0100",
        "2016-12-05T21:29:29+01",
        "2016-12-05T21:29:29+01:60",
        "2016-12-05T21:29:29+18:01",
        " 2016-12-05T21:29:29Z",
        "2016-12-05T21:29:29Z\n",
        "２016-12-05T21:29:29Z",  # noqa: RUF001  a digit, but not an ASCII one
        "16-12-05T21:29:29Z",
    ],
)
def test_invalid(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_706_702_400_123, "2024-01-31T12:00:00.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ],
)
def test_format(milliseconds: int, text: str) -> None:
    assert format_timestamp(milliseconds) == text


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_what_is_formatted_is_parsed_to_the_same_instant(milliseconds: int) -> None:
    assert parse_timestamp(format_timestamp(milliseconds)) == milliseconds * 1_000_000


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001  the zone is the next argument
    st.integers(-18 * 60, 18 * 60),
)
def test_offsets_do_not_change_the_instant(moment: datetime, offset: int) -> None:
    local = moment + timedelta(minutes=offset)
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    text = f"{local.isoformat(timespec='microseconds')}{sign}{hours:02}:{minutes:02}"
    expected = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_timestamp(text) == expected * 1_000
