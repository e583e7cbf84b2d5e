"""What is read of SAM's events, held against what SAM's own transform makes of them (recorded)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.templates.reading import cloudformation

if TYPE_CHECKING:
    from asl_engine.templates.declarations import Declarations

EVENTS = Path(__file__).parent / "events"


@cache
def read() -> Declarations:
    return cloudformation((EVENTS / "template.yaml").read_text(encoding="utf-8"))


@cache
def transformed() -> Declarations:
    return cloudformation((EVENTS / "transformed.json").read_text(encoding="utf-8"))


def plain(value: Any) -> Any:
    """A text that is JSON is one however it is spaced."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def told(declared: Any) -> str:
    """A declaration as a text, without where it stands, and the ids that SAM makes up."""
    members = declared._asdict()
    targets = members.pop("targets", {})
    for name in ("location", "logical"):
        members.pop(name, None)
    return json.dumps(
        plain({**members, "findings": [*members["findings"]], "targets": [*targets.values()]}), sort_keys=True
    )


@pytest.mark.parametrize("kind", ["routes", "rules", "mappings", "resources"])
def test_events_are_what_sam_makes_of_them(kind: str) -> None:
    theirs = getattr(transformed(), kind)
    assert sorted(map(told, getattr(read(), kind))) == sorted(map(told, theirs))
    assert theirs
