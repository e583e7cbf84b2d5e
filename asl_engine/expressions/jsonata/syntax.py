"""The tree of an expression."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.signatures import Signature

__all__ = ["Node", "Slot"]


@dataclass(slots=True, eq=False)
class Slot:
    """A ``%`` that is not linked yet; ``level`` is how many steps up remain."""

    label: str
    level: int = 1


@dataclass(slots=True, eq=False)
class Node:
    """One construct.  ``kind`` decides which fields mean something.

    ``parts`` are operands, steps, array items, block expressions or arguments; ``pairs`` the keys and
    values of an object or a grouping; ``terms`` the keys of an order-by, each with "descending".
    """

    kind: str
    position: int
    value: Any = None
    parts: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    terms: list[tuple[Node, bool]] = field(default_factory=list)
    procedure: Node | None = None
    signature: Signature | None = None
    # Set while the tree is resolved.
    predicates: list[Node] = field(default_factory=list)  # filters on the value of the expression
    stages: list[Node] = field(default_factory=list)  # filters and position bindings on a step
    group: Node | None = None
    focus: str | None = None  # @$name
    index: str | None = None  # #$name
    ancestor: Slot | None = None
    seeking: list[Slot] = field(default_factory=list)
    tuple: bool = False
    cons: bool = False  # an array constructor that a path does not flatten
    keep_array: bool = False  # []
    keep_singleton: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether the value is not processed further."""
        return not (self.predicates or self.keep_array or self.group)
