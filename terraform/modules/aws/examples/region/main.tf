# A small region: two tasks of all roles, three NATS servers, one ClickHouse server, the archive, and ingest as a function beside them.

terraform {
  required_version = ">= 1.11"
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "Region of the installation."
  type        = string
  default     = "eu-central-1"
}

variable "zone_id" {
  description = "Route 53 zone of example.com."
  type        = string
}

variable "packages_bucket" {
  description = "Bucket with the function's package."
  type        = string
}

variable "root_key" {
  description = "From `seamark keys generate`; a copy is in a vault."
  type        = string
  sensitive   = true
  ephemeral   = true
}

module "seamark" {
  source = "../.."

  image    = "ghcr.io/seamarkhq/seamark:v1.0.0"
  domain   = "seamark.example.com"
  zone_id  = var.zone_id
  root_key = var.root_key

  tasks      = { cpu = 2048, memory = 4096, min = 2, max = 6 }
  nats       = { instance_type = "m7i.large", volume_gib = 200 }
  clickhouse = { shards = 1, instance_type = "r7i.xlarge", volume_gib = 500 }

  lambda = {
    s3_bucket   = var.packages_bucket
    s3_key      = "seamark_v1.0.0_lambda_amd64.zip"
    concurrency = 20
  }

  alarm_emails = ["operators@example.com"]
}

output "url" {
  description = "Address for agents and people."
  value       = module.seamark.url
}

output "ingest_url" {
  description = "Address of the function."
  value       = module.seamark.ingest_url
}
