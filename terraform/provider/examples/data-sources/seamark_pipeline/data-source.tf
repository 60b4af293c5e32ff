data "seamark_pipeline" "clean" {
  name = "clean"
}
