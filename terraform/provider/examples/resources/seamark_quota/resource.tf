resource "seamark_quota" "prod" {
  cluster_id      = seamark_cluster.prod.id
  rows_per_second = 20000
  active_series   = 50000
}
