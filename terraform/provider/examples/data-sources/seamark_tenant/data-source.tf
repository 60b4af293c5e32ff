data "seamark_tenant" "acme" {
  slug = "acme"
}
