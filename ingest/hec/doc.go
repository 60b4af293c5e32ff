// Package hec turns the bodies of Splunk's HTTP Event Collector (already inflated), events, metrics and raw lines, into a
// seamark.Batch and builds the collector's own answers; it does nothing else. Package ingest imports it.
//
// An event's text, or its message field, is the line; its other fields and those in "fields" go where records of all
// protocols have them, so that the fields of Splunk's OpenTelemetry collector (k8s.pod.name), Fluent Bit
// (kubernetes.pod_name) and Splunk Connect for Kubernetes (pod) are one. host names the node where no pod is told; source,
// sourcetype and index become the attributes com_splunk_source, com_splunk_sourcetype and com_splunk_index, as the
// OpenTelemetry collector names them, and the sourcetype is the service where nothing tells one.
//
// Docker's log driver has the container's line in a member of an object; that member is the line, or the record when it is
// JSON.
//
// An event "metric" becomes one sample for each metric_name: field, with the other fields as labels under Prometheus'
// names. Values are stored as they came.
//
// One invalid event does not cost its neighbours: they are stored, and the answer is Splunk's 400 with the number of the
// first invalid event, as Splunk does with the events before it. Senders drop a batch on 400, so nothing comes twice.
package hec
