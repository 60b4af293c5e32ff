resource "seamark_tenant" "acme" {
  slug           = "acme"
  name           = "Acme"
  plan           = seamark_plan.small.name
  deletion_grace = "168h"
}

# What holds for this tenant beside its plan.
resource "seamark_quota" "acme" {
  tenant_id         = seamark_tenant.acme.id
  query_concurrency = 8
}
