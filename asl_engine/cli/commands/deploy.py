"""``asl deploy``: the same JSON on AWS Step Functions."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from asl_engine.arn import ALLOWED_IN_ALIASES, is_alias_name, is_role
from asl_engine.cli import options
from asl_engine.cli.output import clean, confirmed, err, out, pretty_json
from asl_engine.cloud.client import connect
from asl_engine.cloud.deploy.aliases import Shift
from asl_engine.cloud.deploy.changes import Changes
from asl_engine.cloud.deploy.deployment import Order, deploy, destroy, move_alias, prepare_functions
from asl_engine.cloud.deploy.settings import checked_weight, read_settings, with_own_concurrency
from asl_engine.errors import InvalidInput
from asl_engine.language.document import DefinitionSource, load_source
from asl_engine.limits import MAX_NAME_LENGTH
from asl_engine.project.checking import check_tasks
from asl_engine.project.definitions import NOTHING, Substituting, read_machine
from asl_engine.project.inputs import STDIN, machine_name, split_reference
from asl_engine.project.lookup import project_of
from asl_engine.project.tasks import imported_tasks

if TYPE_CHECKING:
    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.deployment import Outcome
    from asl_engine.resources.python.registry import Registry

__all__ = ["Deployment", "command", "deploy_command", "order_for", "registered"]

INTERRUPTED = 130


def command(
    *,
    definition: options.Definition,
    name: options.MachineName = None,
    region: options.Region = None,
    profile: options.Profile = None,
    endpoint_url: options.EndpointUrl = None,
    role: options.Role = None,
    type_: options.MachineType = None,
    with_functions: options.WithFunctions = False,
    alias: options.Alias = None,
    weight: Annotated[
        int | None,
        typer.Option(
            "--weight", metavar="N", help="Give the new version only N per cent of the alias's executions."
        ),
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Move the whole alias to the newer of its versions.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Move the whole alias to the previous version.")
    ] = False,
    alarm: Annotated[
        list[str] | None,
        typer.Option("--alarm", metavar="NAME", help="Move the alias back if this CloudWatch alarm goes off."),
    ] = None,
    check: Annotated[
        str | None,
        typer.Option("--check", metavar="COMMAND", help="Move the alias back if this command fails."),
    ] = None,
    watch: Annotated[
        int, typer.Option("--watch", metavar="SECONDS", help="How long to watch the alarms. Default: 60")
    ] = 60,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Delete what deployments of this machine have made at this endpoint.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --destroy: do not ask.")] = False,
    json: options.AsJson = False,
) -> int:
    """Deploy a state machine to AWS Step Functions, or bring what is deployed up to date.

    Exit codes: 0 deployed, or nothing to change; 1 the alias was moved back; 2 refused.
    """
    return deploy_command(
        Deployment(
            definition=definition,
            name=name,
            region=region,
            profile=profile,
            endpoint=endpoint_url,
            role=role,
            type=type_,
            with_functions=with_functions,
            alias=alias,
            weight=weight,
            promote=promote,
            rollback=rollback,
            alarms=tuple(alarm or ()),
            check=check,
            watch=watch,
            dry_run=dry_run,
            destroy=destroy,
            yes=yes,
            json=json,
            substituting=Substituting(tuple(substitute or ()), substitutions),
        )
    )


class Deployment(NamedTuple):
    """The arguments of the command."""

    definition: str
    name: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    role: str | None = None
    type: str | None = None
    with_functions: bool = False
    alias: str | None = None
    weight: int | None = None
    promote: bool = False
    rollback: bool = False
    alarms: tuple[str, ...] = ()
    check: str | None = None
    watch: int = 60
    dry_run: bool = False
    destroy: bool = False
    yes: bool = False
    json: bool = False
    substituting: Substituting = NOTHING


def deploy_command(given: Deployment) -> int:
    """Deploy, move an alias, or destroy.  Returns the exit code."""
    _check_options(given)
    order = order_for(given)
    settings = order.settings
    aws = connect(
        given.region or settings.region,
        given.profile or settings.profile,
        settings.role,
        endpoint=given.endpoint,
        start=order.project.root,
    )
    try:
        if given.destroy:
            return _destroy(aws, order, given)
        if given.rollback or (given.promote and given.weight is None):
            return _move(aws, order, given)
        return _deploy(aws, order, given)
    except KeyboardInterrupt:
        err("interrupted: what has been done stays; run the same command again to continue")
        return INTERRUPTED


def _check_options(given: Deployment) -> None:
    checked_weight(given.weight)
    if given.watch < 0:
        raise InvalidInput(f"--watch {given.watch}: it is a number of seconds")
    if given.promote and given.rollback:
        raise InvalidInput("--promote and --rollback exclude each other")
    if given.destroy and (given.promote or given.rollback or given.weight is not None):
        raise InvalidInput("--destroy deletes everything: leave out --weight, --promote and --rollback")


def _check_settings(given: Deployment) -> None:
    """Raises ``InvalidInput`` for what AWS would refuse when the machine is there already."""
    if given.role is not None and not is_role(given.role):
        raise InvalidInput(f"--role {given.role}: it is a role's ARN, as in arn:aws:iam::123456789012:role/name")
    if given.type not in {None, "STANDARD", "EXPRESS"}:
        raise InvalidInput(f"--type {given.type}: it is STANDARD or EXPRESS")
    if given.alias is not None and not is_alias_name(given.alias):
        raise InvalidInput(f"--alias {given.alias!r}: an alias's name has {ALLOWED_IN_ALIASES}")


def order_for(given: Deployment) -> Order:
    """What to deploy, from the file, the options and the project.  Raises ``AslError``."""
    _check_settings(given)
    start = Path.cwd() if given.definition == STDIN else Path(given.definition).absolute()
    project = project_of(start)
    settings = read_settings(project)
    settings = settings._replace(
        role=given.role or settings.role,
        type=given.type or settings.type,
        alias=given.alias or settings.alias,
    )
    if given.name is None and given.definition == STDIN:
        raise InvalidInput("a definition from the standard input has no name: give --name NAME")
    named = None
    read = DefinitionSource("", given.definition)
    if not given.destroy or split_reference(given.definition)[1] is not None:
        machine = read_machine(given.definition, given.substituting, project, lenient=given.destroy)
        read, named = machine.source, machine.name
        if machine.express and given.type is None:
            settings = settings._replace(type="EXPRESS")
    name = _checked_name(given, named)
    if settings.alias is None and (given.weight is not None or given.promote or given.rollback or given.alarms):
        raise InvalidInput("--weight, --promote, --rollback and --alarm need an alias: give --alias NAME")
    if settings.alias is None and given.check is not None:
        raise InvalidInput("--check decides whether an alias stays where it is moved: give --alias NAME")
    shift = None
    if settings.alias is not None:
        shift = Shift(settings.alias, given.weight, given.alarms, given.check, given.watch, given.promote)

    def check(text: str) -> None:
        machine = load_source(read._replace(text=text))
        check_tasks(read, machine.resources)  # as it was written: what its placeholders stand for is not known

    order = Order(name, read.text, read.name, project, settings, check, shift=shift)
    if given.with_functions and not given.destroy:
        registry = registered(order)
        order = prepare_functions(order._replace(settings=with_own_concurrency(settings, registry)), registry)
    return order


def _checked_name(given: Deployment, named: str | None) -> str:
    """The state machine's name; ``named`` is what its file calls it.  Raises ``InvalidInput``."""
    allowed = f"1 to {MAX_NAME_LENGTH} of the characters A-Z a-z 0-9 . - _"
    name = given.name or named or machine_name(given.definition)
    # Step Functions allows more, but roles and tags, which have the name in theirs, do not.
    if re.fullmatch(rf"[A-Za-z0-9_.-]{{1,{MAX_NAME_LENGTH}}}", name):
        return name
    if given.name is None:
        raise InvalidInput(
            f"{given.definition}: {name!r} cannot be deployed under this name: give --name, of {allowed}"
        )
    raise InvalidInput(f"--name {name!r}: a name has {allowed}")


