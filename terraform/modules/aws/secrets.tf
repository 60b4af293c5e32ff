# Passwords are made while Terraform runs and written to Secrets Manager alone: no state and no plan has them. They are letters, which
# need no escapes in addresses and in NATS' configuration.

ephemeral "random_password" "nats" {
  length  = 48
  numeric = false
  special = false
}

ephemeral "random_password" "clickhouse" {
  length  = 48
  numeric = false
  special = false
}

ephemeral "random_password" "tenants" {
  length  = 64
  special = false
}

locals {
  nats_hosts       = [for i in range(local.nats_servers) : "nats-${i}.${aws_route53_zone.inner.name}"]
  clickhouse_hosts = [for i in range(var.clickhouse_outside == null ? var.clickhouse.shards : 0) : "clickhouse-${i}.${aws_route53_zone.inner.name}"]
  http_addrs       = var.clickhouse_outside == null ? [for host in local.clickhouse_hosts : "${host}:8123"] : var.clickhouse_outside.http_addrs

  nats_url = join(",", [for host in local.nats_hosts : "nats://seamark:${ephemeral.random_password.nats.result}@${host}:4222"])
  made_dsn = join(" ", [for host in local.clickhouse_hosts : "clickhouse://seamark:${ephemeral.random_password.clickhouse.result}@${host}:9000"])
  dsn      = var.clickhouse_outside == null ? local.made_dsn : var.clickhouse_dsn
}

# One for each who reads it, so that a NATS server has no way to the root key.
resource "aws_secretsmanager_secret" "roles" {
  name_prefix = "${var.name}/roles-"
  description = "What the roles of Seamark reach NATS and ClickHouse with, and the root key"
  kms_key_id  = aws_kms_key.this.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "roles" {
  secret_id                = aws_secretsmanager_secret.roles.id
  secret_string_wo_version = var.secrets_version
  secret_string_wo = jsonencode({
    nats-url                 = local.nats_url
    clickhouse-dsn           = local.dsn
    clickhouse-tenant-secret = ephemeral.random_password.tenants.result
    root-key                 = var.root_key
  })
}

resource "aws_secretsmanager_secret" "nats" {
  name_prefix = "${var.name}/nats-"
  description = "Password of the NATS servers"
  kms_key_id  = aws_kms_key.this.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "nats" {
  secret_id                = aws_secretsmanager_secret.nats.id
  secret_string_wo         = ephemeral.random_password.nats.result
  secret_string_wo_version = var.secrets_version
}

resource "aws_secretsmanager_secret" "function" {
  count = var.lambda == null ? 0 : 1

  name_prefix = "${var.name}/function-"
  description = "Address of NATS for the function"
  kms_key_id  = aws_kms_key.this.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "function" {
  count = var.lambda == null ? 0 : 1

  secret_id                = aws_secretsmanager_secret.function[0].id
  secret_string_wo         = local.nats_url
  secret_string_wo_version = var.secrets_version
}

resource "aws_secretsmanager_secret" "clickhouse" {
  count = var.clickhouse_outside == null ? 1 : 0

  name_prefix = "${var.name}/clickhouse-"
  description = "Password of the ClickHouse servers"
  kms_key_id  = aws_kms_key.this.arn
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "clickhouse" {
  count = var.clickhouse_outside == null ? 1 : 0

  secret_id                = aws_secretsmanager_secret.clickhouse[0].id
  secret_string_wo         = ephemeral.random_password.clickhouse.result
  secret_string_wo_version = var.secrets_version
}
