"""One deployment from end to end: what is wanted, how it differs from what is there, and the changes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.arn import Arn, last_part, role_arn, unqualified
from asl_engine.cloud.client import AwsError, explained, is_lacking
from asl_engine.cloud.deploy.account import AwsAccount
from asl_engine.cloud.deploy.aliases import Shift, promoted, rolled_back, routes_of, set_routes, shift
from asl_engine.cloud.deploy.bundle import build, handler_name
from asl_engine.cloud.deploy.changes import pages
from asl_engine.cloud.deploy.functions import (
    WantedFunction,
    converge_function,
    deployed_name,
    leftover_functions,
    remove_functions,
)
from asl_engine.cloud.deploy.grants import Grant
from asl_engine.cloud.deploy.machines import (
    Deployed,
    WantedMachine,
    converge,
    difference,
    look_at,
    settings_of,
    tags_of,
    validate_there,
    versions_of,
)
from asl_engine.cloud.deploy.policy import document_of, grants
from asl_engine.cloud.deploy.roles import (
    LAMBDA_SERVICE,
    MACHINE_TAG,
    PROJECT_TAG,
    STATES_SERVICE,
    delete_role,
    ensure_role,
    is_ours,
    log_grants,
    marked,
    role_name,
)
from asl_engine.cloud.deploy.settings import function_settings
from asl_engine.cloud.deploy.wiring import (
    functions_named,
    is_json,
    locate,
    placeholders_for,
    refuse_unfilled,
    wire,
)
from asl_engine.errors import Parameter
from asl_engine.json_text import JsonSyntaxError, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from asl_engine.cloud.client import Aws
    from asl_engine.cloud.deploy.bundle import Bundle
    from asl_engine.cloud.deploy.changes import Changes
    from asl_engine.cloud.deploy.settings import Settings
    from asl_engine.project.configuration import Project
    from asl_engine.resources.python.registry import Registry

__all__ = ["Order", "Outcome", "deploy", "destroy", "move_alias", "prepare_functions", "settings_grants"]


class Order(NamedTuple):
    """What to deploy.

    ``text`` is the definition in JSON, its placeholders filled except those that only a deployment can fill.
    ``functions`` are those deployed with the machine, None for none; ``check`` validates the completed
    definition, and raises ``DefinitionError``.
    """

    name: str
    text: str
    source: str
    project: Project
    settings: Settings
    check: Callable[[str], None]
    functions: Packaged | None = None
    shift: Shift | None = None

    @property
    def owner(self) -> dict[str, str]:
        return {PROJECT_TAG: self.settings.project, MACHINE_TAG: self.name}


class Packaged(NamedTuple):
    """``tasks`` are named as in the definition; ``placeholders`` maps those that stand for one to its name."""

    tasks: tuple[str, ...]
    placeholders: dict[str, str]
    bundle: Bundle


class Outcome(NamedTuple):
    """The result of a deployment, or of the plan for one.

    ``version`` and ``alias`` are ARNs, None if there is none (yet); ``seen`` is the machine as it was before.
    """

    machine: str
    version: str | None
    alias: str | None
    definition: str
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    seen: Deployed | None


def prepare_functions(order: Order, registry: Registry) -> Order:
    """The order with the functions that its tasks name and the project has callables for.

    Raises ``AwsError`` where there are none, ``DefinitionError`` for a text that is not JSON.
    """
    if not is_json(order.text):
        order.check(order.text)
    placeholders = placeholders_for(order.text, lambda stem: _task_called(registry, stem))
    tasks = [*functions_named(order.text, registry.find), *placeholders.values()]
    if not tasks:
        raise AwsError(
            f"{order.source}: ",
            Parameter("with_functions"),
            ": it names no function that the project has a task callable for; "
            f"there are {', '.join(registry) or 'none'}",
        )
    bundle = build(order.project, order.settings)
    return order._replace(functions=Packaged(tuple(dict.fromkeys(tasks)), placeholders, bundle))


def _task_called(registry: Registry, stem: str) -> str | None:
    return next((name for name in registry if name.lower().replace("_", "").replace("-", "") == stem), None)


def deploy(aws: Aws, order: Order, changes: Changes, seen: Deployed | None = None) -> Outcome:
    """Make the changes, or only announce them while ``changes`` applies nothing.

    ``seen`` is the machine as it was when the changes were announced.  Raises ``AwsError``, and
    ``DefinitionError`` for a definition that is refused before anything is written.
    """
    check_place(aws, order)
    arn = aws.machine_arn(order.name)
    text = locate(order.text, aws.region, aws.account)
    deployed = look_at(aws, arn)
    owned = deployed is None or is_ours(tags_of(aws, arn), order.owner)
    predicted = _with_arns(aws, order, text)
    refuse_unfilled(predicted, order.source)
    order.check(predicted)
    notes = validate_there(aws, predicted, order.settings.type, order.source)
    if order.functions is not None:
        predicted = _deploy_functions(aws, order, changes, text)
    needed = _grants(aws, order, predicted)
    if order.settings.role is None and owned:
        if aws.beside("iam"):
            notes += [f"policy: {grant.note}" for grant in needed if grant.note]
        else:
            notes.append(
                f"no role is made: there is no IAM at {aws.url}, and the machine gets a role in name only"
            )
    role = _role(aws, order, changes, predicted, needed=needed, deployed=deployed, owned=owned)
    wanted = WantedMachine(order.name, predicted, role, order.settings.type, settings_of(order.settings))
    version = converge(aws, changes, wanted, deployed, owner=order.owner, seen=seen)
    if version is not None:  # only the answer names the account of an endpoint that is not AWS's for certain
        arn = unqualified(version)[0]
    if changes.apply and changes.done:
        _wait(aws, changes, arn, wanted)
    alias = None
    if order.shift is not None:
        alias = f"{arn}:{order.shift.alias}"
        if version is None:
            changes.write(f"move the alias {order.shift.alias} to the new version", lambda: None)
        else:
            shift(aws, changes, arn, version, order.shift)
    return Outcome(arn, version, alias, predicted, tuple(changes.done), tuple(notes), deployed)


def check_place(aws: Aws, order: Order) -> None:
    """Refuse what would reach beyond the endpoint of Step Functions, or its account.  Raises ``AwsError``."""
    settings, role = order.settings, Parameter("role")
    if order.functions is not None and not aws.beside("lambda"):
        raise AwsError(
            f"Step Functions is at {aws.url}, and Lambda is not: no function that is deployed there would belong "
            "to this machine. Leave ",
            Parameter("with_functions"),
            " out (`asl serve` calls the project's callables by itself), or set AWS_ENDPOINT_URL_LAMBDA",
        )
    makes_role = settings.role is None or (order.functions is not None and settings.function_role is None)
    if makes_role and (aws.is_aws or order.functions is not None) and not aws.beside("iam"):
        raise AwsError(
            f"Step Functions is at {aws.url}, and IAM is not: no role is made there. Give ",
            role,
            ", and `function-role` of [tool.asl.deploy] for the functions, or set AWS_ENDPOINT_URL_IAM",
        )
    if order.shift is not None and order.shift.alarms and not aws.beside("cloudwatch"):
        raise AwsError(
            f"Step Functions is at {aws.url}, and CloudWatch is not: its alarms know nothing of it. Leave ",
            Parameter("alarm"),
            " out, or set AWS_ENDPOINT_URL_CLOUDWATCH",
        )
    for given in (settings.role, settings.function_role):
        if aws.is_aws and given is not None and Arn.of(given).account != aws.account:
            raise AwsError(
                f"the role {given} belongs to another account than the credentials do ({aws.account}): "
                "use the credentials of that account, or a role of this one"
            )


def _with_arns(aws: Aws, order: Order, text: str) -> str:
    """The text with the unqualified ARNs of the functions, which are known before they are deployed."""
    if order.functions is None:
        return text
    arns = {task: aws.function_arn(deployed_name(order.name, task)) for task in order.functions.tasks}
    return wire(text, arns, order.functions.placeholders)


def _deploy_functions(aws: Aws, order: Order, changes: Changes, text: str) -> str:
    """Deploy the functions.  Returns the text with the ARNs of their versions."""
    packaged, settings = order.functions, order.settings
    assert packaged is not None  # noqa: S101  the caller has looked
    role = settings.function_role or ensure_role(
        aws,
        changes,
        role_name(order.name, aws.region, "-functions"),
        service=LAMBDA_SERVICE,
        policy=document_of(log_grants(f"arn:{aws.partition}:logs:{aws.region}:{aws.account}", order.name)),
        owner=marked(aws, order.owner),
        narrow=True,
    )
    arns = {}
    for task in packaged.tasks:
        own = function_settings(settings, task)
        wanted = WantedFunction(
            name=deployed_name(order.name, task),
            task=task,
            handler=handler_name(task),
            role=role,
            runtime=settings.runtime,
            architecture=own.architecture or settings.architecture,
            settings=own,
            bundle=packaged.bundle,
        )
        arns[task] = converge_function(aws, changes, wanted, marked(aws, order.owner))
    return wire(text, arns, packaged.placeholders)


# -- the machine's role -------------------------------------------------------------------------------


def _role(
    aws: Aws,
    order: Order,
    changes: Changes,
    text: str,
    *,
    needed: list[Grant],
    deployed: Deployed | None,
    owned: bool,
) -> str:
    """The given role, or else one made here; a machine that somebody else made keeps its own.

    Without IAM beside Step Functions nothing assumes the role, and its name is enough.
    """
    if order.settings.role is not None:
        return order.settings.role
    if deployed is not None and not owned:
        return deployed.role
    if not aws.beside("iam"):
        return role_arn(aws.region, aws.account) if deployed is None else deployed.role
    name = role_name(order.name, aws.region)
    changed = deployed is None or deployed.definition != text
    if deployed is not None:
        # Running executions, and versions with an alias, still need the permissions they had.
        for definition in _definitions_in_use(aws, deployed):
            needed = [*needed, *_grants(aws, order, definition)]
    return ensure_role(
        aws,
        changes,
        name,
        service=STATES_SERVICE,
        policy=document_of(needed),
        owner=marked(aws, order.owner),
        narrow=changed,
    )


def _definitions_in_use(aws: Aws, deployed: Deployed) -> list[str]:
    """The definition that is deployed, and those of other versions that an alias leads to."""
    found = [deployed.definition]
    for version in _aliased_versions(aws, deployed.arn):
        shown = look_at(aws, version)
        if shown is not None:
            found.append(shown.definition)
    return list(dict.fromkeys(found))


def _aliases(aws: Aws, arn: str) -> list[str]:
    """The ARNs of a machine's aliases; none where the endpoint has none."""
    from botocore.exceptions import ClientError

    with explained(f"list the aliases of {arn}"):
        try:
            return [
                one["stateMachineAliasArn"]
                for page in pages(partial(aws.states.list_state_machine_aliases, stateMachineArn=arn))
                for one in page["stateMachineAliases"]
            ]
        except ClientError as error:
            if is_lacking(error):
                return []
            raise


