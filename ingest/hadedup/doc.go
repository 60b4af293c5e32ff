// Package hadedup takes the samples of one of several Prometheus replicas that scrape the same targets. A replica is
// elected per tenant and cluster, in a document that all ingest nodes share, and another takes over when it falls silent.
// It removes duplicates where it can and never data: whenever the document cannot be reached in time, samples are taken.
package hadedup
