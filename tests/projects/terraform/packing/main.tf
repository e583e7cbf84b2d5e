variable "stage" {}
variable "role" {}
variable "code" {}
variable "layer_arn" {}

resource "aws_lambda_function" "pack" {
  function_name = "orders-${var.stage}-pack"
  role          = var.role
  runtime       = "python3.12"
  handler       = "parcels.pack"
  filename      = var.code
  memory_size   = 512
  timeout       = 30
  layers        = [var.layer_arn]
}
