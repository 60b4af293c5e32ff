data "seamark_cluster_token" "agents" {
  id = seamark_cluster_token.agents.id
}
