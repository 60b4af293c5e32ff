variable "cluster" {
  description = "Name of the cluster in Seamark: lower-case letters, digits and inner hyphens. It becomes the label cluster of all that the agents send."
  type        = string
}

variable "url" {
  description = "Address of Seamark as the cluster reaches it, such as https://seamark.example.com."
  type        = string
}

variable "public_key" {
  description = "RSA public key (PEM) that the token is sealed to in the state."
  type        = string
}

variable "private_key" {
  description = "The private key that belongs to it, from a vault. It is kept nowhere."
  type        = string
  sensitive   = true
  ephemeral   = true
}

variable "rotation" {
  description = "A number that rises to give the agents another token."
  type        = number
  default     = 1
}

variable "overlap_seconds" {
  description = "How long the token before is good after a rotation, until all agents have started again."
  type        = number
  default     = 3600
}

variable "namespace" {
  description = "Namespace of the agents."
  type        = string
  default     = "seamark-agent"
}

variable "create_namespace" {
  description = "Whether the module makes the namespace."
  type        = bool
  default     = true
}

variable "release" {
  description = "Name of the Helm release."
  type        = string
  default     = "seamark-agent"
}

variable "chart" {
  description = "The chart seamark-agent: a path, such as deploy/helm/seamark-agent of a checkout, an archive, or an oci:// address."
  type        = string
}

variable "chart_version" {
  description = "Version of the chart; of a path there is one only."
  type        = string
  default     = null
}

variable "values" {
  description = "More values of the chart as YAML texts; later ones win."
  type        = list(string)
  default     = []
}
