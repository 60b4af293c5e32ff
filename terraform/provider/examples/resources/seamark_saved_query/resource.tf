resource "seamark_saved_query" "errors" {
  name          = "Errors of the shop"
  language      = "logql"
  query         = "{app=\"shop\"} |= \"error\""
  range_seconds = 3600
  tags          = ["shop"]
}
