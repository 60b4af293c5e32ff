package store

import "fmt"

const (
	sqlText   = "String"
	sqlName   = "LowCardinality(String)"
	sqlLabels = "Map(LowCardinality(String), String)"
	sqlNanos  = "DateTime64(9, 'UTC')"
	sqlMillis = "DateTime64(3, 'UTC')"
)

// SQLViews lists the views that customers' SQL may read, by name.
func SQLViews() []SQLView {
	return []SQLView{auditView(), eventsView(), patternsView(), logsView(), metricsView(), seriesView(), tracesView()}
}

// FindSQLView returns the view of a name.
func FindSQLView(name string) (SQLView, bool) {
	for _, v := range SQLViews() {
		if v.Name == name {
			return v, true
		}
	}
	return SQLView{}, false
}

// placeColumns are the labels that say where something comes from. They read a map of labels.
func placeColumns(labels string, join sqlJoin) []SQLColumn {
	of := func(name, label, comment string) SQLColumn {
		return SQLColumn{name, sqlText, comment, labels + "['" + label + "']", join}
	}
	return []SQLColumn{
		of("cluster", "cluster", "Name of the cluster, of the token that sent it."),
		of("namespace", "namespace", "Kubernetes namespace."),
		of("workload", "workload", "Deployment, StatefulSet, DaemonSet, CronJob or Job."),
		of("pod", "pod", "Name of the pod."),
		of("container", "container", "Name of the container."),
		of("node", "node", "Name of the node."),
		of("service", "service_name", "Name of the service."),
	}
}

// logLabels joins the labels of a line's stream.
const logLabels = "ANY LEFT JOIN (SELECT fp, labels FROM {db}.series WHERE kind = 'log') AS s ON l.fp = s.fp"

// The restriction of what has labels in series: its groups first, by which tables are sorted, then its rows.
const (
	logOnly    = "l.grp IN (SELECT name FROM {db}.series WHERE kind = 'log' AND {only}) AND l.fp IN (SELECT fp FROM {db}.series WHERE kind = 'log' AND {only})"
	metricOnly = "l.metric IN (SELECT name FROM {db}.series WHERE kind = 'metric' AND {only}) AND l.fp IN (SELECT fp FROM {db}.series WHERE kind = 'metric' AND {only})"
)

const (
	labelCluster   = "labels['cluster']"
	labelNamespace = "labels['namespace']"
)

func logsView() SQLView {
	columns := []SQLColumn{
		{"timestamp", sqlNanos, "When the line was written, as its sender says.", "l.ts", joinNothing},
		{"body", sqlText, "The line.", "l.body", joinNothing},
		{"level", sqlName, "trace, debug, info, warn, error, critical or unknown.", "l.level", joinNothing},
	}
	columns = append(columns, placeColumns("s.labels", joinLabels)...)
	columns = append(columns,
		SQLColumn{"labels", sqlLabels, "All labels of the line's stream.", "s.labels", joinLabels},
		SQLColumn{"attributes", sqlLabels, "Structured metadata of the line.", "l.attrs", joinNothing},
		SQLColumn{"trace_id", sqlText, "Trace id in hexadecimal, empty where the line has none.", hexOrEmpty("l.trace_id", 16), joinNothing},
		SQLColumn{"span_id", sqlText, "Span id in hexadecimal, empty where the line has none.", hexOrEmpty("l.span_id", 8), joinNothing},
		SQLColumn{"stream_id", sqlText, "Identity of the stream, 16 hexadecimal digits; the same as series_id of the view series.", seriesID("l.fp"), joinNothing},
	)
	return SQLView{
		Name: "logs", Comment: "Log lines.", Columns: columns, table: TableLogs,
		from: "{db}.logs AS l", labels: logLabels, where: "{only}", cluster: labelCluster, namespace: labelNamespace,
		Examples: []string{
			"SELECT namespace, level, count() AS lines FROM logs WHERE timestamp > now() - INTERVAL 1 HOUR GROUP BY namespace, level ORDER BY lines DESC",
			"SELECT timestamp, pod, body FROM logs WHERE timestamp > now() - INTERVAL 15 MINUTE AND namespace = {ns:String} AND body LIKE '%timeout%' ORDER BY timestamp DESC LIMIT 100",
		},
	}
}

