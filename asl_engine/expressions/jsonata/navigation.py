"""Going down into a value: by name, ``*`` and ``**``; and what the results of a path's step become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.expressions.jsonata.runtime import Cons, Sequence, TupleStream, collapse
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence as Keys

    from asl_engine.expressions.jsonata.runtime import Evaluation

__all__ = [
    "LISTS",
    "context_items",
    "descendants",
    "flattened",
    "items_of",
    "kept",
    "kept_path",
    "listed",
    "map_names",
    "member",
    "values_of",
    "walk",
    "walk_to_items",
    "wildcard",
]

LISTS: Final[set[type]] = {list, Sequence, TupleStream, Cons}


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


def walk(value: Any, keys: Keys[str], evaluation: Evaluation) -> Any:
    """Go down through objects; from the first array on, the rest is mapped."""
    for depth, key in enumerate(keys):
        if value.__class__ is dict:
            value = value.get(key, MISSING)
        elif isinstance(value, list):
            value = map_names(value, keys[depth:], evaluation)
            break
        else:
            return MISSING
    return collapse(Sequence(value)) if value.__class__ is Sequence else value


def walk_to_items(value: Any, keys: Keys[str], evaluation: Evaluation) -> list[Any]:
    """The items that such a walk leads to, for the next step to map."""
    for depth, key in enumerate(keys):
        if value.__class__ is dict:
            value = value.get(key, MISSING)
        elif isinstance(value, list):
            return map_names(value, keys[depth:], evaluation, last=False)
        else:
            return Sequence()
    return items_of(value)


def items_of(value: Any) -> list[Any]:
    """What the next step of a path maps, of the value of the first.  Nothing is an empty sequence."""
    if value is MISSING:
        return Sequence()
    if not isinstance(value, list) or value.__class__ is Cons:
        return [value]
    return value or Sequence()


def values_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def context_items(context: Any) -> list[Any]:
    """What the first step of a path maps."""
    return values_of(context) or Sequence()


def listed(value: Any) -> list[Any]:
    return Sequence() if value is MISSING else values_of(value)


def map_names(values: list[Any], keys: Keys[str], evaluation: Evaluation, *, last: bool = True) -> list[Any]:
    """The members of each item, of each of those, and so on; ``last`` if the path ends with them."""
    found = values
    for count, key in enumerate(keys, 1):
        evaluation.spend(len(found))
        try:
            parts = [item[key] for item in found]  # of objects that all have it: nothing else takes such an index
        except (KeyError, TypeError):
            parts = _members(found, key, evaluation)
        found = flattened(parts, evaluation, last=last and count == len(keys))
        if not found:
            break
    return found


def _members(items: list[Any], key: str, evaluation: Evaluation) -> list[Any]:
    parts = []
    for item in items:
        if item.__class__ is dict:
            part = item.get(key, MISSING)
        else:
            part = member(item, key, evaluation)
            if part.__class__ is Sequence:
                part = collapse(part)
        if part is not MISSING:
            parts.append(part)
    return parts


def flattened(parts: list[Any], evaluation: Evaluation, *, last: bool) -> list[Any]:
    """The results of a step as one sequence; a single array from the last step stays an array."""
    if LISTS.isdisjoint(map(type, parts)):
        return Sequence(parts)
    if last and len(parts) == 1 and not isinstance(parts[0], Sequence):
        return parts[0]  # type: ignore[no-any-return]  # it is a list: there is no other part
    found = Sequence()
    for part in parts:
        if isinstance(part, list) and part.__class__ is not Cons:
            evaluation.spend(len(part))
            found.extend(part)
        else:
            found.append(part)
    return found


def kept(result: Any) -> Any:
    """``[]``: a sequence of one stays an array."""
    if result.__class__ is not Sequence:
        return result
    if not result.keep_singleton:
        result = Sequence(result)
        result.keep_singleton = True
    return collapse(result)


def kept_path(result: Any) -> Any:
    """``[]`` somewhere in a path."""
    if result.__class__ is Cons or result.__class__ is Sequence:
        result = Sequence([result]) if result.__class__ is Cons else Sequence(result)
        result.keep_singleton = True
    return result


def wildcard(value: Any, evaluation: Evaluation) -> Any:
    """``*``: the values of an object, or the items of an array; arrays among them are merged."""
    found = Sequence()
    items = value.values() if value.__class__ is dict else value if isinstance(value, list) else ()
    merged = False
    for item in items:
        merged = merged or isinstance(item, list)
        _leaves(item, found, evaluation)
    return list(found) if merged else found


def _leaves(value: Any, found: list[Any], evaluation: Evaluation) -> None:
    evaluation.spend(1)
    if isinstance(value, list):
        for item in value:
            _leaves(item, found, evaluation)
    else:
        found.append(value)


def descendants(value: Any, evaluation: Evaluation) -> Any:
    """``**``: the value and everything within, without the arrays themselves."""
    found = Sequence()
    if value is not MISSING:
        _descend(value, found, evaluation)
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
