// Package bus carries encoded batches from ingest to the writer over NATS JetStream: S shards per signal, each a stream of
// its own, and the small replicated state around them (checkpoints, leases). It does not look inside messages, and it
// must not import the store or the HTTP edge.
package bus
