"""Breakpoints as an editor sets them: by lines of the definition, and by kinds of errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asl_engine.errors import AslError, InvalidInput

if TYPE_CHECKING:
    from asl_engine.debugging.dap.arguments import Arguments
    from asl_engine.debugging.session import Session
    from asl_engine.debugging.source_lines import SourceLines

__all__ = ["EXCEPTION_FILTERS", "SOURCE_REFERENCE", "SourceOfSession"]

SOURCE_REFERENCE = 1  # of the definition, where its file has another one
EXCEPTION_FILTERS = [
    {
        "filter": "uncaught",
        "label": "Errors that nothing catches",
        "description": "Stops before an error ends the execution",
        "default": True,
    },
    {
        "filter": "all",
        "label": "All errors",
        "description": "Stops at errors before a Retry or a Catch sees them",
        "default": False,
        "supportsCondition": True,
        "conditionDescription": "names of errors, as in ErrorEquals: PaymentError, States.Timeout",
    },
]


class SourceOfSession:
    """The definition in the editor, and the breakpoints in it.  ``path`` is None where no file has it."""

    def __init__(self, session: Session, lines: SourceLines, path: Path | None) -> None:
        self.session = session
        self.lines = lines
        self.path = path

    @property
    def source(self) -> dict[str, Any]:
        """The protocol's Source."""
        name = f"{self.session.setup.name}.asl.json" if self.path is None else self.path.name
        if self.path is None:
            return {"name": name, "sourceReference": SOURCE_REFERENCE, "origin": "the recorded definition"}
        return {"name": name, "path": str(self.path)}

    def set_breakpoints(self, arguments: Arguments) -> list[dict[str, Any]]:
        """Replace the breakpoints of a file."""
        source = arguments.object("source")
        wanted = [one for one in arguments.list("breakpoints") if isinstance(one, dict)]
        if not self._is_ours(source):
            told = self.path or "the recorded definition"
            return [{"verified": False, "message": f"what is debugged is {told}"} for _ in wanted]
        self.session.breakpoints.all.clear()
        return [self._set(one) for one in wanted]

    def _is_ours(self, source: dict[str, Any]) -> bool:
        if self.path is None:
            return source.get("sourceReference") == SOURCE_REFERENCE
        path = source.get("path")
        return isinstance(path, str) and _same(Path(path), self.path)

    def _set(self, wanted: dict[str, Any]) -> dict[str, Any]:
        line = wanted.get("line")
        state = self.lines.state_at(line) if isinstance(line, int) else None
        if state is None:
            return {"verified": False, "line": line, "message": "no state is here: set it in the lines of a state"}
        try:
            made = self.session.breakpoints.add(
                state,
                condition=_text(wanted, "condition"),
                hits=_text(wanted, "hitCondition"),
                message=_text(wanted, "logMessage"),
            )
        except AslError as error:
            return {"verified": False, "line": line, "message": str(error)}
        begin = self.lines.line_of(state)
        moved = {} if line == begin else {"message": f"moved to where {state} begins"}
        return {"id": made.number, "verified": True, "line": begin, "source": self.source, **moved}

    def set_errors(self, arguments: Arguments) -> list[dict[str, Any]]:
        stops = self.session.errors
        filters = {*arguments.list("filters")}
        names: list[str] = []
        for one in arguments.list("filterOptions"):
            if isinstance(one, dict):
                condition = _text(one, "condition").replace(",", " ").split()
                names += condition
                if not condition:
                    filters.add(one.get("filterId"))
        known = {str(one["filter"]) for one in EXCEPTION_FILTERS}
        for unknown in filters - known:
            raise InvalidInput(f"there is no filter {unknown!r}: there are {', '.join(sorted(known))}")
        stops.all, stops.uncaught, stops.names = "all" in filters, "uncaught" in filters, tuple(names)
        total = len(arguments.list("filters")) + len(arguments.list("filterOptions"))
        return [{"verified": True} for _ in range(total)]

    def locations(self, arguments: Arguments) -> list[dict[str, Any]]:
        """The lines in which a breakpoint can stand."""
        begin = arguments.all.get("line")
        if not isinstance(begin, int) or not self._is_ours(arguments.object("source")):
            return []
        end = arguments.all.get("endLine")
        last = end if isinstance(end, int) else begin
        return [{"line": one.begin} for one in self.lines.states if begin <= one.begin <= last]


def _text(wanted: dict[str, Any], name: str) -> str:
    value = wanted.get(name)
    return value if isinstance(value, str) else ""


def _same(one: Path, other: Path) -> bool:
    return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))
