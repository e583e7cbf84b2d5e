"""Holds an answer of the engine against what AWS answered, which has placeholders.

The formats are those of the recorded cases and of ``cases/``; README.md beside this file describes them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from asl_engine.projections.parity import unfolded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ABSENT = "(absent)"
BRACKETED = r"<[A-Za-z][A-Za-z0-9_.\-]*(?::\d+)?>"
NUMBERED = re.compile(r"(?::\d+|_\d+idx)>$")
TEXT_OF_JSON = re.compile(r"EventDetails/(?:input|output)$")
OUTCOME_DETAILS = {
    "SUCCEEDED": "executionSucceededEventDetails",
    "FAILED": "executionFailedEventDetails",
    "TIMED_OUT": "executionTimedOutEventDetails",
    "ABORTED": "executionAbortedEventDetails",
}
OUTCOME = ("output", "error", "cause", "nextState", "result")


class Mismatch(Exception):
    """Where two answers differ first."""

    def __init__(self, path: str, expected: object, actual: object) -> None:
        super().__init__(f"{path}: expected {expected!r}, got {actual!r}")


class Comparison:
    """The comparison of one case: what its numbered placeholders stand for holds in all of its answers."""

    def __init__(self, words: Iterable[str] = (), loose: Iterable[str] = ()) -> None:
        """``words`` are placeholders without brackets, ``loose`` the paths of values that are not compared."""
        self.words = {word for word in words if "<" not in word}
        whole_words = [
            rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])"
            for word in sorted(self.words, key=len, reverse=True)
        ]
        self.placeholder = re.compile("|".join([BRACKETED, *whole_words]))
        self.loose = list(loose)
        self.bound: dict[str, str] = {}

    def check(self, expected: Any, actual: Any, *, any_index: bool = False, path: str = "") -> None:
        """Raise a Mismatch where the two differ.  ``any_index``: the loose paths' indices stand for any."""
        if "$" in self.loose:
            return
        expected, actual = unfolded(expected), unfolded(actual)
        if self.loose:
            drop(expected, self.loose, any_index)
            drop(actual, self.loose, any_index)
        self.value(expected, actual, path)

    def outcome(self, expected: dict[str, Any], actual: dict[str, Any]) -> None:
        """Compare status, output, error and cause.  The output is given as a value."""
        if "status" in expected and expected["status"] != actual.get("status"):
            raise Mismatch("/status", expected["status"], actual)
        place = OUTCOME_DETAILS.get(expected.get("status", ""), "details")
        wanted, told = ({key: one[key] for key in OUTCOME if key in one} for one in (expected, actual))
        self.check({"events": [{place: wanted}]}, {"events": [{place: told}]}, any_index=True)

    def value(self, expected: Any, actual: Any, path: str) -> None:
        if isinstance(expected, str):
            stands_for_any = expected in self.words or (
                re.fullmatch(BRACKETED, expected) is not None and not isinstance(actual, str)
            )
            if not stands_for_any:
                self.text(expected, actual, path)
            return
        if isinstance(actual, str) and (isinstance(expected, dict | list) or TEXT_OF_JSON.search(path)):
            try:
                actual = json.loads(actual)
            except ValueError:
                raise Mismatch(path, expected, actual) from None
        if type(expected) is not type(actual):
            raise Mismatch(path, expected, actual)
        if isinstance(expected, dict):
            self.members(expected, actual, path)
        elif isinstance(expected, list):
            for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
                self.value(one, other, f"{path}/{index}")
            if len(expected) != len(actual):
                at = min(len(expected), len(actual))
                raise Mismatch(f"{path}/{at}", [*expected, ABSENT][at], [*actual, ABSENT][at])
        elif expected != actual:
            raise Mismatch(path, expected, actual)

    def members(self, expected: dict[str, Any], actual: dict[str, Any], path: str) -> None:
        names = {name: self.name_of(name, expected, actual, path) for name in expected}
        surplus = [name for name in actual if name not in names.values()]
        if surplus:
            raise Mismatch(f"{path}/{surplus[0]}", ABSENT, actual[surplus[0]])
        for name, member in expected.items():
            self.value(member, actual[names[name]], f"{path}/{name}")

    def name_of(self, name: str, expected: dict[str, Any], actual: dict[str, Any], path: str) -> str:
        """The member that an expected one is: a name can hold placeholders too."""
        if name in actual:
            return name
        for candidate in actual if self.placeholder.search(name) else ():
            if candidate not in expected and self.matches(name, candidate):
                return candidate
        raise Mismatch(f"{path}/{name}", expected[name], ABSENT)

    def text(self, expected: str, actual: Any, path: str) -> None:
        if not isinstance(actual, str) or not self.matches(expected, actual):
            raise Mismatch(path, expected, actual)

    def matches(self, expected: str, actual: str) -> bool:
        """Whether the texts are the same but for placeholders; the numbered ones are bound to what they meet."""
        if expected == actual:
            return True
        pattern, groups, end = "", dict[str, str](), 0
        for found in self.placeholder.finditer(expected):
            pattern += re.escape(expected[end : found.start()])
            end = found.end()
            name = found[0]
            if not NUMBERED.search(name):
                pattern += ".*?"
            elif name in self.bound:
                pattern += re.escape(self.bound[name])
            elif name in groups:
                pattern += f"(?P={groups[name]})"
            else:
                groups[name] = f"g{len(groups)}"
                pattern += f"(?P<{groups[name]}>.+?)"
        match = re.fullmatch(pattern + re.escape(expected[end:]), actual, re.DOTALL)
        if match is None:
            return False
        self.bound |= {name: match[group] for name, group in groups.items()}
        return True