def registered(order: Order) -> Registry:
    """The project's task callables."""
    return imported_tasks(order.project)


def _deploy(aws: Aws, order: Order, given: Deployment) -> int:
    """Announce the changes, then make them."""
    say = out if given.dry_run and not given.json else err
    planned = deploy(aws, order, Changes(apply=False, tell=say, pause=time.sleep))
    for note in planned.notes:
        err(f"note: {clean(note)}")
    guarded = order.shift is not None and bool(order.shift.alarms or order.shift.check)
    if given.dry_run or not (planned.changes or guarded):
        if not planned.changes:
            err(f"{order.name}: nothing to change in {aws.place}")
        return _report(planned, given)
    err(f"deploying {order.name} to {aws.place}")
    changes = Changes(apply=True, tell=lambda line: err(f"  {clean(line)}"), pause=time.sleep)
    done = deploy(aws, order, changes, planned.seen)
    return _report(done, given)


def _report(outcome: Outcome, given: Deployment) -> int:
    """Write the ARN to start executions with to stdout: the alias's, or the machine's."""
    if given.json:
        shown = {
            "stateMachineArn": outcome.machine,
            "stateMachineVersionArn": outcome.version,
            "stateMachineAliasArn": outcome.alias,
            "changes": [change.partition("\n")[0] for change in outcome.changes],
            "notes": list(outcome.notes),
        }
        out(pretty_json(shown))
    elif not given.dry_run:
        out(outcome.alias or outcome.machine)
    return 0


def _move(aws: Aws, order: Order, given: Deployment) -> int:
    assert order.settings.alias is not None  # noqa: S101  order_for has looked
    changes = Changes(apply=not given.dry_run, tell=err, pause=time.sleep)
    move_alias(aws, order.name, order.settings.alias, changes, back=given.rollback)
    if not changes.done:
        err(f"the alias {order.settings.alias} already leads there: nothing is changed")
    return 0


def _destroy(aws: Aws, order: Order, given: Deployment) -> int:
    """Show what will be deleted, ask, then delete it."""
    planned = Changes(apply=False, tell=out if given.dry_run else err, pause=time.sleep)
    destroy(aws, order.name, order.owner, planned)
    if not planned.done:
        err(f"{order.name}: there is nothing to delete in {aws.place}")
        return 0
    if given.dry_run:
        return 0
    if not given.yes and not confirmed(f"delete this in {aws.place}?", "--destroy"):
        err("nothing is deleted")
        return 2
    changes = Changes(apply=True, tell=_silent, pause=time.sleep)
    destroy(aws, order.name, order.owner, changes)
    err(f"{order.name} is deleted in {aws.place}; running executions end at their next transition")
    return 0


def _silent(_line: str) -> None:
    """Write nothing: the changes were shown before the confirmation."""
