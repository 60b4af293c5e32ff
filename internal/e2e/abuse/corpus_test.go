package abuse

import (
	"fmt"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

func must(t *testing.T, body []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func goodLokiProto(t *testing.T, now time.Time) []byte {
	body, err := proto.Marshal(&push.PushRequest{Streams: []push.Stream{{
		Labels: `{app="good", namespace="shop"}`,
		Entries: []push.Entry{
			{Timestamp: now, Line: "level=info msg=one"},
			{Timestamp: now, Line: "two", StructuredMetadata: push.LabelsAdapter{{Name: "trace_id", Value: "0af7651916cd43dd8448eb211c80319c"}}},
		},
	}}})
	return snappy.Encode(nil, must(t, body, err))
}

func goodRemoteWrite(t *testing.T, now time.Time) []byte {
	body, err := (&prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{Labels: []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "job", Value: "node"}}, Samples: []prompb.Sample{{Value: 1, Timestamp: now.UnixMilli()}}},
			{Labels: []prompb.Label{{Name: "__name__", Value: "load"}}, Samples: []prompb.Sample{{Value: 0.5, Timestamp: now.UnixMilli()}}},
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "up", Help: "Whether it is up."}},
	}).Marshal()
	return snappy.Encode(nil, must(t, body, err))
}

func goodOTLPLogs(t *testing.T, now time.Time) []byte {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "good")
	record := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.Body().SetStr("one")
	record.Attributes().PutInt("status", 200)
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	return must(t, body, err)
}

func goodOTLPLogsJSON(now time.Time) []byte {
	return fmt.Appendf(nil, `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"good"}}]},`+
		`"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","severityNumber":9,"body":{"stringValue":"one"},"attributes":[{"key":"n","value":{"intValue":"1"}}]}]}]}]}`, now.UnixNano())
}

func goodOTLPMetrics(t *testing.T, now time.Time) []byte {
	metrics := pmetric.NewMetrics()
	resource := metrics.ResourceMetrics().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "good")
	metric := resource.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("requests")
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	point := sum.DataPoints().AppendEmpty()
	point.SetTimestamp(pcommon.NewTimestampFromTime(now))
	point.SetIntValue(5)
	point.Attributes().PutStr("path", "/")
	body, err := pmetricotlp.NewExportRequestFromMetrics(metrics).MarshalProto()
	return must(t, body, err)
}

func goodOTLPMetricsJSON(now time.Time) []byte {
	return fmt.Appendf(nil, `{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"good"}}]},`+
		`"scopeMetrics":[{"metrics":[{"name":"temperature","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":21.5}]}}]}]}]}`, now.UnixNano())
}

func goodEvents(now time.Time) []byte {
	return fmt.Appendf(nil, `{"kind":"Event","metadata":{"uid":"0af76519-16cd-43dd-8448-eb211c80319c","resourceVersion":"7"},"involvedObject":{"kind":"Pod","namespace":"shop","name":"web-0"},`+
		`"type":"Warning","reason":"BackOff","message":"Back-off restarting failed container","count":3,"firstTimestamp":%q,"lastTimestamp":%q}`,
		now.Add(-time.Minute).UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}

func goodEventer(now time.Time) []byte {
	return fmt.Appendf(nil, `{"EventType":"Warning","EventKind":"Pod","EventNamespace":"shop","EventName":"web-0","EventReason":"BackOff","EventTime":%q,"EventMessage":"Back-off restarting failed container"}`,
		now.UTC().Format(time.RFC3339))
}
