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
    """Add results; each that breaks a law is printed at once."""

    def __init__(self, seed: int, laws: Iterable[str]) -> None:
        self.broken = 0
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
        if result.broken:
            self.broken += 1
            self._failed[where] += 1
            print(f"BROKEN: python -m tests.crash --seed {self._seed} --case {result.case}")
            for law, told in result.broken[:MAX_TOLD]:
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
        totals: Counter[str] = Counter()
        for (kind, _, _), blows in self._blows.items():
            totals[kind] += blows
        told = ", ".join(f"{totals[kind]} {name}" for kind, name in NAMES.items() if totals[kind])
        print(
            f"\n{told or 'nothing'} in {sum(self._cases.values())} cases, {seconds:.0f} s, seed {self._seed}: ",
            end="",
        )
        print("no law was broken" if not self.broken else f"{self.broken} cases broke a law")