def _aliased_versions(aws: Aws, arn: str) -> list[str]:
    return list(
        dict.fromkeys(version for alias in _aliases(aws, arn) for version, _ in routes_of(aws, alias) or ())
    )


def _grants(aws: Aws, order: Order, text: str) -> list[Grant]:
    """The permissions that a definition needs, and those of logging and tracing."""
    ours = order.functions.tasks if order.functions else ()
    functions = frozenset(aws.function_arn(deployed_name(order.name, task)) for task in ours)
    place = AwsAccount(aws.partition, aws.region, aws.account, order.name, functions)
    try:
        document: Any = loads(text)
    except JsonSyntaxError:  # what somebody else has deployed
        return []
    return [*grants(document, place), *settings_grants(order.settings)]


def settings_grants(settings: Settings) -> list[Grant]:
    """The permissions that logging and tracing need; AWS grants them on all resources only."""
    actions = [f"logs:{action}" for action in _LOG_ACTIONS] if settings.logging is not None else []
    actions += [f"xray:{action}" for action in _TRACE_ACTIONS] if settings.tracing else []
    return [Grant(action, "*") for action in actions]


_LOG_ACTIONS = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)
_TRACE_ACTIONS = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")


def _wait(aws: Aws, changes: Changes, arn: str, wanted: WantedMachine) -> None:
    """Wait until AWS shows what was written: creating and updating are eventually consistent."""

    def ready() -> bool:
        shown = look_at(aws, arn)
        return shown is not None and shown.status == "ACTIVE" and not difference(wanted, shown)

    changes.wait_until(f"the state machine {wanted.name} is live", ready)


