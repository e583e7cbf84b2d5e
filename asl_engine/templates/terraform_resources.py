"""Events and other resources of a Terraform plan, as resources of CloudFormation with what they refer to.

What a plan does not know, such as the ARN of a queue that is still to be made, its configuration refers to: so
references become those of CloudFormation, which have values here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.language.placeholders import UNFILLED_PLACEHOLDER
from asl_engine.templates.cloudformation import CloudFormation
from asl_engine.templates.expansion import Expansion
from asl_engine.templates.recognition import read_template
from asl_engine.templates.terraform_kinds import KINDS, REF
from asl_engine.templates.terraform_plan import Configurations, PlannedResource, at, first, listed, resources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.templates.declarations import Declarations, Locate, Surroundings

__all__ = ["with_events"]

# Properties that Terraform has as JSON text, and CloudFormation as objects.
JSON: Final = frozenset({"FilterPolicy", "RedrivePolicy"})
# What a state has 0 for where nothing was set.
POSITIVE: Final = frozenset({"MaximumRecordAgeInSeconds", "ParallelizationFactor", "TumblingWindowInSeconds"})
# Ids of what APIs are made of, which only AWS makes up: others refer to them by these.
WITH_IDS: Final = (
    "aws_api_gateway_resource",
    "aws_api_gateway_rest_api",
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_integration",
)
TARGET: Final = {
    "Arn": "arn",
    "DeadLetterConfig.Arn": "dead_letter_config.0.arn",
    "Input": "input",
    "InputPath": "input_path",
    "InputTransformer.InputPathsMap": "input_transformer.0.input_paths",
    "InputTransformer.InputTemplate": "input_transformer.0.input_template",
    "RetryPolicy.MaximumEventAgeInSeconds": "retry_policy.0.maximum_event_age_in_seconds",
    "RetryPolicy.MaximumRetryAttempts": "retry_policy.0.maximum_retry_attempts",
    "SqsParameters.MessageGroupId": "sqs_target.0.message_group_id",
}
INTEGRATION: Final = {
    "IntegrationHttpMethod": "integration_http_method",
    "PassthroughBehavior": "passthrough_behavior",
    "RequestParameters": "request_parameters",
    "RequestTemplates": "request_templates",
    "Type": "type",
    "Uri": "uri",
}
RESPONSE: Final = {
    "ResponseParameters": "response_parameters",
    "ResponseTemplates": "response_templates",
    "SelectionPattern": "selection_pattern",
    "StatusCode": "status_code",
}
NOTIFIED: Final = {
    "LambdaConfigurations": ("lambda_function", "Function", "lambda_function_arn"),
    "QueueConfigurations": ("queue", "Queue", "queue_arn"),
    "TopicConfigurations": ("topic", "Topic", "topic_arn"),
}
INVOKED: Final = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations"
)


def with_events(own: Declarations, document: dict[str, Any], locate: Locate, around: Surroundings) -> Declarations:
    """The declarations of machines and functions, with those of all that is around them."""
    plan = _Plan(document, around)
    found = CloudFormation(plan.read(), locate, around, expansion=plan.into).declarations()
    mine = {one for declared in (found.machines, found.functions) for other in declared for one in other.findings}
    return own._replace(
        names=(*own.names, *plan.names),
        routes=found.routes,
        rules=found.rules,
        mappings=found.mappings,
        resources=found.resources,
        findings=tuple(one for one in found.findings if one not in mine),
    )


class _Plan:
    def __init__(self, document: dict[str, Any], around: Surroundings) -> None:
        self.into = Expansion()
        self.names: dict[str, None] = {}
        self._given = around.given
        self._all = [*resources(document)]
        self._configurations = Configurations(document)
        self._known = {one.address: one for one in self._all if one.kind in KINDS}
        self._by_base: dict[str, list[PlannedResource]] = {}
        for one in self._known.values():
            self._by_base.setdefault(one.base, []).append(one)
        self._ids = dict(self._identifiers())

    def read(self) -> dict[str, Any]:
        """The template that the plan would be."""
        for one in self._known.values():
            properties = self._properties(one, KINDS[one.kind].arguments)
            self.into.add(one.address, KINDS[one.kind].type, properties, one.location)
            self.into.places.put(f"/Resources/{one.address}/Properties", f"{one.location}/values")
            if (complete := COMPLETED.get(one.kind)) is not None:
                complete(one, self.into.resources[one.address]["Properties"])
        for one in self._all:
            if (attach := ATTACHED.get(one.kind)) is not None:
                attach(self, one)
        return {"Resources": self.into.resources}

    # -- values ---------------------------------------------------------------------------------------

    def _properties(
        self, one: PlannedResource, arguments: Any, within: tuple[str | int, ...] = ()
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, written in arguments.items():
            path = (*within, *_steps(written))
            value = self._value(one, path)
            if value is None or (name in POSITIVE and value == 0):
                continue
            if name in JSON and isinstance(value, str):
                value = _parsed(value)
            *outer, last = name.split(".")
            holder = found
            for step in outer:
                holder = holder.setdefault(step, {})
            holder[last] = value
        return found

    def _value(self, one: PlannedResource, path: tuple[str | int, ...]) -> Any:
        """The value of an argument: as it is known, as it refers to another one, or as it is substituted."""
        value = at(one.values, *path)
        if isinstance(value, str) and value in self._ids:
            return self._ids[value]
        if value not in (None, "", [], {}):
            return value
        if not _is_unknown(one, path):
            return None
        references = self._configurations.references(one, *path)
        for reference in references:
            if (found := self._referred(reference, str(path[-1]))) is not None:
                return found
        name = ".".join(map(str, (one.address, *path)))
        self.names[name] = None
        if name in self._given:
            return self._given[name]
        why = f"The plan does not know {path[-1]} of {one.address} before it is applied"
        message = f"{why}: substitute a value for {name}"
        self.into.tell(UNFILLED_PLACEHOLDER, message, f"{one.location}/values/{path[0]}")
        return None

    def _referred(self, reference: str, argument: str) -> Any:
        """What a reference stands for; None for what has no value here."""
        for address, attribute in _splits(reference):
            there = self._known.get(address) or next(iter(self._by_base.get(address, ())), None)
            if there is None:
                continue
            known = there.values.get(attribute)
            if isinstance(known, str) and known and attribute not in {"id", "arn"}:
                return known
            kind = KINDS[there.kind]
            if attribute not in kind.attributes:
                return None
            member = kind.attributes[attribute]
            found = {"Ref": there.address} if member == REF else {"Fn::GetAtt": [there.address, member]}
            if there.kind in {"aws_lambda_function", "aws_lambda_alias"} and argument == "uri":
                return {"Fn::Sub": [INVOKED, {"Function": found}]}
            if there.kind == "aws_apigatewayv2_integration" and argument == "target":
                return {"Fn::Join": ["/", ["integrations", found]]}
            return found
        return None

    def _identifiers(self) -> Iterator[tuple[str, Any]]:
        """What the ids that a state has stand for."""
        for one in self._known.values():
            if one.kind not in WITH_IDS:
                continue
            if isinstance(known := one.values.get("id"), str):
                yield known, {"Ref": one.address}
                yield f"integrations/{known}", {"Fn::Join": ["/", ["integrations", {"Ref": one.address}]]}
            if isinstance(root := one.values.get("root_resource_id"), str):
                yield root, {"Fn::GetAtt": [one.address, "RootResourceId"]}

    def _owner(self, one: PlannedResource, argument: str, kind: str) -> dict[str, Any] | None:
        """The properties of the resource that another one belongs to, by one of its arguments."""
        given = self._value(one, (argument,))
        for there in self._known.values():
            if there.kind != kind:
                continue
            names = [there.values.get(name) for name in ("name", "id", "arn", "bucket")]
            if given == {"Ref": there.address} or (isinstance(given, str) and given in names):
                found: dict[str, Any] = self.into.resources[there.address]["Properties"]
                return found
        return None

    # -- what is written as resources of its own, and is a part of another one ---------------------------

    def target(self, one: PlannedResource) -> None:
        rule = self._owner(one, "rule", "aws_cloudwatch_event_rule")
        if rule is None:
            return
        targets = rule.setdefault("Targets", [])
        target = {"Id": one.values.get("target_id") or one.name, **self._properties(one, TARGET)}
        targets.append(target)

    def notification(self, one: PlannedResource) -> None:
        bucket = self._owner(one, "bucket", "aws_s3_bucket")
        if bucket is None:
            return
        found: dict[str, Any] = {}
        for name, (block, member, argument) in NOTIFIED.items():
            for index, row in enumerate(listed(one.values, block)):
                arn = self._value(one, (block, index, argument))
                rules = [
                    {"Name": kind, "Value": value}
                    for kind in ("prefix", "suffix")
                    if (value := at(row, f"filter_{kind}"))
                ]
                chosen = {"Filter": {"S3Key": {"Rules": rules}}} if rules else {}
                for event in listed(row, "events"):
                    found.setdefault(name, []).append({"Event": event, member: arn, **chosen})
        if one.values.get("eventbridge") is True:
            found["EventBridgeConfiguration"] = {"EventBridgeEnabled": True}
        bucket["NotificationConfiguration"] = found

    def secret(self, one: PlannedResource) -> None:
        secret = self._owner(one, "secret_id", "aws_secretsmanager_secret")
        if secret is not None and (text := self._value(one, ("secret_string",))) is not None:
            secret["SecretString"] = text

    def integration(self, one: PlannedResource) -> None:
        method = self._method(one)
        if method is not None:
            method.setdefault("Integration", {}).update(self._properties(one, INTEGRATION))

    def response(self, one: PlannedResource) -> None:
        method = self._method(one)
        if method is not None:
            rows = method.setdefault("Integration", {}).setdefault("IntegrationResponses", [])
            rows.append(self._properties(one, RESPONSE))

    def _method(self, one: PlannedResource) -> dict[str, Any] | None:
        """The properties of the method that an integration or its response is of."""
        wanted = [self._value(one, (name,)) for name in ("rest_api_id", "resource_id", "http_method")]
        for there in self._known.values():
            if there.kind == "aws_api_gateway_method":
                found: dict[str, Any] = self.into.resources[there.address]["Properties"]
                if [found.get(name) for name in ("RestApiId", "ResourceId", "HttpMethod")] == wanted:
                    return found
        return None


def _table(one: PlannedResource, properties: dict[str, Any]) -> None:
    """Complete a table: its keys are arguments of their own."""
    values = one.values
    properties["AttributeDefinitions"] = [
        {"AttributeName": at(row, "name"), "AttributeType": at(row, "type")} for row in listed(values, "attribute")
    ]
    properties["KeySchema"] = _keys(values)
    for name, block in (
        ("GlobalSecondaryIndexes", "global_secondary_index"),
        ("LocalSecondaryIndexes", "local_secondary_index"),
    ):
        rows = [_index(row, values) for row in listed(values, block) if isinstance(row, dict)]
        if rows:
            properties[name] = rows
    if properties.get("BillingMode") != "PAY_PER_REQUEST":
        properties["ProvisionedThroughput"] = _throughput(values)
        for row in properties.get("GlobalSecondaryIndexes", ()):
            row["ProvisionedThroughput"] = _throughput(values)
    if values.get("stream_enabled") is True:
        properties["StreamSpecification"] = {
            "StreamViewType": values.get("stream_view_type") or "NEW_AND_OLD_IMAGES"
        }
    ttl = first(values.get("ttl"))
    if ttl.get("enabled") is True:
        properties["TimeToLiveSpecification"] = {"AttributeName": ttl.get("attribute_name"), "Enabled": True}


def _keys(given: dict[str, Any], shared: str = "") -> list[dict[str, Any]]:
    hashed = given.get("hash_key") or shared
    keys = [{"AttributeName": hashed, "KeyType": "HASH"}]
    if given.get("range_key"):
        keys.append({"AttributeName": given["range_key"], "KeyType": "RANGE"})
    return keys


def _index(row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": row.get("projection_type") or "ALL"}
    if row.get("non_key_attributes"):
        projection["NonKeyAttributes"] = row["non_key_attributes"]
    keys = _keys(row, str(values.get("hash_key")))
    return {"IndexName": row.get("name"), "KeySchema": keys, "Projection": projection}


def _throughput(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "ReadCapacityUnits": values.get("read_capacity") or 1,
        "WriteCapacityUnits": values.get("write_capacity") or 1,
    }


def _mapping(one: PlannedResource, properties: dict[str, Any]) -> None:
    """Complete a mapping: filters are objects with other names, and a queue has no retries of its own."""
    filters = properties.get("FilterCriteria", {}).get("Filters")
    if isinstance(filters, list):
        properties["FilterCriteria"] = {"Filters": [{"Pattern": at(row, "pattern")} for row in filters]}
    if not one.values.get("starting_position"):
        properties.pop("MaximumRetryAttempts", None)
    if not properties.get("Topics"):
        properties.pop("Topics", None)


def _rule(one: PlannedResource, properties: dict[str, Any]) -> None:
    """Complete a rule: its State may be said in the older way."""
    if "State" not in properties and one.values.get("is_enabled") is False:
        properties["State"] = "DISABLED"


def _api(one: PlannedResource, properties: dict[str, Any]) -> None:
    """Complete an API: its document is a text."""
    body = properties.get("Body")
    if isinstance(body, str):
        properties["Body"] = read_template(body, one.address)[0]


COMPLETED: Final = {
    "aws_api_gateway_rest_api": _api,
    "aws_apigatewayv2_api": _api,
    "aws_cloudwatch_event_rule": _rule,
    "aws_dynamodb_table": _table,
    "aws_lambda_event_source_mapping": _mapping,
}
ATTACHED: Final = {
    "aws_api_gateway_integration": _Plan.integration,
    "aws_api_gateway_integration_response": _Plan.response,
    "aws_cloudwatch_event_target": _Plan.target,
    "aws_s3_bucket_notification": _Plan.notification,
    "aws_secretsmanager_secret_version": _Plan.secret,
}


def _steps(written: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdecimal() else step for step in written.split("."))


def _is_unknown(one: PlannedResource, path: tuple[str | int, ...]) -> bool:
    """Whether an argument is known only after the plan is applied: it, or a block that it is in."""
    return any(at(one.unknown, *path[:length]) is True for length in range(1, len(path) + 1))


def _splits(reference: str) -> Iterator[tuple[str, str]]:
    """The address and the attribute that a reference may be made of: ``module.a.aws_sqs_queue.q.arn``."""
    parts = reference.split(".")
    for length in range(len(parts) - 1, 0, -1):
        yield ".".join(parts[:length]), ".".join(parts[length:])


def _parsed(text: str) -> Any:
    try:
        return loads(text)
    except JsonSyntaxError:
        return text
