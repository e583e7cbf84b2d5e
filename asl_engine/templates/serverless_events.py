"""What the Serverless Framework makes of the events of a function: mappings, rules, subscriptions, routes.

"Events" in its User Guide for AWS.  Each kind of event is one entry of ``KINDS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import is_arn
from asl_engine.findings import did_you_mean
from asl_engine.json_text import dumps
from asl_engine.templates.expansion import NOT_RUN_HERE
from asl_engine.templates.recognition import BROKEN_TEMPLATE
from asl_engine.templates.sam import table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.templates.expansion import EventOwner, Expansion
    from asl_engine.templates.serverless_apis import ServerlessApis

__all__ = ["FunctionEvents", "json_input"]

MAPPING: Final = "AWS::Lambda::EventSourceMapping"
RULE: Final = "AWS::Events::Rule"
BUS: Final = "AWS::Events::EventBus"
# The properties of a mapping, with what they are called in the file.
MAPPED: Final = {
    "BatchSize": "batchSize",
    "BisectBatchOnFunctionError": "bisectBatchOnFunctionError",
    "Enabled": "enabled",
    "EventSourceArn": "arn",
    "MaximumBatchingWindowInSeconds": "batchWindow",
    "MaximumRecordAgeInSeconds": "maximumRecordAgeInSeconds",
    "MaximumRetryAttempts": "maximumRetryAttempts",
    "ParallelizationFactor": "parallelizationFactor",
    "StartingPosition": "startingPosition",
    "StartingPositionTimestamp": "startingPositionTimestamp",
    "TumblingWindowInSeconds": "tumblingWindowInSeconds",
}
OF_QUEUES: Final = MAPPED | {"MaximumBatchingWindowInSeconds": "maximumBatchingWindow"}
DEFAULT_EVENT: Final = "s3:ObjectCreated:*"
NOT_HERE: Final = (
    "activemq",
    "alb",
    "alexaSkill",
    "alexaSmartHome",
    "cloudFront",
    "cloudwatchLog",
    "cognitoUserPool",
    "iot",
    "iotFleetProvisioning",
    "kafka",
    "msk",
    "rabbitmq",
    "websocket",
)


class FunctionEvents:
    """Makes the resources of events.  ``prefix`` begins the names of rules: the service and the stage."""

    def __init__(self, into: Expansion, apis: ServerlessApis, prefix: str) -> None:
        self._into = into
        self._apis = apis
        self._prefix = prefix

    def add(self, function: Mapping[str, Any], owner: EventOwner, place: str) -> None:
        """All events of a function, and its URL."""
        events = function.get("events")
        if events is not None and not isinstance(events, list):
            self._into.tell(BROKEN_TEMPLATE, "events has to be a list", f"{place}/events")
            return
        for index, event in enumerate(events or ()):
            where = f"{place}/events[{index}]"
            for kind, given in event.items() if isinstance(event, dict) else [(str(event), None)]:
                self._event(kind, given, str(index + 1), owner, where)
        if (url := function.get("url")) not in (None, False):
            self._apis.add_url(url, owner, f"{place}/url")

    def _event(self, kind: str, given: Any, name: str, owner: EventOwner, place: str) -> None:
        if kind in NOT_HERE:
            message = f"Nothing here runs {kind} events: {owner.name} is not called by them"
            self._into.tell(NOT_RUN_HERE, message, place)
        elif kind not in KINDS:
            message = f"There are no events called {kind}{did_you_mean(kind, [*KINDS, *NOT_HERE])}"
            self._into.tell(BROKEN_TEMPLATE, message, place)
        else:
            KINDS[kind](self, given, name, owner, f"{place}/{kind}")

    # -- queues and streams ---------------------------------------------------------------------------

    def queue(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        self._map({"batchSize": 10, **_by(given, "arn")}, name, owner, place, OF_QUEUES)

    def stream(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        own = {"batchSize": 10, "startingPosition": "TRIM_HORIZON", **_by(given, "arn")}
        if own.get("consumer"):
            message = "There are no consumers of their own here: the stream is polled as by any mapping"
            self._into.tell(NOT_RUN_HERE, message, f"{place}/consumer")
        self._map(own, name, owner, place, MAPPED)

    def _map(
        self, own: dict[str, Any], name: str, owner: EventOwner, place: str, names: Mapping[str, str]
    ) -> None:
        failed = table_of(own, "destinations").get("onFailure")
        concurrency, reports = own.get("maximumConcurrency"), own.get("functionResponseType")
        patterns = own.get("filterPatterns")
        properties = {
            "FunctionName": owner.arn,
            **{member: own.get(called) for member, called in names.items()},
            "DestinationConfig": None if failed is None else {"OnFailure": {"Destination": _arn_of(failed)}},
            "FilterCriteria": {"Filters": [{"Pattern": json_input(one)} for one in patterns]}
            if isinstance(patterns, list)
            else None,
            "FunctionResponseTypes": [reports] if isinstance(reports, str) else reports,
            "ScalingConfig": None if concurrency is None else {"MaximumConcurrency": concurrency},
        }
        others = {
            "DestinationConfig": "destinations",
            "FilterCriteria": "filterPatterns",
            "FunctionResponseTypes": "functionResponseType",
            "ScalingConfig": "maximumConcurrency",
        }
        self._into.add(f"{owner.logical}Event{name}", MAPPING, properties, place, {**names, **others})

    # -- rules and schedules --------------------------------------------------------------------------

    def event_bridge(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        own = _by(given, "pattern")
        bus = own.get("eventBus")
        if isinstance(bus, str) and bus != "default" and not is_arn(bus) and not bus.startswith(("aws.", "$")):
            self._bus(bus, f"{place}/eventBus")
        retry = table_of(own, "retryPolicy")
        dead = own.get("deadLetterQueueArn")
        target = {
            **_target_of(own),
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": retry.get("maximumEventAge"),
                "MaximumRetryAttempts": retry.get("maximumRetryAttempts"),
            }
            if retry
            else None,
            "DeadLetterConfig": None if dead is None else {"Arn": dead},
        }
        properties = {
            "EventBusName": bus,
            "EventPattern": own.get("pattern"),
            "ScheduleExpression": own.get("schedule"),
        }
        names = {"EventBusName": "eventBus", "EventPattern": "pattern", "ScheduleExpression": "schedule"}
        self._rule(own, name, owner, place, properties=properties, target=target, names=names)

    def _bus(self, name: str, place: str) -> None:
        """The framework makes a bus that a rule is on, unless the file has it."""
        for one in self._into.resources.values():
            if table_of(one, "Properties").get("Name") == name and one.get("Type") == BUS:
                return
        self._into.add(f"EventBus{_letters(name)}", BUS, {"Name": name}, place)

    def cloudwatch_event(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        own = _by(given, "event")
        properties = {"EventPattern": own.get("event")}
        target = _target_of(own)
        self._rule(own, name, owner, place, properties=properties, target=target, names={"EventPattern": "event"})

    def machine_rule(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        """The rule of a state machine, whose settings are called as those of cloudwatchEvent."""
        own = _by(given, "event")
        properties = {"EventBusName": own.get("eventBusName"), "EventPattern": own.get("event")}
        names = {"EventBusName": "eventBusName", "EventPattern": "event"}
        target = _target_of(own)
        self._rule(own, name, owner, place, properties=properties, target=target, names=names)

    def schedule(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        own = _by(given, "rate")
        rates = own.get("rate")
        for index, rate in enumerate(rates if isinstance(rates, list) else [rates]):
            one = f"{name}{f'x{index}' if isinstance(rates, list) else ''}"
            written = f"rate[{index}]" if isinstance(rates, list) else "rate"
            if not isinstance(given, dict):
                written = f"[{index}]" if isinstance(given, list) else ""
            if own.get("method") == "scheduler":
                self._scheduled(own, rate, one, owner, place)
                continue
            properties = {"ScheduleExpression": rate}
            names = {"ScheduleExpression": written} if written else {}
            target = _target_of(own)
            self._rule(own, one, owner, place, properties=properties, target=target, names=names)

    def _scheduled(self, own: dict[str, Any], rate: Any, name: str, owner: EventOwner, place: str) -> None:
        properties = {
            "Name": own.get("name"),
            "Description": own.get("description"),
            "ScheduleExpression": rate,
            "ScheduleExpressionTimezone": own.get("timezone"),
            "State": _state(own),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": owner.arn, "Input": _text(own.get("input"))},
        }
        names = {"ScheduleExpression": "rate", "ScheduleExpressionTimezone": "timezone", "Name": "name"}
        logical = f"{owner.logical}Schedule{name}"
        self._into.add(logical, "AWS::Scheduler::Schedule", _without_none(properties), place, names)

    def _rule(
        self,
        own: dict[str, Any],
        name: str,
        owner: EventOwner,
        place: str,
        *,
        properties: dict[str, Any],
        target: dict[str, Any],
        names: dict[str, str],
    ) -> None:
        logical = f"{owner.logical}Rule{name}"
        called = f"{self._prefix}-{owner.name}-rule-{name}"
        made = {
            "Name": own.get("name", called),
            "Description": own.get("description"),
            "State": _state(own),
            **properties,
            "Targets": [{"Id": f"{called}-target"[-64:], "Arn": owner.arn, **target}],
        }
        written = {"Name": "name", "Description": "description", "State": "enabled", **names}
        self._into.add(logical, RULE, _without_none(made), place, written)
        self._into.places.put_all(
            f"/Resources/{logical}/Properties/Targets[0]",
            place,
            {
                "DeadLetterConfig/Arn": "deadLetterQueueArn",
                "Input": "input",
                "InputPath": "inputPath",
                "InputTransformer": "inputTransformer",
                "RetryPolicy": "retryPolicy",
            },
        )

    # -- topics and buckets ---------------------------------------------------------------------------

    def topic(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        own = _by(given, "arn")
        arn = own.get("arn")
        called = own.get("topicName", None if isinstance(arn, dict) else arn)
        if isinstance(called, str) and not is_arn(str(arn)) and not called.startswith("$"):
            logical = f"SNSTopic{_letters(called)}"
            properties = {"TopicName": called, "DisplayName": own.get("displayName")}
            self._into.add(logical, "AWS::SNS::Topic", properties, place, {"TopicName": "topicName"})
            arn = {"Ref": logical}
        redrive = table_of(own, "redrivePolicy").get("deadLetterTargetArn")
        properties = {
            "Protocol": "lambda",
            "Endpoint": owner.arn,
            "TopicArn": arn,
            "FilterPolicy": own.get("filterPolicy"),
            "FilterPolicyScope": own.get("filterPolicyScope"),
            "RedrivePolicy": None if redrive is None else {"deadLetterTargetArn": redrive},
        }
        names = {"TopicArn": "arn", "FilterPolicy": "filterPolicy", "RedrivePolicy": "redrivePolicy"}
        self._into.add(f"{owner.logical}Subscription{name}", "AWS::SNS::Subscription", properties, place, names)

    def bucket(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        del name
        own = _by(given, "bucket")
        called = own.get("bucket")
        logical = self._bucket_of(called, place)
        properties = self._into.resources[logical]["Properties"]
        notified = {**table_of(properties, "NotificationConfiguration")}
        rows = notified.get("LambdaConfigurations")
        rows = [*rows] if isinstance(rows, list) else []
        row = {"Event": own.get("event", DEFAULT_EVENT), "Function": owner.arn}
        given_rules = own.get("rules")
        rules = [
            rule
            for one in (given_rules if isinstance(given_rules, list) else ())
            for rule in (one.items() if isinstance(one, dict) else ())
        ]
        if rules:
            row["Filter"] = {"S3Key": {"Rules": [{"Name": key, "Value": value} for key, value in rules]}}
        where = f"/Resources/{logical}/Properties/NotificationConfiguration/LambdaConfigurations[{len(rows)}]"
        self._into.places.put_all(where, place, {"Event": "event", "Filter": "rules"})
        properties["NotificationConfiguration"] = {**notified, "LambdaConfigurations": [*rows, row]}

    def _bucket_of(self, called: Any, place: str) -> str:
        """The logical id of a bucket, which is made where the file does not have it."""
        for logical, resource in self._into.resources.items():
            if not isinstance(resource, dict) or resource.get("Type") != "AWS::S3::Bucket":
                continue
            if table_of(resource, "Properties").get("BucketName") == called or called == {"Ref": logical}:
                resource["Properties"] = {**table_of(resource, "Properties")}
                return logical
        logical = f"S3Bucket{_letters(str(called))}"
        self._into.add(logical, "AWS::S3::Bucket", {"BucketName": called}, place, {"BucketName": "bucket"})
        return logical

    # -- HTTP -----------------------------------------------------------------------------------------

    def rest(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        self._apis.add_rest(given, name, owner, place)

    def http(self, given: Any, name: str, owner: EventOwner, place: str) -> None:
        self._apis.add_http(given, name, owner, place)


def json_input(value: Any) -> Any:
    """A constant as the JSON text that a target or a filter has; a text and a reference stay what they are."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
        return value
    return value if isinstance(value, str) else dumps(value)


