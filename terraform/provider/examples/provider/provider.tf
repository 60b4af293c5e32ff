terraform {
  required_version = ">= 1.11"
  required_providers {
    seamark = {
      source = "seamarkhq/seamark"
    }
  }
}

# The address and the token come from SEAMARK_URL and SEAMARK_TOKEN.
provider "seamark" {}
