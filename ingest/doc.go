// Package ingest is the write path: ingest.go admits what a proven sender pushes (limits, normal form, encoding, the
// durable acknowledgement), http.go is its routes, writer.go moves acknowledged batches from the bus into the store,
// exactly once. The folders below it turn one protocol's bytes into a batch each. Package app imports it.
package ingest
