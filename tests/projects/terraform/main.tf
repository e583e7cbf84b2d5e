terraform {
  required_providers {
    aws     = { source = "hashicorp/aws" }
    archive = { source = "hashicorp/archive" }
  }
}

variable "stage" {
  default = "dev"
}

data "aws_caller_identity" "me" {}

data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/build/code.zip"
}

data "archive_file" "layer" {
  type        = "zip"
  source_dir  = "${path.module}/layer"
  output_path = "${path.module}/build/layer.zip"
}

resource "aws_lambda_layer_version" "weights" {
  layer_name = "weights"
  filename   = data.archive_file.layer.output_path
}

resource "aws_lambda_function" "check" {
  function_name = "orders-${var.stage}-check"
  role          = aws_iam_role.functions.arn
  runtime       = "python3.12"
  handler       = "orders.check"
  filename      = data.archive_file.code.output_path
  environment {
    variables = { STAGE = var.stage, TABLE = aws_dynamodb_table.orders.name }
  }
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders-${var.stage}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_iam_role" "functions" {
  name               = "orders-functions"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

module "packing" {
  source    = "./packing"
  stage     = var.stage
  role      = aws_iam_role.functions.arn
  code      = data.archive_file.code.output_path
  layer_arn = aws_lambda_layer_version.weights.arn
}

resource "aws_sfn_state_machine" "order" {
  name     = "orders-${var.stage}"
  role_arn = aws_iam_role.functions.arn
  definition = templatefile("${path.module}/order.asl.json.tftpl", {
    check = "arn:aws:lambda:eu-central-1:${data.aws_caller_identity.me.account_id}:function:orders-${var.stage}-check"
    pack  = "orders-${var.stage}-pack"
  })
}

resource "aws_sfn_state_machine" "refund" {
  name       = "refunds-${var.stage}"
  role_arn   = aws_iam_role.functions.arn
  definition = templatefile("${path.module}/refund.asl.json.tftpl", { check = aws_lambda_function.check.arn })
}
