"""What an expression can read: the data, the context object and the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from asl_engine.expressions.effort import Effort
    from asl_engine.json_values import Json

__all__ = ["Scope"]


class Scope:
    """The surroundings of one evaluation.

    ``data`` is what ``$`` stands for and ``variables`` what ``$name`` stands for.  ``context`` is what
    ``$$`` stands for; few expressions read it, so it is built on demand.  So is ``random``, which
    is where the results of States.UUID and States.MathRandom come from.  ``effort`` bounds the work of all
    evaluations together; None: nothing does.
    """

    __slots__ = ("_context", "_make_context", "_make_random", "_random", "data", "effort", "variables")

    def __init__(
        self,
        data: Json,
        variables: Mapping[str, Json],
        make_context: Callable[[], Json],
        make_random: Callable[[], Random] | None = None,
        effort: Effort | None = None,
    ) -> None:
        self.data = data
        self.variables = variables
        self._make_context = make_context
        self._context: Json = None
        self._make_random = make_random
        self._random: Random | None = None
        self.effort = effort

    @property
    def context(self) -> Json:
        if self._context is None:
            self._context = self._make_context()
        return self._context

    @property
    def random(self) -> Random:
        """The one source of randomness of these surroundings, whatever the data.

        Raises ``LookupError`` if they were given none.
        """
        if self._random is None:
            if self._make_random is None:
                raise LookupError("these surroundings have no source of randomness")
            self._random = self._make_random()
        return self._random

    def _random_of_all(self) -> Random:
        return self.random

    def over(self, data: Json) -> Scope:
        """The same scope over other data."""
        scope = Scope(data, self.variables, self._make_context, self._random_of_all, self.effort)
        scope._context = self._context
        return scope
