output "url" {
  description = "Address for agents and people."
  value       = "https://${var.domain}"
}

output "ingest_url" {
  description = "Address of the function for agents; null without one."
  value       = var.lambda == null ? null : "https://ingest.${var.domain}"
}

output "balancer_dns_name" {
  description = "Name of the load balancer, to point the domain at where DNS is elsewhere; null with EKS."
  value       = one(aws_lb.this[*].dns_name)
}

output "function_dns_name" {
  description = "Name to point ingest.<domain> at where DNS is elsewhere; null without a function."
  value       = one([for d in aws_apigatewayv2_domain_name.this : d.domain_name_configuration[0].target_domain_name])
}

output "vpc_id" {
  description = "The VPC that all is in."
  value       = local.vpc_id
}

output "private_subnet_ids" {
  description = "The subnets of servers and tasks."
  value       = local.private_ids
}

output "roles_security_group_id" {
  description = "Security group of the tasks; it reaches NATS and ClickHouse."
  value       = aws_security_group.roles.id
}

output "roles_secret_arn" {
  description = "Secret with nats-url, clickhouse-dsn, clickhouse-tenant-secret and root-key, as JSON."
  value       = aws_secretsmanager_secret.roles.arn
}

output "kms_key_arn" {
  description = "Key that volumes, secrets, logs and the archive are encrypted with."
  value       = aws_kms_key.this.arn
}

output "nats_hosts" {
  description = "Names of the NATS servers inside the VPC."
  value       = local.nats_hosts
}

output "archive_bucket" {
  description = "Bucket for forwarders to archive to; null without one."
  value       = one(aws_s3_bucket.archive[*].id)
}

output "archive_policy_arn" {
  description = "Policy for the user whose keys an archiving forwarder has."
  value       = one(aws_iam_policy.archive[*].arn)
}

output "mail_policy_arn" {
  description = "Policy for the user whose SMTP credentials mail receivers have; null without ses_identity_arn."
  value       = one(aws_iam_policy.mail[*].arn)
}

output "messages_policy_arn" {
  description = "Policy for the user whose keys SMS receivers have."
  value       = aws_iam_policy.messages.arn
}

output "alarms_topic_arn" {
  description = "Topic that alarms are told to."
  value       = aws_sns_topic.alarms.arn
}

output "log_group_names" {
  description = "Names of the log groups, by what writes to them."
  value       = { for part, group in aws_cloudwatch_log_group.this : part => group.name }
}

output "eks" {
  description = "The EKS cluster for the providers kubernetes and helm: name, endpoint and certificate; null with ECS."
  value = one([for c in aws_eks_cluster.this : {
    name                   = c.name
    endpoint               = c.endpoint
    cluster_ca_certificate = base64decode(c.certificate_authority[0].data)
  }])
}

output "helm_values" {
  description = "Values for deploy/helm/seamark on the EKS cluster, as YAML; null with ECS. The Secret seamark has the keys of roles_secret_arn, and pods have the address of NATS with its password from there."
  value = local.eks == 0 ? null : yamlencode({
    image       = { repository = local.image.repository, tag = local.image.tag == null ? "" : local.image.tag, digest = local.image.digest == null ? "" : local.image.digest }
    secretName  = "seamark"
    externalURL = "https://${var.domain}"
    nats        = { urlKey = "nats-url", replicas = local.nats_servers }
    clickhouse  = { httpAddrs = local.http_addrs, tenantUsers = local.environment.SEAMARK_CLICKHOUSE_TENANT_USERS }
  })
}
