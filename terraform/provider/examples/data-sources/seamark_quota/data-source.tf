data "seamark_quota" "prod" {
  cluster_id = data.seamark_cluster.prod.id
}
