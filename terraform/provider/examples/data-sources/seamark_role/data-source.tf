data "seamark_role" "viewer" {
  name = "viewer"
}
