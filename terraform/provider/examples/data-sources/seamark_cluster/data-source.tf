data "seamark_cluster" "prod" {
  name = "prod"
}
