package democluster

import (
	"strconv"

	"github.com/prometheus/prometheus/prompb"
)

func formatFloat(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// metadata is what the targets' HELP and TYPE lines say about the main metrics.
func metadata() []prompb.MetricMetadata {
	list := []struct {
		name string
		typ  prompb.MetricMetadata_MetricType
		help string
	}{
		{"http_requests_total", prompb.MetricMetadata_COUNTER, "HTTP requests by handler, method and code."},
		{"http_request_duration_seconds", prompb.MetricMetadata_HISTOGRAM, "Time until the last byte of a response."},
		{"db_pool_connections", prompb.MetricMetadata_GAUGE, "Connections of the database pool by state."},
		{"nginx_ingress_controller_requests", prompb.MetricMetadata_COUNTER, "The total number of client requests."},
		{"nginx_ingress_controller_request_duration_seconds", prompb.MetricMetadata_HISTOGRAM, "The request processing time in seconds."},
		{"up", prompb.MetricMetadata_GAUGE, "Whether the last scrape of the target succeeded."},
		{"process_resident_memory_bytes", prompb.MetricMetadata_GAUGE, "Resident memory size in bytes."},
		{"process_start_time_seconds", prompb.MetricMetadata_GAUGE, "Start time of the process since unix epoch in seconds."},
		{"container_cpu_usage_seconds_total", prompb.MetricMetadata_COUNTER, "Cumulative cpu time consumed by the container in core-seconds."},
		{"container_memory_working_set_bytes", prompb.MetricMetadata_GAUGE, "Current working set of the container in bytes."},
		{"container_spec_memory_limit_bytes", prompb.MetricMetadata_GAUGE, "Memory limit for the container."},
		{"container_network_receive_bytes_total", prompb.MetricMetadata_COUNTER, "Cumulative count of bytes received."},
		{"container_network_transmit_bytes_total", prompb.MetricMetadata_COUNTER, "Cumulative count of bytes transmitted."},
		{"node_cpu_seconds_total", prompb.MetricMetadata_COUNTER, "Seconds the CPUs spent in each mode."},
		{"node_memory_MemAvailable_bytes", prompb.MetricMetadata_GAUGE, "Memory information field MemAvailable_bytes."},
		{"node_memory_MemTotal_bytes", prompb.MetricMetadata_GAUGE, "Memory information field MemTotal_bytes."},
		{"node_filesystem_avail_bytes", prompb.MetricMetadata_GAUGE, "Filesystem space available to non-root users in bytes."},
		{"node_filesystem_size_bytes", prompb.MetricMetadata_GAUGE, "Filesystem size in bytes."},
		{"node_load1", prompb.MetricMetadata_GAUGE, "1m load average."},
		{"node_network_receive_bytes_total", prompb.MetricMetadata_COUNTER, "Network device statistic receive_bytes."},
		{"node_network_transmit_bytes_total", prompb.MetricMetadata_COUNTER, "Network device statistic transmit_bytes."},
		{"kube_pod_info", prompb.MetricMetadata_GAUGE, "Information about pod."},
		{"kube_pod_owner", prompb.MetricMetadata_GAUGE, "Information about the Pod's owner."},
		{"kube_pod_status_phase", prompb.MetricMetadata_GAUGE, "The pods current phase."},
		{"kube_pod_status_ready", prompb.MetricMetadata_GAUGE, "Describes whether the pod is ready to serve requests."},
		{"kube_pod_container_resource_requests", prompb.MetricMetadata_GAUGE, "The number of requested request resource by a container."},
		{"kube_pod_container_resource_limits", prompb.MetricMetadata_GAUGE, "The number of requested limit resource by a container."},
		{"kube_pod_container_status_restarts_total", prompb.MetricMetadata_COUNTER, "The number of container restarts per container."},
		{"kube_deployment_spec_replicas", prompb.MetricMetadata_GAUGE, "Number of desired pods for a deployment."},
		{"kube_deployment_status_replicas", prompb.MetricMetadata_GAUGE, "The number of replicas per deployment."},
		{"kube_deployment_status_replicas_available", prompb.MetricMetadata_GAUGE, "The number of available replicas per deployment."},
		{"kube_deployment_status_replicas_unavailable", prompb.MetricMetadata_GAUGE, "The number of unavailable replicas per deployment."},
		{"kube_node_info", prompb.MetricMetadata_GAUGE, "Information about a cluster node."},
		{"kube_node_status_condition", prompb.MetricMetadata_GAUGE, "The condition of a cluster node."},
		{"apiserver_request_total", prompb.MetricMetadata_COUNTER, "Counter of apiserver requests broken out for each verb, group, version, resource, scope, component, and HTTP response code."},
		{"apiserver_request_duration_seconds", prompb.MetricMetadata_HISTOGRAM, "Response latency distribution in seconds for each verb, group, version, resource, subresource, scope and component."},
		{"apiserver_current_inflight_requests", prompb.MetricMetadata_GAUGE, "Maximal number of currently used inflight request limit of this apiserver per request kind in last second."},
		{"etcd_server_has_leader", prompb.MetricMetadata_GAUGE, "Whether or not a leader exists. 1 is existence, 0 is not."},
		{"coredns_dns_requests_total", prompb.MetricMetadata_COUNTER, "Counter of DNS requests made per zone, protocol and family."},
	}
	out := make([]prompb.MetricMetadata, len(list))
	for i, m := range list {
		out[i] = prompb.MetricMetadata{MetricFamilyName: m.name, Type: m.typ, Help: m.help}
	}
	return out
}
