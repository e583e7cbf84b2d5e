"""Large texts that are kept in pieces: what happens, and what is read, is what would have been without."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asl_engine import splicing
from asl_engine.core import events as ev
from asl_engine.core.apply import fold
from asl_engine.core.interpreter import advance
from asl_engine.core.stimuli import Resumed
from asl_engine.engine.map_runs.results import in_short
from asl_engine.json_text import dumps
from asl_engine.lab.forking import Departure, ForkPoint, forked_log
from asl_engine.language.loader import load
from asl_engine.limits import AWS_LIMITS
from asl_engine.payload import Payload
from asl_engine.store.records import Record
from asl_engine.store.sqlite.checking import check
from asl_engine.store.sqlite.schema import MIGRATIONS
from asl_engine.store.sqlite.store import SqliteStore
from tests.core.driver import IDENTITY, NOW, drive

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event
    from asl_engine.core.execution import Identity

PIECES = 7  # the layout from which on payloads may be in pieces
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
BODY = [{"k": f"ключ-{number}", "v": "x" * 40, "n": number / 8, "1e-7": 1e-7} for number in range(60)]
DOCUMENT: dict[str, Any] = {"meta": {"id": 'm"1', "tags": ["t", "u"]}, "n": 0, "body": BODY, "last": {"a": None}}
INNER = {"StartAt": "I", "States": {"I": {"Type": "Pass", "Result": 1, "ResultPath": "$.i", "End": True}}}
OTHER = {"StartAt": "J", "States": {"J": {"Type": "Pass", "ResultPath": "$.j", "End": True}}}
QUERY = "{% $merge([$states.input, {'q': 1}]) %}"
# Each state by itself: what it does with a large document.
STATES: dict[str, dict[str, Any]] = {
    "a new member": {"Type": "Pass", "Result": {"new": [1, {}]}, "ResultPath": "$.r"},
    "a new member in another": {"Type": "Pass", "Result": [], "ResultPath": "$.meta.deep.er"},
    "a new member in the last": {"Type": "Pass", "Result": "ü", "ResultPath": "$.last['x\"y']"},
    "another value": {"Type": "Pass", "Result": -1, "ResultPath": "$.n"},
    "another value at the end": {"Type": "Pass", "Result": {"b": 1e22}, "ResultPath": "$.last"},
    "another item": {"Type": "Pass", "Result": None, "ResultPath": "$.meta.tags[1]"},
    "another large value": {"Type": "Pass", "InputPath": "$.meta", "ResultPath": "$.body"},
    "a large value that no event carries": {"Type": "Pass", "Result": BODY, "ResultPath": "$.big"},
    "into itself": {"Type": "Pass", "ResultPath": "$.copy"},
    "nothing new": {"Type": "Pass", "ResultPath": None},
    "a part": {"Type": "Pass", "OutputPath": "$.body"},
    "a small part": {"Type": "Pass", "InputPath": "$.meta", "OutputPath": "$.meta"},
    "wrapped up": {"Type": "Pass", "Parameters": {"FunctionName": "f", "Payload.$": "$"}},
    "a part wrapped up": {"Type": "Pass", "Parameters": {"b": {"c.$": "$.body"}}, "ResultPath": "$.p"},
    "merged": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": QUERY},
    "in branches": {"Type": "Parallel", "Branches": [INNER, OTHER], "ResultPath": "$.both"},
    "in branches alone": {"Type": "Parallel", "Branches": [INNER, OTHER]},
    "item by item": {"Type": "Map", "ItemsPath": "$.body", "ItemProcessor": INNER, "ResultPath": "$.mapped"},
    "a task": {"Type": "Task", "Resource": FUNCTION, "Parameters": {"all.$": "$"}, "ResultPath": "$.t"},
    "a task's part": {
        "Type": "Task",
        "Resource": FUNCTION,
        "ResultSelector": {"s.$": "$.body"},
        "ResultPath": "$.t",
    },
    "caught": {
        "Type": "Map",
        "ItemsPath": "$.n",
        "ItemProcessor": INNER,
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "After"}],
    },
}
FORMS: dict[str, dict[str, Any]] = {"spaced": {"indent": 1}, "compact": {"separators": (",", ":")}}
FORMS["compact"]["ensure_ascii"] = False


def machine(state: dict[str, Any]) -> str:
    """The state, among others that change the document before it, and after it where it is an object still."""
    before = {"Type": "Pass", "Result": "é", "ResultPath": "$.before", "Next": "S"}
    of_object = state not in (STATES["in branches alone"], STATES["a part"])
    after = {"Type": "Pass", **({"Result": 2, "ResultPath": "$.after"} if of_object else {})}
    return json.dumps(
        {
            "StartAt": "Before",
            "States": {
                "Before": before,
                "S": {**state, "Next": "After"},
                "After": {**after, "Next": "Again"},
                "Again": {"Type": "Pass", "InputPath": None, "ResultPath": None, "End": True},
            },
        }
    )


def ran(state: dict[str, Any], form: str) -> list[Event]:
    given = Payload.of_text(json.dumps(DOCUMENT, **FORMS[form]))
    answer = Payload.of_text(json.dumps({"body": BODY, "ok": True}, **FORMS[form]))
    return drive(machine(state), given, {"S": [answer]})[1]


def ran_without(patch: pytest.MonkeyPatch, state: dict[str, Any], form: str) -> list[Event]:
    """The same, with every text written anew."""
    with patch.context() as inside:
        inside.setattr(splicing, "LARGE", 10**9)
        return ran(state, form)


def named(number: int) -> Identity:
    return IDENTITY._replace(arn=f"{IDENTITY.arn}-{number}", name=f"{IDENTITY.name}-{number}")


async def stored(store: SqliteStore, who: Identity, events: list[Event], first: int) -> None:
    await store.create(Record(who, "digest"), "{}", events[:first])
    if events[first:]:
        await store.append(who.arn, events[first:])


def sizes(path: Path) -> tuple[int, int]:
    """The characters of all payloads of the first execution as they are stored, and of the first."""
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT length(payload) FROM events WHERE execution = (SELECT min(execution) FROM events)"
        found = [length or 0 for (length,) in db.execute(f"{query} ORDER BY seq")]
    return sum(found), found[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", STATES)
def test_what_happens_is_the_same(name: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events, what is read of them, in any page, and what follows from what was read."""
    plain = ran_without(monkeypatch, STATES[name], form)
    path = tmp_path / "asl.db"

    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        events = ran(STATES[name], form)
        assert events == plain
        await stored(store, named(0), events, 2)
        arn = named(0).arn
        shown = [event for event in plain if event.id]
        for after in range(0, len(plain), 1 + len(plain) // 40):
            assert await store.events(arn, after) == plain[after:]
            behind = [event for event in shown if event.seq > after]
            before = [event for event in reversed(shown) if event.seq < (after or 10**6)]
            assert await store.history(arn, after, 2) == behind[:2]
            assert await store.history(arn, after, 2, backwards=True) == before[:2]
            assert await store.events_at(arn, {after + 1}) == plain[after : after + 1]
        await store.close()

    anyio.run(main)
    assert check(path).faults == []


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] != "Task"])
def test_what_was_read_goes_on_as_it_would_have(name: str, tmp_path: Path) -> None:
    """After any part of the log."""
    events = ran(STATES[name], "spaced")
    compiled = load(machine(STATES[name]))

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        for cut in range(1, len(events), 1 + len(events) // 12):
            who = named(cut)
            await store.create(Record(who, "digest"), "{}", ran(STATES[name], "spaced")[:cut])
            execution = fold(who, await store.events(who.arn))
            more = advance(compiled, execution, Resumed(NOW))
            await store.append(who.arn, more)
            assert await store.events(who.arn) == events
        await store.close()

    anyio.run(main)


def test_a_large_document_that_passes_through_states_is_stored_once(tmp_path: Path) -> None:
    results = ("a new member", "another value", "a new member in another", "wrapped up", "in branches")
    for form in FORMS:
        for name in results:
            path = tmp_path / f"{form}-{name}.db"

            async def main(path: Path = path, name: str = name, form: str = form) -> None:
                store = await SqliteStore.open(path, synchronous="OFF")
                await stored(store, named(0), ran(STATES[name], form), 3)
                await store.close()

            anyio.run(main)
            together, given = sizes(path)
            assert together < 1.5 * given, (form, name)


@pytest.mark.parametrize("form", FORMS)
def test_a_fork_stores_a_large_document_once(form: str, tmp_path: Path) -> None:
    path = tmp_path / "asl.db"
    recorded = ran(STATES["a new member"], form)
    left = Departure(ForkPoint("Again"))
    compiled = load(machine(STATES["a new member"]))

    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        await stored(store, named(1), recorded, 3)
        log = forked_log(left, named(1), await store.events(named(1).arn), compiled, at=NOW, limits=AWS_LIMITS)
        await store.create(Record(named(0), "digest"), "{}", log)
        read = await store.events(named(0).arn)
        assert read == log
        assert log[1:-1] == recorded[1 : len(log) - 1]
        await store.close()

    anyio.run(main)
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT sum(length(payload)) FROM events GROUP BY execution"
        (first,), (fork,) = db.execute(query).fetchall()
    assert fork < 1.01 * first


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("a task", 2.5),  # the document and the result
        ("a large value that no event carries", 3.3),  # the document, and then with the value in it
    ],
)
def test_a_large_result_is_stored_once(name: str, times: float, tmp_path: Path) -> None:
    path = tmp_path / "asl.db"

    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        await stored(store, named(0), ran(STATES[name], "compact"), 3)
        await store.close()

    anyio.run(main)
    together, given = sizes(path)
    assert together < times * given


