package abuse

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/histogram"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/proto"
)

func goodLokiOld(now time.Time) []byte {
	return fmt.Appendf(nil, `{"streams":[{"labels":"{app=\"good\", namespace=\"shop\"}","entries":[{"ts":%q,"line":"one"}]}]}`, now.UTC().Format(time.RFC3339Nano))
}

func goodRemoteWrite2(t *testing.T, now time.Time) []byte {
	native := &histogram.Histogram{
		Schema: 1, Count: 3, Sum: 7.5, ZeroThreshold: 0.001, PositiveSpans: []histogram.Span{{Offset: 0, Length: 2}}, PositiveBuckets: []int64{1, 1},
	}
	body, err := (&writev2.Request{
		Symbols: []string{"", "__name__", "up", "job", "node", "Whether it is up.", "took", "trace_id", "0af7651916cd43dd8448eb211c80319c"},
		Timeseries: []writev2.TimeSeries{
			{
				LabelsRefs: []uint32{1, 2, 3, 4}, Samples: []writev2.Sample{{Value: 1, Timestamp: now.UnixMilli()}},
				Metadata:  writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_GAUGE, HelpRef: 5},
				Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{7, 8}, Value: 1, Timestamp: now.UnixMilli()}},
			},
			{LabelsRefs: []uint32{1, 6}, Histograms: []writev2.Histogram{writev2.FromIntHistogram(0, now.UnixMilli(), native)}},
		},
	}).Marshal()
	return snappy.Encode(nil, must(t, body, err))
}

func goodOTLPTraces(t *testing.T, now time.Time, asJSON bool) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "good")
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1, 2, 3})
	span.SetSpanID([8]byte{4, 5})
	span.SetName("GET /orders")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Second)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
	span.Attributes().PutInt("status", 200)
	span.Events().AppendEmpty().SetName("read")
	span.Links().AppendEmpty().SetTraceID([16]byte{9})
	request := ptraceotlp.NewExportRequestFromTraces(traces)
	if asJSON {
		body, err := request.MarshalJSON()
		return must(t, body, err)
	}
	body, err := request.MarshalProto()
	return must(t, body, err)
}

func goodAudit(now time.Time) []byte {
	return fmt.Appendf(nil, `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"8fc1ab52-7895-4afa-a8ce-25ea789ad1d3","stage":"ResponseComplete",`+
		`"requestURI":"/api/v1/pods?limit=500","verb":"list","user":{"username":"admin","groups":["system:authenticated"]},"sourceIPs":["127.0.0.1"],"objectRef":{"resource":"pods","namespace":"shop","apiVersion":"v1"},`+
		`"responseStatus":{"metadata":{},"code":200},"stageTimestamp":%q,"annotations":{"authorization.k8s.io/decision":"allow"}}]}`, now.UTC().Format(time.RFC3339Nano))
}

func goodJSONLines(now time.Time) []byte {
	return fmt.Appendf(nil, `{"time":%q,"level":"warn","message":"one","kubernetes":{"pod_name":"web-0","namespace_name":"shop"},"list":[1,2]}`+"\n"+`{"msg":"two","status":200}`+"\n",
		now.UTC().Format(time.RFC3339Nano))
}

func goodJSONArray(now time.Time) []byte {
	return fmt.Appendf(nil, `[{"at":%d,"text":"one","team":"a","deep":{"a":{"b":null}}},{"at":%q,"text":"two \u00e9"}]`, now.UnixMilli(), now.UTC().Format(time.RFC3339))
}

func goodBulk(now time.Time) []byte {
	at := now.UTC().Format(time.RFC3339Nano)
	return fmt.Appendf(nil, `{"create":{"_index":"logs-shop-prod"}}`+"\n"+`{"@timestamp":%q,"message":"one","log":{"level":"info"},"kubernetes":{"pod":{"name":"web-0"},"namespace":"shop"}}`+"\n"+
		`{"index":{"_id":"7"}}`+"\n"+`{"@timestamp":%q,"message":"two"}`+"\n"+`{"delete":{"_id":"7"}}`+"\n", at, at)
}

