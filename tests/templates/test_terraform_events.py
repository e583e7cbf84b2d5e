"""Events and other resources of Terraform's plans and states: what they refer to has a value here."""

from __future__ import annotations

from typing import Any

from asl_engine.templates.declarations import Declarations, Surroundings
from asl_engine.templates.terraform import terraform_declarations
from tests.templates.reading import ACCOUNT, FUNCTION, MACHINE, told

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"


class Plan:
    """A plan of resources; an argument that is a list of one text refers to that, and is not known."""

    def __init__(self, state: bool = False) -> None:
        self.planned: list[dict[str, Any]] = []
        self.configured: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self.state = state

    def add(self, address: str, references: dict[str, list[str]] | None = None, /, **values: Any) -> None:
        kind, _, name = address.partition(".")
        self.planned.append({"address": address, "type": kind, "name": name.split("[")[0], "values": values})
        expressions: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        for path, named in (references or {}).items():
            *outer, last = path.split(".")
            holder, there = expressions, unknown
            for step in outer:
                holder = holder.setdefault(step, [{}])[0]
                there = there.setdefault(step, [{}])[0]
            holder[last] = {"references": named}
            there[last] = True
        base = address.partition("[")[0]
        self.configured.append({"address": base, "type": kind, "expressions": expressions})
        self.changes.append({"address": address, "change": {"after_unknown": unknown}})

    def declared(self, **given: str) -> Declarations:
        section = "values" if self.state else "planned_values"
        document = {
            "format_version": "1.0",
            section: {"root_module": {"resources": self.planned}},
            "resource_changes": self.changes,
            "configuration": {"root_module": {"resources": self.configured}},
        }
        return terraform_declarations(
            document, lambda _: (1, 1), Surroundings("us-east-1", ACCOUNT, "shop", given)
        )


def with_function() -> Plan:
    plan = Plan()
    plan.add("aws_lambda_function.f", function_name="take", runtime="python3.12", handler="a.b", filename="c.zip")
    plan.add("aws_sfn_state_machine.m", name="order", definition="{}")
    plan.add("aws_sqs_queue.q", name="orders", visibility_timeout_seconds=60)
    return plan


def test_a_function_has_its_architecture_and_concurrency() -> None:
    plan = Plan()
    plan.add("aws_lambda_function.f", architectures=["arm64"], reserved_concurrent_executions=4, filename="c")
    plan.add("aws_lambda_function.g", reserved_concurrent_executions=-1, filename="c")
    assert [(one.architecture, one.reserved) for one in plan.declared().functions] == [
        ("arm64", 4),
        ("x86_64", None),
    ]


def test_a_mapping_of_a_queue_that_is_still_to_be_made() -> None:
    plan = with_function()
    plan.add(
        "aws_lambda_event_source_mapping.m",
        {
            "event_source_arn": ["aws_sqs_queue.q.arn", "aws_sqs_queue.q"],
            "function_name": ["aws_lambda_function.f.arn", "aws_lambda_function.f"],
        },
        batch_size=5,
        maximum_retry_attempts=0,
        parallelization_factor=0,
        starting_position="",
        scaling_config=[{"maximum_concurrency": 3}],
        filter_criteria=[{"filter": [{"pattern": "{}"}]}],
    )
    [mapping] = plan.declared().mappings
    assert (mapping.function, mapping.source, mapping.findings) == ("take", QUEUE, ())
    assert mapping.properties == {
        "BatchSize": 5,
        "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
        "ScalingConfig": {"MaximumConcurrency": 3},
    }
    assert mapping.location == "/planned_values/root_module/resources[3]"


def test_a_mapping_of_a_stream_with_a_destination() -> None:
    plan = with_function()
    plan.add(
        "aws_dynamodb_table.t[0]",
        name="orders",
        hash_key="id",
        range_key="at",
        attribute=[{"name": "id", "type": "S"}, {"name": "at", "type": "N"}],
        billing_mode="PAY_PER_REQUEST",
        stream_enabled=True,
        stream_view_type="NEW_IMAGE",
        global_secondary_index=[{"name": "byAt", "hash_key": "at", "projection_type": "KEYS_ONLY"}],
    )
    plan.add(
        "aws_lambda_event_source_mapping.m",
        {
            "event_source_arn": ["aws_dynamodb_table.t[0].stream_arn", "aws_dynamodb_table.t[0]"],
            "destination_config.on_failure.destination_arn": ["aws_sqs_queue.q.arn", "aws_sqs_queue.q"],
        },
        function_name="take",
        starting_position="LATEST",
        maximum_retry_attempts=0,
        destination_config=[{"on_failure": [{}]}],
    )
    found = plan.declared()
    assert found.mappings[0].source == f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders/stream/LATEST"
    assert found.mappings[0].properties == {
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
        "MaximumRetryAttempts": 0,
        "StartingPosition": "LATEST",
    }
    [table] = [one for one in found.resources if one.type == "AWS::DynamoDB::Table"]
    assert table.properties == {
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "byAt",
                "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
        "TableName": "orders",
    }