func metricsView() SQLView {
	columns := []SQLColumn{
		{"timestamp", sqlMillis, "Time of the sample.", "l.ts", joinNothing},
		{"name", sqlName, "Name of the metric.", "l.metric", joinNothing},
		{"value", "Float64", "The sample. Counters are totals, as their senders count.", "l.v", joinNothing},
	}
	columns = append(columns, placeColumns("s.labels", joinLabels)...)
	columns = append(columns,
		SQLColumn{"labels", sqlLabels, "All labels of the series but its name.", "s.labels", joinLabels},
		SQLColumn{"series_id", sqlText, "Identity of the series, 16 hexadecimal digits.", seriesID("l.fp"), joinNothing},
	)
	return SQLView{
		Name: "metrics", Comment: "Samples of metrics, without stale markers and native histograms.", Columns: columns, table: TableSamples,
		from:   "{db}.samples AS l",
		labels: "ANY LEFT JOIN (SELECT name, fp, labels FROM {db}.series WHERE kind = 'metric') AS s ON l.metric = s.name AND l.fp = s.fp",
		// A stale marker says that a series has ended. As a value it would be a NaN that spoils every sum.
		where: "reinterpretAsUInt64(l.v) != 9218868437227405314 AND {only}", cluster: labelCluster, namespace: labelNamespace,
		Examples: []string{
			"SELECT namespace, pod, max(value) / 1048576 AS mib FROM metrics WHERE name = 'container_memory_working_set_bytes' AND timestamp > now() - INTERVAL 10 MINUTE GROUP BY namespace, pod ORDER BY mib DESC LIMIT 20",
		},
	}
}

func seriesView() SQLView {
	columns := []SQLColumn{
		{"day", "Date", "The day on which the series had samples or the stream lines, in UTC.", "l.day", joinNothing},
		{"signal", sqlText, "metric or log.", "toString(l.kind)", joinNothing},
		{"name", sqlName, "Name of the metric; of log streams their group, namespace/service.", "l.name", joinNothing},
	}
	columns = append(columns, placeColumns("l.labels", joinNothing)...)
	columns = append(columns,
		SQLColumn{"labels", sqlLabels, "All labels.", "l.labels", joinNothing},
		SQLColumn{"series_id", sqlText, "Identity of the label set, 16 hexadecimal digits.", seriesID("l.fp"), joinNothing},
		SQLColumn{"last_seen", "DateTime('UTC')", "When it was noted last on that day.", "l.last_seen", joinNothing},
	)
	return SQLView{
		Name: "series", Comment: "Label sets of metric series and log streams, once for each day on which they had data.", Columns: columns, table: TableSeries,
		from: "{db}.series AS l FINAL", where: "{only}", cluster: "l." + labelCluster, namespace: "l." + labelNamespace,
		Examples: []string{
			"SELECT name, uniq(series_id) AS series FROM series WHERE signal = 'metric' AND day = today() GROUP BY name ORDER BY series DESC LIMIT 10",
		},
	}
}

