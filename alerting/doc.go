// Package alerting evaluates the tenants' rules and notifies their receivers: per tenant one Prometheus rules manager and
// one Alertmanager built from upstream's parts, with rules, configuration, silences and the notification log in JetStream
// KV. Queries and recorded samples go through functions that are handed in, so it must not import querier, ingest, tenant
// or api; app imports it.
//
// This first form holds one lease for the whole role: one process evaluates all tenants, others stand by and serve only
// what lies in KV (rules and configuration).
package alerting
