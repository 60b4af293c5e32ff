// Package tenant knows who may do what: tenants, clusters, tokens, users, sessions and the permissions of each.
//
// Its state lives in JetStream KV, one bucket per noun. Every node watches every bucket and keeps the whole directory in
// memory, so a request is authenticated without a call and a revocation reaches all nodes within milliseconds. Nothing is
// ever authorised from a KV read: reads may come from a replica that lags behind. Changes go by compare-and-set.
//
// It serves no HTTP and touches no telemetry. Only package app imports it; other roles see it through their interfaces.
package tenant
