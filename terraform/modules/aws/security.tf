# Who reaches whom: the load balancer the roles, the roles and functions NATS, the roles ClickHouse, NATS servers each other.

locals {
  callers = merge(
    local.ecs == 1 ? { roles = aws_security_group.roles.id } : {},
    local.eks == 1 ? { nodes = aws_eks_cluster.this[0].vpc_config[0].cluster_security_group_id } : {},
  )
  publishers = merge(local.callers, var.lambda == null ? {} : { function = aws_security_group.function[0].id })
}

resource "aws_security_group" "balancer" {
  name_prefix = "${var.name}-balancer-"
  description = "Load balancer of Seamark"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-balancer" })

  lifecycle {
    create_before_destroy = true
  }
}

# TLS alone: a redirect from port 80 would come after the token has crossed the network.
resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.balancer.id
  description       = "Agents and people"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  security_group_id            = aws_security_group.balancer.id
  description                  = "Roles"
  referenced_security_group_id = aws_security_group.roles.id
  ip_protocol                  = "tcp"
  from_port                    = 4480
  to_port                      = 4480
}

resource "aws_security_group" "roles" {
  name_prefix = "${var.name}-roles-"
  description = "Roles of Seamark"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-roles" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "roles" {
  security_group_id            = aws_security_group.roles.id
  description                  = "Load balancer"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 4480
  to_port                      = 4480
}

# Receivers and forwarders reach what tenants name; the product itself keeps them from private addresses.
resource "aws_vpc_security_group_egress_rule" "roles" {
  security_group_id = aws_security_group.roles.id
  description       = "NATS, ClickHouse, receivers, forwarders"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "function" {
  count = var.lambda == null ? 0 : 1

  name_prefix = "${var.name}-function-"
  description = "Ingest of Seamark as a function"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-function" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "function_nats" {
  count = var.lambda == null ? 0 : 1

  security_group_id            = aws_security_group.function[0].id
  description                  = "NATS"
  referenced_security_group_id = aws_security_group.nats.id
  ip_protocol                  = "tcp"
  from_port                    = 4222
  to_port                      = 4222
}

resource "aws_vpc_security_group_egress_rule" "function_secrets" {
  count = var.lambda == null ? 0 : 1

  security_group_id = aws_security_group.function[0].id
  description       = "Secrets Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "nats" {
  name_prefix = "${var.name}-nats-"
  description = "NATS of Seamark"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-nats" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "nats_clients" {
  for_each = local.publishers

  security_group_id            = aws_security_group.nats.id
  description                  = "Clients: ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 4222
  to_port                      = 4222
}

resource "aws_vpc_security_group_ingress_rule" "nats_routes" {
  security_group_id            = aws_security_group.nats.id
  description                  = "Each other"
  referenced_security_group_id = aws_security_group.nats.id
  ip_protocol                  = "tcp"
  from_port                    = 6222
  to_port                      = 6222
}

resource "aws_vpc_security_group_egress_rule" "nats" {
  security_group_id = aws_security_group.nats.id
  description       = "Each other, images, secrets"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_security_group" "clickhouse" {
  count = var.clickhouse_outside == null ? 1 : 0

  name_prefix = "${var.name}-clickhouse-"
  description = "ClickHouse of Seamark"
  vpc_id      = local.vpc_id
  tags        = merge(local.tags, { Name = "${var.name}-clickhouse" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clickhouse" {
  for_each = var.clickhouse_outside == null ? {
    for pair in setproduct(keys(local.callers), [8123, 9000]) : "${pair[0]}-${pair[1]}" => { caller = pair[0], port = pair[1] }
  } : {}

  security_group_id            = aws_security_group.clickhouse[0].id
  description                  = each.key
  referenced_security_group_id = local.callers[each.value.caller]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "clickhouse" {
  count = var.clickhouse_outside == null ? 1 : 0

  security_group_id = aws_security_group.clickhouse[0].id
  description       = "Images and secrets"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
