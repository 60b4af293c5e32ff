package lokipush_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"

	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
)

var now = time.Unix(1_785_000_000, 123)

var options = lokipush.Options{Now: now}

// row is one line with everything a batch tells about it.
type row struct {
	Labels string
	Time   int64
	Level  seamark.Level
	Trace  string
	Span   string
	Body   string
	Attrs  []seamark.Label
}

func rowsOf(tb testing.TB, b *seamark.Batch) []row {
	tb.Helper()
	l := &b.Logs
	n := l.Len()
	for name, length := range map[string]int{"stream": len(l.Stream), "level": len(l.Level), "trace": len(l.TraceID),
		"span": len(l.SpanID), "body": len(l.Body), "attribute end": len(l.AttrEnd)} {
		if length != n {
			tb.Fatalf("the %s column has %d rows, the time column %d", name, length, n)
		}
	}
	var rows []row
	for i := range n {
		r := row{Labels: fmt.Sprintf("%q", l.Streams[l.Stream[i]].Labels), Time: l.TimeNano[i], Level: l.Level[i], Body: strings.Clone(l.Body[i])}
		if l.TraceID[i] != [16]byte{} {
			r.Trace = hex.EncodeToString(l.TraceID[i][:])
		}
		if l.SpanID[i] != [8]byte{} {
			r.Span = hex.EncodeToString(l.SpanID[i][:])
		}
		for _, a := range l.AttrsOf(i) {
			r.Attrs = append(r.Attrs, seamark.Label{Name: strings.Clone(a.Name), Value: strings.Clone(a.Value)})
		}
		rows = append(rows, r)
	}
	return rows
}

func marshal(tb testing.TB, r *push.PushRequest) []byte {
	tb.Helper()
	body, err := r.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// asJSON writes the request as agents do; labels gives each stream's labels, because the protobuf form has them as text.
func asJSON(tb testing.TB, r *push.PushRequest, labels []map[string]string) []byte {
	tb.Helper()
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][]any           `json:"values"`
	}
	var body struct {
		Streams []stream `json:"streams"`
	}
	for i, s := range r.Streams {
		out := stream{Stream: labels[i]}
		for _, e := range s.Entries {
			value := []any{strconv.FormatInt(e.Timestamp.UnixNano(), 10), e.Line}
			if len(e.StructuredMetadata) > 0 {
				value = append(value, e.StructuredMetadata)
			}
			out.Values = append(out.Values, value)
		}
		body.Streams = append(body.Streams, out)
	}
	text, err := json.Marshal(body)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// request is n lines of about 200 bytes in ten streams, as a log agent in Kubernetes sends them, with the labels of each.
func request(n int) (*push.PushRequest, []map[string]string) {
	r := &push.PushRequest{}
	var labels []map[string]string
	for i := range 10 {
		set := map[string]string{"app": "checkout", "cluster": "prod-eu-1", "container": "api", "namespace": "shop",
			"node_name": "ip-10-42-3-17", "pod": fmt.Sprintf("checkout-api-6d5f8-%d", i), "stream": "stdout"}
		labels = append(labels, set)
		var text []string
		for _, name := range []string{"stream", "pod", "node_name", "namespace", "container", "cluster", "app"} {
			text = append(text, fmt.Sprintf("%s=%q", name, set[name]))
		}
		r.Streams = append(r.Streams, push.Stream{Labels: "{" + strings.Join(text, ", ") + "}", Hash: uint64(i)})
	}
	for i := range n {
		s := &r.Streams[i%10]
		at := time.Unix(1_785_000_000, int64(i)*1_000_003)
		s.Entries = append(s.Entries, push.Entry{Timestamp: at, Line: fmt.Sprintf(
			`{"ts":%q,"msg":"request served","level":"info","method":"GET","path":"/v1/orders/%d","status":200,"bytes":%d,"duration_ms":%d,"user_agent":"Mozilla/5.0 (X11; Linux x86_64)"}`,
			at.UTC().Format(time.RFC3339Nano), i*7919, i*13, i%300)})
	}
	return r, labels
}

func expectError(tb testing.TB, err error, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want Invalid %s with %q", err, id, contains)
	}
}

// accepting takes any label set, so that a comparison sees what the decoder made of it.
type accepting struct{}

func (accepting) Find(uint64) *seamark.Series { return nil }
func (accepting) Create(_ uint64, kind seamark.SeriesKind, labels []seamark.Label) (*seamark.Series, error) {
	seamark.SortLabels(labels)
	var kept []seamark.Label
	for _, l := range labels {
		if l.Value != "" {
			kept = append(kept, seamark.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
		}
	}
	return &seamark.Series{Kind: kind, Labels: kept}, nil
}

type failing struct{ err error }

func (failing) Find(uint64) *seamark.Series { return nil }
func (f failing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, f.err
}
