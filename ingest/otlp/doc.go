// Package otlp turns OTLP/HTTP export requests (opentelemetry-proto, logs and metrics, protobuf and JSON) into a
// seamark.Batch and builds the answers of that protocol. It reads bytes that are already inflated, does no I/O and keeps
// no state of a tenant; package ingest imports it.
//
// Logs: one stream is one resource. Its labels are service_name, namespace, workload, pod, container, node and, where the
// sender told it, cluster; every other attribute of resource, scope and record is structured metadata of the row.
//
// Metrics: names, units and labels follow Prometheus' OTLP translation with underscore escaping and suffixes, plus the
// labels namespace, pod, container, node and cluster from the resource. Explicit histograms and summaries become classic
// series. Delta temporality and exponential histograms are refused point by point, never dropped in silence.
package otlp
