# The cluster as Seamark knows it, a token for its agents, the token as a Secret, and the agents.

resource "seamark_cluster" "this" {
  name = var.cluster
}

resource "seamark_cluster_token" "agents" {
  cluster_id      = seamark_cluster.this.id
  name            = "seamark-agent"
  seal_to         = var.public_key
  rotation        = tostring(var.rotation)
  overlap_seconds = var.overlap_seconds
}

resource "kubernetes_namespace_v1" "this" {
  count = var.create_namespace ? 1 : 0

  metadata {
    name = var.namespace
  }
}

resource "kubernetes_secret_v1" "token" {
  metadata {
    name      = "${var.release}-token"
    namespace = var.create_namespace ? kubernetes_namespace_v1.this[0].metadata[0].name : var.namespace
  }

  # Write-only, and ephemeral because the private key is: the token is in no state and no plan.
  data_wo = {
    token = provider::seamark::unseal(seamark_cluster_token.agents.sealed_secret, var.private_key)
  }
  data_wo_revision = var.rotation

  lifecycle {
    replace_triggered_by = [seamark_cluster_token.agents.id] # a new token begins with the first rotation again
  }
}

resource "helm_release" "agent" {
  name      = var.release
  namespace = kubernetes_secret_v1.token.metadata[0].namespace
  chart     = var.chart
  version   = var.chart_version

  values = concat([
    yamlencode({
      url         = var.url
      cluster     = seamark_cluster.this.name
      tokenSecret = { name = kubernetes_secret_v1.token.metadata[0].name, key = "token" }
      # Collectors read the token when they start: another one has to start them.
      podAnnotations = { "seamark/token-rotation" = tostring(var.rotation) }
    }),
  ], var.values)
}
