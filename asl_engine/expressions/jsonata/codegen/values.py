"""What is known of a value while code is written that uses it."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Value", "condition"]

# The letters of types, and how to ask for one.
TESTS: Final = {
    "i": "{}.__class__ is int",
    "f": "{}.__class__ is float",
    "s": "{}.__class__ is str",
    "b": "{}.__class__ is bool",
    "d": "{}.__class__ is dict",
    "l": "isinstance({}, list)",
    "m": "{} is MISSING",
}


class Value(NamedTuple):
    """A value in the generated code: a name or a constant, which costs nothing to repeat.

    ``types`` are the letters of all the types that it can have, n for null and F for functions; empty: unknown.
    ``given``: nothing within it is a ``Sequence``, as in all that comes from outside.
    ``raw``: it may itself be one, which every construct collapses that it passes through.
    ``is_final``: if it is one, it stays one.
    """

    atom: str
    types: str = ""
    given: bool = False
    raw: bool = False
    is_final: bool = False
    length: int | None = None  # of a literal text

    def only(self, letters: str) -> bool:
        """Whether it is known to have one of these types."""
        return bool(self.types) and all(letter in letters for letter in self.types)

    def may_be(self, letters: str) -> bool:
        return not self.types or any(letter in letters for letter in self.types)

    @property
    def if_present(self) -> str:
        """What makes a line conditional on its being there."""
        return f"if {self.atom} is not MISSING: " if self.may_be("m") else ""

    def is_a(self, letters: str) -> str:
        """The condition that it has one of these types."""
        if self.only(letters):
            return "True"
        tests = [TESTS[letter].format(self.atom) for letter in letters if self.may_be(letter)]
        return f"({' or '.join(tests)})" if len(tests) > 1 else tests[0] if tests else "False"


def condition(*tests: str) -> str:
    """All of the tests."""
    if "False" in tests:
        return "False"
    return " and ".join(test for test in tests if test != "True") or "True"
