resource "seamark_member" "ann" {
  login = "ann@example.com"
  role  = seamark_role.night_shift.name

  # The token of the invitation, for whoever hands it on.
  secret_file = "${path.module}/invitation-of-ann.secret"
}