func eventsView() SQLView {
	return SQLView{
		Name: "events", Comment: "Kubernetes events, each once as it was told last.", table: TableEvents,
		Columns: []SQLColumn{
			{"timestamp", sqlMillis, "When it happened last.", "l.last_ts", joinNothing},
			{"first_timestamp", sqlMillis, "When it happened first.", "l.created", joinNothing},
			{"cluster", sqlName, "Name of the cluster.", "l.cluster", joinNothing},
			{"namespace", sqlName, "Namespace of the object.", "l.namespace", joinNothing},
			{"type", sqlName, "Normal or Warning.", "l.type", joinNothing},
			{"reason", sqlName, "Such as BackOff.", "l.reason", joinNothing},
			{"kind", sqlName, "Kind of the object, such as Pod.", "l.kind", joinNothing},
			{"name", sqlText, "Name of the object.", "l.object", joinNothing},
			{"message", sqlText, "What happened.", "l.message", joinNothing},
			{"source", sqlName, "Who tells.", "l.source", joinNothing},
			{"node", sqlName, "Name of the node.", "l.node", joinNothing},
			{"count", "UInt32", "How often it happened.", "l.cnt", joinNothing},
			{"uid", "UUID", "Identity of the event in its cluster.", "l.uid", joinNothing},
		},
		from: "{db}.events AS l FINAL", where: "{only}", cluster: "l.cluster", namespace: "l.namespace",
		Examples: []string{
			"SELECT namespace, name, reason, sum(count) AS times FROM events WHERE type = 'Warning' AND timestamp > now() - INTERVAL 1 DAY GROUP BY namespace, name, reason ORDER BY times DESC LIMIT 20",
		},
	}
}

func auditView() SQLView {
	attribute := func(name, key, comment string) SQLColumn {
		return SQLColumn{name, sqlText, comment, "l.attrs['" + key + "']", joinNothing}
	}
	const streams = "FROM {db}.series WHERE kind = 'log' AND labels['signal'] = 'audit' AND {only}"
	return SQLView{
		Name: "audit", Comment: "Records of the audit log of Kubernetes API servers, one for each stage of a request; stage = 'ResponseComplete' has each request once.", table: TableLogs,
		Columns: []SQLColumn{
			{"timestamp", sqlNanos, "When the stage was reached.", "l.ts", joinNothing},
			attribute("audit_id", "audit_id", "Identity of the request."),
			attribute("stage", "stage", "RequestReceived, ResponseStarted, ResponseComplete or Panic."),
			{"cluster", sqlText, "Name of the cluster.", "s.labels['cluster']", joinLabels},
			{"namespace", sqlText, "Namespace of the object.", "s.labels['namespace']", joinLabels},
			{"verb", sqlText, "Such as get, list, create or delete.", "s.labels['verb']", joinLabels},
			attribute("user", "user", "Who asked."),
			attribute("impersonated_user", "impersonated_user", "As whom, if as another."),
			attribute("source_ip", "source_ip", "From where."),
			attribute("user_agent", "user_agent", "With what program."),
			attribute("resource", "resource", "Kind of the object, such as pods."),
			attribute("subresource", "subresource", "Such as log or exec."),
			attribute("api_group", "api_group", "API group of the object."),
			attribute("name", "name", "Name of the object."),
			attribute("uri", "uri", "Address of the request."),
			{"code", "UInt16", "Status of the answer, 0 while there is none.", "toUInt16OrZero(l.attrs['code'])", joinNothing},
			attribute("decision", "decision", "allow or forbid."),
			attribute("reason", "reason", "Why the authorizer decided so."),
			{"level", sqlName, "critical for a panic, error from 500, warn for what was refused, else info.", "l.level", joinNothing},
			{"body", sqlText, "The record as it was sent, in JSON.", "l.body", joinNothing},
		},
		from: "{db}.logs AS l", labels: logLabels, cluster: labelCluster, namespace: labelNamespace,
		where: "l.grp IN (SELECT name " + streams + ") AND l.fp IN (SELECT fp " + streams + ")",
		Examples: []string{
			"SELECT user, verb, resource, count() AS requests FROM audit WHERE timestamp > now() - INTERVAL 1 HOUR AND stage = 'ResponseComplete' AND code >= 400 GROUP BY user, verb, resource ORDER BY requests DESC LIMIT 20",
		},
	}
}

