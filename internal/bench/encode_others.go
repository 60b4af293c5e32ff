package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Others makes what is neither lines nor samples.
type Others struct {
	rnd *rand.Rand
	at  time.Time
	n   int
}

// NewOthers returns a corpus whose times begin an hour before end.
func NewOthers(seed uint64, end time.Time) *Others {
	return &Others{rnd: rand.New(rand.NewPCG(seed, 3)), at: end.Add(-time.Hour)}
}

// next returns the next time, a millisecond later, and a number of its own.
func (c *Others) next() (time.Time, int) {
	c.at, c.n = c.at.Add(time.Millisecond), c.n+1
	return c.at, c.n
}

// uid is unlike all others of the corpus.
func (c *Others) uid(n int) string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", c.rnd.Uint32(), c.rnd.IntN(1<<16), c.rnd.IntN(1<<12), c.rnd.IntN(1<<12), n)
}

// Audit is a batch of n events of the API server's audit log.
func (c *Others) Audit(n int) []byte {
	verbs := []string{"get", "list", "watch", "update", "patch", "create"}
	items := make([]any, n)
	for i := range items {
		at, number := c.next()
		stamp, ns, name := at.UTC().Format("2006-01-02T15:04:05.000000Z"), fmt.Sprintf("ns-%d", c.rnd.IntN(12)), fmt.Sprintf("app-%d", c.rnd.IntN(60))
		items[i] = map[string]any{
			"level": "Metadata", "auditID": c.uid(number), "stage": "ResponseComplete", "requestURI": "/api/v1/namespaces/" + ns + "/configmaps/" + name,
			"verb": verbs[c.rnd.IntN(len(verbs))], "user": map[string]any{"username": "system:serviceaccount:" + ns + ":" + name, "groups": []string{"system:serviceaccounts", "system:authenticated"}},
			"sourceIPs": []string{"10.0.0.1"}, "userAgent": "controller/v1.33.0 (linux/amd64)", "objectRef": map[string]string{"resource": "configmaps", "namespace": ns, "name": name, "apiVersion": "v1"},
			"responseStatus": map[string]any{"metadata": map[string]any{}, "code": 200}, "requestReceivedTimestamp": stamp, "stageTimestamp": stamp,
			"annotations": map[string]string{"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: allowed by RoleBinding"},
		}
	}
	return must(json.Marshal(map[string]any{"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": map[string]any{}, "items": items}))
}

// Events is a list of n core/v1 events.
func (c *Others) Events(n int) []byte {
	items := make([]any, n)
	for i := range items {
		at, number := c.next()
		stamp, ns, pod := at.UTC().Format(time.RFC3339), fmt.Sprintf("ns-%d", c.rnd.IntN(12)), fmt.Sprintf("app-%d-%05x", c.rnd.IntN(60), c.rnd.IntN(1<<20))
		items[i] = map[string]any{
			"kind": "Event", "apiVersion": "v1", "metadata": map[string]any{"name": pod + ".17c1", "namespace": ns, "uid": c.uid(number), "resourceVersion": fmt.Sprint(number)},
			"involvedObject": map[string]string{"kind": "Pod", "namespace": ns, "name": pod, "uid": c.uid(number)}, "reason": "BackOff",
			"message": "Back-off restarting failed container main in pod " + pod + "_" + ns, "type": "Warning", "source": map[string]string{"component": "kubelet", "host": "node-1"},
			"count": 1 + c.rnd.IntN(9), "firstTimestamp": stamp, "lastTimestamp": stamp, "reportingComponent": "kubelet", "reportingInstance": "node-1",
		}
	}
	return must(json.Marshal(map[string]any{"kind": "EventList", "apiVersion": "v1", "metadata": map[string]any{}, "items": items}))
}

// Traces is an export of n spans, in traces of ten.
func (c *Others) Traces(n int) ptraceotlp.ExportRequest {
	traces := ptrace.NewTraces()
	var list ptrace.SpanSlice
	var id pcommon.TraceID
	for i := range n {
		at, number := c.next()
		if i%10 == 0 {
			resource := traces.ResourceSpans().AppendEmpty()
			app := fmt.Sprintf("app-%d", c.rnd.IntN(60))
			putPod(resource.Resource().Attributes(), &Stream{Namespace: "ns-1", App: app, Pod: app + "-0", Node: "node-1"})
			list = resource.ScopeSpans().AppendEmpty().Spans()
			for b := range id {
				id[b] = byte(c.rnd.IntN(256))
			}
		}
		s := list.AppendEmpty()
		s.SetTraceID(id)
		s.SetSpanID([8]byte{byte(number >> 24), byte(number >> 16), byte(number >> 8), byte(number), 1})
		s.SetName("GET /api/v1/orders")
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(c.rnd.IntN(1e9)))))
		s.Attributes().PutStr("http.request.method", "GET")
		s.Attributes().PutStr("url.path", paths[c.rnd.IntN(len(paths))])
		s.Attributes().PutInt("http.response.status_code", 200)
		s.Attributes().PutStr("client.address", "10.0.0.1")
	}
	return ptraceotlp.NewExportRequestFromTraces(traces)
}
