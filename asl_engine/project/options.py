"""How an execution is to be run: what is stored with it, so that whoever resumes it needs to be told nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.engine.clock import REAL, clock_of
from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits
from asl_engine.project.limits import from_option, overridden, parse_limits, to_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.engine.clock import Clock
    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project

__all__ = ["How", "limits_of"]


class How(NamedTuple):
    """The options of an execution.

    ``definition`` is the absolute path of its file.  ``use_lambda`` says that AWS Lambda may be called;
    ``endpoint`` is its URL, None for the one that the AWS SDK finds.  ``time`` is real, skip or scale=N.
    ``endpoints`` are those of other services, each SERVICE=URL.  ``mock`` is FILE#CASE.
    """

    definition: Path
    use_lambda: bool = False
    endpoint: str | None = None
    time: str = REAL
    limits: Limits = AWS_LIMITS
    endpoints: tuple[str, ...] = ()
    mock: str | None = None

    def to_options(self) -> dict[str, Json]:
        return {
            "definition_path": str(self.definition),
            "lambda": self.use_lambda,
            "lambda_endpoint": self.endpoint,
            "time": self.time,
            "limits": to_option(self.limits),
            **({"mock": self.mock} if self.mock else {}),
            **({"endpoints": [*self.endpoints]} if self.endpoints else {}),
        }

    @classmethod
    def from_options(cls, options: dict[str, Json]) -> How:
        """An execution that something other than ``asl run`` has started may lack any of the options."""
        path, endpoint = options.get("definition_path"), options.get("lambda_endpoint")
        endpoints, time = options.get("endpoints"), options.get("time")
        mock = options.get("mock")
        return cls(
            definition=Path(path if isinstance(path, str) else ""),
            use_lambda=options.get("lambda") is True,
            endpoint=endpoint if isinstance(endpoint, str) else None,
            time=time if isinstance(time, str) else REAL,
            limits=from_option(options.get("limits")),
            endpoints=tuple(map(str, endpoints)) if isinstance(endpoints, list) else (),
            mock=mock if isinstance(mock, str) else None,
        )

    def clock(self, since: int = 0) -> Clock:
        """A clock that begins at ``since`` (milliseconds) or later.

        Where time is skipped or scaled, the log may be ahead of this machine's time.
        """
        return clock_of(self.time, since)


def limits_of(project: Project, given: Iterable[str] = (), *, aws_limits: bool = True) -> Limits:
    """AWS's limits, or none, with those changed that the project and then the command set otherwise.

    Raises ``InvalidInput``.
    """
    base = overridden(AWS_LIMITS, project.limits, f"{project.source}: limits: ") if aws_limits else NO_LIMITS
    return parse_limits(given, base)