func tracesView() SQLView {
	columns := []SQLColumn{
		{"timestamp", sqlNanos, "When the span began.", "l.ts", joinNothing},
		{"duration", "UInt64", "How long it lasted, in nanoseconds.", "l.duration", joinNothing},
		{"trace_id", sqlText, "Trace id in hexadecimal.", hexOrEmpty("l.trace_id", 16), joinNothing},
		{"span_id", sqlText, "Span id in hexadecimal.", hexOrEmpty("l.span_id", 8), joinNothing},
		{"parent_span_id", sqlText, "The span that it is a part of, empty for the first of a trace.", hexOrEmpty("l.parent_id", 8), joinNothing},
		{"name", sqlName, "What the span does.", "l.name", joinNothing},
		{"kind", sqlName, "Such as server or client.", "l.kind", joinNothing},
		{"status", sqlName, "unset, ok or error.", "l.status", joinNothing},
		{"status_message", sqlText, "What went wrong.", "l.status_message", joinNothing},
		{"scope", sqlName, "The library that made the span.", "l.scope", joinNothing},
	}
	for _, c := range placeColumns("l.resource", joinNothing) {
		if c.Name == "service" {
			c.Type, c.expr = sqlName, "l.service"
		}
		columns = append(columns, c)
	}
	columns = append(columns,
		SQLColumn{"attributes", sqlLabels, "Attributes of the span.", "l.attrs", joinNothing},
		SQLColumn{"resource", sqlLabels, "Attributes of what made the span.", "l.resource", joinNothing},
		SQLColumn{"events", sqlText, "The span's events, as JSON.", "l.events", joinNothing},
		SQLColumn{"links", sqlText, "The span's links, as JSON.", "l.links", joinNothing},
	)
	return SQLView{
		Name: "traces", Comment: "Spans of traces.", Columns: columns, table: TableSpans,
		from: "{db}.spans AS l", where: "{only}", cluster: "l.resource['cluster']", namespace: "l.resource['namespace']",
		Examples: []string{
			"SELECT service, name, count() AS spans, quantile(0.99)(duration) / 1e6 AS p99_ms FROM traces WHERE timestamp > now() - INTERVAL 1 HOUR GROUP BY service, name ORDER BY p99_ms DESC LIMIT 20",
		},
	}
}

func patternsView() SQLView {
	columns := []SQLColumn{
		{"timestamp", "DateTime('UTC')", "The minute in which the lines came.", "l.ts", joinNothing},
		{"pattern", sqlText, "The template, with <_> for what differs.", "t.text", joinTexts},
		{"pattern_id", sqlText, "Identity of the template, 16 hexadecimal digits.", seriesID("l.pattern"), joinNothing},
		{"level", sqlName, "Level of the lines.", "l.level", joinNothing},
		{"lines", "UInt32", "How many lines.", "l.lines", joinNothing},
		{"bytes", "UInt64", "Bytes of these lines.", "l.bytes", joinNothing},
	}
	columns = append(columns, placeColumns("s.labels", joinLabels)...)
	return SQLView{
		Name: "log_patterns", Comment: "How often each template of log lines came, by minute, stream and level.", Columns: columns, table: TablePatterns,
		from: "{db}.log_patterns AS l", labels: logLabels,
		texts: "ANY LEFT JOIN (SELECT pattern, text FROM {db}.log_patterns WHERE text != '') AS t ON l.pattern = t.pattern",
		where: "l.lines > 0 AND {only}", cluster: labelCluster, namespace: labelNamespace,
		Examples: []string{
			"SELECT pattern, sum(lines) AS lines FROM log_patterns WHERE timestamp > now() - INTERVAL 1 HOUR AND level = 'error' GROUP BY pattern ORDER BY lines DESC LIMIT 20",
		},
	}
}

// hexOrEmpty writes an id of zeros, which stands for none, as nothing.
func hexOrEmpty(column string, size int) string {
	return fmt.Sprintf("if(%[1]s = toFixedString('', %[2]d), '', lower(hex(%[1]s)))", column, size)
}

// seriesID is text, because a number of 64 bits loses its last digits in JSON.
func seriesID(column string) string { return "lower(leftPad(hex(" + column + "), 16, '0'))" }
