data "seamark_dashboard" "shop" {
  id = seamark_dashboard.shop.id
}
