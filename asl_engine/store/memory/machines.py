"""State machines, versions, aliases and tags of the in-memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from asl_engine.store.records import AliasRecord, MachineRecord, VersionRecord

__all__ = ["MemoryAliases", "MemoryMachines", "MemoryTags", "MemoryVersions"]


class MemoryVersions:
    """``Versions`` in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], VersionRecord] = {}

    def publish(self, version: VersionRecord | None) -> None:
        if version is not None:
            if (version.machine_arn, version.number) in self.kept:
                raise Conflict(f"There is a version {version.arn}")
            self.kept[version.machine_arn, version.number] = version

    async def get(self, machine_arn: str, number: int) -> VersionRecord | None:
        return self.kept.get((machine_arn, number))

    async def of_revision(self, machine_arn: str, revision_id: str | None) -> VersionRecord | None:
        versions = await self.page(machine_arn, None, len(self.kept))
        return next((one for one in versions if one.revision_id == revision_id), None)

    async def page(self, machine_arn: str, before: int | None, limit: int) -> list[VersionRecord]:
        fitting = [
            one
            for one in self.kept.values()
            if one.machine_arn == machine_arn and (before is None or one.number < before)
        ]
        return sorted(fitting, key=lambda one: -one.number)[:limit]

    async def count(self, machine_arn: str) -> int:
        return len(await self.page(machine_arn, None, len(self.kept)))

    async def remove(self, machine_arn: str, number: int) -> None:
        self.kept.pop((machine_arn, number), None)


class MemoryAliases:
    """``Aliases`` in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], AliasRecord] = {}

    async def add(self, record: AliasRecord) -> None:
        if (record.machine_arn, record.name) in self.kept:
            raise Conflict(f"There is an alias {record.arn}")
        await self.update(record)

    async def get(self, machine_arn: str, name: str) -> AliasRecord | None:
        return self.kept.get((machine_arn, name))

    async def of_machine(self, machine_arn: str) -> list[AliasRecord]:
        fitting = [one for one in self.kept.values() if one.machine_arn == machine_arn]
        return sorted(fitting, key=lambda one: (one.created_at, one.name))

    async def update(self, record: AliasRecord) -> None:
        self.kept[record.machine_arn, record.name] = record

    async def remove(self, machine_arn: str, name: str) -> None:
        self.kept.pop((machine_arn, name), None)


class MemoryTags:
    """``Tags`` in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, str]] = {}

    async def get(self, arn: str) -> dict[str, str]:
        return dict(sorted(self.kept.get(arn, {}).items()))

    async def put(self, arn: str, tags: Mapping[str, str]) -> None:
        self.kept.setdefault(arn, {}).update(tags)

    async def remove(self, arn: str, keys: Iterable[str]) -> None:
        for key in keys:
            self.kept.get(arn, {}).pop(key, None)


class MemoryMachines:
    """``Machines`` in memory; deleting a machine also deletes its versions, aliases and tags."""

    def __init__(
        self,
        definitions: dict[str, str],
        is_running: Callable[[str], bool],
        delete_executions: Callable[[str], None],
    ) -> None:
        self._is_running = is_running
        self._delete_executions = delete_executions
        self.versions = MemoryVersions()
        self.aliases = MemoryAliases()
        self.tags = MemoryTags()
        self._definitions = definitions
        self._machines: dict[str, MachineRecord] = {}

    async def add(
        self,
        record: MachineRecord,
        definition: str,
        tags: Mapping[str, str] | None = None,
        version: VersionRecord | None = None,
    ) -> MachineRecord:
        if record.arn not in self._machines:
            self._delete_executions(record.arn)
            self._definitions[record.definition] = definition
            self._machines[record.arn] = record
            self.versions.publish(version)
            await self.tags.put(record.arn, tags or {})
        return self._machines[record.arn]

    async def update(
        self, record: MachineRecord, definition: str | None = None, version: VersionRecord | None = None
    ) -> None:
        self.versions.publish(version)
        if definition is not None:
            self._definitions[record.definition] = definition
        self._machines[record.arn] = record

    async def get(self, arn: str) -> MachineRecord | None:
        return self._machines.get(arn)

    async def page(self, prefix: str, after: str, limit: int) -> list[MachineRecord]:
        arns = sorted(arn for arn in self._machines if arn.startswith(prefix) and arn > after)
        return [self._machines[arn] for arn in arns[:limit]]

    async def count(self, prefix: str) -> int:
        return sum(arn.startswith(prefix) for arn in self._machines)

    async def being_deleted(self) -> set[str]:
        return {arn for arn, record in self._machines.items() if record.status == "DELETING"}

    async def delete(self, arn: str) -> bool:
        if arn in self._machines:
            self._machines[arn] = self._machines[arn]._replace(status="DELETING")
        self._delete_executions(arn)
        return await self.finish_deletion(arn)

    async def finish_deletion(self, arn: str) -> bool:
        if arn in await self.being_deleted() and not self._is_running(arn):
            await self._forget(arn)
        return arn not in self._machines

    async def _forget(self, arn: str) -> None:
        self._machines.pop(arn, None)
        self.tags.kept.pop(arn, None)
        for version in await self.versions.page(arn, None, len(self.versions.kept)):
            await self.versions.remove(arn, version.number)
        for alias in await self.aliases.of_machine(arn):
            await self.aliases.remove(arn, alias.name)