# -- alone: the alias, and the end --------------------------------------------------------------------


def move_alias(aws: Aws, name: str, alias: str, changes: Changes, *, back: bool) -> None:
    """Move an alias between existing versions: to the newer one, or ``back``."""
    arn = aws.machine_arn(name)
    current = routes_of(aws, f"{arn}:{alias}")
    if current is None:
        raise AwsError(f"the state machine {name} has no alias {alias} in {aws.area}")
    wanted = rolled_back(aws, arn, current) if back else promoted(current)
    set_routes(aws, changes, f"{arn}:{alias}", wanted, current)


def destroy(aws: Aws, name: str, owner: dict[str, str], changes: Changes) -> None:
    """Delete what deployments of this machine have made at this endpoint: aliases, machine, functions, roles.

    Each is looked up by itself, so that an interrupted run can be repeated.  Resources with other tags are left
    alone, and Lambda and IAM are called only if they are beside Step Functions.
    """
    arn = aws.machine_arn(name)
    deployed = look_at(aws, arn)
    if deployed is not None and not is_ours(tags_of(aws, arn), owner):
        raise AwsError(
            f"the state machine {name} has not been made by this project ({PROJECT_TAG} = {owner[PROJECT_TAG]}): "
            "nothing is deleted"
        )
    if deployed is not None and deployed.status != "DELETING":
        for alias in _aliases(aws, arn):
            changes.write(
                f"delete the alias {last_part(alias)}",
                partial(aws.states.delete_state_machine_alias, stateMachineAliasArn=alias),
            )
        numbers = versions_of(aws, arn)
        versions = f" and its {len(numbers)} version{'s' if len(numbers) > 1 else ''}" if numbers else ""
        changes.write(
            f"delete the state machine {name}{versions}",
            lambda: aws.states.delete_state_machine(stateMachineArn=arn),
        )
    owner = marked(aws, owner)
    if aws.beside("lambda"):
        remove_functions(aws, changes, leftover_functions(aws, name, owner))
    if aws.beside("iam"):
        delete_role(aws, changes, role_name(name, aws.region), owner)
        delete_role(aws, changes, role_name(name, aws.region, "-functions"), owner)
