resource "seamark_cluster" "prod" {
  name = "prod"
}
