variable "slack_hook" {
  description = "What follows https://hooks.slack.com/services/ in the address of the incoming webhook."
  type        = string
  sensitive   = true
  ephemeral   = true
}

resource "seamark_alertmanager_config" "tenant" {
  config = <<-EOT
    route:
      receiver: ops
      group_by: [alertname, cluster, namespace]
    receivers:
      - name: ops
        slack_configs:
          - api_url: https://hooks.slack.com/services/<secret:slack>
            channel: '#ops'
            send_resolved: true
  EOT

  secrets_wo         = { slack = var.slack_hook }
  secrets_wo_version = "1"
}
