# Ingest as a function behind an HTTP API of its own, at ingest.<domain>.

locals {
  functions = var.lambda == null ? 0 : 1
}

resource "aws_iam_role" "function" {
  count = local.functions

  name_prefix        = "${var.name}-function-"
  assume_role_policy = data.aws_iam_policy_document.assume["lambda"].json
  tags               = local.tags
}

data "aws_iam_policy_document" "function" {
  count = local.functions

  statement {
    sid       = "AddressOfNATS"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.function[0].arn]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${local.region}.amazonaws.com"]
    }
  }
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this["function"].arn}:*"]
  }
  statement {
    sid       = "Network" # of a function in a VPC; these actions take no narrower resource
    actions   = ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "function" {
  count = local.functions

  name   = "seamark"
  role   = aws_iam_role.function[0].id
  policy = data.aws_iam_policy_document.function[0].json
}

resource "aws_lambda_function" "this" {
  count = local.functions

  function_name                  = "${var.name}-ingest"
  role                           = aws_iam_role.function[0].arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.lambda.architecture]
  s3_bucket                      = var.lambda.s3_bucket
  s3_key                         = var.lambda.s3_key
  s3_object_version              = var.lambda.s3_object_version
  memory_size                    = var.lambda.memory_mib
  timeout                        = 29 # the API waits 30 seconds
  reserved_concurrent_executions = var.lambda.concurrency
  tags                           = local.tags

  environment {
    variables = merge(var.settings, {
      SEAMARK_NATS_REPLICAS            = tostring(local.nats_servers)
      SEAMARK_LAMBDA_NATS_SECRET       = aws_secretsmanager_secret.function[0].arn
      SEAMARK_LAMBDA_MAX_AGE           = var.lambda.max_age
      SEAMARK_LAMBDA_CLICKHOUSE_SHARDS = tostring(local.shards)
    })
  }
  vpc_config {
    subnet_ids         = local.private_ids
    security_group_ids = [aws_security_group.function[0].id]
  }
  logging_config {
    log_format = "Text" # the product writes JSON itself
    log_group  = aws_cloudwatch_log_group.this["function"].name
  }

  depends_on = [
    aws_iam_role_policy.function, aws_secretsmanager_secret_version.function, aws_vpc_security_group_egress_rule.function_nats,
    aws_vpc_security_group_egress_rule.function_secrets, aws_route53_record.nats, aws_volume_attachment.nats,
  ]
}

resource "aws_apigatewayv2_api" "this" {
  count = local.functions

  name                         = "${var.name}-ingest"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true # tokens go to the name that senders know
  tags                         = local.tags
}

resource "aws_apigatewayv2_integration" "this" {
  count = local.functions

  api_id                 = aws_apigatewayv2_api.this[0].id
  integration_type       = "AWS_PROXY"
  integration_method     = "POST"
  integration_uri        = aws_lambda_function.this[0].invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

# No authorizer: the function proves the tokens.
resource "aws_apigatewayv2_route" "this" {
  count = local.functions

  api_id    = aws_apigatewayv2_api.this[0].id
  route_key = "$default"
  target    = "integrations/${aws_apigatewayv2_integration.this[0].id}"
}

resource "aws_apigatewayv2_stage" "this" {
  count = local.functions

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true
  tags        = local.tags

  default_route_settings {
    throttling_burst_limit = var.lambda.burst
    throttling_rate_limit  = var.lambda.rate
  }
  # No query string: some old protocols have their token in it.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this["gateway"].arn
    format = jsonencode({
      time = "$context.requestTime", request = "$context.requestId", address = "$context.identity.sourceIp", method = "$context.httpMethod",
      path = "$context.path", status = "$context.status", milliseconds = "$context.responseLatency", bytes = "$context.responseLength",
    })
  }
}

resource "aws_lambda_permission" "this" {
  count = local.functions

  statement_id  = "http-api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this[0].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this[0].execution_arn}/*"
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = local.functions

  domain_name = "ingest.${var.domain}"
  tags        = local.tags

  domain_name_configuration {
    certificate_arn = local.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = local.functions

  api_id      = aws_apigatewayv2_api.this[0].id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this[0].id
}

resource "aws_route53_record" "function" {
  count = var.lambda != null && var.zone_id != null ? 1 : 0

  zone_id = var.zone_id
  name    = "ingest.${var.domain}"
  type    = "A"

  alias {
    name                   = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id                = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
    evaluate_target_health = false
  }
}