# -- values that are not compared --------------------------------------------------------------------

STEP = re.compile(r"(\.\.|\.)?(?:\[(\*|\d+|'[^']*'|\"[^\"]*\")\]|([^.\[\]]+))")


def drop(value: Any, paths: Iterable[str], any_index: bool) -> None:
    """Take away what the paths lead to.  A path is ``$``, then members, indices and descents (``..``).

    Its first step names the recorded answer as a whole, unless it is a descent.
    """
    found: list[tuple[str | int, ...]] = []
    for path in paths:
        steps = [(deep == "..", (index or name).strip("'\"")) for deep, index, name in STEP.findall(path[1:])]
        if steps and not steps[0][0]:
            del steps[0]
        if steps:
            found += places(value, steps, any_index)
    # From the last to the first, so that the places of a list's items stay what they are.
    for place in sorted(set(found), key=lambda place: [str(step).zfill(6) for step in place], reverse=True):
        *way, last = place
        holder = value
        for step in way:
            holder = holder[step]
        del holder[last]


def places(value: Any, steps: list[tuple[bool, str]], any_index: bool) -> Iterator[tuple[str | int, ...]]:
    """The places that the steps lead to."""
    if not steps:
        yield ()
        return
    (deep, wanted), *rest = steps
    for key, member in children(value):
        same = wanted in ("*", str(key)) or (any_index and isinstance(key, int) and wanted.isdigit())
        for way in places(member, rest, any_index) if same else ():
            yield (key, *way)
        for way in places(member, steps, any_index) if deep else ():
            yield (key, *way)


def children(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


# -- the branches of Parallel states ------------------------------------------------------------------

CLOSING = {"ParallelStateSucceeded", "ParallelStateAborted", "ParallelStateExited", "ParallelStateFailed"}


def unordered(events: list[Any]) -> list[Any]:
    """A history without the order of the events within Parallel states.

    They have the ids 0 and are sorted, and of several closing events in a row only the last is there.
    """
    told: list[Any] = []
    inside: list[Any] = []
    began, is_open = 0, False
    for event in unfolded(events):
        if event["type"] in CLOSING:
            told[began:] = [*inside, event]
            is_open = False
        elif event["type"] == "ParallelStateStarted":
            told.append(event)
            inside, began, is_open = [], len(told), True
        elif is_open:
            inside.append({**event, "id": 0, "previousEventId": 0})
        else:
            told.append(event)
    return sorted_runs(told)


def sorted_runs(events: list[Any]) -> list[Any]:
    """Events without an id of their own, sorted wherever they follow on each other."""
    told: list[Any] = []
    run: list[Any] = []
    for event in [*events, None]:
        if event is not None and event["id"] in (0, [0]):
            run.append({**event, "id": 0})
            continue
        told += sorted(run, key=lambda one: json.dumps({**one, "timestamp": 0}, sort_keys=True))
        run = []
        if event is not None:
            told.append(event)
    return told