func goodHEC(now time.Time) []byte {
	return fmt.Appendf(nil, `{"time":%d.25,"host":"node-1","source":"/var/log/x","sourcetype":"kube","event":{"message":"one","n":1},"fields":{"k8s.pod.name":"web-0"}}`+
		`{"time":"%d","event":"metric","fields":{"metric_name:cpu.user":1.5,"region":"a"}}`, now.Unix(), now.Unix())
}

func goodSeries1(now time.Time) []byte {
	return fmt.Appendf(nil, `{"series":[{"metric":"system.load.1","points":[[%d,0.5],[%d,0.7]],"tags":["env:prod","kube_namespace:shop"],"host":"node-1","type":"gauge","interval":15}]}`, now.Unix()-15, now.Unix())
}

func goodSeries2JSON(now time.Time) []byte {
	return fmt.Appendf(nil, `{"series":[{"metric":"requests","type":1,"interval":10,"points":[{"timestamp":%d,"value":3}],"resources":[{"type":"host","name":"node-1"}],"tags":["a:b"],"unit":"x"}]}`, now.Unix())
}

// double is a field of a 64-bit float, number its number below 16.
func double(number byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64([]byte{number<<3 | 1}, math.Float64bits(v))
}

// varint is a field of a whole number.
func varint(number byte, v uint64) []byte { return binary.AppendUvarint([]byte{number << 3}, v) }

// goodSeries2 is an agentpayload.MetricPayload.
func goodSeries2(now time.Time) []byte {
	host := append(field(1, []byte("host")), field(2, []byte("node-1"))...)
	point := append(double(1, 3), varint(2, uint64(now.Unix()))...)
	return field(1, bytes.Join([][]byte{
		field(1, host), field(2, []byte("requests")), field(3, []byte("env:prod")), field(4, point), varint(5, 1), field(6, []byte("x")), varint(8, 10),
	}, nil))
}

// goodSketches is an agentpayload.SketchPayload with one distribution of three values.
func goodSketches(now time.Time) []byte {
	sketch := bytes.Join([][]byte{
		varint(1, uint64(now.Unix())), varint(2, 3), double(3, 1), double(4, 2), double(5, 1.5), double(6, 4.5), field(7, []byte{0x80, 0x15, 0xb0, 0x15}), field(8, []byte{1, 2}),
	}, nil)
	return field(1, bytes.Join([][]byte{field(1, []byte("latency")), field(2, []byte("node-1")), field(4, []byte("env:prod")), field(7, sketch)}, nil))
}

func goodChecks(now time.Time) []byte {
	return fmt.Appendf(nil, `[{"check":"ntp.in_sync","host_name":"node-1","timestamp":%d,"status":0,"message":"","tags":["a:b"]},{"check":"up","status":2,"tags":null}]`, now.Unix())
}

func goodIntake(now time.Time) []byte {
	return fmt.Appendf(nil, `{"apiKey":"x","internalHostname":"node-1","events":{"docker":[{"msg_title":"died","msg_text":"exit 1","timestamp":%d,"alert_type":"error","tags":["a:b"],"host":"node-1"}]}}`, now.Unix())
}

func goodDatadogLogs() []byte {
	return []byte(`[{"message":"{\"level\":\"warn\",\"msg\":\"one\"}","status":"info","hostname":"node-1","service":"web","ddsource":"nginx","ddtags":"env:prod,kube_namespace:shop"}]`)
}

func goodInflux(at int64) []byte {
	return fmt.Appendf(nil, "cpu,host=node-1,cpu=cpu0 usage_user=3.15,usage_idle=96.4 %d\nsystem,host=node\\ 1 uptime=\"12 days, 3:04\",n_users=2i,up=true,free=7u %d\n", at, at)
}

// goodFamilies is a push in the delimited protobuf form.
func goodFamilies(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := expfmt.NewEncoder(&out, expfmt.NewFormat(expfmt.TypeProtoDelim))
	if err := enc.Encode(&dto.MetricFamily{
		Name: proto.String("rows"), Help: proto.String("Rows."), Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: proto.String("kind"), Value: proto.String("a")}}, Counter: &dto.Counter{Value: proto.Float64(5)}}},
	}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
