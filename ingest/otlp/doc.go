// Package otlp turns OTLP export requests (opentelemetry-proto: logs, metrics and traces, protobuf and JSON) into a
// seamark.Batch and builds the answers of that protocol. It reads bytes that are already inflated, does no I/O and keeps
// no state of a tenant; packages ingest and ingest/otlpgrpc import it.
//
// Logs: one stream is one resource. Its labels are service_name, namespace, workload, pod, container, node and, where the
// sender told it, cluster; every other attribute of resource, scope and record is structured metadata of the row.
//
// Kubernetes events that the collector's k8s_events and k8sobjects receivers send as logs become events and no log lines:
// records with the attribute k8s.event.reason, and records with k8s.resource.name = events whose body is an event or the
// watch of one that was ADDED or MODIFIED.
//
// Metrics: names, units and labels follow Prometheus' OTLP translation with underscore escaping and suffixes, plus the
// labels namespace, pod, container, node and cluster from the resource. Explicit histograms and summaries become classic
// series, exponential histograms native ones: scales above 8 are merged down to 8, scales below -4 are refused.
//
// Deltas are stored as they are sent, under the same name with the label __temporality__="delta", so that they never mix
// with totals. Queries read them as counters, so that rate, increase and histogram_quantile work as with totals;
// sum_over_time adds up what was sent. See docs/data-model.md.
//
// Start times: a counter's first point already counts what happened since its start, which rate cannot see. So where a
// cumulative monotonic sum, or the _count and _sum of an explicit histogram, has a start time at most two minutes before
// the point, a sample of 0 at the start time is stored with it. The request alone decides: sending it again, or the next
// point of the same start, makes the same samples. A later reset needs nothing, because the value falls. Native histograms
// get no such sample. A sender that does not know when a counter began gives the time of its first point as the start of
// the next ones, as the data model has it; of the two samples at that time queries take the larger, the point's own.
//
// Traces: a span keeps its attributes under the sender's keys. The labels that place its resource have the names that they
// have in logs (cluster, namespace, workload, pod, container, node), its other attributes their own.
package otlp
