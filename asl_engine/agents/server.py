"""The MCP server: tools and resources, over standard input and output.

It speaks through a copy of the standard output: what tasks print goes to the standard error.  A tool runs in a
thread of its own with an event loop of its own, so one that takes long holds up no other.
"""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.types import CallToolResult, TextContent, ToolAnnotations

import asl_engine
from asl_engine.agents.home import AgentProject
from asl_engine.agents.replies import compact, failure
from asl_engine.costing.cost import prices_json
from asl_engine.costing.prices import price_table
from asl_engine.errors import AslError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.project.configuration import Project

__all__ = ["server_of"]

INSTRUCTIONS: Final = (
    "State machines in Amazon States Language, run and tested on this machine. Begin with "
    "list(what='definitions'), validate one, run it with mocks, and follow the 'next' step of each answer. "
    "Nothing real is called unless a call says so with 'real'. A failed execution: history, then fork from the "
    "state that failed, then pin it as a test."
)
# The page is beside this file where the package is installed, and in docs/ of a checkout.
LANGUAGE: Final = (
    Path(__file__).with_name("language.md"),
    Path(__file__).parents[2] / "docs" / "language.md",
)


def server_of(project: Project, db: Path) -> MCPServer[Any]:
    """The server of a project, whose root has to be the current directory."""
    from asl_engine.agents.looking import LookingTools
    from asl_engine.agents.proving import ProvingTools
    from asl_engine.agents.running import RunningTools

    home = AgentProject(project, db)
    server: MCPServer[Any] = MCPServer(
        "asl", instructions=INSTRUCTIONS, version=asl_engine.__version__, log_level="WARNING"
    )
    looking, proving, running = LookingTools(home), ProvingTools(home), RunningTools(home)
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    looks: tuple[Callable[..., dict[str, Any]], ...] = (
        looking.list,
        looking.show,
        looking.history,
        looking.graph,
        proving.validate,
        proving.test_state,
        proving.replay,
        proving.pin,
        proving.coverage,
        proving.cost,
        proving.explore,
    )
    for look in looks:
        server.add_tool(_answering(look), annotations=reads, structured_output=False)
    # What these add is a further execution; with real="aws" they may call anything.
    acts = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)
    act: Callable[..., dict[str, Any]]
    for act in (running.run, running.fork):
        server.add_tool(_answering(act), annotations=acts, structured_output=False)
    _add_resources(server, home)
    return server


def _answering(tool: Callable[..., dict[str, Any]]) -> Callable[..., CallToolResult]:
    """The tool with its answer, or its error, as compact JSON."""

    @wraps(tool)
    def answer(*args: Any, **arguments: Any) -> CallToolResult:
        try:
            return _result(tool(*args, **arguments))
        except AslError as error:
            return _result(failure(error), is_error=True)

    answer.__annotations__ = {**tool.__annotations__, "return": CallToolResult}
    return answer


def _result(answer: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=compact(answer))], is_error=is_error)


def _add_resources(server: MCPServer[Any], home: AgentProject) -> None:
    @server.resource("asl://definitions", mime_type="application/json")
    def definitions() -> str:
        """The project's definitions, by their paths."""
        return compact(home.definitions())

    @server.resource("asl://definitions/{+path}", mime_type="application/json")
    def definition(path: str) -> str:
        """The text of a definition, as it runs."""
        try:
            return home.read(path).source.text
        except AslError as error:
            raise ResourceNotFoundError(compact(failure(error))) from None

    @server.resource("asl://docs/language", mime_type="text/markdown")
    def language() -> str:
        """What of the language runs, field by field."""
        found = next((page for page in LANGUAGE if page.is_file()), None)
        if found is None:
            raise ResourceNotFoundError("docs/language.md is not installed")
        return found.read_text(encoding="utf-8")

    @server.resource("asl://prices", mime_type="application/json")
    def prices() -> str:
        """AWS's prices that cost reckons with, each with its source."""
        return compact(prices_json(price_table()))
