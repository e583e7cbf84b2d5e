"""Rules of event buses, and schedules, of a template: what PutRule and PutTargets would be given.

"AWS::Events::Rule" and "AWS::Scheduler::Schedule" in the CloudFormation Template Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import event_resource, parse_arn
from asl_engine.errors import AslError
from asl_engine.events.target_kinds import TARGET_MEMBERS, target_kind
from asl_engine.json_text import dumps
from asl_engine.templates.declarations import DeclaredEventRule
from asl_engine.templates.settings import typed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.templates.properties import TemplateResource

__all__ = ["RULE", "SCHEDULE", "declared_rule", "declared_schedule"]

RULE: Final = "AWS::Events::Rule"
SCHEDULE: Final = "AWS::Scheduler::Schedule"
DEFAULT_BUS: Final = "default"
INTEGERS: Final = frozenset({"MaximumEventAgeInSeconds", "MaximumRetryAttempts"})
RUN: Final = "state machines, Lambda functions, SQS queues and event buses"


def declared_rule(resource: TemplateResource) -> DeclaredEventRule:
    """A rule; what it cannot have as a target here is told, and left out."""
    configuration: dict[str, Json] = {"State": resource.text("State", "ENABLED")}
    pattern = resource.get("EventPattern")
    if pattern is not None:
        configuration["EventPattern"] = pattern if isinstance(pattern, str) else dumps(pattern)
        _check_pattern(resource, str(configuration["EventPattern"]))
    schedule = resource.text("ScheduleExpression")
    if schedule:
        configuration["ScheduleExpression"] = schedule
        _check_schedule(resource, schedule)
    if pattern is None and not schedule:
        resource.tell("The rule has neither an EventPattern nor a ScheduleExpression")
    if description := resource.text("Description"):
        configuration["Description"] = description
    targets = dict(_targets(resource))
    return DeclaredEventRule(
        name=resource.name(),
        bus=_bus(resource.text("EventBusName", DEFAULT_BUS)),
        configuration=configuration,
        targets=targets,
        location=resource.location,
        findings=resource.findings,
    )


def declared_schedule(resource: TemplateResource) -> DeclaredEventRule:
    """A schedule of EventBridge Scheduler, as a rule of the default bus with one target."""
    expression = resource.text("ScheduleExpression")
    _check_schedule(resource, expression)
    zone = resource.text("ScheduleExpressionTimezone", "UTC")
    if zone.upper() not in {"UTC", "ETC/UTC", "GMT"} and not expression.startswith("rate"):
        resource.tell_not_run(f"Schedules run in UTC here, not in {zone}", "ScheduleExpressionTimezone")
    for field in ("StartDate", "EndDate"):
        if field in resource:
            resource.tell_not_run(f"{field} has no effect here: the schedule is always on", field)
    configuration = {"State": resource.text("State", "ENABLED"), "ScheduleExpression": expression}
    if description := resource.text("Description"):
        configuration["Description"] = description
    name = resource.name()
    target = _target(resource, resource.table("Target"), "Target")
    return DeclaredEventRule(
        name=name,
        bus=DEFAULT_BUS,
        configuration=configuration,
        targets={} if target is None else {name[:64]: target},
        location=resource.location,
        findings=resource.findings,
    )


def _targets(resource: TemplateResource) -> Iterator[tuple[str, Mapping[str, Json]]]:
    for index, given in enumerate(resource.rows("Targets")):
        place = f"Targets[{index}]"
        if not isinstance(given, dict):
            resource.tell("A target has to be an object", place)
            continue
        target = _target(resource, given, place)
        if target is not None:
            yield str(given.get("Id", f"Target{index}")), target


def _target(resource: TemplateResource, given: Mapping[str, Any], place: str) -> Mapping[str, Json] | None:
    """A target of a rule; None for one that nothing here sends events to."""
    arn = given.get("Arn")
    if not isinstance(arn, str):
        resource.tell("A target has to have an Arn", place)
        return None
    if target_kind(arn) is None and not resource.findings_below(f"{place}/Arn"):
        resource.tell_not_run(f"Events are sent to {RUN} here, and not to {_called(arn)}", f"{place}/Arn")
        return None
    if "EventBridgeParameters" in given:
        where = f"{place}/EventBridgeParameters"
        resource.tell_not_run("No schedule puts events of another DetailType on a bus here", where)
        return None
    members = {name: given[name] for name in TARGET_MEMBERS if given.get(name) is not None}
    if (text := members.get("Input")) is not None and not isinstance(text, str):
        members["Input"] = dumps(text)
    found = typed(members, INTEGERS, (), resource.tell)
    return found if isinstance(found, dict) else {}


def _called(arn: str) -> str:
    """What people call the thing that an ARN names."""
    found = parse_arn(arn)
    if found is None:
        return arn
    return f"{arn} (the universal target)" if found.resource.startswith("aws-sdk:") else arn


def _bus(given: str) -> str:
    """The name of a bus, which may be given by its ARN."""
    found = event_resource(given)
    return given if found is None else found[1]


def _check_pattern(resource: TemplateResource, text: str) -> None:
    from asl_engine.events.language.faults import InvalidEventPattern
    from asl_engine.events.language.patterns import compile_pattern

    try:
        compile_pattern(text)
    except InvalidEventPattern as error:
        for one in error.findings:
            resource.tell(one.message, f"EventPattern{(one.location or '').rstrip('/')}")


def _check_schedule(resource: TemplateResource, text: str) -> None:
    from asl_engine.events.language.schedules import compile_schedule

    if any("ScheduleExpression" in (one.location or "") for one in resource.findings):
        return  # it has no value
    try:
        compile_schedule(text)
    except AslError as error:
        resource.tell(str(error), "ScheduleExpression")
