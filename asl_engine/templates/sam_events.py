"""What SAM makes of the events of functions and state machines: mappings, rules, schedules, subscriptions, routes.

"EventSource" of AWS::Serverless::Function and of AWS::Serverless::StateMachine in the Developer Guide of SAM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.findings import did_you_mean
from asl_engine.templates.event_sources import MEMBERS
from asl_engine.templates.expansion import NOT_RUN_HERE, EventOwner, Expansion
from asl_engine.templates.properties import ResourceProperties
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.sam import FUNCTION, MACHINE, table_of
from asl_engine.templates.sam_apis import HTTP, REST, SamApis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["sam_expansion"]

SUBSCRIPTION: Final = "AWS::SNS::Subscription"
# The properties of a mapping are called as those of its event, but for the owner.
SOURCES: Final = {"SQS": "Queue", "DynamoDB": "Stream", "Kinesis": "Stream"}
MAPPED: Final[tuple[str, ...]] = (*MEMBERS, "MetricsConfig", "ProvisionedPollerConfig")
OF_TARGETS: Final[tuple[str, ...]] = ("Input", "InputPath", "InputTransformer", "RetryPolicy")
SCHEDULED: Final[tuple[str, ...]] = (
    "Description",
    "EndDate",
    "GroupName",
    "Name",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
)
NOT_HERE: Final = (
    "AlexaSkill",
    "CloudWatchLogs",
    "Cognito",
    "DocumentDB",
    "IoTRule",
    "MQ",
    "MSK",
    "SelfManagedKafka",
)


def sam_expansion(document: dict[str, Any]) -> Expansion:
    """The resources that SAM makes of those in a template."""
    into = Expansion()
    _Events(document, into).expand()
    return into


class _Events:
    def __init__(self, document: dict[str, Any], into: Expansion) -> None:
        self._document = document
        self._into = into
        self._apis = SamApis(document, into)

    def expand(self) -> None:
        for logical, resource in table_of(self._document, "Resources").items():
            kind = resource.get("Type") if isinstance(resource, dict) else None
            if kind not in (FUNCTION, MACHINE):
                continue
            own = ResourceProperties(self._document, logical, resource)
            condition = resource.get("Condition")
            arn = {"Ref": logical} if kind == MACHINE else {"Fn::GetAtt": [logical, "Arn"]}
            owner = EventOwner(logical, arn, condition if isinstance(condition, str) else None)
            kinds = MACHINE_EVENTS if kind == MACHINE else FUNCTION_EVENTS
            for name, event in _members(own.get("Events")):
                self._event(name, event, owner, f"{own.place('Events')}/{name}", kinds)
            if kind == FUNCTION and isinstance(own.get("FunctionUrlConfig"), dict):
                self._url(owner, own)
        self._apis.finish()

    def _event(self, name: str, event: Any, owner: EventOwner, place: str, kinds: _Kinds) -> None:
        kind = event.get("Type") if isinstance(event, dict) else None
        kind = str(kind)
        if kind in NOT_HERE:
            message = f"Nothing here runs events of the type {kind}: {owner.logical} is not called by {name}"
            self._into.tell(NOT_RUN_HERE, message, f"{place}/Type")
        elif kind not in kinds:
            known = [*kinds, *NOT_HERE]
            message = f"SAM has no events of the type {kind} there{did_you_mean(kind, known)}"
            self._into.tell(BROKEN_TEMPLATE, message, place)
        else:
            logical = f"{owner.logical}{name}"
            kinds[kind](self, logical, table_of(event, "Properties"), owner, f"{place}/Properties")

    # -- queues and streams ---------------------------------------------------------------------------

    def mapping(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        field = next((one for one in ("Queue", "Stream") if one in event), "Queue")
        self._map(logical, {**event, "EventSourceArn": event.get(field)}, owner, place, {"EventSourceArn": field})

    def _map(
        self, logical: str, event: dict[str, Any], owner: EventOwner, place: str, names: dict[str, str]
    ) -> None:
        properties = {name: event.get(name) for name in ("EventSourceArn", *MAPPED)}
        failed = table_of(event.get("DestinationConfig"), "OnFailure")
        if "Destination" in failed:  # Type only says to SAM what the role has to be allowed
            properties["DestinationConfig"] = {"OnFailure": {"Destination": failed["Destination"]}}
        self._into.add(
            logical,
            "AWS::Lambda::EventSourceMapping",
            {"FunctionName": owner.arn, **properties},
            place,
            names,
            owner=owner,
        )

    # -- rules and schedules --------------------------------------------------------------------------

    def rule(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        target: dict[str, Any] = {name: event[name] for name in OF_TARGETS if name in event}
        if "DeadLetterConfig" in event:
            target["DeadLetterConfig"] = self._dead_letters(logical, event["DeadLetterConfig"], owner, place)
        own = table_of(event, "Target").get("Id")
        properties = {
            "Name": event.get("RuleName", event.get("Name")),
            "Description": event.get("Description"),
            "EventBusName": event.get("EventBusName"),
            "EventPattern": event.get("Pattern"),
            "ScheduleExpression": event.get("Schedule"),
            "State": _state(event),
            "Targets": [{"Id": own or f"{logical}Target", "Arn": owner.arn, **target}],
        }
        names = {
            "Name": "RuleName" if "RuleName" in event else "Name",
            "EventPattern": "Pattern",
            "ScheduleExpression": "Schedule",
            "State": "State" if "State" in event else "Enabled",
        }
        self._into.add(logical, "AWS::Events::Rule", properties, place, names, owner=owner)
        self._into.places.put(f"/Resources/{logical}/Properties/Targets[0]", place)

    def schedule(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        target: dict[str, Any] = {name: event[name] for name in ("Input", "RetryPolicy") if name in event}
        if "DeadLetterConfig" in event:
            target["DeadLetterConfig"] = self._dead_letters(logical, event["DeadLetterConfig"], owner, place)
        properties = {
            "FlexibleTimeWindow": event.get("FlexibleTimeWindow", {"Mode": "OFF"}),
            "Target": {"Arn": owner.arn, **target},
            **{name: event.get(name) for name in SCHEDULED},
        }
        self._into.add(logical, "AWS::Scheduler::Schedule", properties, place, owner=owner)
        self._into.places.put(f"/Resources/{logical}/Properties/Target", place)

    def _dead_letters(self, logical: str, given: Any, owner: EventOwner, place: str) -> Any:
        """The DeadLetterConfig of a target; SAM makes its queue if that is asked for."""
        if not isinstance(given, dict) or "Type" not in given:
            return given
        queue = given.get("QueueLogicalId")
        queue = queue if isinstance(queue, str) else f"{logical}Queue"
        self._into.add(queue, "AWS::SQS::Queue", {}, f"{place}/DeadLetterConfig", owner=owner)
        return {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}

    # -- topics and buckets ---------------------------------------------------------------------------

    def topic(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        asked = event.get("SqsSubscription")
        endpoint, protocol = owner.arn, "lambda"
        if asked:
            own = asked if isinstance(asked, dict) else {}
            queue, protocol = own.get("QueueArn"), "sqs"
            if not isinstance(asked, dict):
                made = f"{logical}Queue"
                fifo = self._is_fifo(event.get("Topic"))
                self._into.add(made, "AWS::SQS::Queue", {"FifoQueue": fifo}, place, owner=owner)
                queue = {"Fn::GetAtt": [made, "Arn"]}
            endpoint = queue
            mapping = {
                "EventSourceArn": queue,
                "BatchSize": own.get("BatchSize", 10),
                "Enabled": own.get("Enabled", True),
            }
            self._map(f"{logical}EventSourceMapping", mapping, owner, place, {})
        properties = {
            "Endpoint": endpoint,
            "Protocol": protocol,
            "TopicArn": event.get("Topic"),
            **{name: event.get(name) for name in ("FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Region")},
        }
        self._into.add(logical, SUBSCRIPTION, properties, place, {"TopicArn": "Topic"}, owner=owner)

    def _is_fifo(self, topic: Any) -> Any:
        logical = topic.get("Ref") if isinstance(topic, dict) else None
        resource = table_of(self._document, "Resources").get(str(logical))
        return table_of(resource, "Properties").get("FifoTopic")

    def bucket(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        del logical
        given = event.get("Bucket")
        name = given.get("Ref") if isinstance(given, dict) else None
        resources = {**table_of(self._document, "Resources"), **self._into.resources}
        bucket = resources.get(str(name))
        if not isinstance(bucket, dict) or bucket.get("Type") != "AWS::S3::Bucket":
            message = "Bucket has to refer to a bucket in this template"
            self._into.tell(BROKEN_TEMPLATE, message, f"{place}/Bucket")
            return
        properties = table_of(bucket, "Properties")
        notified = table_of(properties, "NotificationConfiguration")
        rows = notified.get("LambdaConfigurations")
        rows = [*rows] if isinstance(rows, list) else []
        kinds = event.get("Events")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            row: Any = {"Event": kind, "Function": owner.arn}
            if "Filter" in event:
                row["Filter"] = event["Filter"]
            if owner.condition is not None:
                row = {"Fn::If": [owner.condition, row, {"Ref": "AWS::NoValue"}]}
            made = f"/Resources/{name}/Properties/NotificationConfiguration/LambdaConfigurations[{len(rows)}]"
            self._into.places.put_all(made, place, {"Event": "Events"})
            rows.append(row)
        changed = {**properties, "NotificationConfiguration": {**notified, "LambdaConfigurations": rows}}
        self._into.resources[str(name)] = {**bucket, "Properties": changed}

    # -- HTTP -----------------------------------------------------------------------------------------

    def rest(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        del logical
        self._apis.add_function(REST, event, owner, place)

    def http(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        del logical
        self._apis.add_function(HTTP, event, owner, place)

    def execution(self, logical: str, event: dict[str, Any], owner: EventOwner, place: str) -> None:
        del logical
        self._apis.add_machine(event, owner, place)

    def _url(self, owner: EventOwner, own: ResourceProperties) -> None:
        given = table_of({"given": own.get("FunctionUrlConfig")}, "given")
        properties = {name: given.get(name) for name in ("AuthType", "Cors", "InvokeMode")}
        place = own.place("FunctionUrlConfig")
        self._into.add(
            f"{owner.logical}Url",
            "AWS::Lambda::Url",
            {"TargetFunctionArn": owner.arn, **properties},
            place,
            owner=owner,
        )


def _state(event: dict[str, Any]) -> Any:
    """What a rule's State is: SAM knows Enabled too."""
    enabled = event.get("Enabled")
    if "State" in event or enabled is None:
        return event.get("State")
    return "ENABLED" if enabled else "DISABLED"


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    yield from value.items() if isinstance(value, dict) else ()


if TYPE_CHECKING:
    _Kinds = dict[str, Callable[[_Events, str, dict[str, Any], EventOwner, str], None]]

RULES: Final[_Kinds] = {
    "CloudWatchEvent": _Events.rule,
    "EventBridgeRule": _Events.rule,
    "Schedule": _Events.rule,
    "ScheduleV2": _Events.schedule,
}
FUNCTION_EVENTS: Final[_Kinds] = {
    **RULES,
    "Api": _Events.rest,
    "DynamoDB": _Events.mapping,
    "HttpApi": _Events.http,
    "Kinesis": _Events.mapping,
    "S3": _Events.bucket,
    "SNS": _Events.topic,
    "SQS": _Events.mapping,
}
MACHINE_EVENTS: Final[_Kinds] = {**RULES, "Api": _Events.execution}
