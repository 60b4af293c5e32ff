# Every task runs all roles over the NATS and the ClickHouse outside, which needs no gateway before them (docs/deploy.md).

data "aws_vpc" "this" {
  id = local.vpc_id
}

locals {
  environment = merge({
    SEAMARK_HTTP_LISTEN             = ":4480"
    SEAMARK_HTTP_ALLOW_PLAINTEXT    = "true" # the load balancer ends TLS
    SEAMARK_HTTP_TRUSTED_PROXIES    = data.aws_vpc.this.cidr_block
    SEAMARK_HTTP_EXTERNAL_URL       = "https://${var.domain}"
    SEAMARK_NATS_REPLICAS           = tostring(local.nats_servers)
    SEAMARK_CLICKHOUSE_HTTP_ADDRS   = join(" ", local.http_addrs)
    SEAMARK_CLICKHOUSE_TENANT_USERS = var.clickhouse_outside == null ? "sql" : var.clickhouse_outside.tenant_users
    SEAMARK_LOG_FORMAT              = "json"
  }, var.settings)
  secrets = {
    SEAMARK_NATS_URL                 = "nats-url"
    SEAMARK_CLICKHOUSE_DSN           = "clickhouse-dsn"
    SEAMARK_CLICKHOUSE_TENANT_SECRET = "clickhouse-tenant-secret"
    SEAMARK_KEYS_ROOT                = "root-key"
  }
}

resource "aws_ecs_cluster" "this" {
  count = local.ecs

  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# It starts tasks: their secrets, and their logs. The image has to be public, or in a repository whose policy lets this role in.
resource "aws_iam_role" "execution" {
  count = local.ecs

  name_prefix        = "${var.name}-execution-"
  assume_role_policy = data.aws_iam_policy_document.assume["ecs-tasks"].json
  tags               = local.tags
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.roles.arn]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }
  statement {
    sid       = "Logs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this["roles"].arn}:*"]
  }
  statement {
    sid       = "ImageLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"] # it takes no other
  }
  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
    resources = ["arn:${local.partition}:ecr:${local.region}:${local.account}:repository/*"]
  }
}

resource "aws_iam_role_policy" "execution" {
  count = local.ecs

  name   = "seamark"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution.json
}

# What the product itself may do with AWS: nothing. Receivers and forwarders have credentials of their own.
resource "aws_iam_role" "task" {
  count = local.ecs

  name_prefix        = "${var.name}-task-"
  assume_role_policy = data.aws_iam_policy_document.assume["ecs-tasks"].json
  tags               = local.tags
}

resource "aws_ecs_task_definition" "this" {
  count = local.ecs

  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.tasks.cpu
  memory                   = var.tasks.memory
  execution_role_arn       = aws_iam_role.execution[0].arn
  task_role_arn            = aws_iam_role.task[0].arn
  tags                     = local.tags

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }
  container_definitions = jsonencode([{
    name         = "seamark"
    image        = var.image
    essential    = true
    command      = ["serve"]
    user         = "65532:65532"
    stopTimeout  = 60
    portMappings = [{ containerPort = 4480, protocol = "tcp" }]
    environment  = [for name, value in local.environment : { name = name, value = value }]
    secrets      = [for name, key in local.secrets : { name = name, valueFrom = "${aws_secretsmanager_secret.roles.arn}:${key}::" }]
    ulimits      = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    linuxParameters = {
      capabilities = { drop = ["ALL"] }
    }
    healthCheck = {
      command     = ["CMD", "/usr/local/bin/seamark", "healthcheck"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 120
    }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this["roles"].name
        awslogs-region        = local.region
        awslogs-stream-prefix = "seamark"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  count = local.ecs

  name                               = var.name
  cluster                            = aws_ecs_cluster.this[0].id
  task_definition                    = aws_ecs_task_definition.this[0].arn
  launch_type                        = "FARGATE"
  desired_count                      = var.tasks.min
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 180
  propagate_tags                     = "SERVICE"
  tags                               = local.tags

  network_configuration {
    subnets          = local.private_ids
    security_groups  = [aws_security_group.roles.id]
    assign_public_ip = false
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.http[0].arn
    container_name   = "seamark"
    container_port   = 4480
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.grpc[0].arn
    container_name   = "seamark"
    container_port   = 4480
  }
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  lifecycle {
    ignore_changes = [desired_count] # it grows and shrinks with the load
  }

  depends_on = [
    aws_lb_listener.this, aws_lb_listener_rule.grpc, aws_iam_role_policy.execution, aws_secretsmanager_secret_version.roles,
    aws_route53_record.nats, aws_route53_record.clickhouse, aws_volume_attachment.nats, aws_volume_attachment.clickhouse,
  ]
}

resource "aws_appautoscaling_target" "this" {
  count = local.ecs

  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this[0].name}/${aws_ecs_service.this[0].name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.min
  max_capacity       = var.tasks.max
  tags               = local.tags
}

resource "aws_appautoscaling_policy" "this" {
  count = local.ecs

  name               = "${var.name}-processors"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[0].service_namespace
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 600
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
