# One address over TLS for agents, people and Grafana; OTLP over gRPC at the same.

locals {
  certificate_arn = var.certificate_arn == null ? aws_acm_certificate_validation.this[0].certificate_arn : var.certificate_arn
  made_names      = var.certificate_arn == null ? concat([var.domain], var.lambda == null ? [] : ["ingest.${var.domain}"]) : []
}

resource "aws_acm_certificate" "this" {
  count = var.certificate_arn == null ? 1 : 0

  domain_name               = var.domain
  subject_alternative_names = slice(local.made_names, 1, length(local.made_names))
  validation_method         = "DNS"
  tags                      = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "certificate" {
  for_each = toset(local.made_names)

  zone_id         = var.zone_id
  name            = one([for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_name if o.domain_name == each.key])
  type            = one([for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_type if o.domain_name == each.key])
  records         = [for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_value if o.domain_name == each.key]
  ttl             = 60
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.certificate_arn == null ? 1 : 0

  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for record in aws_route53_record.certificate : record.fqdn]
}

resource "aws_lb" "this" {
  count = local.ecs

  name                       = var.name
  load_balancer_type         = "application"
  subnets                    = local.public_ids
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = 3700 # an answer may be a live tail or an export of an hour
  tags                       = local.tags
}

resource "aws_lb_target_group" "http" {
  count = local.ecs

  name                 = "${var.name}-http"
  vpc_id               = local.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = 4480
  deregistration_delay = 30
  tags                 = local.tags

  health_check {
    path                = "/-/ready"
    matcher             = "200"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_target_group" "grpc" {
  count = local.ecs

  name                 = "${var.name}-grpc"
  vpc_id               = local.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  protocol_version     = "GRPC"
  port                 = 4480
  deregistration_delay = 30
  tags                 = local.tags

  health_check {
    path                = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
    matcher             = "0-99" # whoever refuses an empty call is there
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "this" {
  count = local.ecs

  load_balancer_arn = aws_lb.this[0].arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn
  tags              = local.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.http[0].arn
  }
}

resource "aws_lb_listener_rule" "grpc" {
  count = local.ecs

  listener_arn = aws_lb_listener.this[0].arn
  priority     = 10
  tags         = local.tags

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.grpc[0].arn
  }
  condition {
    path_pattern {
      values = ["/opentelemetry.proto.collector.*"]
    }
  }
}

resource "aws_route53_record" "balancer" {
  count = local.ecs == 1 && var.zone_id != null ? 1 : 0

  zone_id = var.zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.this[0].dns_name
    zone_id                = aws_lb.this[0].zone_id
    evaluate_target_health = true
  }
}
