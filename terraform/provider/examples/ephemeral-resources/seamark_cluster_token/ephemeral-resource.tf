# A token for checks within the run, such as a first push through the ingress.
ephemeral "seamark_cluster_token" "check" {
  cluster_id = seamark_cluster.prod.id
  signals    = ["logs"]
}
