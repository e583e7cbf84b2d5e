"""How an execution is run, as it is stored with it: whoever resumes it needs to be told nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.limits import AWS_LIMITS, NO_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asl_engine.json_values import Json

__all__ = ["NO_OPTIONS", "REAL_TIME", "SERVED", "RunOptions"]

# The stored name of ``served``, for queries.
SERVED = "server"
REAL_TIME = "real"


class RunOptions(NamedTuple):
    """The options of an execution.

    Of those that ``asl run`` and ``asl_engine.run`` start: ``definition`` is the absolute path of its file, with
    ``#MACHINE`` behind it where that is a template, and ``substituted`` are the values for what is in that.
    ``use_lambda`` says that AWS Lambda may be called; ``endpoint`` is its URL, None for the one that the AWS SDK
    finds.  ``time`` is real, skip or scale=N.  ``endpoints`` are those of other services, each SERVICE=URL.
    ``mock`` is FILE#CASE.  ``faults`` are texts of ``engine/faults``; ``seed`` decides which calls a percentage
    hits, None where there is none.

    Of those that a server starts: ``served``, and ``revision`` is what the execution keeps of its state machine
    for DescribeStateMachineForExecution.  ``mock_case`` is the test case of the server's mock configuration.

    Of both: ``limits``; ``started_by`` is the key of the task that has started it.  ``trace`` is the W3C
    ``traceparent`` of what has started it, None where that is not traced.
    ``imported``: it ran on AWS, and its history was brought here.
    """

    definition: Path = Path()
    use_lambda: bool = False
    endpoint: str | None = None
    time: str = REAL_TIME
    limits: Limits = AWS_LIMITS
    endpoints: tuple[str, ...] = ()
    mock: str | None = None
    served: bool = False
    revision: Mapping[str, Json] = {}  # JSON values are never changed
    mock_case: str | None = None
    started_by: str | None = None
    imported: bool = False
    faults: tuple[str, ...] = ()
    seed: int | None = None
    substituted: Mapping[str, str] = {}
    trace: str | None = None

    def to_stored(self) -> dict[str, Json]:
        """The options as a JSON object, without those that have their default."""
        limits: dict[str, Json] = {}
        if self.limits is not AWS_LIMITS:
            others = self.limits._asdict().items()
            limits = {name: value for name, value in others if value != getattr(AWS_LIMITS, name)}
        stored: dict[str, Json] = {
            "definition_path": str(self.definition) if self.definition != Path() else None,
            "lambda": self.use_lambda,
            "lambda_endpoint": self.endpoint,
            "time": self.time if self.time != REAL_TIME else None,
            "limits": limits,
            "endpoints": [*self.endpoints],
            "mock": self.mock,
            SERVED: self.served,
            "revision": dict(self.revision),
            "mock_case": self.mock_case,
            "started_by": self.started_by,
            "imported": self.imported,
            "faults": [*self.faults],
            "substituted": dict(self.substituted),
            "trace": self.trace,
        }
        stored = {name: value for name, value in stored.items() if value}
        return stored if self.seed is None else {**stored, "seed": self.seed}

    def detached(self) -> RunOptions:
        """The options for an execution that goes on by itself with what one of a server has begun."""
        theirs = self._replace(mock_case=None, started_by=None, trace=None)
        return theirs._replace(served=False, revision={}, imported=False)

    @classmethod
    def of(cls, stored: Mapping[str, Json]) -> RunOptions:
        """What ``to_stored`` has made, in this version or an earlier one."""
        given: dict[str, Any] = dict(stored)
        return cls(
            definition=Path(given.get("definition_path") or ""),
            use_lambda=given.get("lambda") is True,
            endpoint=given.get("lambda_endpoint"),
            time=given.get("time") or REAL_TIME,
            limits=_limits(given.get("limits")),
            endpoints=tuple(given.get("endpoints") or ()),
            mock=given.get("mock"),
            served=given.get(SERVED) is True,
            revision=given.get("revision") or {},
            mock_case=given.get("mock_case"),
            started_by=given.get("started_by"),
            imported=given.get("imported") is True,
            faults=tuple(given.get("faults") or ()),
            seed=given.get("seed"),
            substituted=given.get("substituted") or {},
            trace=given.get("trace"),
        )


def _limits(stored: Any) -> Limits:
    """Earlier versions stored whether there are limits at all."""
    if isinstance(stored, dict):
        return AWS_LIMITS._replace(**{name: value for name, value in stored.items() if name in Limits._fields})
    return NO_LIMITS if stored is False else AWS_LIMITS


NO_OPTIONS = RunOptions()
