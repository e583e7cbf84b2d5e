"""What many cases have come to, as a table."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.crash.cases import Result

__all__ = ["Summary"]

NAMES = {"kill": "kills", "cut": "power cuts", "fault": "faults", "process": "kills of `asl`"}
MAX_TOLD = 3  # laws of a case


class Summary:
    """Add results; each that breaks a law is printed at once, unless that is ``excused``: it is only counted."""

    def __init__(self, seed: int, laws: Iterable[str], excused: frozenset[str]) -> None:
        self.broken = 0
        self._excused = excused
        self._seed = seed
        self._laws = list(laws)
        self._blows: Counter[tuple[str, str, str]] = Counter()
        self._cases: Counter[tuple[str, str, str]] = Counter()
        self._seconds: Counter[tuple[str, str, str]] = Counter()
        self._failed: Counter[tuple[str, str, str]] = Counter()
        self._checked: Counter[str] = Counter()
        self._laws_broken: Counter[str] = Counter()

    def add(self, result: Result) -> None:
        kind, mode, workflow, _ = result.case.split("/")
        where = (kind, mode, workflow)
        self._cases[where] += 1
        self._blows[where] += result.blows
        self._seconds[where] += result.seconds  # type: ignore[assignment]  # a Counter counts them as well
        self._checked.update(result.checked)
        self._laws_broken.update({law for law, _ in result.broken})
        broken = [(law, told) for law, told in result.broken if law not in self._excused]
        if broken:
            self.broken += 1
            self._failed[where] += 1
            print(f"BROKEN: python -m tests.crash --seed {self._seed} --case {result.case}")
            for law, told in broken[:MAX_TOLD]:
                print(f"    {law}: {told}")

    def show(self, seconds: float) -> None:
        print(f"\n{'':12}{'':7}{'':14}{'cases':>8}{'blows':>8}{'broken':>8}{'s':>9}")
        for kind, mode, workflow in sorted(self._cases):
            where = (kind, mode, workflow)
            numbers = (
                f"{self._cases[where]:8}{self._blows[where]:8}{self._failed[where]:8}{self._seconds[where]:9.1f}"
            )
            print(f"{kind:12}{mode:7}{workflow:14}{numbers}")
        print(f"\n{'law':58}{'checks':>10}{'broken in':>11}")
        for law in self._laws:
            print(f"{law:58}{self._checked[law]:10}{self._laws_broken[law]:11}")
        print(f"\n{self.totals()}, {seconds:.0f} s, seed {self._seed}: ", end="")
        print("no law was broken" if not self.broken else f"{self.broken} cases broke a law")

    def totals(self) -> str:
        blows: Counter[str] = Counter()
        for (kind, _, _), number in self._blows.items():
            blows[kind] += number
        told = ", ".join(f"{blows[kind]} {name}" for kind, name in NAMES.items() if blows[kind])
        return f"{told or 'nothing'} in {sum(self._cases.values())} cases"
