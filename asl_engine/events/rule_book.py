"""The rules, targets and archives of a database, compiled: what follows from an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.events.language.patterns import compile_pattern
from asl_engine.events.language.rule_index import RuleIndex
from asl_engine.events.language.transformers import compile_input

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from asl_engine.events.language.transformers import Transformer
    from asl_engine.store.bus_records import ArchiveRecord, BusRecord, RuleRecord, TargetRecord

__all__ = ["Consequences", "RuleBook"]

RULE: Final = "rule"
ARCHIVE: Final = "archive"
EVERYTHING: Final = '{"version": [{"exists": true}]}'


class Consequences(NamedTuple):
    """What follows from an event: deliveries (rule, target), and the archives that it belongs to."""

    deliveries: tuple[tuple[str, str], ...]
    archives: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.deliveries or self.archives)


class RuleBook:
    """As it was when it was read."""

    def __init__(
        self,
        buses: Sequence[BusRecord],
        rules: Sequence[RuleRecord],
        targets: Sequence[TargetRecord],
        archives: Sequence[ArchiveRecord],
    ) -> None:
        self.buses = {bus.arn: bus for bus in buses}
        self.rules = {rule.arn: rule for rule in rules}
        self.archives = {archive.arn: archive for archive in archives}
        self.targets: dict[str, dict[str, TargetRecord]] = {}
        for target in targets:
            self.targets.setdefault(target.rule_arn, {})[target.id] = target
        patterns: dict[str, dict[tuple[str, str], str]] = {}
        for rule in rules:
            text = rule.configuration.get("EventPattern")
            if rule.is_enabled and text is not None:
                patterns.setdefault(rule.bus_arn, {})[RULE, rule.arn] = text
        for archive in archives:
            text = archive.configuration.get("EventPattern") or EVERYTHING
            patterns.setdefault(archive.bus_arn, {})[ARCHIVE, archive.arn] = text
        self._index = {
            bus: RuleIndex({name: compile_pattern(text) for name, text in own.items()})
            for bus, own in patterns.items()
        }
        self._transformers: dict[tuple[str, str], Transformer] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing could follow from any event."""
        return not self._index

    def watches(self, bus_arn: str) -> bool:
        """Whether anything at all could follow from an event on a bus."""
        return bus_arn in self._index

    def consequences(
        self, bus_arn: str, event: dict[str, Any], only: Collection[str] | None = None, *, archived: bool = True
    ) -> Consequences:
        """What follows from an event on a bus.  ``only`` are the ARNs of the rules to look at, None for all."""
        index = self._index.get(bus_arn)
        found = [] if index is None else index.matching(event)
        rules = [arn for kind, arn in found if kind == RULE and (only is None or arn in only)]
        return Consequences(
            tuple(lane for arn in rules for lane in self.lanes(arn)),
            tuple(arn for kind, arn in found if kind == ARCHIVE) if archived else (),
        )

    def lanes(self, rule_arn: str) -> list[tuple[str, str]]:
        """The targets of a rule, each with the rule."""
        return [(rule_arn, target) for target in self.targets.get(rule_arn, ())]

    def find(self, rule_arn: str, target: str) -> tuple[RuleRecord, TargetRecord] | None:
        rule = self.rules.get(rule_arn)
        found = self.targets.get(rule_arn, {}).get(target)
        return None if rule is None or found is None else (rule, found)

    def transformer(self, target: TargetRecord) -> Transformer:
        """What makes the target's input."""
        key = (target.rule_arn, target.id)
        if key not in self._transformers:
            self._transformers[key] = compile_input(target.configuration)
        return self._transformers[key]
