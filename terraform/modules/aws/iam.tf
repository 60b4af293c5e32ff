# Each has what it needs and nothing else: a server its password, tasks their secrets, people their policies.

locals {
  node_secrets = merge({ nats = aws_secretsmanager_secret.nats.arn }, var.clickhouse_outside == null ? { clickhouse = aws_secretsmanager_secret.clickhouse[0].arn } : {})
}

data "aws_iam_policy_document" "assume" {
  for_each = toset(["ec2", "ecs-tasks", "lambda", "dlm", "eks", "pods.eks"])

  statement {
    actions = each.key == "pods.eks" ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "node" {
  for_each = local.node_secrets

  name_prefix        = "${var.name}-${each.key}-"
  assume_role_policy = data.aws_iam_policy_document.assume["ec2"].json
  tags               = local.tags
}

resource "aws_iam_instance_profile" "node" {
  for_each = local.node_secrets

  name_prefix = "${var.name}-${each.key}-"
  role        = aws_iam_role.node[each.key].name
}

data "aws_iam_policy_document" "node" {
  for_each = local.node_secrets

  statement {
    sid       = "Password"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [each.value]
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
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
  }
}

resource "aws_iam_role_policy" "node" {
  for_each = local.node_secrets

  name   = "seamark"
  role   = aws_iam_role.node[each.key].id
  policy = data.aws_iam_policy_document.node[each.key].json
}

# Sessions of operators, without keys and open ports.
resource "aws_iam_role_policy_attachment" "node" {
  for_each = local.node_secrets

  role       = aws_iam_role.node[each.key].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role" "snapshots" {
  count = var.clickhouse_outside == null ? 1 : 0

  name_prefix        = "${var.name}-snapshots-"
  assume_role_policy = data.aws_iam_policy_document.assume["dlm"].json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "snapshots" {
  count = var.clickhouse_outside == null ? 1 : 0

  role       = aws_iam_role.snapshots[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"
}

# Receivers and forwarders have credentials of their own, which tenants set. These policies are for the users whose keys those are.
data "aws_iam_policy_document" "mail" {
  count = var.ses_identity_arn == null ? 0 : 1

  statement {
    sid       = "Mail"
    actions   = ["ses:SendRawEmail"] # all that SES' SMTP needs
    resources = [var.ses_identity_arn]
  }
}

resource "aws_iam_policy" "mail" {
  count = var.ses_identity_arn == null ? 0 : 1

  name_prefix = "${var.name}-mail-"
  description = "Mail receivers of Seamark"
  policy      = data.aws_iam_policy_document.mail[0].json
  tags        = local.tags
}

data "aws_iam_policy_document" "messages" {
  statement {
    sid           = "Messages"
    actions       = ["sns:Publish"]
    not_resources = ["arn:${local.partition}:sns:*:*:*"] # SMS has no topic; topics are for those who own them to open
  }
}

resource "aws_iam_policy" "messages" {
  name_prefix = "${var.name}-messages-"
  description = "SMS receivers of Seamark"
  policy      = data.aws_iam_policy_document.messages.json
  tags        = local.tags
}

data "aws_iam_policy_document" "archive" {
  count = var.archive == null ? 0 : 1

  statement {
    sid       = "Objects"
    actions   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    resources = ["${aws_s3_bucket.archive[0].arn}/*"]
  }
  statement {
    sid       = "Key"
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["s3.${local.region}.amazonaws.com"]
    }
  }
}

resource "aws_iam_policy" "archive" {
  count = var.archive == null ? 0 : 1

  name_prefix = "${var.name}-archive-"
  description = "Forwarders of Seamark that archive to S3: writing, no reading"
  policy      = data.aws_iam_policy_document.archive[0].json
  tags        = local.tags
}
