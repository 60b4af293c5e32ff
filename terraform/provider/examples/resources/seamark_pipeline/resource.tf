resource "seamark_pipeline" "clean" {
  name    = "clean"
  enabled = true

  steps = [
    { name = "mask", kind = "redact", patterns = ["email", "credit_card", "token"] },
    { name = "thin", kind = "sample", match = ["log.severity_text == \"DEBUG\""], ratio = 0.1 },
  ]
}

resource "seamark_pipeline" "count" {
  name    = "count"
  enabled = true
  after   = seamark_pipeline.clean.name

  steps = [{
    name   = "errors"
    kind   = "metric"
    match  = ["log.severity_text == \"ERROR\""]
    metric = { name = "log_errors_total", type = "counter" }
  }]
}
