variable "archive_secret_key" {
  type      = string
  sensitive = true
  ephemeral = true
}

resource "seamark_forwarder" "archive" {
  name   = "archive"
  filter = "{namespace=\"shop\"}"

  s3 = {
    region        = "eu-central-1"
    bucket        = "shop-logs"
    prefix        = "{date}/{cluster}/"
    format        = "parquet"
    access_key_id = "AKIAEXAMPLE"
  }

  secrets_wo         = { secret_access_key = var.archive_secret_key }
  secrets_wo_version = "1"
}
