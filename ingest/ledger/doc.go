// Package ledger counts what ingest refuses or drops, per tenant, cluster, token, protocol and reason, so that a tenant can
// ask where its data went. Counts are gathered in memory and published every few seconds as rows of the tenant's own drop
// table; a few samples go with them, redacted. It knows no bus: package app hands it the way to publish.
package ledger
