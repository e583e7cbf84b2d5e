"""Resources of CloudFormation that are made of something else: of SAM's events, or of a serverless.yml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.templates.places import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOT_RUN_HERE", "EventOwner", "Expansion", "Remark"]


NOT_RUN_HERE: Final = "NOT_RUN_HERE"  # the code of a finding


class Remark(NamedTuple):
    """Something to tell of a location in the file: with the code of a finding."""

    code: str
    message: str
    place: str


class EventOwner(NamedTuple):
    """What events belong to: the ARN of a function or a state machine, as CloudFormation would refer to it.

    ``condition`` is that of its resource, and so of what is made of its events.  ``name`` is what people call it.
    """

    logical: str
    arn: Any
    condition: str | None = None
    name: str = ""


class Expansion:
    """Collects what is made, and where that is written."""

    def __init__(self) -> None:
        self.resources: dict[str, Any] = {}
        self.places = Places()
        self.told: list[Remark] = []

    def add(
        self,
        logical: str,
        kind: str,
        properties: Mapping[str, Any],
        written: str,
        names: Mapping[str, str] | None = None,
        *,
        owner: EventOwner | None = None,
    ) -> None:
        """Make a resource of what is ``written`` at a location.

        ``names`` are those of its properties that are called otherwise there, or below another one.
        """
        resource: dict[str, Any] = {
            "Type": kind,
            "Properties": {name: value for name, value in properties.items() if value is not None},
        }
        if owner is not None and owner.condition is not None:
            resource["Condition"] = owner.condition
        self.resources[logical] = resource
        self.places.put(f"/Resources/{logical}", written)
        self.places.put_all(f"/Resources/{logical}/Properties", written, dict(names or {}))

    def tell(self, code: str, message: str, place: str) -> None:
        self.told.append(Remark(code, message, place))