def test_a_document_that_is_changed_again_and_again_is_sometimes_stored_as_a_whole(tmp_path: Path) -> None:
    """What has been put into it would else be repeated with every change."""
    turns = 300
    states: dict[str, Any] = {
        f"S{n}": {"Type": "Pass", "Result": n, "ResultPath": f"$.r{n}", "Next": f"S{n + 1}"} for n in range(turns)
    }
    states[f"S{turns}"] = {"Type": "Succeed"}
    given = Payload(DOCUMENT)
    execution, events = drive({"StartAt": "S0", "States": states}, given)
    path = tmp_path / "asl.db"

    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        await stored(store, named(0), events, 20)
        assert await store.events(named(0).arn) == events
        await store.close()

    anyio.run(main)
    assert execution.output is not None
    assert execution.output.text == dumps(DOCUMENT | {f"r{n}": n for n in range(turns)})
    together, length = sizes(path)
    assert together < 40 * length  # a whole text for each of 300 states, and what they refer to, would be 600
    with closing(sqlite3.connect(path)) as db:
        kinds = dict(db.execute("SELECT typeof(payload), count(*) FROM events GROUP BY 1"))
    assert 1 < kinds["text"] < 30
    assert kinds["blob"] > turns * 0.9


def test_a_log_in_short_has_its_texts(tmp_path: Path) -> None:
    """An Express child's keeps only its first event and its last: nothing else that this refers to."""
    states = {
        "A": {"Type": "Pass", "Result": DOCUMENT, "Next": "B"},
        "B": {"Type": "Pass", "Result": 1, "ResultPath": "$.b", "End": True},
    }

    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db", synchronous="OFF")
        events = in_short(drive({"StartAt": "A", "States": states})[1])
        assert isinstance(events[1], ev.ExecutionSucceeded)
        assert isinstance(events[1].output, splicing.Spliced)
        await store.create(Record(named(0), "digest"), "{}", events)
        assert await store.events(named(0).arn) == events
        await store.close()

    anyio.run(main)


