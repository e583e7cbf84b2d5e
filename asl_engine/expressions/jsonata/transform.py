"""``|location|update, delete|``: a function that gives a changed copy of its argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.jsonata.callables import Native
from asl_engine.expressions.jsonata.failures import JsonataError
from asl_engine.expressions.jsonata.signatures import parse_signature
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from asl_engine.expressions.jsonata.runtime import Environment, Evaluate, Evaluation

__all__ = ["Transform", "clone"]

SIGNATURE = parse_signature("<(oa):o>")


def clone(value: Any, evaluation: Evaluation, owned: set[int] | None = None) -> Any:
    """A copy that shares nothing that can be changed; ``owned`` collects the identities of its objects."""
    evaluation.spend(1)
    if isinstance(value, list):
        return [clone(item, evaluation, owned) for item in value]
    if value.__class__ is not dict:
        return value
    copy = {key: clone(item, evaluation, owned) for key, item in value.items()}
    if owned is not None:
        owned.add(id(copy))
    return copy


class Transform:
    """The parts of ``|location|update, delete|``."""

    __slots__ = ("delete", "location", "update")

    def __init__(self, location: Evaluate, update: Evaluate, delete: Evaluate | None = None) -> None:
        self.location = location
        self.update = update
        self.delete = delete

    def within(self, frame: Environment) -> Native:
        """The function that it is in a frame."""
        location, update, delete = self.location, self.update, self.delete

        def implementation(evaluation: Evaluation, value: Any) -> Any:
            if value is MISSING:
                return MISSING
            owned: set[int] = set()
            result = clone(value, evaluation, owned)
            matches = location(result, frame)
            for match in matches if isinstance(matches, list) else [matches]:
                if match is not MISSING:
                    # A location can lead out of the copy: `|$states|...|`.  Values there stay unchanged.
                    _change(match if id(match) in owned else clone(match, evaluation), update, delete, frame)
            return result

        return Native(None, implementation, SIGNATURE, 1)


def _merge(match: Any, changes: dict[str, Any]) -> None:
    """An array takes the changes without showing them; what has no members at all cannot take them."""
    if match.__class__ is dict:
        match.update(changes)
    elif match is None or isinstance(match, str | int | float):
        raise JsonataError("transform", value=match)


def _change(match: Any, update: Evaluate, delete: Evaluate | None, frame: Environment) -> None:
    changes = update(match, frame)
    if changes is not MISSING and changes.__class__ is not dict:
        raise JsonataError("T2011", value=changes)
    if changes is not MISSING and changes:
        _merge(match, changes)
    if delete is None:
        return
    deletions = delete(match, frame)
    names = [] if deletions is MISSING else deletions if isinstance(deletions, list) else [deletions]
    if not all(isinstance(name, str) for name in names):
        raise JsonataError("T2012", value=deletions)
    for name in names if match.__class__ is dict else ():
        match.pop(name, None)
