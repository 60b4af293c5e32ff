data "seamark_alertmanager_config" "tenant" {}
