data "seamark_api_key" "grafana" {
  id = seamark_api_key.grafana.id
}
