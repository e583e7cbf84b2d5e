"""AWS's own model of the API, as botocore brings it: the members of each request, and their constraints.

Its file is read here.  Importing botocore for that would take longer than all the rest of starting a server.
"""

from __future__ import annotations

import gzip
import json
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["EVENTS", "STATES", "Shape", "input_shapes"]

# By botocore's names.
STATES, EVENTS = "stepfunctions", "events"
FILE = "service-2.json"
CONSTRAINTS = ("enum", "max", "min", "pattern", "sensitive")


class Shape:
    """A type of the model, by its name.  ``metadata`` are its constraints."""

    def __init__(self, name: str, shapes: dict[str, dict[str, Any]]) -> None:
        self.name = name
        self._shapes = shapes
        self._source = shapes[name]
        self.type_name: str = self._source["type"]
        self.metadata = {key: self._source[key] for key in CONSTRAINTS if key in self._source}
        self.required_members: list[str] = self._source.get("required", [])

    @cached_property
    def members(self) -> dict[str, Shape]:
        """Those of a structure, by name."""
        members = self._source["members"]
        return {name: Shape(member["shape"], self._shapes) for name, member in members.items()}

    @cached_property
    def member(self) -> Shape:
        """What a list consists of."""
        return Shape(self._source["member"]["shape"], self._shapes)

    @cached_property
    def key(self) -> Shape:
        """The keys of a map."""
        return Shape(self._source["key"]["shape"], self._shapes)

    @cached_property
    def value(self) -> Shape:
        """The values of a map."""
        return Shape(self._source["value"]["shape"], self._shapes)


@cache
def input_shapes(service: str = STATES) -> dict[str, Shape] | None:
    """What each operation takes; None if botocore is not installed."""
    file = _file(service)
    if file is None:
        return None
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    model = json.loads(content)
    operations = model["operations"].items()
    return {name: Shape(operation["input"]["shape"], model["shapes"]) for name, operation in operations}


def _file(service: str) -> Path | None:
    """The file of the latest version of the API; older versions of botocore do not compress it."""
    found = find_spec("botocore")
    folders = None if found is None else found.submodule_search_locations
    files = [file for folder in folders or () for file in (Path(folder) / "data" / service).glob(f"*/{FILE}*")]
    return max(files, default=None)