def test_a_rule_has_the_targets_that_name_it() -> None:
    plan = with_function()
    plan.add("aws_cloudwatch_event_bus.b", name="shop")
    plan.add(
        "aws_cloudwatch_event_rule.r", name="placed", event_bus_name="shop", event_pattern='{"source":["shop"]}'
    )
    plan.add(
        "aws_cloudwatch_event_target.t",
        {"arn": ["aws_sfn_state_machine.m.arn", "aws_sfn_state_machine.m"]},
        rule="placed",
        target_id="start",
        input_path="$.detail",
    )
    found = plan.declared()
    [rule] = found.rules
    assert (rule.name, rule.bus, rule.findings) == ("placed", "shop", ())
    assert rule.configuration == {"State": "ENABLED", "EventPattern": '{"source":["shop"]}'}
    assert rule.targets == {"start": {"Arn": f"{MACHINE}:order", "InputPath": "$.detail"}}
    assert ("AWS::Events::EventBus", "shop") in [(one.type, one.name) for one in found.resources]


def test_routes_of_a_rest_api() -> None:
    plan = with_function()
    api = ["aws_api_gateway_rest_api.a.id", "aws_api_gateway_rest_api.a"]
    node = ["aws_api_gateway_resource.orders.id", "aws_api_gateway_resource.orders"]
    plan.add("aws_api_gateway_rest_api.a", name="shop")
    plan.add(
        "aws_api_gateway_resource.orders",
        {"rest_api_id": api, "parent_id": ["aws_api_gateway_rest_api.a.root_resource_id", api[1]]},
        path_part="orders",
    )
    plan.add("aws_api_gateway_method.post", {"rest_api_id": api, "resource_id": node}, http_method="POST")
    plan.add(
        "aws_api_gateway_integration.post",
        {
            "rest_api_id": api,
            "resource_id": node,
            "uri": ["aws_lambda_function.f.invoke_arn", "aws_lambda_function.f"],
        },
        http_method="POST",
        integration_http_method="POST",
        type="AWS_PROXY",
    )
    plan.add("aws_api_gateway_stage.live", {"rest_api_id": api}, stage_name="live")
    [route] = plan.declared().routes
    assert (route.stage, route.method, route.path, route.target) == ("live", "POST", "/orders", f"{FUNCTION}:take")
    assert (route.integration["Type"], route.findings) == ("AWS_PROXY", ())


def test_routes_of_an_http_api_in_a_state() -> None:
    plan = Plan(state=True)
    plan.add("aws_lambda_function.f", function_name="take", filename="c")
    plan.add("aws_apigatewayv2_api.a", id="x1", name="shop", protocol_type="HTTP")
    plan.add("aws_apigatewayv2_stage.s", id="$default", api_id="x1", name="$default")
    plan.add(
        "aws_apigatewayv2_integration.i",
        id="i1",
        api_id="x1",
        integration_type="AWS_PROXY",
        integration_uri=f"{FUNCTION}:take",
        payload_format_version="2.0",
    )
    plan.add("aws_apigatewayv2_route.r", api_id="x1", route_key="GET /orders", target="integrations/i1")
    [route] = plan.declared().routes
    assert (route.api, route.stage, route.method, route.path) == (
        "aws_apigatewayv2_api.a",
        "$default",
        "GET",
        "/orders",
    )
    assert (route.target, route.payload, route.findings) == (f"{FUNCTION}:take", "2.0", ())


def test_a_bucket_has_its_notifications_and_a_secret_its_text() -> None:
    plan = with_function()
    plan.add("aws_s3_bucket.b", bucket="files")
    plan.add(
        "aws_s3_bucket_notification.n",
        {"lambda_function.lambda_function_arn": ["aws_lambda_function.f.arn", "aws_lambda_function.f"]},
        bucket="files",
        lambda_function=[{"events": ["s3:ObjectCreated:*"], "filter_suffix": ".csv"}],
    )
    plan.add("aws_secretsmanager_secret.s", name="key")
    plan.add(
        "aws_secretsmanager_secret_version.v",
        {"secret_id": ["aws_secretsmanager_secret.s.id", "aws_secretsmanager_secret.s"]},
        secret_string="hush",  # noqa: S106  no secret
    )
    found = {one.type: one.properties for one in plan.declared().resources}
    assert found["AWS::S3::Bucket"]["NotificationConfiguration"] == {
        "LambdaConfigurations": [
            {
                "Event": "s3:ObjectCreated:*",
                "Function": f"{FUNCTION}:take",
                "Filter": {"S3Key": {"Rules": [{"Name": "suffix", "Value": ".csv"}]}},
            }
        ]
    }
    assert found["AWS::SecretsManager::Secret"] == {"Name": "key", "SecretString": "hush"}


def test_what_a_plan_does_not_know_can_be_given() -> None:
    plan = with_function()
    plan.add(
        "aws_ssm_parameter.p", {"value": ["data.external.x.result", "data.external.x"]}, name="p", type="String"
    )
    [finding] = told(plan.declared().findings)
    assert finding[1] == (
        "The plan does not know value of aws_ssm_parameter.p before it is applied: "
        "substitute a value for aws_ssm_parameter.p.value"
    )
    found = plan.declared(**{"aws_ssm_parameter.p.value": "7"})
    assert "aws_ssm_parameter.p.value" in found.names
    assert found.resources[-1].properties == {"Name": "p", "Type": "String", "Value": "7"}
    assert found.findings == ()
