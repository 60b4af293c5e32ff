// Package quota says how much a tenant and a cluster may send: bytes and rows a second, bytes a day, active series and
// streams, and the limits of one request. A limit belongs to the tenant, not to a node: the ingest nodes that are alive
// share it by demand over small documents in the bus's KV. It knows no HTTP and no directory; package app hands it the
// limits that were set, and package ingest calls it.
package quota
