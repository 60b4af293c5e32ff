data "seamark_retention" "tenant" {}
