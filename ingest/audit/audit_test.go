package audit_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"github.com/seamarkhq/seamark/ingest/audit"
	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

// recorded returns events of a real API server.
func recorded(t testing.TB) []auditv1.Event {
	t.Helper()
	f, err := os.Open("testdata/events.jsonl.gz")
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var list []auditv1.Event
	for lines.Scan() {
		var e auditv1.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		list = append(list, e)
	}
	require.NoError(t, lines.Err())
	return list
}

func encode(t testing.TB, events ...auditv1.Event) []byte {
	t.Helper()
	body, err := json.Marshal(&auditv1.EventList{TypeMeta: metav1.TypeMeta{Kind: "EventList", APIVersion: "audit.k8s.io/v1"}, Items: events})
	require.NoError(t, err)
	return body
}

// TestDecodeRecorded has Kubernetes' own types write what a real API server recorded, and compares row by row.
func TestDecodeRecorded(t *testing.T) {
	events := recorded(t)
	var b seamark.Batch
	ids, err := audit.Decode(encode(t, events...), catalogtest.New(), &b, audit.Options{Now: now})
	require.NoError(t, err)
	require.Len(t, ids, len(events))
	require.Equal(t, len(events), b.Logs.Len())
	require.Zero(t, b.Rejected.Rows())
	for i := range events {
		e := &events[i]
		require.Equal(t, e.StageTimestamp.UnixNano(), b.Logs.TimeNano[i])
		stream := b.Logs.Streams[b.Logs.Stream[i]]
		require.Equal(t, "audit", stream.Label("signal"))
		require.Equal(t, audit.Service, stream.Label("service_name"))
		require.Equal(t, e.Verb, stream.Label("verb"))
		attrs := map[string]string{}
		for _, a := range b.Logs.AttrsOf(i) {
			attrs[a.Name] = a.Value
		}
		require.Equal(t, string(e.AuditID), attrs["audit_id"])
		require.Equal(t, string(e.Stage), attrs["stage"])
		require.Equal(t, e.User.Username, attrs["user"])
		require.Equal(t, e.RequestURI, attrs["uri"])
		require.Equal(t, e.UserAgent, attrs["user_agent"])
		if e.ObjectRef != nil {
			require.Equal(t, e.ObjectRef.Namespace, stream.Label("namespace"))
			require.Equal(t, e.ObjectRef.Resource, attrs["resource"])
			require.Equal(t, e.ObjectRef.Name, attrs["name"])
		}
		var back auditv1.Event
		require.NoError(t, json.Unmarshal([]byte(b.Logs.Body[i]), &back), "the body is the event")
		require.Equal(t, e.AuditID, back.AuditID)
	}
}

// TestDecodeOnce sends an event twice in one batch, another stage of it, and one that is stored already.
func TestDecodeOnce(t *testing.T) {
	e := recorded(t)[0]
	started := e
	started.Stage = auditv1.StageRequestReceived
	var b seamark.Batch
	ids, err := audit.Decode(encode(t, e, e, started), catalogtest.New(), &b, audit.Options{Now: now})
	require.NoError(t, err)
	require.Len(t, ids, 2)
	require.Equal(t, 2, b.Logs.Len())
	b.Reset()
	again, err := audit.Decode(encode(t, e, started), catalogtest.New(), &b, audit.Options{Now: now, Seen: func(id uint64) bool { return id == ids[0] }})
	require.NoError(t, err)
	require.Equal(t, ids[1:], again)
}

func TestSeverity(t *testing.T) {
	for want, text := range map[seamark.Level]string{
		seamark.LevelInfo:     `{"kind":"Event","auditID":"a","verb":"get","responseStatus":{"code":200}}`,
		seamark.LevelWarn:     `{"kind":"Event","auditID":"a","verb":"get","responseStatus":{"code":403}}`,
		seamark.LevelError:    `{"kind":"Event","auditID":"a","verb":"get","responseStatus":{"code":504}}`,
		seamark.LevelCritical: `{"kind":"Event","auditID":"a","verb":"get","stage":"Panic"}`,
	} {
		var b seamark.Batch
		_, err := audit.Decode([]byte(text), catalogtest.New(), &b, audit.Options{Now: now})
		require.NoError(t, err)
		require.Equal(t, []seamark.Level{want}, b.Logs.Level)
		require.Equal(t, now.UnixNano(), b.Logs.TimeNano[0], "an event without a time has the time of its arrival")
	}
}

// TestDecodeFaults refuses what is no audit event and keeps what is.
func TestDecodeFaults(t *testing.T) {
	for body, id := range map[string]string{
		"":                               "seamark-record-json",
		"[]":                             "seamark-record-json",
		`{"kind":"PodList"}`:             "seamark-audit-kind",
		`{"kind":"EventList","items`:     "seamark-record-json",
		`{"kind":"EventList","items":7}`: "seamark-record-json",
	} {
		var b seamark.Batch
		_, err := audit.Decode([]byte(body), catalogtest.New(), &b, audit.Options{Now: now})
		require.Error(t, err, body)
		fault := new(seamark.Error)
		require.ErrorAs(t, err, &fault, body)
		require.Equal(t, seamark.Invalid, fault.Kind)
		require.Equal(t, id, fault.ID, body)
	}
	var b seamark.Batch
	_, err := audit.Decode([]byte(`{"kind":"EventList","items":[{"verb":"get"},{"auditID":"a","verb":"get"}]}`), catalogtest.New(), &b, audit.Options{Now: now})
	require.NoError(t, err)
	require.Equal(t, 1, b.Logs.Len())
	require.Equal(t, 1, b.Rejected.Logs)
	for _, empty := range []string{`{"kind":"EventList"}`, `{"kind":"EventList","items":null}`, `{"kind":"EventList","items":[]}`} {
		_, err := audit.Decode([]byte(empty), catalogtest.New(), &b, audit.Options{Now: now})
		require.NoError(t, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, recorded(f)[:3]...))
	f.Add([]byte(`{"kind":"Event","auditID":"a","verb":"get","sourceIPs":["1.2.3.4"],"user":7,"objectRef":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b seamark.Batch
		before := bytes.Clone(body)
		ids, err := audit.Decode(body, catalogtest.New(), &b, audit.Options{Now: now})
		if len(ids) != b.Logs.Len() {
			t.Fatalf("%d ids of %d rows", len(ids), b.Logs.Len())
		}
		if err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Fatalf("error %v", err)
		}
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body, cat, batch := encode(b, recorded(b)...), catalogtest.New(), &seamark.Batch{}
	b.SetBytes(int64(len(body)))
	rows := 0
	for b.Loop() {
		batch.Reset()
		if _, err := audit.Decode(body, cat, batch, audit.Options{Now: now}); err != nil {
			b.Fatal(err)
		}
		rows += batch.Logs.Len()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(rows)*1e6, "s/Mrows")
}
