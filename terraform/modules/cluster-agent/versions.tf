terraform {
  required_version = ">= 1.11"

  required_providers {
    seamark = {
      source = "seamarkhq/seamark"
    }
    helm = {
      source  = "hashicorp/helm"
      version = ">= 2.17"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 2.36" # the first with data_wo
    }
  }
}
