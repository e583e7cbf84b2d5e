"""Schedule expressions: when they are next due, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from asl_engine.events.language.faults import InvalidSchedule
from asl_engine.events.language.schedules import compile_schedule


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shown(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# An expression, a moment, and the next three times; AWS's own examples come first.
DUE = [
    (
        "cron(0 10 * * ? *)",
        "2023-11-14T12:00:00",
        ["2023-11-15T10:00:00", "2023-11-16T10:00:00", "2023-11-17T10:00:00"],
    ),
    ("cron(15 12 * * ? *)", "2023-11-14T12:15:00", ["2023-11-15T12:15:00"]),
    ("cron(0 18 ? * MON-FRI *)", "2023-11-17T18:00:00", ["2023-11-20T18:00:00", "2023-11-21T18:00:00"]),
    ("cron(0 8 1 * ? *)", "2023-11-14T00:00:00", ["2023-12-01T08:00:00", "2024-01-01T08:00:00"]),
    ("cron(0/15 * * * ? *)", "2023-11-14T12:46:30", ["2023-11-14T13:00:00", "2023-11-14T13:15:00"]),
    ("cron(0/10 * ? * MON-FRI *)", "2023-11-17T23:51:00", ["2023-11-20T00:00:00", "2023-11-20T00:10:00"]),
    ("cron(0/5 8-17 ? * MON-FRI *)", "2023-11-14T17:55:00", ["2023-11-15T08:00:00"]),
    ("cron(0/30 20-23 ? * MON-FRI *)", "2023-11-14T23:00:00", ["2023-11-14T23:30:00", "2023-11-15T20:00:00"]),
    ("cron(0 9 ? * 2#1 *)", "2023-11-14T00:00:00", ["2023-12-04T09:00:00", "2024-01-01T09:00:00"]),
    ("cron(0 9 ? * 6#5 *)", "2023-11-14T00:00:00", ["2023-12-29T09:00:00", "2024-03-29T09:00:00"]),
    ("cron(0 9 ? * 6L *)", "2023-11-14T00:00:00", ["2023-11-24T09:00:00", "2023-12-29T09:00:00"]),
    ("cron(0 9 L * ? *)", "2024-02-01T00:00:00", ["2024-02-29T09:00:00", "2024-03-31T09:00:00"]),
    ("cron(0 9 LW * ? *)", "2024-03-01T00:00:00", ["2024-03-29T09:00:00"]),
    ("cron(0 9 3W * ? *)", "2024-02-01T00:00:00", ["2024-02-02T09:00:00", "2024-03-04T09:00:00"]),
    ("cron(0 9 1W * ? *)", "2024-06-01T00:00:00", ["2024-06-03T09:00:00"]),
    ("cron(0 9 31W * ? *)", "2024-04-01T00:00:00", ["2024-05-31T09:00:00"]),
    ("cron(0 9 ? * L *)", "2023-11-14T00:00:00", ["2023-11-18T09:00:00"]),
    ("cron(0 0 29 2 ? *)", "2023-11-14T00:00:00", ["2024-02-29T00:00:00", "2028-02-29T00:00:00"]),
    ("cron(0 0 31 2 ? *)", "2023-11-14T00:00:00", [None]),
    (
        "cron(0 0 1 JAN,JUL ? 2024-2025)",
        "2024-07-01T00:00:00",
        ["2025-01-01T00:00:00", "2025-07-01T00:00:00", None],
    ),
    (
        "cron(0 0 ? * FRI-MON *)",
        "2023-11-14T00:00:00",
        ["2023-11-17T00:00:00", "2023-11-18T00:00:00", "2023-11-19T00:00:00"],
    ),
    ("cron(10,50 0-23/12 * * ? *)", "2023-11-14T00:10:00", ["2023-11-14T00:50:00", "2023-11-14T12:10:00"]),
    ("rate(5 minutes)", "2023-11-14T00:00:00", ["2023-11-14T00:05:00", "2023-11-14T00:10:00"]),
    ("rate(1 hour)", "2023-11-14T00:00:00", ["2023-11-14T01:00:00"]),
    ("rate(7 days)", "2023-11-14T00:00:00", ["2023-11-21T00:00:00"]),
    ("at(2023-11-14T00:00:01)", "2023-11-14T00:00:00", ["2023-11-14T00:00:01", None]),
    ("at(2023-11-14T00:00:00)", "2023-11-14T00:00:00", [None]),
]


@pytest.mark.parametrize(("text", "since", "wanted"), DUE, ids=[text for text, _, _ in DUE])
def test_schedules_are_due(text: str, since: str, wanted: list[str | None]) -> None:
    schedule = compile_schedule(text)
    began = moment = ms(since)
    for expected in wanted:
        due = schedule(began, moment)
        assert shown(due) == expected
        if due is not None:
            assert due > moment
            moment = due


def test_a_rate_counts_from_its_beginning_whenever_it_is_asked() -> None:
    schedule = compile_schedule("rate(10 minutes)")
    began = ms("2023-11-14T00:03:00")
    assert shown(schedule(began, began - 5)) == "2023-11-14T00:13:00"
    assert shown(schedule(began, ms("2023-11-14T00:12:59"))) == "2023-11-14T00:13:00"
    assert shown(schedule(began, ms("2023-11-14T00:13:00"))) == "2023-11-14T00:23:00"
    assert shown(schedule(began, ms("2023-11-15T00:00:00"))) == "2023-11-15T00:03:00"


def test_every_minute_of_a_day_is_found_once() -> None:
    schedule = compile_schedule("cron(*/7 */5 ? * * *)")
    start = datetime(2024, 2, 28, tzinfo=UTC)
    minutes = (start + timedelta(minutes=n) for n in range(2 * 24 * 60))
    wanted = [one for one in minutes if one.minute % 7 == 0 and one.hour % 5 == 0]
    moment = int(start.timestamp() * 1000) - 1
    for one in wanted:
        due = schedule(0, moment)
        assert due == int(one.timestamp() * 1000)
        moment = due


REFUSED = [
    ("every day", "it is rate\\(5 minutes\\), cron\\("),
    ("rate(5)", "a rate is a number from 1 on and a unit"),
    ("rate(0 minutes)", "a rate is a number from 1 on"),
    ("rate(1 minutes)", "with 1 it is minute: rate\\(1 minute\\)"),
    ("rate(2 hour)", "with 2 it is hours: rate\\(2 hours\\)"),
    ("rate(5 seconds)", "\\(minute, hour or day\\)"),
    ("*/5 * * * *", "these are the five fields of Unix; AWS has six.*cron\\(\\*/5 \\* \\* \\* \\? \\*\\)"),
    ("cron(0 12 * * 1-5)", "the five fields of Unix.*cron\\(0 12 \\? \\* 2-6 \\*\\)"),
    ("cron(0 12 1 * *)", "the five fields of Unix.*cron\\(0 12 1 \\* \\? \\*\\)"),
    ("cron(0 12 * * ?)", "the five fields of Unix"),
    ("cron(0 12 * * ? * *)", "7 fields; it is cron\\("),
    (
        "cron(0 12 * * * *)",
        "one of day-of-month and day-of-week has to be \\?, and the other not; they are \\* and \\*",
    ),
    ("cron(0 12 ? * ? *)", "both are \\?"),
    ("cron(60 12 * * ? *)", "minutes '60': it takes numbers from 0 to 59"),
    ("cron(0 24 * * ? *)", "hours '24': it takes numbers from 0 to 23"),
    ("cron(0 0 32 * ? *)", "day-of-month '32': it takes numbers from 1 to 31"),
    ("cron(0 0 * 13 ? *)", "month '13': it takes numbers from 1 to 12, or JAN"),
    ("cron(0 0 ? * 0 *)", "day-of-week '0': it takes numbers from 1 to 7, or SUN"),
    ("cron(0 0 ? * FRI#6 *)", "day-of-week 'FRI#6': after # there has to be a number from 1 to 5"),
    ("cron(0/0 0 * * ? *)", "minutes '0/0': after / there has to be a number from 1 on"),
    ("cron(0 0 * * ? 1969)", "year '1969': it takes numbers from 1970 to 2199"),
    ("at(tomorrow)", "it is at\\(yyyy-mm-ddThh:mm:ss\\), in UTC"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_is_no_schedule_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidSchedule, match=reason) as caught:
        compile_schedule(text)
    assert "Parameter ScheduleExpression is not valid" in str(caught.value)
