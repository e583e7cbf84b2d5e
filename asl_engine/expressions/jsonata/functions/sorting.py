"""Order: the order-by clause of a path, and $sort.  Both are stable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.groups import VALUE
from asl_engine.expressions.jsonata.paths import walks
from asl_engine.expressions.jsonata.runtime import TupleStream
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate
    from asl_engine.expressions.jsonata.syntax import Node

__all__ = ["compile_sort", "sorted_by"]


class _Ranked:
    """An item that sorts after another if ``follows(earlier, later)`` is true."""

    __slots__ = ("follows", "item")

    def __init__(self, item: Any, follows: Callable[[Any, Any], bool]) -> None:
        self.item = item
        self.follows = follows

    def __lt__(self, other: _Ranked) -> bool:
        # Python's sort only ever asks whether a later item is less than an earlier one.
        return self.follows(other.item, self.item)


def sorted_by(items: list[Any], follows: Callable[[Any, Any], bool]) -> list[Any]:
    """``follows(one, other)``: the first of the two belongs behind the second."""
    return [ranked.item for ranked in sorted(_Ranked(item, follows) for item in items)]


def compile_sort(node: Node, compile_node: Callable[[Node], Evaluate]) -> Evaluate:
    terms = [(compile_node(term), descending) for term, descending in node.terms]
    descending = [is_descending for _, is_descending in terms]
    only_reads = all(term.kind == "path" and term.is_bare and walks(term) for term, _ in node.terms)

    def evaluate(values: Any, frame: Environment) -> Any:
        items = values if isinstance(values, list) else [values]
        if len(items) <= 1:
            return values
        frame.evaluation.spend(len(items) * len(items).bit_length())
        streaming = values.__class__ is TupleStream
        ranked_alike = _by_kind(terms, items, frame) if only_reads and not streaming else None
        if ranked_alike is not None:
            return ranked_alike
        keyed = [(_Keys(terms, item, frame, streaming=streaming), item) for item in items]
        ranked = sorted_by(keyed, lambda one, other: _follows(one[0], other[0], descending))
        ordered = [item for _, item in ranked]
        return TupleStream(ordered) if streaming else ordered

    return evaluate


def _by_kind(terms: list[tuple[Evaluate, bool]], items: list[Any], frame: Environment) -> list[Any] | None:
    """The items in order, if each term gives nothing but numbers or nothing but texts; else None.

    Only for terms that may be evaluated for all items beforehand: they must not fail, or change anything.
    """
    order = list(range(len(items)))
    for evaluate, descending in reversed(terms):
        keys = [evaluate(item, frame) for item in items]
        kinds = set(map(type, keys))
        if kinds != {str} and not kinds <= {int, float}:
            return None
        if float in kinds and any(map(math.isnan, keys)):
            return None
        order.sort(key=keys.__getitem__, reverse=descending)
    return [items[place] for place in order]


class _Keys:
    """The terms of one item, each evaluated when it is first compared."""

    __slots__ = ("context", "frame", "known", "terms")

    def __init__(
        self, terms: list[tuple[Evaluate, bool]], item: Any, frame: Environment, *, streaming: bool
    ) -> None:
        self.terms = terms
        self.context = item[VALUE] if streaming else item
        self.frame = frame.inner(dict(item)) if streaming else frame
        self.known: list[Any] = []

    def __getitem__(self, index: int) -> Any:
        if index == len(self.known):
            self.known.append(self.terms[index][0](self.context, self.frame))
        return self.known[index]


def _follows(one: _Keys, other: _Keys, descending: list[bool]) -> bool:
    for index, is_descending in enumerate(descending):
        left, right = one[index], other[index]
        if left is MISSING or right is MISSING:
            if left is right:
                continue
            return left is MISSING  # what is not there comes last, whatever the direction
        _check(left, right)
        if left != right:
            return bool(left < right if is_descending else left > right)
    return False


def _check(left: Any, right: Any) -> None:
    comparable = {str, int, float}
    for value in (left, right):
        if value.__class__ not in comparable:
            raise JsonataError("T2008", value=value)
    if isinstance(left, str) is not isinstance(right, str):
        raise JsonataError("T2007", value=left, value2=right)
