package abuse

import (
	"testing"
	"time"
)

// payload is a valid body of a route.
type payload struct {
	route
	encoding string // "snappy" for protocols that always compress, "" for the others
	body     []byte
	// fuzz names the fuzz targets, below ingest, whose inputs are bodies of this route.
	fuzz []string
}

// corpus is a valid payload of every ingest route and media type, uncompressed unless the protocol always compresses.
func corpus(t *testing.T) []payload {
	t.Helper()
	now := time.Now()
	of := func(names ...string) []string { return names }
	return []payload{
		{lokiJSON, "", goodLogs(now, 3), of("lokipush/FuzzDecodeJSON")},
		{lokiProto, "snappy", goodLokiProto(t, now), of("lokipush/FuzzDecodeProto")},
		{lokiOld, "", goodLokiOld(now), of("lokipush/FuzzDecodeJSON", "lokipush/FuzzParseLabels")},
		{remoteWrite, "snappy", goodRemoteWrite(t, now), of("remotewrite/FuzzDecode")},
		{remotePrefix, "snappy", goodRemoteWrite(t, now), of("remotewrite/FuzzPrediction")},
		{remoteWrite2, "snappy", goodRemoteWrite2(t, now), of("remotewrite/FuzzDecodeV2")},
		{remoteOld, "snappy", goodRemoteWrite2(t, now), nil},
		{otlpLogs, "", goodOTLPLogs(t, now), of("otlp/FuzzLogs")},
		{otlpLogsJSON, "", goodOTLPLogsJSON(now), of("otlp/FuzzLogsJSON")},
		{otlpMetrics, "", goodOTLPMetrics(t, now), of("otlp/FuzzMetrics")},
		{otlpMetJSON, "", goodOTLPMetricsJSON(now), of("otlp/FuzzMetricsJSON")},
		{otlpTraces, "", goodOTLPTraces(t, now, false), of("otlp/FuzzTraces")},
		{otlpTraceJSON, "", goodOTLPTraces(t, now, true), of("otlp/FuzzTracesJSON")},
		{events, "", goodEvents(now), of("events/FuzzCoreV1", "events/FuzzEventsV1", "events/FuzzLayout")},
		{kubeEventer, "", goodEventer(now), of("events/FuzzEventer", "events/FuzzEventerMessage")},
		{kubeEventGet, "", goodEventer(now), nil},
		{auditHook, "", goodAudit(now), of("audit/FuzzDecode")},
		{jsonLines, "", goodJSONLines(now), of("jsonlog/FuzzDecode")},
		{jsonArray, "", goodJSONArray(now), of("record/FuzzAddJSON")},
		{esBulk, "", goodBulk(now), of("esbulk/FuzzDecode")},
		{esBulkIndex, "", goodBulk(now), nil},
		{hecEvent, "", goodHEC(now), of("hec/FuzzDecodeEvents")},
		{hecRaw, "", []byte("level=info msg=one\nlevel=warn msg=two\n"), of("hec/FuzzDecodeRaw")},
		{hecAck, "", []byte(`{"acks":[1,2,3]}`), nil},
		{ddSeries1, "", goodSeries1(now), of("datadog/FuzzDecodeSeriesJSON")},
		{ddSeries2, "", goodSeries2(now), of("datadog/FuzzDecodeSeriesProto")},
		{ddSeries2JSON, "", goodSeries2JSON(now), of("datadog/FuzzDecodeSeriesJSON")},
		{ddSketches, "", goodSketches(now), of("datadog/FuzzDecodeSketches")},
		{ddChecks, "", goodChecks(now), of("datadog/FuzzDecodeCheckRun")},
		{ddIntake, "", goodIntake(now), of("datadog/FuzzDecodeIntake")},
		{ddLogs, "", goodDatadogLogs(), of("datadog/FuzzDecodeLogs")},
		{ddMetadata, "", []byte(`{"hostname":"node-1","metadata":{}}`), nil},
		{influx1, "", goodInflux(now.UnixMilli()), of("influx/FuzzDecode")},
		{influx2, "", goodInflux(now.UnixNano()), of("influx/FuzzDecode")},
		{influxQuery, "", []byte("q=SHOW+DATABASES&db=x"), of("influx/FuzzQuery")},
		{pushText, "", []byte("# HELP rows Rows.\n# TYPE rows counter\nrows{kind=\"a\"} 5\n# TYPE took histogram\ntook_bucket{le=\"1\"} 2\ntook_bucket{le=\"+Inf\"} 3\ntook_sum 4\ntook_count 3\n"), of("pushgateway/FuzzText")},
		{pushOpen, "", []byte("# TYPE rows counter\n# UNIT rows \nrows_total{kind=\"a\"} 5 # {trace_id=\"x\"} 1\n# EOF\n"), of("pushgateway/FuzzOpenMetrics")},
		{pushProto, "", goodFamilies(t), of("pushgateway/FuzzProtobuf")},
	}
}
