resource "seamark_silence" "move" {
  comment = "The shop moves to other nodes."
  ends_at = "2099-01-01T06:00:00Z"

  matchers = [
    { name = "namespace", value = "shop" },
    { name = "severity", operator = "!=", value = "page" },
  ]
}
