# NATS and ClickHouse: one machine each, whose data is on a volume of its own that outlives it.

data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_subnet" "private" {
  count = local.nats_servers

  id = local.private_ids[count.index % length(local.private_ids)]
}

locals {
  made_shards = var.clickhouse_outside == null ? var.clickhouse.shards : 0
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["roles", "nats", "clickhouse", "function", "gateway"])

  name              = "/seamark/${var.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.this.arn
  tags              = local.tags
}

resource "aws_ebs_volume" "nats" {
  count = local.nats_servers

  availability_zone = data.aws_subnet.private[count.index].availability_zone
  size              = var.nats.volume_gib
  type              = "gp3"
  iops              = var.nats.iops
  encrypted         = true
  kms_key_id        = aws_kms_key.this.arn
  final_snapshot    = var.deletion_protection
  tags              = merge(local.tags, { Name = "${var.name}-nats-${count.index}" })
}

resource "aws_instance" "nats" {
  count = local.nats_servers

  ami                     = data.aws_ssm_parameter.image.insecure_value
  instance_type           = var.nats.instance_type
  subnet_id               = data.aws_subnet.private[count.index].id
  vpc_security_group_ids  = [aws_security_group.nats.id]
  iam_instance_profile    = aws_iam_instance_profile.node["nats"].name
  disable_api_termination = var.deletion_protection
  tags                    = merge(local.tags, { Name = "${var.name}-nats-${count.index}" })

  user_data = templatefile("${path.module}/templates/node.sh.tftpl", {
    service           = "nats"
    host              = "nats-${count.index}"
    volume            = replace(aws_ebs_volume.nats[count.index].id, "-", "")
    region            = local.region
    secret            = aws_secretsmanager_secret.nats.arn
    password_variable = "NATS_PASSWORD"
    log_group         = aws_cloudwatch_log_group.this["nats"].name
    arguments         = "--volume /etc/nats/config:/etc/nats/nats.conf:ro --volume /data:/data ${var.nats.image} --config /etc/nats/nats.conf --name nats-${count.index}"
    config = base64encode(templatefile("${path.module}/templates/nats.conf.tftpl", {
      max_file_store = "${floor(var.nats.volume_gib * 0.9)}GB"
      routes         = join(", ", [for host in local.nats_hosts : "nats://${host}:6222"])
    }))
  })

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
    kms_key_id  = aws_kms_key.this.arn
  }

  lifecycle {
    # Another image or setting must not replace all three at once: replace them one after the other, with -replace.
    ignore_changes = [ami, user_data]
  }

  depends_on = [aws_secretsmanager_secret_version.nats]
}

resource "aws_volume_attachment" "nats" {
  count = local.nats_servers

  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.nats[count.index].id
  instance_id                    = aws_instance.nats[count.index].id
  stop_instance_before_detaching = true
}

resource "aws_route53_record" "nats" {
  count = local.nats_servers

  zone_id = aws_route53_zone.inner.zone_id
  name    = "nats-${count.index}"
  type    = "A"
  ttl     = 10
  records = [aws_instance.nats[count.index].private_ip]
}

resource "aws_ebs_volume" "clickhouse" {
  count = local.made_shards

  availability_zone = data.aws_subnet.private[count.index % local.nats_servers].availability_zone
  size              = var.clickhouse.volume_gib
  type              = "gp3"
  iops              = var.clickhouse.iops
  encrypted         = true
  kms_key_id        = aws_kms_key.this.arn
  final_snapshot    = var.deletion_protection
  tags              = merge(local.tags, { Name = "${var.name}-clickhouse-${count.index}", "seamark:snapshots" = var.name })
}

resource "aws_instance" "clickhouse" {
  count = local.made_shards

  ami                     = data.aws_ssm_parameter.image.insecure_value
  instance_type           = var.clickhouse.instance_type
  subnet_id               = data.aws_subnet.private[count.index % local.nats_servers].id
  vpc_security_group_ids  = [aws_security_group.clickhouse[0].id]
  iam_instance_profile    = aws_iam_instance_profile.node["clickhouse"].name
  disable_api_termination = var.deletion_protection
  tags                    = merge(local.tags, { Name = "${var.name}-clickhouse-${count.index}" })

  user_data = templatefile("${path.module}/templates/node.sh.tftpl", {
    service           = "clickhouse"
    host              = "clickhouse-${count.index}"
    volume            = replace(aws_ebs_volume.clickhouse[count.index].id, "-", "")
    region            = local.region
    secret            = aws_secretsmanager_secret.clickhouse[0].arn
    password_variable = "CLICKHOUSE_PASSWORD"
    log_group         = aws_cloudwatch_log_group.this["clickhouse"].name
    arguments         = "--ulimit nofile=262144:262144 --env CLICKHOUSE_USER=seamark --env CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT=1 --volume /data:/var/lib/clickhouse ${var.clickhouse.image}"
    config            = base64encode("")
  })

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    encrypted   = true
    kms_key_id  = aws_kms_key.this.arn
  }

  lifecycle {
    ignore_changes = [ami, user_data]
  }

  depends_on = [aws_secretsmanager_secret_version.clickhouse]
}

resource "aws_volume_attachment" "clickhouse" {
  count = local.made_shards

  device_name                    = "/dev/sdf"
  volume_id                      = aws_ebs_volume.clickhouse[count.index].id
  instance_id                    = aws_instance.clickhouse[count.index].id
  stop_instance_before_detaching = true
}

resource "aws_route53_record" "clickhouse" {
  count = local.made_shards

  zone_id = aws_route53_zone.inner.zone_id
  name    = "clickhouse-${count.index}"
  type    = "A"
  ttl     = 10
  records = [aws_instance.clickhouse[count.index].private_ip]
}

# Once a day, as there is no second copy.
resource "aws_dlm_lifecycle_policy" "clickhouse" {
  count = var.clickhouse_outside == null ? 1 : 0

  description        = "Daily snapshots of ClickHouse of ${var.name}"
  execution_role_arn = aws_iam_role.snapshots[0].arn
  state              = "ENABLED"
  tags               = local.tags

  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { "seamark:snapshots" = var.name }

    schedule {
      name      = "daily"
      copy_tags = true

      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["03:00"]
      }
      retain_rule {
        count = var.clickhouse.snapshots
      }
    }
  }
}
