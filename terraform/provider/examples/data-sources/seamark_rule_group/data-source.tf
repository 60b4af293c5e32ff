data "seamark_rule_group" "shop" {
  namespace = "shop"
  name      = "errors"
}
