package incidents

import "github.com/seamarkhq/seamark/alerting/detect"

// packed is a detector of the pack with the family that stands for its expression.
type packed struct {
	family string
	spec   detect.Spec
}

// pack is the detectors that every world has, with the defaults of their kinds. docs/detectors.md recommends them.
func pack() []packed {
	anomaly := func(name, family, expr, unit, direction string) packed {
		return packed{family, detect.Spec{Name: name, Kind: detect.Anomaly, Expr: expr, Unit: unit, Direction: direction}}
	}
	forecast := func(name, family, expr string, threshold float64) packed {
		return packed{family, detect.Spec{Name: name, Kind: detect.Forecast, Expr: expr, Unit: "ratio", Threshold: threshold, Interval: 300}}
	}
	return []packed{
		anomaly("RequestsUnusual", "requests", `sum by (cluster, namespace, service) (rate(http_requests_total[5m]))`, "per_second", "both"),
		anomaly("ErrorsUnusual", "errors", `sum by (cluster, namespace, service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (cluster, namespace, service) (rate(http_requests_total[5m]))`, "ratio", "above"),
		anomaly("LatencyUnusual", "latency", `sum by (cluster, namespace, service) (rate(http_request_duration_seconds_sum[5m])) / sum by (cluster, namespace, service) (rate(http_request_duration_seconds_count[5m]))`, "seconds", "above"),
		anomaly("CPUUnusual", "cpu", `sum by (cluster, namespace, workload) (rate(container_cpu_usage_seconds_total[5m]))`, "", "both"),
		anomaly("MemoryUnusual", "memlimit", `max by (cluster, namespace, workload) (container_memory_working_set_bytes / container_spec_memory_limit_bytes)`, "ratio", "above"),
		anomaly("RestartsUnusual", "restarts", `sum by (cluster, namespace, workload) (increase(kube_pod_container_status_restarts_total[10m]))`, "", "above"),
		anomaly("UnavailableUnusual", "unavailable", `kube_deployment_status_replicas_unavailable`, "", "above"),
		anomaly("NodeCPUUnusual", "nodecpu", `1 - avg by (cluster, node) (rate(node_cpu_seconds_total{mode="idle"}[5m]))`, "ratio", "above"),
		anomaly("TargetsUnusual", "targets", `count by (cluster, node) (up == 1)`, "", "below"),
		anomaly("ReadyNodesUnusual", "readynodes", `count by (cluster) (kube_node_status_condition{condition="Ready",status="true"} == 1)`, "", "below"),
		anomaly("DNSErrorsUnusual", "dnserrors", `sum by (cluster) (rate(coredns_dns_responses_total{rcode="SERVFAIL"}[5m]))`, "per_second", "above"),
		anomaly("APIServerSlow", "apilatency", `sum by (cluster) (rate(apiserver_request_duration_seconds_sum[5m])) / sum by (cluster) (rate(apiserver_request_duration_seconds_count[5m]))`, "seconds", "above"),
		anomaly("APIServerRejects", "rejected", `sum by (cluster) (rate(apiserver_flowcontrol_rejected_requests_total[5m]))`, "per_second", "above"),
		anomaly("EtcdSlow", "fsync", `max by (cluster) (rate(etcd_disk_wal_fsync_duration_seconds_sum[5m]) / rate(etcd_disk_wal_fsync_duration_seconds_count[5m]))`, "seconds", "above"),
		anomaly("JobsUnusual", "activejobs", `sum by (cluster) (kube_job_status_active)`, "", "above"),
		{"logerrors", detect.Spec{Name: "LogErrorsUnusual", Kind: detect.Anomaly, Language: detect.LogQL, Expr: `sum by (cluster, namespace, workload) (rate({cluster=~".+"} | level="error" [5m]))`, Unit: "per_second", Direction: "above"}},
		forecast("DiskFull", "nodedisk", `1 - min by (cluster, node) (node_filesystem_avail_bytes / node_filesystem_size_bytes)`, 0.97),
		forecast("MemoryLimit", "memlimit", `max by (cluster, namespace, workload) (container_memory_working_set_bytes{container!=""} / container_spec_memory_limit_bytes)`, 1),
		forecast("ConnectionsExhausted", "dbconns", `max by (cluster, namespace, service) (pg_stat_activity_count / pg_settings_max_connections)`, 0.95),
		forecast("QuotaExhausted", "quota", `max by (cluster, namespace) (kube_resourcequota{type="used"} / kube_resourcequota{type="hard"})`, 0.98),
	}
}

// others are the detectors of the other kinds, which issue no claim about.
func others() []detect.Spec {
	return []detect.Spec{
		{Name: "NewLogPatterns", Kind: detect.LogPattern, Interval: 300, Levels: []string{"error", "fatal"}},
		{Name: "Silent", Kind: detect.Absence, Interval: 300, Signals: []string{"metrics"}, By: []string{"cluster", "node"}},
	}
}
