"""``asl graph``: a state machine as a picture, with the path and the states of an execution."""

from __future__ import annotations

import asyncio
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Final

import typer

from asl_engine.cli import options
from asl_engine.cli.output import STDOUT, counted, err, out, write_file, write_rows
from asl_engine.errors import DefinitionError, InvalidInput
from asl_engine.json_text import loads
from asl_engine.language.document import check_source
from asl_engine.project.definitions import Substituting, read_machine
from asl_engine.project.lookup import database

if TYPE_CHECKING:
    from asl_engine.core.machine import StateMachine
    from asl_engine.graph.model import GraphScope
    from asl_engine.graph.overlay import Overlay
    from asl_engine.language.document import DefinitionSource
    from asl_engine.views.account import Account

__all__ = ["command"]

FORMATS: Final = ("text", "svg", "mermaid", "dot")
ENDINGS: Final = {".svg": "svg", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot"}
TEXT_ENDINGS: Final = frozenset({"", ".txt", ".md"})


def command(
    *,
    definition: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEFINITION]",
            help="The state machine: a JSON or YAML file, or TEMPLATE#MACHINE; - for stdin. "
            "Default: that of the execution",
        ),
    ] = None,
    execution: Annotated[
        str | None,
        typer.Option(
            "--execution",
            metavar="EXECUTION",
            help="Mark the path of this execution, and how each state fared.",
            autocompletion=options.complete_execution,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="text|svg|mermaid|dot", help="What to write. Default: as --output ends, or text"
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|-", help="Write to this file. Default: stdout")
    ] = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    db: options.Db = None,
) -> int:
    """Draw a state machine, and what an execution made of it."""
    output = None if output == STDOUT else output
    written = _format(form, output)
    if definition is None and execution is None:
        raise InvalidInput("give a DEFINITION to draw, or an execution with --execution")
    given = None
    if definition is not None:
        values = Substituting(tuple(substitute or ()), substitutions)
        given = read_machine(definition, values, local=True, lenient=True)
    if execution is None:
        assert given is not None  # noqa: S101  checked above
        from asl_engine.graph.model import graph_of

        text = _checked(given.source).text
        _write(graph_of(loads(text)), given.name, None, written, output)
        return 0
    from asl_engine.cli.accounts import find_account
    from asl_engine.views.account import MANY_CHILDREN

    account = asyncio.run(find_account(database(db), execution, MANY_CHILDREN)).account
    if given is not None:
        _check_same(given.source, account)
    from asl_engine.views.marks import execution_graph, execution_overlay, recorded_machine, uncounted_children

    machine = recorded_machine(account)
    graph = execution_graph(account, machine)
    overlay = execution_overlay(account, graph, machine)
    for name, number in uncounted_children(account).items():
        err(f"asl: of the children of {name}, {number:,} are not counted")
    if overlay.uncounted:
        err(
            f"asl: {counted(overlay.uncounted, 'execution')} not counted: only the beginning and the end were kept"
        )
    _write(graph, account.execution.identity.machine_name, overlay, written, output)
    return 0


def _format(form: str | None, output: str | None) -> str:
    if form is None:
        ending = "" if output is None else Path(output).suffix.lower()
        if ending in TEXT_ENDINGS:
            return "text"
        if ending not in ENDINGS:
            known = ", ".join((*ENDINGS, ".txt"))
            raise InvalidInput(f"--output {output}: its ending is none of {known}: name a format with --format")
        return ENDINGS[ending]
    if form not in FORMATS:
        raise InvalidInput(f"--format {form}: it is {', '.join(FORMATS)}")
    return form


def _checked(source: DefinitionSource) -> StateMachine:
    """The machine; a placeholder that has no value is no reason not to draw it.  Raises ``DefinitionError``."""
    machine, findings = check_source(source, unfilled="WARNING")
    if machine is None:
        raise DefinitionError([one for one in findings if one.severity == "ERROR"], source.name)
    return machine


def _check_same(source: DefinitionSource, account: Account) -> None:
    if _checked(source).text != account.definition:
        name = account.execution.identity.name
        raise InvalidInput(
            f"{name} ran another text of {source.name}: leave the DEFINITION out to see the one that it ran"
        )


def _write(graph: GraphScope, name: str, overlay: Overlay | None, form: str, output: str | None) -> None:
    if form == "text":
        _write_text(graph, overlay, output)
        return
    if form == "svg":
        from asl_engine.graph.svg import svg

        text = svg(graph, name, overlay)
    elif form == "mermaid":
        from asl_engine.graph.mermaid import mermaid

        text = mermaid(graph, overlay)
    else:
        from asl_engine.graph.dot import dot

        text = dot(graph, name, overlay)
    if output is None:
        out(text, end="")
    else:
        write_file(output, text)


def _write_text(graph: GraphScope, overlay: Overlay | None, output: str | None) -> None:
    """As a picture where it has room, else as an outline."""
    from asl_engine.graph.outline import outline
    from asl_engine.graph.terminal import drawn

    rows = drawn(graph, get_terminal_size().columns, overlay) or [*outline(graph, overlay)]
    if output is None:
        write_rows(rows)
        return
    lines = ("".join(piece.text for piece in row).rstrip() for row in rows)
    write_file(output, "\n".join(lines) + "\n")
