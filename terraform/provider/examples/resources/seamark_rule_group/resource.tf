resource "seamark_rule_group" "shop" {
  namespace = "shop"
  name      = "errors"
  interval  = "1m"

  rules = [
    {
      record = "job:http_errors:rate5m"
      expr   = "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m]))"
    },
    {
      alert       = "Errors"
      expr        = "job:http_errors:rate5m > 1"
      for         = "10m"
      labels      = { severity = "page" }
      annotations = { summary = "{{ $labels.job }} fails." }
    },
  ]
}

# A group as it stands in a file of Prometheus or Loki.
resource "seamark_rule_group" "logs" {
  namespace = "shop"
  name      = "logs"
  language  = "logql"
  yaml      = <<-EOT
    name: logs
    rules:
      - alert: Panics
        expr: sum(count_over_time({app="shop"} |= "panic" [5m])) > 0
        for: 5m
  EOT
}
