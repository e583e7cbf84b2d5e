"""Where a process dies: at a commit of its own choosing, or when somebody else says so."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.engine.engine import Engine
from asl_engine.store.sqlite import writer
from asl_engine.store.sqlite.appends import insert

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from asl_engine.core.events import Event
    from asl_engine.engine.run import Run
    from asl_engine.store.sqlite.appends import Append

__all__ = ["POINTS", "Point", "count_points", "die_at"]

# Around each transaction, in this order.  The acts are counted by themselves: one commit may bring several.
POINTS: Final = ("before-write", "before-commit", "after-commit", "before-act", "after-act")


class Point(NamedTuple):
    """``moment`` is one of POINTS, ``number`` the commit or the act, from 1 on."""

    moment: str
    number: int


def die_at(point: Point) -> None:
    """This process is to be killed there."""

    def reached(moment: str, number: int) -> None:
        if (moment, number) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(reached)


def count_points(tell: Callable[[int, int], None]) -> None:
    """``tell`` the number of commits and of acts so far, at each of them."""
    seen = {"after-commit": 0, "after-act": 0}

    def reached(moment: str, number: int) -> None:
        if moment in seen:
            seen[moment] = number
            tell(*seen.values())

    _watch(reached)


def _watch(reached: Callable[[str, int], None]) -> None:
    """Call ``reached`` at each point, in the thread that has come to it."""
    commits = acts = 0
    write_together, act = writer.write_together, Engine._act

    def watched_insert(db: Any, appends: Sequence[Append]) -> None:
        reached("before-write", commits)
        insert(db, appends)
        reached("before-commit", commits)

    def watched_write(db: Any, appends: Sequence[Append]) -> Any:
        nonlocal commits
        commits += 1
        outcomes = write_together(db, appends)
        reached("after-commit", commits)
        return outcomes

    def watched_act(self: Engine, run: Run, events: list[Event], *, driving: bool = False) -> None:
        nonlocal acts
        acts += 1
        number = acts
        reached("before-act", number)
        act(self, run, events, driving=driving)
        reached("after-act", number)

    # All of it is the child's own: it has been forked for one life.
    vars(writer).update(insert=watched_insert, write_together=watched_write)
    Engine._act = watched_act  # type: ignore[method-assign]  # that is the point
