resource "seamark_api_key" "grafana" {
  name = "grafana"
  role = "viewer"

  restriction = {
    namespaces = ["shop", "shop-jobs"]
  }

  seal_to = file("${path.module}/agents.pub.pem")
}
