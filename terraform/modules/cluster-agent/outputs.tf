output "cluster_id" {
  description = "Id of the cluster in Seamark."
  value       = seamark_cluster.this.id
}

output "token_prefix" {
  description = "How the agents' token begins, for logs and scanners; it is no secret."
  value       = seamark_cluster_token.agents.prefix
}
