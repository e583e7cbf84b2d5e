"""Many patterns at once: an event is shown only to those that its own texts lead to.

Each pattern is entered under the field it requires that fewest others share: of a thousand rules for one source,
each is found by what tells it from the others.  What requires no exact text of any field is tried for every event.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from asl_engine.events.language.patterns import scalars
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.events.language.patterns import EventPattern, Node, Path
    from asl_engine.json_values import Json

__all__ = ["RuleIndex"]

Name = TypeVar("Name")


class RuleIndex(Generic[Name]):
    """Finds the names of the patterns that an event matches."""

    def __init__(self, patterns: Mapping[Name, EventPattern]) -> None:
        shared = Counter(
            (path, text) for pattern in patterns.values() for path, texts in pattern.required for text in texts
        )
        tables: dict[Path, dict[str, list[tuple[int, Name, Node]]]] = {}
        self._always: list[tuple[int, Name, Node]] = []
        for number, (name, pattern) in enumerate(patterns.items()):
            entry = (number, name, pattern.node)
            if not pattern.required:
                self._always.append(entry)
                continue
            path, texts = min(pattern.required, key=lambda field: sum(shared[field[0], text] for text in field[1]))
            table = tables.setdefault(path, {})
            for text in texts:
                table.setdefault(text, []).append(entry)
        self._tables = [*tables.items()]

    def matching(self, event: Json) -> list[Name]:
        """The names of all patterns that match, in the order in which they were given."""
        found = [(number, name) for number, name, node in self._always if node(event, None)]
        for path, table in self._tables:
            value: Any = event
            for name in path:
                if type(value) is not dict:
                    value = _texts_at(event, path)
                    break
                value = value.get(name, MISSING)
                if value is MISSING:
                    break
            if type(value) is str:
                entries = table.get(value, ())
            elif type(value) is list:
                texts = {text for text in scalars(value) if type(text) is str}
                entries = [*{entry[0]: entry for text in texts for entry in table.get(text, ())}.values()]
            else:
                continue
            found += [(number, rule) for number, rule, node in entries if node(event, None)]
        found.sort(key=_number)
        return [name for _, name in found]


def _number(entry: tuple[int, Any]) -> int:
    return entry[0]


def _texts_at(value: Any, path: Path) -> list[Any]:
    """All that a path leads to, where there are arrays on the way."""
    found = [value]
    for name in path:
        inner: list[Any] = []
        while found:
            one = found.pop()
            if type(one) is list:
                found += one
            elif type(one) is dict and name in one:
                inner.append(one[name])
        found = inner
    return found
