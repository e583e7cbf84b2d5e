"""Going down into a value: by name, ``*`` and ``**``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.runtime import Sequence, collapse
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Environment, Evaluation

__all__ = ["descendants", "member", "wildcard"]


def member(value: Any, key: str, evaluation: Evaluation) -> Any:
    """The member of an object, or those of the objects in an array; an array among them is merged."""
    if value.__class__ is dict:
        return value.get(key, MISSING)
    if not isinstance(value, list):
        return MISSING
    evaluation.spend(len(value))
    found = Sequence()
    for item in value:
        part = member(item, key, evaluation)
        if isinstance(part, list):
            evaluation.spend(len(part))
            found.extend(part)
        elif part is not MISSING:
            found.append(part)
    return found


def wildcard(value: Any, frame: Environment) -> Any:
    """``*``: the values of an object, or the items of an array; arrays among them are merged."""
    found = Sequence()
    items = value.values() if value.__class__ is dict else value if isinstance(value, list) else ()
    merged = False
    for item in items:
        merged = merged or isinstance(item, list)
        _leaves(item, found, frame.evaluation)
    return list(found) if merged else found


def _leaves(value: Any, found: list[Any], evaluation: Evaluation) -> None:
    evaluation.spend(1)
    if isinstance(value, list):
        for item in value:
            _leaves(item, found, evaluation)
    else:
        found.append(value)


def descendants(value: Any, frame: Environment) -> Any:
    """``**``: the value and everything within, without the arrays themselves."""
    found = Sequence()
    if value is not MISSING:
        _descend(value, found, frame.evaluation)
    return collapse(found)


def _descend(value: Any, found: list[Any], evaluation: Evaluation) -> None:
    evaluation.spend(1)
    if isinstance(value, list):
        for item in value:
            _descend(item, found, evaluation)
        return
    found.append(value)
    if value.__class__ is dict:
        for item in value.values():
            _descend(item, found, evaluation)
