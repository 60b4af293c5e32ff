variable "name" {
  description = "Begins the names of all that the module makes."
  type        = string
  default     = "seamark"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name has 3 to 20 lower-case letters, digits and inner hyphens, and begins with a letter: load balancers take no longer names."
  }
}

variable "tags" {
  description = "Tags of all that the module makes."
  type        = map(string)
  default     = {}
}

variable "vpc" {
  description = "An existing VPC with subnets in as many zones as NATS has servers. Private subnets need a way out, for images. null makes a VPC."
  type = object({
    id                 = string
    private_subnet_ids = list(string)
    public_subnet_ids  = list(string)
  })
  default = null

  validation {
    condition     = var.vpc == null ? true : length(var.vpc.private_subnet_ids) >= 2 && length(var.vpc.public_subnet_ids) >= 2
    error_message = "A load balancer needs public subnets in two zones, and NATS private ones in two or, better, three."
  }
}

variable "cidr" {
  description = "Network of the VPC that the module makes."
  type        = string
  default     = "10.64.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "The network is IPv4 with a prefix of at most 20 bits, such as 10.64.0.0/16: it is divided into 16 parts."
  }
}

variable "single_nat_gateway" {
  description = "One NAT gateway for all zones instead of one for each: cheaper, and images cannot be fetched while its zone is away."
  type        = bool
  default     = false
}

variable "image" {
  description = "Image of Seamark, by digest where possible."
  type        = string

  validation {
    condition     = can(regex("[:@]", var.image)) && !endswith(var.image, ":latest")
    error_message = "The image has a tag other than latest, or a digest: all tasks have to be of one version."
  }
}

variable "compute" {
  description = "Where the roles run: ecs makes Fargate tasks behind a load balancer. eks makes a cluster, into which deploy/helm/seamark is installed with the output helm_values."
  type        = string
  default     = "ecs"

  validation {
    condition     = contains(["ecs", "eks"], var.compute)
    error_message = "compute is ecs or eks."
  }
}

variable "tasks" {
  description = "Fargate tasks, each with all roles: processor units (1024 are one), MiB of memory, and how many there are."
  type = object({
    cpu    = optional(number, 2048)
    memory = optional(number, 4096)
    min    = optional(number, 2)
    max    = optional(number, 6)
  })
  default = {}

  validation {
    condition     = var.tasks.min >= 1 && var.tasks.max >= var.tasks.min && contains([1024, 2048, 4096, 8192, 16384], var.tasks.cpu)
    error_message = "There is at least one task, max is not below min, and cpu is 1024, 2048, 4096, 8192 or 16384."
  }
}

variable "settings" {
  description = "Further settings of the roles by environment variable, as docs/flags.md lists them: {SEAMARK_QUOTA_ROWS_PER_SECOND = \"20000\"}. No secrets."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.settings) : startswith(key, "SEAMARK_")])
    error_message = "Settings are environment variables that begin with SEAMARK_."
  }
}

variable "eks" {
  description = "The EKS cluster: version, networks that reach its API beside the VPC, and its nodes."
  type = object({
    version       = optional(string, "1.33")
    public_cidrs  = optional(list(string), [])
    instance_type = optional(string, "m7i.xlarge")
    min           = optional(number, 3)
    max           = optional(number, 9)
  })
  default = {}

  validation {
    condition     = !contains(var.eks.public_cidrs, "0.0.0.0/0") && var.eks.min >= 1 && var.eks.max >= var.eks.min
    error_message = "The cluster's API is not for the whole internet, there is at least one node, and max is not below min."
  }
}

variable "domain" {
  description = "Name under which agents and people reach Seamark, such as seamark.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain is a full name in lower case, such as seamark.example.com."
  }
}

variable "zone_id" {
  description = "Route 53 zone of the domain, in which the certificate is proven and the names are made. null where DNS is elsewhere: certificate_arn is needed then."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "Certificate of the domain, and of ingest.<domain> where there is a function. null has one made in zone_id."
  type        = string
  default     = null

  validation {
    condition     = var.certificate_arn != null || var.zone_id != null
    error_message = "Either certificate_arn or zone_id has to be set."
  }
}

