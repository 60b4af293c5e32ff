data "seamark_forwarder" "archive" {
  name = "archive"
}
