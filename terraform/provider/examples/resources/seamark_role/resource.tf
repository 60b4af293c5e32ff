resource "seamark_role" "night_shift" {
  name        = "night-shift"
  description = "Reads everything and silences alerts."
  permissions = ["data:read", "rules:read", "silences:write"]
}