variable "allowed_cidrs" {
  description = "Networks that reach the load balancer."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "deletion_protection" {
  description = "Whether load balancer, archive and the volumes of NATS and ClickHouse are kept from being destroyed by mistake: of the archive what is in it, of volumes a last snapshot."
  type        = bool
  default     = true
}

variable "root_key" {
  description = "Root key of the secrets in the store, from `seamark keys generate`. Keep a copy elsewhere: docs/backup.md."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "secrets_version" {
  description = "A number that rises to write the secrets anew: another root key or DSN, and other passwords of NATS and ClickHouse. Servers and tasks have to be started again then."
  type        = number
  default     = 1
}

variable "nats" {
  description = "The NATS servers: image, instance type, and GiB of the volume that streams are on. bus.max-stream-bytes times 16 streams for each ClickHouse shard has to fit."
  type = object({
    image         = optional(string, "nats:2.15.2-alpine")
    instance_type = optional(string, "m7i.large")
    volume_gib    = optional(number, 200)
    iops          = optional(number, 6000)
  })
  default = {}

  validation {
    condition     = var.nats.volume_gib >= 50 && var.nats.iops >= 3000 && var.nats.iops <= 16000
    error_message = "The volume has at least 50 GiB and 3,000 to 16,000 operations a second: every acknowledgement is a sync."
  }
}

variable "clickhouse" {
  description = "ClickHouse servers that the module makes, one for each shard. They are not replicated: their volumes are what to keep, and have daily snapshots."
  type = object({
    shards        = optional(number, 1)
    image         = optional(string, "clickhouse/clickhouse-server:26.7")
    instance_type = optional(string, "r7i.xlarge")
    volume_gib    = optional(number, 500)
    iops          = optional(number, 3000)
    snapshots     = optional(number, 7)
  })
  default = {}

  validation {
    condition     = var.clickhouse.shards >= 1 && var.clickhouse.shards <= 16 && var.clickhouse.volume_gib >= 50 && var.clickhouse.snapshots >= 1
    error_message = "There are 1 to 16 shards, volumes have at least 50 GiB, and at least one snapshot is kept."
  }
}

variable "clickhouse_outside" {
  description = "Use ClickHouse servers that exist, such as of ClickHouse Cloud, instead of making some. Their DSNs are in clickhouse_dsn, their HTTP addresses here, one text for each shard."
  type = object({
    http_addrs   = list(string)
    tenant_users = optional(string, "sql")
  })
  default = null

  validation {
    condition     = var.clickhouse_outside == null ? true : length(var.clickhouse_outside.http_addrs) >= 1 && contains(["sql", "provisioned"], var.clickhouse_outside.tenant_users)
    error_message = "There is one text of HTTP addresses for each shard, and tenant_users is sql or provisioned."
  }
}

variable "clickhouse_dsn" {
  description = "DSNs of clickhouse_outside with user and password, a space between those of two shards."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "archive" {
  description = "The bucket that forwarders archive to: days until objects go to Glacier Instant Retrieval, and until they are deleted. null makes none."
  type = object({
    glacier_days = optional(number, 30)
    expire_days  = optional(number, 400)
  })
  default = {}

  validation {
    condition     = var.archive == null ? true : var.archive.glacier_days >= 1 && var.archive.expire_days > var.archive.glacier_days
    error_message = "Objects are moved after a day at least, and deleted after they were moved."
  }
}

variable "ses_identity_arn" {
  description = "SES identity that mail receivers send from. null makes no policy for mail."
  type        = string
  default     = null
}

variable "lambda" {
  description = "Ingest as a function beside the tasks, at ingest.<domain>: the object with the package of a release (seamark_<version>_lambda_amd64.zip, or with arm64 for that architecture; docs/deploy.md), memory, and how many sandboxes there are at most. null makes none."
  type = object({
    s3_bucket         = string
    s3_key            = string
    s3_object_version = optional(string)
    architecture      = optional(string, "x86_64")
    memory_mib        = optional(number, 1024)
    concurrency       = optional(number, 50)
    max_age           = optional(string, "2s")
    burst             = optional(number, 500)
    rate              = optional(number, 200)
  })
  default = null

  validation {
    condition     = var.lambda == null ? true : var.lambda.concurrency >= 1 && var.lambda.concurrency <= 200
    error_message = "There are 1 to 200 sandboxes: ingest nodes share quotas over 256 places, and each sandbox is a connection to NATS."
  }
  validation {
    condition     = var.lambda == null ? true : contains(["x86_64", "arm64"], var.lambda.architecture)
    error_message = "The architecture is x86_64, of the package that ends with amd64, or arm64."
  }
  validation {
    condition     = var.lambda == null ? true : var.lambda.memory_mib >= 512 && var.lambda.memory_mib <= 10240
    error_message = "A function has 512 to 10,240 MiB of memory: a push is inflated in it."
  }
}

variable "alarm_emails" {
  description = "Addresses that alarms are mailed to, once each has confirmed."
  type        = list(string)
  default     = []
}

variable "log_days" {
  description = "How long CloudWatch keeps logs."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 or 400 days."
  }
}
