data "seamark_plan" "small" {
  name = "small"
}
