resource "seamark_plan" "small" {
  name  = "small"
  title = "Small"

  quota = {
    rows_per_second = 5000
    daily_bytes     = 50000000000
    retention_days  = 30
  }
}
