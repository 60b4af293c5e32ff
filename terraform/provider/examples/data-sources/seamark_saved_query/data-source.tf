data "seamark_saved_query" "errors" {
  id = seamark_saved_query.errors.id
}