def _text(value: Any) -> Any:
    return None if value is None else json_input(value)


def _target_of(own: dict[str, Any]) -> dict[str, Any]:
    transformer = table_of(own, "inputTransformer")
    return {
        "Input": _text(own.get("input")),
        "InputPath": own.get("inputPath"),
        "InputTransformer": {
            "InputPathsMap": transformer.get("inputPathsMap"),
            "InputTemplate": transformer.get("inputTemplate"),
        }
        if transformer
        else None,
    }


def _state(own: dict[str, Any]) -> str:
    return "DISABLED" if own.get("enabled", True) in (False, "false") else "ENABLED"


def _by(given: Any, field: str) -> dict[str, Any]:
    """The settings of an event; what stands for itself is one of them, and a reference is one too."""
    if isinstance(given, dict) and not any(str(name).startswith(("Ref", "Fn::")) for name in given):
        return given
    return {field: given}


def _arn_of(given: Any) -> Any:
    """The ARN of a destination, which may be given with its type."""
    return given["arn"] if isinstance(given, dict) and "arn" in given else given


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(one) for name, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value


def _letters(text: str) -> str:
    """What a logical id may have of a text."""
    return "".join(one for one in text.title() if one.isalnum())


if TYPE_CHECKING:
    _Kind = Callable[[FunctionEvents, Any, str, EventOwner, str], None]

KINDS: Final[dict[str, _Kind]] = {
    "cloudwatchEvent": FunctionEvents.cloudwatch_event,
    "eventBridge": FunctionEvents.event_bridge,
    "http": FunctionEvents.rest,
    "httpApi": FunctionEvents.http,
    "s3": FunctionEvents.bucket,
    "schedule": FunctionEvents.schedule,
    "sns": FunctionEvents.topic,
    "sqs": FunctionEvents.queue,
    "stream": FunctionEvents.stream,
}
