"""Versions, aliases and tags: one suite for every store; and layouts of before."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import anyio
import pytest

from asl_engine.core import events as ev
from asl_engine.core.execution import Identity
from asl_engine.errors import Conflict
from asl_engine.payload import Payload
from asl_engine.store.memory.store import MemoryStore
from asl_engine.store.protocol import Store
from asl_engine.store.records import (
    AliasRecord,
    Child,
    MachineRecord,
    Place,
    Record,
    Route,
    VersionRecord,
)
from asl_engine.store.run_options import RunOptions
from asl_engine.store.sqlite.listing import newest
from asl_engine.store.sqlite.listing import of_machine as of_machine_page
from asl_engine.store.sqlite.schema import APPLICATION_ID, MIGRATIONS
from asl_engine.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.core.events import Event

Scenario: TypeAlias = Callable[[Store], Awaitable[None]]

ARN = "arn:aws:states:r:a:stateMachine:m"
TEXT = '{"StartAt": "A"}'
MACHINE = MachineRecord(ARN, "m", "STANDARD", "arn:role", "digest", 1000, {"none": None}, updated_at=1000)


def version(number: int, revision_id: str | None = None, machine: str = ARN) -> VersionRecord:
    return VersionRecord(machine, number, revision_id, "arn:role", "digest", 1000 + number, None, {"a": [1]})


def alias(name: str, created_at: int = 1000) -> AliasRecord:
    routing = [Route(stateMachineVersionArn=f"{ARN}:1", weight=100)]
    return AliasRecord(ARN, name, "é ☃", routing, created_at, created_at)


@pytest.fixture(params=["memory", "sqlite"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Scenario], None]:
    async def main(scenario: Scenario) -> None:
        store: Store = MemoryStore() if request.param == "memory" else await SqliteStore.open(tmp_path / "asl.db")
        try:
            await scenario(store)
        finally:
            await store.close()

    return lambda scenario: anyio.run(main, scenario)


Run: TypeAlias = Callable[[Scenario], None]


def test_a_machine_comes_with_its_tags_and_its_version(run: Run) -> None:
    async def scenario(store: Store) -> None:
        made = MACHINE._replace(last_version=1)
        assert await store.machines.add(made, TEXT, {"b": "2", "a": "1"}, version(1)) == made
        assert await store.machines.add(MACHINE, TEXT, {"c": "3"}, version(2)) == made
        assert list((await store.tags.get(ARN)).items()) == [("a", "1"), ("b", "2")]
        assert await store.versions.page(ARN, None, 10) == [version(1)]
        assert await store.machines.count(ARN[:-1]) == 1
        assert await store.machines.count("arn:other") == 0
        await store.aliases.add(alias("live"))
        assert await store.machines.delete(ARN)
        assert await store.tags.get(ARN) == {}
        assert await store.versions.count(ARN) == 0
        assert await store.aliases.of_machine(ARN) == []

    run(scenario)


def of_machine(name: str, machine: str = "m", *, served: bool = True) -> Record:
    who = Identity(f"arn:{name}", name, ARN.removesuffix("m") + machine, machine, "arn:role", 1000)
    return Record(who, "digest", options=RunOptions(served=served))


def started(text: str = "{}") -> list[Event]:
    return [ev.ExecutionStarted(1, 1, 0, 1000, 0, Payload.of_text(text), "")]


FAILED = ev.ExecutionFailed(2, 2, 1, 2000, 0, "Bad", None)


def test_a_machine_is_deleted_with_its_executions(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.machines.add(MACHINE._replace(last_version=1), TEXT, {"a": "1"}, version(1))
        await store.aliases.add(alias("live"))
        for name, machine in (("a", "m"), ("b", "m2"), ("c", "l"), ("d", "m-")):
            await store.create(of_machine(name, machine), TEXT, [*started(), FAILED])
        await store.create(of_machine("run", served=False), TEXT, [*started(), FAILED])
        assert await store.machines.delete(ARN)
        assert await store.machines.get(ARN) is None
        assert await store.versions.count(ARN) == len(await store.aliases.of_machine(ARN)) == 0
        assert await store.tags.get(ARN) == {}
        assert await store.record("arn:a") is None
        for arn in ("arn:b", "arn:c", "arn:d", "arn:run"):  # of other machines, and of `asl run`
            assert await store.record(arn) is not None
            assert len(await store.events(arn)) == 2
        await store.create(of_machine("a"), TEXT, started("1"))  # the name is free
        assert len(await store.events("arn:a")) == 1

    run(scenario)


def test_a_machine_whose_executions_run_is_deleted_with_the_last(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.machines.add(MACHINE._replace(last_version=1), TEXT, {"a": "1"}, version(1))
        await store.aliases.add(alias("live"))
        await store.create(of_machine("old"), TEXT, [*started(), FAILED])
        await store.create(of_machine("a"), TEXT, started())
        assert not await store.machines.finish_deletion(ARN)
        assert await store.machines.being_deleted() == set()
        assert not await store.machines.delete(ARN)
        assert await store.machines.being_deleted() == {ARN}
        assert not await store.machines.finish_deletion(ARN)
        assert await store.versions.count(ARN) == len(await store.aliases.of_machine(ARN)) == 1
        assert await store.tags.get(ARN) == {"a": "1"}
        await store.append("arn:a", [FAILED])
        assert await store.machines.finish_deletion(ARN)
        assert await store.machines.get(ARN) is None
        assert await store.versions.count(ARN) == len(await store.aliases.of_machine(ARN)) == 0
        assert await store.tags.get(ARN) == {}
        # How they have ended can be looked at until a machine takes the name.
        assert [one.identity.name for one in await store.page(ARN)] == ["a", "old"]
        await store.machines.add(MACHINE, TEXT)
        assert await store.page(ARN) == []
        assert await store.record("arn:a") is None

    run(scenario)


def test_map_runs_and_their_children_are_deleted_with_the_machine(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.machines.add(MACHINE, TEXT)
        await store.create(of_machine("a"), TEXT, started())
        configuration = Payload({"concurrency": 1})
        begun = ev.MapRunStarted(2, 2, 1, 1100, 0, "arn:map-run", configuration)
        await store.append("arn:a", [begun])
        kin = of_machine("child", "m/label")
        await store.create(kin, TEXT, [*started(), FAILED], Child("arn:map-run", 0, 1))
        assert not await store.machines.delete(ARN)
        assert [one.arn for one in await store.map_runs.page("arn:a", "", 9)] == ["arn:map-run"]
        assert await store.map_runs.sums("arn:map-run") == {"FAILED": (1, 1)}
        await store.append("arn:a", [ev.ExecutionAborted(3, 3, 0, 2000, 0, None, None)])
        assert await store.machines.delete(ARN)
        for arn in ("arn:a", "arn:child"):
            assert await store.record(arn) is None
        assert await store.map_runs.get("arn:map-run") is None
        assert await store.map_runs.sums("arn:map-run") == {}
        assert await store.map_runs.kinship("arn:child") is None
        assert await store.map_runs.unsettled() == []

    run(scenario)


def test_a_deletion_is_one_transaction(tmp_path: Path) -> None:
    async def main() -> None:
        store = await SqliteStore.open(tmp_path / "asl.db")
        await store.machines.add(MACHINE, TEXT, {"a": "1"}, version(1))
        await store.create(of_machine("a"), TEXT, [*started(), FAILED])
        db = sqlite3.connect(tmp_path / "asl.db")
        db.execute("CREATE TRIGGER broken BEFORE DELETE ON tags BEGIN SELECT RAISE(ABORT, 'broken'); END")
        db.commit()
        with pytest.raises(Conflict):  # as whatever a constraint of the database refuses
            await store.machines.delete(ARN)
        kept = await store.machines.get(ARN)
        assert kept == MACHINE
        assert await store.versions.count(ARN) == 1
        assert len(await store.events("arn:a")) == 2
        db.execute("DROP TRIGGER broken")
        db.commit()
        db.close()
        assert await store.machines.delete(ARN)
        await store.close()
        store = await SqliteStore.open(tmp_path / "asl.db")
        assert await store.machines.get(ARN) is None
        assert await store.record("arn:a") is None
        await store.close()

    anyio.run(main)


def test_pages_are_looked_up_and_not_sorted(tmp_path: Path) -> None:
    async def main() -> None:
        await (await SqliteStore.open(tmp_path / "asl.db")).close()

    anyio.run(main)
    db = sqlite3.connect(tmp_path / "asl.db")
    for status, after in ((None, None), ("FAILED", None), ("FAILED", Place(1, "arn:a"))):
        where, values = of_machine_page(ARN, status, after, 10, None)  # type: ignore[arg-type]  # a Status
        query = f"EXPLAIN QUERY PLAN SELECT * FROM executions {where}"  # noqa: S608  constants of that module
        plan = [row[3] for row in db.execute(query, values)]
        assert any("INDEX executions_by_place (machine_arn=? AND status=?" in step for step in plan), plan
        sorted_ones = [step for step in plan if "TEMP B-TREE" in step]
        assert len(sorted_ones) == (status is None), plan  # the page itself, where it is merged
    db.close()


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (
            of_machine_page(ARN, "FAILED", None, 10, f"{ARN}:7"),
            "executions_of_version (version_arn=? AND status=?",
        ),
        (of_machine_page(ARN, None, None, 10, f"{ARN}:7"), "executions_of_version (version_arn=? AND status=?"),
        (of_machine_page(ARN, None, None, 10, f"{ARN}:live7"), "executions_of_alias (alias_arn=? AND status=?"),
        (
            of_machine_page(ARN, "FAILED", Place(1, "arn:a"), 10, f"{ARN}:live"),
            "executions_of_alias (alias_arn=? AND status=? AND <expr><?",
        ),
        (newest(None, "RUNNING", 10), "executions_by_status (status=?"),
        (newest("m", "RUNNING", 10), "executions_by_status (status=?"),
        (newest(None, None, 10), "executions_by_themselves"),
        (newest("m", None, 10), "executions_by_themselves"),
    ],
)
def test_every_filter_has_an_index(tmp_path: Path, selection: tuple[str, tuple[object, ...]], index: str) -> None:
    async def main() -> None:
        await (await SqliteStore.open(tmp_path / "asl.db")).close()

    anyio.run(main)
    db = sqlite3.connect(tmp_path / "asl.db")
    where, values = selection
    query = f"EXPLAIN QUERY PLAN SELECT * FROM executions {where}"  # noqa: S608  constants of that module
    plan = [row[3] for row in db.execute(query, values)]
    db.close()
    assert any(f"INDEX {index}" in step for step in plan), plan
    assert not any(step.startswith("SCAN executions") and "INDEX" not in step for step in plan), plan


def test_a_machine_is_updated_with_its_version_or_not_at_all(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.machines.add(MACHINE, TEXT)
        changed = MACHINE._replace(
            role_arn="arn:other",
            definition="d2",
            configuration={"x": 1},
            revision_id="r",
            updated_at=2000,
            last_version=1,
        )
        await store.machines.update(changed, "{}", version(1, "r"))
        assert await store.machines.get(ARN) == changed
        assert await store.definition("d2") == "{}"
        with pytest.raises(Conflict):
            await store.machines.update(changed._replace(role_arn="arn:third"), None, version(1, "s"))
        assert await store.machines.get(ARN) == changed
        assert await store.versions.get(ARN, 1) == version(1, "r")

    run(scenario)


def test_versions_are_found(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.machines.add(MACHINE, TEXT)
        for number, revision in ((1, None), (2, "r"), (3, "r"), (4, "s")):
            await store.machines.update(MACHINE, None, version(number, revision))
        await store.machines.update(MACHINE, None, version(9, "r", "arn:other"))
        assert await store.versions.get(ARN, 3) == version(3, "r")
        assert await store.versions.get(ARN, 9) is None
        assert await store.versions.of_revision(ARN, "r") == version(3, "r")
        assert await store.versions.of_revision(ARN, None) == version(1)
        assert await store.versions.of_revision(ARN, "t") is None
        assert [one.number for one in await store.versions.page(ARN, None, 3)] == [4, 3, 2]
        assert [one.number for one in await store.versions.page(ARN, 2, 3)] == [1]
        assert await store.versions.count(ARN) == 4
        await store.versions.remove(ARN, 4)
        await store.versions.remove(ARN, 4)
        assert await store.versions.count(ARN) == 3

    run(scenario)


def test_aliases_are_kept_until_they_are_removed(run: Run) -> None:
    async def scenario(store: Store) -> None:
        for name, at in (("b", 1000), ("a", 1000), ("c", 2000)):
            await store.aliases.add(alias(name, at))
        with pytest.raises(Conflict):
            await store.aliases.add(alias("a", 3000))
        assert await store.aliases.get(ARN, "a") == alias("a")
        assert [one.name for one in await store.aliases.of_machine(ARN)] == ["a", "b", "c"]
        changed = alias("a")._replace(description=None, routing=[], updated_at=5000)
        await store.aliases.update(changed)
        assert await store.aliases.get(ARN, "a") == changed
        await store.aliases.remove(ARN, "a")
        assert await store.aliases.get(ARN, "a") is None
        assert await store.aliases.of_machine("arn:other") == []

    run(scenario)


def test_tags_are_put_and_removed(run: Run) -> None:
    async def scenario(store: Store) -> None:
        await store.tags.put("arn:x", {"b": "2", "a": "1"})
        await store.tags.put("arn:x", {"a": "3"})
        await store.tags.put("arn:x", {})
        await store.tags.put("arn:y", {"z": ""})
        assert await store.tags.get("arn:x") == {"a": "3", "b": "2"}
        await store.tags.remove("arn:x", ["b", "nothing"])
        await store.tags.remove("arn:nothing", ["b"])
        assert await store.tags.get("arn:x") == {"a": "3"}
        assert await store.tags.get("arn:y") == {"z": ""}

    run(scenario)


def test_executions_are_paged_by_what_they_were_started_through(run: Run) -> None:
    async def scenario(store: Store) -> None:
        ways = {
            "a": (None, None),
            "b": (f"{ARN}:1", None),
            "c": (f"{ARN}:1", f"{ARN}:live"),
            "d": (f"{ARN}:2", f"{ARN}:live"),
        }
        for name, (by_version, by_alias) in ways.items():
            who = Identity(f"arn:{name}", name, ARN, "m", "arn:role", 1000, by_version, by_alias)
            await store.create(Record(who, "digest"), TEXT, [])
            kept = await store.record(who.arn)
            assert kept is not None
            assert kept.identity == who

        async def names(qualified: str | None, **more: object) -> list[str]:
            found = await store.page(ARN, qualified=qualified, **more)  # type: ignore[arg-type]  # a stand-in of the test
            return [one.identity.name for one in found]

        assert await names(None) == ["d", "c", "b", "a"]
        assert await names(f"{ARN}:1") == ["c", "b"]
        assert await names(f"{ARN}:live") == ["d", "c"]
        assert await names(f"{ARN}:live", after=Place(1000, "arn:d")) == ["c"]
        assert await names(f"{ARN}:no") == []

    run(scenario)


OLD_MACHINE = """
    INSERT INTO state_machines (arn, name, type, role_arn, definition, created_at, configuration, status)
    VALUES (?, 'm', 'STANDARD', 'arn:role', 'digest', 1000, ?, 'ACTIVE')
