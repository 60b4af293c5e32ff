data "seamark_receiver" "oncall" {
  name = "oncall"
}
