"""Types of Terraform's resources: which type of CloudFormation each is, and what its arguments are called there.

The documentation of Terraform's provider for AWS.  A path such as ``scaling_config.0.maximum_concurrency`` leads
into blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KINDS", "REF", "TerraformKind"]

REF: Final = ""  # what Ref gives


class TerraformKind(NamedTuple):
    """``arguments`` are by the property that each is, ``attributes`` by their name, as Fn::GetAtt has them."""

    type: str
    arguments: Mapping[str, str]
    attributes: Mapping[str, str]


KINDS: Final[dict[str, TerraformKind]] = {
    "aws_lambda_function": TerraformKind(
        "AWS::Lambda::Function",
        {"FunctionName": "function_name"},
        {"arn": "Arn", "function_name": REF, "id": REF, "invoke_arn": "Arn", "qualified_arn": "Arn"},
    ),
    "aws_lambda_alias": TerraformKind(
        "AWS::Lambda::Alias",
        {"FunctionName": "function_name", "Name": "name"},
        {"arn": REF, "invoke_arn": REF},
    ),
    "aws_sfn_state_machine": TerraformKind(
        "AWS::StepFunctions::StateMachine", {"StateMachineName": "name"}, {"arn": REF, "id": REF}
    ),
    "aws_lambda_event_source_mapping": TerraformKind(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": "batch_size",
            "BisectBatchOnFunctionError": "bisect_batch_on_function_error",
            "DestinationConfig.OnFailure.Destination": "destination_config.0.on_failure.0.destination_arn",
            "Enabled": "enabled",
            "EventSourceArn": "event_source_arn",
            "FilterCriteria.Filters": "filter_criteria.0.filter",
            "FunctionName": "function_name",
            "FunctionResponseTypes": "function_response_types",
            "MaximumBatchingWindowInSeconds": "maximum_batching_window_in_seconds",
            "MaximumRecordAgeInSeconds": "maximum_record_age_in_seconds",
            "MaximumRetryAttempts": "maximum_retry_attempts",
            "ParallelizationFactor": "parallelization_factor",
            "ScalingConfig.MaximumConcurrency": "scaling_config.0.maximum_concurrency",
            "StartingPosition": "starting_position",
            "Topics": "topics",
            "TumblingWindowInSeconds": "tumbling_window_in_seconds",
        },
        {},
    ),
    "aws_lambda_function_url": TerraformKind(
        "AWS::Lambda::Url",
        {
            "Cors.AllowCredentials": "cors.0.allow_credentials",
            "Cors.AllowHeaders": "cors.0.allow_headers",
            "Cors.AllowMethods": "cors.0.allow_methods",
            "Cors.AllowOrigins": "cors.0.allow_origins",
            "Cors.ExposeHeaders": "cors.0.expose_headers",
            "Cors.MaxAge": "cors.0.max_age",
            "InvokeMode": "invoke_mode",
            "TargetFunctionArn": "function_name",
        },
        {},
    ),
    "aws_cloudwatch_event_bus": TerraformKind(
        "AWS::Events::EventBus", {"Name": "name"}, {"arn": "Arn", "id": REF, "name": REF}
    ),
    "aws_cloudwatch_event_rule": TerraformKind(
        "AWS::Events::Rule",
        {
            "Description": "description",
            "EventBusName": "event_bus_name",
            "EventPattern": "event_pattern",
            "Name": "name",
            "ScheduleExpression": "schedule_expression",
            "State": "state",
        },
        {"arn": "Arn", "id": REF, "name": REF},
    ),
    "aws_scheduler_schedule": TerraformKind(
        "AWS::Scheduler::Schedule",
        {
            "Description": "description",
            "EndDate": "end_date",
            "Name": "name",
            "ScheduleExpression": "schedule_expression",
            "ScheduleExpressionTimezone": "schedule_expression_timezone",
            "StartDate": "start_date",
            "State": "state",
            "Target.Arn": "target.0.arn",
            "Target.DeadLetterConfig.Arn": "target.0.dead_letter_config.0.arn",
            "Target.EventBridgeParameters.DetailType": "target.0.eventbridge_parameters.0.detail_type",
            "Target.Input": "target.0.input",
            "Target.RetryPolicy.MaximumEventAgeInSeconds": "target.0.retry_policy.0.maximum_event_age_in_seconds",
            "Target.RetryPolicy.MaximumRetryAttempts": "target.0.retry_policy.0.maximum_retry_attempts",
            "Target.SqsParameters.MessageGroupId": "target.0.sqs_parameters.0.message_group_id",
        },
        {},
    ),
    "aws_sqs_queue": TerraformKind(
        "AWS::SQS::Queue",
        {
            "ContentBasedDeduplication": "content_based_deduplication",
            "DelaySeconds": "delay_seconds",
            "FifoQueue": "fifo_queue",
            "MaximumMessageSize": "max_message_size",
            "MessageRetentionPeriod": "message_retention_seconds",
            "QueueName": "name",
            "ReceiveMessageWaitTimeSeconds": "receive_wait_time_seconds",
            "RedrivePolicy": "redrive_policy",
            "VisibilityTimeout": "visibility_timeout_seconds",
        },
        {"arn": "Arn", "id": REF, "name": "QueueName", "url": REF},
    ),
    "aws_dynamodb_table": TerraformKind(
        "AWS::DynamoDB::Table",
        {"BillingMode": "billing_mode", "TableName": "name"},
        {"arn": "Arn", "id": REF, "name": REF, "stream_arn": "StreamArn"},
    ),
    "aws_kinesis_stream": TerraformKind(
        "AWS::Kinesis::Stream",
        {
            "Name": "name",
            "RetentionPeriodHours": "retention_period",
            "ShardCount": "shard_count",
            "StreamModeDetails.StreamMode": "stream_mode_details.0.stream_mode",
        },
        {"arn": "Arn", "id": "Arn", "name": REF},
    ),
    "aws_sns_topic": TerraformKind(
        "AWS::SNS::Topic",
        {
            "ContentBasedDeduplication": "content_based_deduplication",
            "DisplayName": "display_name",
            "FifoTopic": "fifo_topic",
            "TopicName": "name",
        },
        {"arn": REF, "id": REF, "name": "TopicName"},
    ),
    "aws_sns_topic_subscription": TerraformKind(
        "AWS::SNS::Subscription",
        {
            "Endpoint": "endpoint",
            "FilterPolicy": "filter_policy",
            "FilterPolicyScope": "filter_policy_scope",
            "Protocol": "protocol",
            "RawMessageDelivery": "raw_message_delivery",
            "RedrivePolicy": "redrive_policy",
            "TopicArn": "topic_arn",
        },
        {},
    ),
    "aws_s3_bucket": TerraformKind(
        "AWS::S3::Bucket", {"BucketName": "bucket"}, {"arn": "Arn", "bucket": REF, "id": REF}
    ),
    "aws_secretsmanager_secret": TerraformKind(
        "AWS::SecretsManager::Secret",
        {"Description": "description", "Name": "name"},
        {"arn": REF, "id": REF},
    ),
    "aws_ssm_parameter": TerraformKind(
        "AWS::SSM::Parameter",
        {"Description": "description", "Name": "name", "Type": "type", "Value": "value"},
        {"id": REF, "name": REF, "value": "Value"},
    ),
    "aws_api_gateway_rest_api": TerraformKind(
        "AWS::ApiGateway::RestApi",
        {"Body": "body", "Name": "name"},
        {"id": REF, "root_resource_id": "RootResourceId"},
    ),
    "aws_api_gateway_resource": TerraformKind(
        "AWS::ApiGateway::Resource",
        {"ParentId": "parent_id", "PathPart": "path_part", "RestApiId": "rest_api_id"},
        {"id": REF},
    ),
    "aws_api_gateway_method": TerraformKind(
        "AWS::ApiGateway::Method",
        {"HttpMethod": "http_method", "ResourceId": "resource_id", "RestApiId": "rest_api_id"},
        {},
    ),
    "aws_api_gateway_stage": TerraformKind(
        "AWS::ApiGateway::Stage", {"RestApiId": "rest_api_id", "StageName": "stage_name"}, {}
    ),
    "aws_api_gateway_deployment": TerraformKind(
        "AWS::ApiGateway::Deployment", {"RestApiId": "rest_api_id", "StageName": "stage_name"}, {"id": REF}
    ),
    "aws_apigatewayv2_api": TerraformKind(
        "AWS::ApiGatewayV2::Api",
        {
            "Body": "body",
            "CorsConfiguration.AllowCredentials": "cors_configuration.0.allow_credentials",
            "CorsConfiguration.AllowHeaders": "cors_configuration.0.allow_headers",
            "CorsConfiguration.AllowMethods": "cors_configuration.0.allow_methods",
            "CorsConfiguration.AllowOrigins": "cors_configuration.0.allow_origins",
            "CorsConfiguration.ExposeHeaders": "cors_configuration.0.expose_headers",
            "CorsConfiguration.MaxAge": "cors_configuration.0.max_age",
            "Name": "name",
            "ProtocolType": "protocol_type",
            "RouteKey": "route_key",
            "Target": "target",
        },
        {"api_endpoint": "ApiEndpoint", "id": REF},
    ),
    "aws_apigatewayv2_integration": TerraformKind(
        "AWS::ApiGatewayV2::Integration",
        {
            "ApiId": "api_id",
            "IntegrationMethod": "integration_method",
            "IntegrationSubtype": "integration_subtype",
            "IntegrationType": "integration_type",
            "IntegrationUri": "integration_uri",
            "PayloadFormatVersion": "payload_format_version",
            "RequestParameters": "request_parameters",
            "TimeoutInMillis": "timeout_milliseconds",
        },
        {"id": REF},
    ),
    "aws_apigatewayv2_route": TerraformKind(
        "AWS::ApiGatewayV2::Route", {"ApiId": "api_id", "RouteKey": "route_key", "Target": "target"}, {}
    ),
    "aws_apigatewayv2_stage": TerraformKind(
        "AWS::ApiGatewayV2::Stage", {"ApiId": "api_id", "StageName": "name"}, {}
    ),
}
