"""JSONPath as AWS Step Functions reads it: ``$...`` in the data, ``$$...`` in the context object,
``$name...`` in a variable.

A path is compiled once, to a closure.  Nearly all paths are reference paths, which we parse ourselves;
only other paths import the parser of jsonpath-ng (about 50 ms).

A definite path that leads nowhere finds nothing; an indefinite path (wildcards, slices, filters,
unions of indexes, ``..``) finds a list, be it empty, even if its first steps lead nowhere (recorded from
AWS, and more lenient than Jayway JsonPath, which AWS's wording comes from).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.expressions.errors import PathNotFound
from asl_engine.expressions.jsonpath.reference import ReferencePath, compile_reference_path, explain, walk
from asl_engine.expressions.jsonpath.syntax import CONTEXT, DATA, Step, read_root, read_steps
from asl_engine.json_values import MISSING, Json, Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.expressions.jsonpath.query import Query
    from asl_engine.expressions.jsonpath.reference import Walk
    from asl_engine.expressions.scope import Scope

__all__ = ["Path", "ReferencePath", "compile_path", "compile_reference_path"]


class Path:
    """A compiled path.

    ``root`` is ``$``, ``$$`` or ``$name``.  ``is_reference``: the path has only names and indexes; where it leads
    into the data, they are its ``steps``.
    ``definite``: it finds one value at most; an indefinite path finds a list.  ``find(scope)`` returns what
    the path leads to, or ``MISSING``; it raises ``EvaluationError`` where that takes too many steps.
    """

    __slots__ = ("_reason", "definite", "find", "is_reference", "root", "steps", "text")

    def __init__(
        self,
        text: str,
        root: str,
        find: Callable[[Scope], Json | Missing],
        reason: Callable[[Scope], str],
        *,
        definite: bool = True,
        is_reference: bool = False,
        steps: tuple[Step, ...] | None = None,
    ) -> None:
        self.text = text
        self.root = root
        self.find = find
        self.definite = definite
        self.is_reference = is_reference
        self.steps = steps
        self._reason = reason

    def get(self, scope: Scope) -> Json:
        """What the path leads to.  Raises ``PathNotFound``."""
        value = self.find(scope)
        if value is MISSING:
            raise PathNotFound(self._reason(scope))
        return value


def compile_path(text: str) -> Path:
    """Compile the path in ``text``.  Raises ``ExpressionSyntaxError``, also for what Step Functions lacks."""
    root = read_root(text)
    steps, end = read_steps(text, len(root))
    if end == len(text):
        return Path(
            text,
            root,
            _find_steps(root, steps),
            _reason(root, lambda value: explain(steps, value)),
            is_reference=True,
            steps=steps if root == DATA else None,
        )
    from asl_engine.expressions.jsonpath.query import compile_query

    query = compile_query(text, len(root))
    return Path(text, root, _find_query(root, query), _reason(root, query.explain), definite=query.definite)


def _find_steps(root: str, steps: tuple[Step, ...]) -> Callable[[Scope], Json | Missing]:
    """Like ``_find_from``, with one call less for the shortest paths over the data, which are the most common."""
    if root == DATA and len(steps) < 3 and all(isinstance(step, str) for step in steps):
        return (_find_data, _find_member, _find_member_of_member)[len(steps)](*steps)
    return _find_from(root, walk(steps))


def _find_data() -> Callable[[Scope], Json | Missing]:
    return lambda scope: scope.data


def _find_member(name: Any) -> Callable[[Scope], Json | Missing]:
    def find(scope: Scope) -> Json | Missing:
        data: Any = scope.data
        try:
            value: Json = data[name]
        except (KeyError, TypeError):
            return MISSING
        return value

    return find


def _find_member_of_member(outer: Any, inner: Any) -> Callable[[Scope], Json | Missing]:
    def find(scope: Scope) -> Json | Missing:
        data: Any = scope.data
        try:
            value: Json = data[outer][inner]
        except (KeyError, TypeError):
            return MISSING
        return value

    return find


def _find_from(root: str, follow: Walk) -> Callable[[Scope], Json | Missing]:
    fetch = _fetch(root)

    def find(scope: Scope) -> Json | Missing:
        value = fetch(scope)
        return MISSING if value is MISSING else follow(value)

    return find


def _find_query(root: str, query: Query) -> Callable[[Scope], Json | Missing]:
    fetch = _fetch(root)

    def find(scope: Scope) -> Json | Missing:
        value = fetch(scope)
        return MISSING if value is MISSING else query.find(value, scope.effort)

    return find


def _fetch(root: str) -> Callable[[Scope], Json | Missing]:
    if root == DATA:
        return lambda scope: scope.data
    if root == CONTEXT:
        return lambda scope: scope.context
    name = root[1:]
    return lambda scope: scope.variables.get(name, MISSING)


def _reason(root: str, explain_value: Callable[[Json], str]) -> Callable[[Scope], str]:
    fetch = _fetch(root)

    def reason(scope: Scope) -> str:
        value = fetch(scope)
        if value is MISSING:
            # AWS's words for this have not been recorded: it refuses most such definitions at creation.
            return f"The variable {root} is not assigned"
        return explain_value(value)

    return reason
