"""``asl cost``: what an execution costs on AWS, as Standard, as Express and as a Lambda durable function."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from asl_engine.cli import options
from asl_engine.cli.lookup import find_one
from asl_engine.cli.output import err, out, pretty_json, table, write_file
from asl_engine.costing.cost import cost_json, cost_of, prices_json
from asl_engine.costing.gathering import function_table, logs_of, run_definition
from asl_engine.costing.models import Pricing
from asl_engine.costing.prices import price_table
from asl_engine.costing.report import (
    comparison_tables,
    cost_markdown,
    cost_tables,
    foot_lines,
    price_rows,
    title_line,
)
from asl_engine.errors import ExecutionDoesNotExist, InvalidInput, Parameter, ProjectError
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.language.placeholders import placeholders, short_forms
from asl_engine.project.definitions import Substituting, given_values, read_machine
from asl_engine.project.inputs import is_there, read_input, read_text, split_reference
from asl_engine.project.limits import limits_of
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.testing.answers import returns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.costing.cost import Cost
    from asl_engine.costing.prices import PriceTable
    from asl_engine.project.definitions import GivenMachine
    from asl_engine.store.records import Record
    from asl_engine.testing.executions import ExecutionLog

__all__ = ["command"]

STDOUT = "-"
SUFFIXES = (".json", ".yaml", ".yml")


def command(
    *,
    subject: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXECUTION|DEFINITION]", help="A past execution; or a definition, which is run for it."
        ),
    ] = None,
    given: options.Input = None,
    mock: options.Mock = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            "--task",
            metavar="NAME=JSON",
            help="With a definition: what a state, function or resource answers. Repeatable.",
        ),
    ] = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    executions: Annotated[
        int, typer.Option("--executions", metavar="N", help="How many executions there are in a month.")
    ] = 1_000_000,
    function: Annotated[
        list[str] | None,
        typer.Option(
            "--function",
            metavar="NAME=DURATION[,MB]",
            help="How long a Lambda function takes, and its memory; * for the others. Repeatable.",
        ),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option("--price", metavar="NAME=USD", help="Another price than the table's. Repeatable."),
    ] = None,
    prices: Annotated[
        bool, typer.Option("--prices", help="Show the table of prices, with their sources, and nothing else.")
    ] = False,
    no_free_tier: Annotated[
        bool, typer.Option("--no-free-tier", help="Leave AWS's free units of a month out: others use them up.")
    ] = False,
    markdown: Annotated[
        str | None, typer.Option("--markdown", metavar="FILE|-", help="Write a report for a pull request.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare with other memory, architecture, and batches of items.")
    ] = False,
    batch: Annotated[
        int, typer.Option("--batch", metavar="N", help="With --compare: how many items there are in a batch.")
    ] = 10,
    db: options.Db = None,
    json: options.AsJson = False,
) -> int:
    """Show what a run costs on AWS as Standard, Express or a durable function, and which quotas it heads for."""
    priced = price_table().with_given(price or ())
    if prices:
        _tell_prices(priced, as_json=json)
        return 0
    if subject is None:
        raise InvalidInput("name an execution or a definition; --prices shows the prices alone")
    if executions < 1:
        raise InvalidInput(f"--executions {executions}: it is at least 1")
    if batch < 1:
        raise InvalidInput(f"--batch {batch}: it is at least 1")
    at_once = batch if compare else None
    pricing = Pricing(priced, executions, free_tier=not no_free_tier)
    running = (given, mock, task, substitute, substitutions)
    if _is_definition(subject):
        request = PricedRun(
            subject, given, mock, tuple(task or ()), Substituting(tuple(substitute or ()), substitutions)
        )
        cost = _of_definition(request, function or (), pricing, at_once)
    elif any(one is not None for one in running):
        raise InvalidInput(
            "--input, --mock, --task, --substitute and --substitutions are about a definition, and "
            f"there is no file {subject}"
        )
    else:
        cost = _of_execution(database(db), subject, function or (), pricing, at_once)
    if markdown is not None and markdown != STDOUT:
        write_file(markdown, cost_markdown(cost))
        err(f"the report is in {markdown}")
    if markdown == STDOUT:
        out(cost_markdown(cost).rstrip())
    elif json:
        out(pretty_json(cost_json(cost)))
    else:
        _tell(cost)
    return 0


class PricedRun(NamedTuple):
    """A definition to run, with its input and its stand-ins, as they were given."""

    definition: str
    input: str | None
    mock: str | None
    tasks: tuple[str, ...]
    substituting: Substituting


def _is_definition(subject: str) -> bool:
    return subject == STDOUT or subject.endswith(SUFFIXES) or is_there(Path(subject))


def _of_definition(request: PricedRun, functions: Sequence[str], pricing: Pricing, batch: int | None) -> Cost:
    path = Path(request.definition).absolute()
    project = project_of(path)
    limits = limits_of(project)
    machine = read_machine(request.definition, request.substituting, project, local=True)
    is_file = is_there(path)
    payload = read_input(request.input, limits)
    with redirect_stdout(sys.stderr), _reworded():  # what tasks print does not get into the output
        ran = run_definition(
            path if is_file else machine.source.text,
            payload.value,
            dict(map(_answer, request.tasks)),
            case=request.mock,
            project=str(project.root),
            substitutions=_values(request, machine) if is_file else None,
        )
    if ran.note is not None:
        err(f"{ran.note}; what it costs so far is shown")
    table_of_functions = function_table(project, functions, ran.logs, measured=False)
    return cost_of(ran.logs, ran.status, table_of_functions, pricing, limits, batch=batch)


@contextmanager
def _reworded() -> Iterator[None]:
    """Messages name the option that there is for stand-ins, and none to call AWS: there is none here."""
    try:
        yield
    except ProjectError as error:
        parts: list[str | Parameter] = []
        for part in error.parts:
            if isinstance(part, Parameter) and part.name == "aws":
                parts.pop()  # what leads to it
            else:
                parts.append(Parameter("task") if part == Parameter("tasks") else part)
        raise ProjectError(*parts) from None


def _values(request: PricedRun, machine: GivenMachine) -> dict[str, str]:
    """Those of the given values that the definition has a placeholder for; all for a machine of a template."""
    if split_reference(str(machine.reference))[1] is not None:
        configured = machine.project.substitutions
        return {name: value for name, value in machine.values.items() if configured.get(name) != value}
    text = read_text(request.definition, "the definition")
    values = given_values(request.substituting, text)
    known = {*placeholders(text), *short_forms(text)}
    return {name: value for name, value in values.items() if name in known}


def _answer(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidInput(Parameter("task", text), ': it is NAME=JSON, such as Charge={"ok": true}')
    try:
        return name, returns(loads(value))
    except JsonSyntaxError as error:
        raise InvalidInput(Parameter("task", text), f": {value!r} is not JSON: {error}") from None


def _of_execution(db: Path, text: str, functions: Sequence[str], pricing: Pricing, batch: int | None) -> Cost:
    record, logs = asyncio.run(_load(db, text))
    file = record.options.definition
    project = project_of(file if is_there(file) else Path.cwd())
    imported = record.options.imported
    table_of_functions = function_table(project, functions, logs, measured=True, local=not imported)
    return cost_of(logs, record.status, table_of_functions, pricing, record.options.limits, batch=batch)


async def _load(db: Path, text: str) -> tuple[Record, list[ExecutionLog]]:
    try:
        async with opened(db, reading=True) as store:
            record = await find_one(store, text)
            return record, await logs_of(store, record)
    except ExecutionDoesNotExist as error:
        raise ExecutionDoesNotExist(*error.parts, f"; nor is there a file {text}") from None


def _tell(cost: Cost) -> None:
    out(title_line(cost))
    for one in [*cost_tables(cost), *comparison_tables(cost)]:
        if one.rows:
            out("")
            table(one.columns, one.rows)
    out("")
    for line in foot_lines(cost):
        out(line)


def _tell_prices(priced: PriceTable, *, as_json: bool) -> None:
    if as_json:
        shown: dict[str, Any] = prices_json(priced)
        out(pretty_json(shown))
        return
    out(f"Prices of {priced.date.isoformat()}, {priced.region}, in US dollars")
    out("")
    rows = price_rows(priced)
    table(rows.columns, rows.rows)
