"""``asl import``: bring an execution home that has run on AWS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.arn import is_arn
from asl_engine.cli import options
from asl_engine.cli.commands.remote.executions import Where, execution_arn
from asl_engine.cli.lookup import command_for
from asl_engine.cli.output import counted, err, out, pretty_json
from asl_engine.cli.shapes import describe_execution
from asl_engine.cloud.answers import AwsAnswers, answers_in, ask, ask_for_children
from asl_engine.core.apply import fold
from asl_engine.engine.effects import local_identity
from asl_engine.errors import ExecutionAlreadyExists, InvalidInput
from asl_engine.lab.importing import (
    BroughtHome,
    brought_home,
    check_described,
    keep_imported,
)
from asl_engine.language.document import load_source
from asl_engine.language.loader import load
from asl_engine.limits import NO_LIMITS
from asl_engine.project.definitions import Substituting, read_definition
from asl_engine.project.inputs import checked_name, machine_name
from asl_engine.project.lookup import database, opened, project_of
from asl_engine.projections.told import identity_of, told_history
from asl_engine.store.records import Child
from asl_engine.store.run_options import NO_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asl_engine.cloud.answers import ChildAnswers
    from asl_engine.core.execution import Identity
    from asl_engine.core.machine import StateMachine
    from asl_engine.language.document import DefinitionSource
    from asl_engine.store.run_options import RunOptions

__all__ = ["command"]


def command(
    *,
    source: Annotated[
        str, typer.Argument(metavar="ARN|FILE", help="An execution's ARN on AWS, or a file with its history.")
    ],
    definition: Annotated[
        str | None,
        typer.Option(
            "--definition", metavar="FILE", help="The definition that it ran. Default: what AWS says, or the file"
        ),
    ] = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    description: Annotated[
        str | None,
        typer.Option(
            "--description", metavar="FILE", help="What DescribeExecution answers, where the history is a file."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", metavar="NAME", help="Its name, where a file does not tell it. Default: the file's"
        ),
    ] = None,
    children: Annotated[bool, typer.Option("--children", help="Bring the children of its Map Runs too.")] = False,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    db: options.Db = None,
    json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Bring home an execution that ran on AWS: then it is shown, replayed, forked and redriven as one of here."""
    given = None
    if definition is not None:
        given = read_definition(definition, Substituting(tuple(substitute or ()), substitutions))
    if is_arn(source):
        if description is not None or name is not None:
            raise InvalidInput("--description and --name are for a history in a file")
        found, kin = _ask(Where(region, profile, endpoint_url), source, children=children)
    elif children:
        raise InvalidInput("--children: a file has no children; give the ARN of the execution")
    else:
        found, kin = answers_in(source, description), []
    machine = _machine(found, given)
    history = told_history(found.events, source)
    if "executionArn" in found.described:
        identity = identity_of(found.described, history[0])
    else:
        identity = _made_up(definition, name or machine_name(source), history[0].at)
    how = NO_OPTIONS if definition is None else NO_OPTIONS._replace(definition=Path(definition).absolute())
    imported = [brought_home(machine, identity, history, how)]
    check_described(found.described, imported[0], description or source)
    imported += [_child(child, machine, how) for child in kin]
    target = database(db)
    try:
        asyncio.run(_keep(target, machine, imported))
    except ExecutionAlreadyExists:
        raise ExecutionAlreadyExists(f"the execution {identity.arn} is in {target} already") from None
    _report(imported, target, as_json=json, quiet=quiet)
    return 0


def _ask(where: Where, arn: str, *, children: bool) -> tuple[AwsAnswers, list[ChildAnswers]]:
    aws = where.connect()
    found = ask(aws, execution_arn(aws, arn, None))
    if not children:
        return found, []
    started = (event["mapRunStartedEventDetails"] for event in found.events if event["type"] == "MapRunStarted")
    return found, [*ask_for_children(aws, [details["mapRunArn"] for details in started])]


def _machine(found: AwsAnswers, given: DefinitionSource | None) -> StateMachine:
    """The machine of the definition that is given, or that the answers have."""
    if given is not None:
        return load_source(given, NO_LIMITS)
    if found.definition is None:
        raise InvalidInput("the answers do not have the definition: name its file with --definition")
    return load(found.definition, "the recorded definition", NO_LIMITS)


def _made_up(definition: str | None, name: str, started_at: int) -> Identity:
    """Who an execution is whose description nobody has kept: one of this project's account."""
    project = project_of(Path.cwd())
    machine = "imported" if definition is None else machine_name(definition)
    return local_identity(project.region, project.account, machine, checked_name(name), started_at)


def _child(child: ChildAnswers, machine: StateMachine, how: RunOptions) -> BroughtHome:
    described, events, _ = child.answers
    history = told_history(events, described["executionArn"])
    belongs = Child(child.map_run, child.number, child.items)
    return brought_home(machine, identity_of(described, history[0]), history, how, belongs)


async def _keep(db: Path, machine: StateMachine, imported: Sequence[BroughtHome]) -> None:
    async with opened(db, create=True) as store:
        await keep_imported(store, machine, imported)


def _report(imported: Sequence[BroughtHome], db: Path, *, as_json: bool, quiet: bool) -> None:
    parent, *children = imported
    execution = fold(parent.record.identity, parent.log)
    name = execution.identity.name
    out(pretty_json(describe_execution(execution)) if as_json else name)
    if quiet:
        return
    with_children = f" and {counted(len(children), 'child execution')}" if children else ""
    see = command_for("history", name, db)
    err(f"imported {counted(execution.history_length, 'event')}{with_children}: {execution.status}  ({see})")
    if differing := sum(one.differing for one in imported):
        err(f"the data of {counted(differing, 'event')} are AWS's: the definition makes others here")
