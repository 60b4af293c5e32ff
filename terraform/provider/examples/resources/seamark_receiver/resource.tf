variable "pagerduty_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

resource "seamark_receiver" "oncall" {
  name   = "oncall"
  config = yamlencode({ pagerduty_configs = [{ routing_key = "<secret:pagerduty>" }] })

  routes = [{
    matchers        = ["severity=\"page\""]
    group_by        = ["alertname", "cluster"]
    repeat_interval = "4h"
  }]

  secrets_wo         = { pagerduty = var.pagerduty_key }
  secrets_wo_version = "1"
}
