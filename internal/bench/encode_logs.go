package bench

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/gogo/protobuf/proto"
	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// must ends what cannot fail: the messages are ours.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Gzip compresses a body as senders do.
func Gzip(body []byte) []byte {
	var b bytes.Buffer
	w := must(gzip.NewWriterLevel(&b, gzip.BestSpeed))
	_ = must(w.Write(body))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// LokiPush is what Grafana Alloy sends: a stream per container, snappy.
func LokiPush(records []Record) []byte {
	req := push.PushRequest{}
	var last *Stream
	for _, r := range records {
		if r.Stream != last {
			last = r.Stream
			req.Streams = append(req.Streams, push.Stream{Labels: fmt.Sprintf(`{namespace=%q, app=%q, pod=%q, container="main", node=%q}`, last.Namespace, last.App, last.Pod, last.Node)})
		}
		s := &req.Streams[len(req.Streams)-1]
		s.Entries = append(s.Entries, push.Entry{Timestamp: r.At, Line: r.Line})
	}
	return snappy.Encode(nil, must(proto.Marshal(&req)))
}

// OTLPLogs is what a collector sends that reads containers' files and knows their pods.
func OTLPLogs(records []Record) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	var last *Stream
	var list plog.LogRecordSlice
	for _, r := range records {
		if r.Stream != last {
			last = r.Stream
			resource := logs.ResourceLogs().AppendEmpty()
			putPod(resource.Resource().Attributes(), last)
			list = resource.ScopeLogs().AppendEmpty().LogRecords()
		}
		row := list.AppendEmpty()
		row.SetTimestamp(pcommon.NewTimestampFromTime(r.At))
		row.SetObservedTimestamp(pcommon.NewTimestampFromTime(r.At))
		row.Body().SetStr(r.Line)
		row.Attributes().PutStr("log.iostream", "stdout")
	}
	return plogotlp.NewExportRequestFromLogs(logs)
}

func putPod(attrs pcommon.Map, s *Stream) {
	attrs.PutStr("service.name", s.App)
	attrs.PutStr("k8s.namespace.name", s.Namespace)
	attrs.PutStr("k8s.pod.name", s.Pod)
	attrs.PutStr("k8s.container.name", "main")
	attrs.PutStr("k8s.node.name", s.Node)
	attrs.PutStr("k8s.deployment.name", s.App)
}

// kubernetes is the object that Fluent Bit's filter adds to a record.
func kubernetes(s *Stream) map[string]string {
	return map[string]string{"namespace_name": s.Namespace, "pod_name": s.Pod, "container_name": "main", "host": s.Node}
}

const stampForm = "2006-01-02T15:04:05.000000000Z"

// ElasticsearchBulk is what Fluent Bit's output for Elasticsearch sends.
func ElasticsearchBulk(records []Record) []byte {
	return jsonOf(records, `{"create":{"_index":"logs"}}`+"\n", func(r *Record) any {
		return map[string]any{"@timestamp": r.At.UTC().Format(stampForm), "log": r.Line, "stream": "stdout", "kubernetes": kubernetes(r.Stream)}
	})
}

// HEC is what Splunk's collector for Kubernetes sends.
func HEC(records []Record) []byte {
	return jsonOf(records, "", func(r *Record) any {
		return map[string]any{
			"time": json.Number(fmt.Sprintf("%.3f", float64(r.At.UnixMilli())/1000)), "host": r.Stream.Node, "source": "/var/log/containers/" + r.Stream.Pod + ".log",
			"sourcetype": "kube:container:main", "event": r.Line,
			"fields": map[string]string{"k8s.namespace.name": r.Stream.Namespace, "k8s.pod.name": r.Stream.Pod, "k8s.container.name": "main", "service.name": r.Stream.App},
		}
	})
}

// NDJSON is what Vector's output for HTTP sends.
func NDJSON(records []Record) []byte {
	return jsonOf(records, "", func(r *Record) any {
		return map[string]any{"timestamp": r.At.UTC().Format(stampForm), "message": r.Line, "stream": "stdout", "kubernetes": kubernetes(r.Stream)}
	})
}

func jsonOf(records []Record, before string, form func(r *Record) any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for i := range records {
		b.WriteString(before)
		if err := enc.Encode(form(&records[i])); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// DatadogLogs is what Datadog's agent sends.
func DatadogLogs(records []Record) []byte {
	list := make([]map[string]any, len(records))
	for i, r := range records {
		list[i] = map[string]any{
			"message": r.Line, "status": "info", "timestamp": r.At.UnixMilli(), "hostname": r.Stream.Node, "service": r.Stream.App, "ddsource": "main",
			"ddtags": "kube_namespace:" + r.Stream.Namespace + ",pod_name:" + r.Stream.Pod + ",kube_container_name:main,kube_deployment:" + r.Stream.App,
		}
	}
	return must(json.Marshal(list))
}

// Syslog is RFC 5424 with octet counting.
func Syslog(records []Record) []byte {
	var b []byte
	for i := range records {
		r := &records[i]
		m := fmt.Sprintf("<14>1 %s %s %s 1 - [k8s@0 namespace=%q pod=%q] %s", r.At.UTC().Format("2006-01-02T15:04:05.000000Z"), r.Stream.Node, r.Stream.App,
			r.Stream.Namespace, r.Stream.Pod, r.Line)
		b = fmt.Appendf(b, "%d %s", len(m), m)
	}
	return b
}

// Forward is what Fluent Bit's output of that name sends: a compressed message of packed entries, to be acknowledged.
func Forward(records []Record) []byte {
	var entries []byte
	for i := range records {
		r := &records[i]
		entries = append(entries, 0x92, 0xd7, 0) // a pair; an event time is 8 bytes of extension type 0
		entries = binary.BigEndian.AppendUint32(entries, uint32(r.At.Unix()))
		entries = binary.BigEndian.AppendUint32(entries, uint32(r.At.Nanosecond()))
		entries = append(entries, 0x83)
		entries = packText(packText(entries, "log"), r.Line)
		entries = packText(packText(entries, "stream"), "stdout")
		entries = append(packText(entries, "kubernetes"), 0x84)
		for _, pair := range [][2]string{{"namespace_name", r.Stream.Namespace}, {"pod_name", r.Stream.Pod}, {"container_name", "main"}, {"host", r.Stream.Node}} {
			entries = packText(packText(entries, pair[0]), pair[1])
		}
	}
	packed := Gzip(entries)
	b := packText([]byte{0x93}, "kube.var.log.containers")
	b = binary.BigEndian.AppendUint32(append(b, 0xc6), uint32(len(packed)))
	b = append(append(b, packed...), 0x82)
	b = packText(packText(b, "compressed"), "gzip")
	chunk := must(records[0].At.MarshalBinary())
	return packText(packText(b, "chunk"), base64.StdEncoding.EncodeToString(chunk))
}

// packText appends a str 32 of MessagePack.
func packText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(len(s))), s...)
}
