data "seamark_member" "ann" {
  login = "ann@example.com"
}