def test_the_same_events_are_stored_again_after_a_failure(tmp_path: Path) -> None:
    async def main() -> None:
        events = ran(STATES["a new member"], "spaced")
        for number in range(2):
            store = await SqliteStore.open(tmp_path / f"{number}.db", synchronous="OFF")
            await stored(store, named(0), events, 3)
            assert await store.events(named(0).arn) == events
            await store.close()

    anyio.run(main)


def test_a_log_of_before_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refers to whole texts only; what is added refers to pieces of them."""
    plain = ran_without(monkeypatch, STATES["a new member"], "spaced")
    path = tmp_path / "asl.db"

    async def first() -> None:
        store = await SqliteStore.open(path)
        await store.create(Record(named(0), "digest"), "{}", plain[:4])
        await store.close()

    async def then() -> None:
        store = await SqliteStore.open(path)
        execution = fold(named(0), await store.events(named(0).arn))
        more = advance(load(machine(STATES["a new member"])), execution, Resumed(NOW))
        await store.append(named(0).arn, more)
        assert await store.events(named(0).arn) == plain
        await store.close()

    anyio.run(first)
    with closing(sqlite3.connect(path)) as db:
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        later = "".join(statement for layout in MIGRATIONS[PIECES:] for statement in layout)
        for name in [name for (name,) in tables if f"CREATE TABLE {name} " in later]:
            db.execute(f"DROP TABLE {name}")
        db.execute(f"PRAGMA user_version = {PIECES - 1}")
        db.commit()
    anyio.run(then)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM events WHERE typeof(payload) = 'blob'").fetchone()[0]


def test_the_write_ahead_log_shrinks_again(tmp_path: Path) -> None:
    """It grows as long as somebody reads what was there before."""
    path = tmp_path / "asl.db"
    log = path.with_name("asl.db-wal")

    async def begin(store: SqliteStore, number: int) -> None:
        first: list[Event] = [ev.ExecutionStarted(1, 1, 0, NOW, 0, Payload("x" * 1_000_000))]
        await store.create(Record(named(number), "digest"), "{}", first)

    async def main() -> None:
        store = await SqliteStore.open(path, synchronous="OFF")
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchall()
            for number in range(24):
                await begin(store, number)
            assert log.stat().st_size > 20_000_000
            reader.execute("COMMIT")
        for number in range(24, 27):  # the first write after a full checkpoint begins the log anew
            await begin(store, number)
        assert log.stat().st_size < 20_000_000
        await store.close()

    anyio.run(main)