"""


@pytest.mark.parametrize("layout", range(1, len(MIGRATIONS)))
def test_a_database_of_an_earlier_layout_is_brought_up_to_date(tmp_path: Path, layout: int) -> None:
    path = tmp_path / "asl.db"
    old = sqlite3.connect(path)
    for statement in [statement for migration in MIGRATIONS[:layout] for statement in migration]:
        old.execute(statement)
    if layout > 1:
        tags = '[{"key": "a", "value": "1"}, {"key": "b"}]'
        old.execute(OLD_MACHINE, (ARN, f'{{"loggingConfiguration": {{}}, "tags": {tags}}}'))
    old.execute(f"PRAGMA user_version = {layout}")
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.commit()
    old.close()

    async def main() -> None:
        store = await SqliteStore.open(path)
        if layout == 2:
            kept = MACHINE._replace(configuration={"loggingConfiguration": {}})
            assert await store.machines.get(ARN) == kept
            assert await store.tags.get(ARN) == {"a": "1", "b": ""}
        await store.machines.add(MACHINE._replace(arn="arn:new"), TEXT, {"c": "3"}, version(1, machine="arn:new"))
        assert await store.versions.count("arn:new") == 1
        await store.close()

    anyio.run(main)
    new = sqlite3.connect(path)
    assert new.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    new.close()
