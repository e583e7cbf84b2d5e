"""What paths beyond reference paths are made of, as the parser reads them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import re

    from asl_engine.expressions.jsonpath.syntax import Step
    from asl_engine.json_values import Json

__all__ = [
    "AllOf",
    "AnyOf",
    "Exists",
    "Filter",
    "Indexes",
    "Literal",
    "Names",
    "Node",
    "Not",
    "Operand",
    "Reach",
    "Relation",
    "Slice",
    "SubPath",
    "Test",
]


class Names(NamedTuple):
    """``['a','b']``."""

    names: tuple[str, ...]


class Indexes(NamedTuple):
    """``[0,2]``."""

    indexes: tuple[int, ...]


class Slice(NamedTuple):
    """``[1:3]``."""

    start: int | None
    end: int | None


class Reach(Enum):
    """``[*]`` and ``..``."""

    CHILDREN = "[*]"
    DESCENDANTS = ".."


class Filter(NamedTuple):
    """``[?(...)]``."""

    test: Test


Node: TypeAlias = "Step | Names | Indexes | Slice | Reach | Filter"


class SubPath(NamedTuple):
    """A path within a filter: from ``@``, the item, or from ``$``, the document, if ``rooted``.

    ``function`` is the name of the function that ends it, without its parentheses.
    """

    rooted: bool
    nodes: tuple[Node, ...]
    function: str | None


class Literal(NamedTuple):
    """A value that a filter compares with."""

    value: Json | re.Pattern[str]


Operand: TypeAlias = "SubPath | Literal"


class Relation(NamedTuple):
    """Two operands and the operator between them."""

    left: Operand
    operator: str
    right: Operand


class Exists(NamedTuple):
    """A path alone: whether it finds anything."""

    path: SubPath


class Not(NamedTuple):
    """``!@.a`` and ``!(...)``."""

    test: Test


class AllOf(NamedTuple):
    """Tests with ``&&`` between them."""

    tests: tuple[Test, ...]


class AnyOf(NamedTuple):
    """Tests with ``||`` between them."""

    tests: tuple[Test, ...]


Test: TypeAlias = "Relation | Exists | Not | AllOf | AnyOf"
