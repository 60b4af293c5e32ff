resource "seamark_dashboard" "shop" {
  spec = jsonencode({
    version = 1
    title   = "Shop"
    tags    = ["shop"]
    panels = [{
      id = 1, type = "timeseries", title = "Requests", x = 0, y = 0, w = 12, h = 8, unit = "reqps"
      queries = [{
        language = "promql"
        query    = "sum by (pod) (rate(http_requests_total[$__rate_interval]))"
        legend   = "{{pod}}"
      }]
    }]
  })
}
