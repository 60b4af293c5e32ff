variable "agents_private_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

# Ephemeral, because the key is: for write-only attributes, such as data_wo of a kubernetes_secret_v1.
locals {
  agents_token = provider::seamark::unseal(seamark_cluster_token.agents.sealed_secret, var.agents_private_key)
}
