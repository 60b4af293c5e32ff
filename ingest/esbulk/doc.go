// Package esbulk is the write side of Elasticsearch's API, as far as log agents use it: it turns the body of a _bulk
// request (already inflated) into a seamark.Batch, builds the answer with one item per action, and holds the answers to
// what Filebeat, Logstash, Fluent Bit and Vector ask before they send. It knows no HTTP server; package ingest imports it.
//
// Documents come to the normal form of package record. Their index is the attribute _index; the dataset of a data stream
// named logs-<dataset>-<namespace> names the service where nothing better does.
package esbulk

// ProductHeader and Product must stand on every response, refusals included: Elastic's clients refuse to talk to a server
// without them.
const (
	ProductHeader = "X-Elastic-Product"
	Product       = "Elasticsearch"
)
