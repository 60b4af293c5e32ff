// Package record brings structured log records (Elasticsearch documents, HEC events, NDJSON, Fluent records, Datadog logs,
// syslog) to the one normal form that OTLP logs have too: a stream of service_name, namespace, workload, pod, container,
// node and cluster; level, trace and span id, time and body; everything else as attributes.
//
// A Builder is fed a record's fields under the names that its sender gives them and appends one row per record. It knows
// the spellings of Fluent Bit, Fluentd, Filebeat (ECS), Vector, OpenTelemetry, Logstash, Datadog, journald and plain JSON
// loggers; two spellings that differ only in case or in separators are one. No protocol is known here and no HTTP: the
// decoders of package ingest's protocols import it.
package record
